"""Continuing after the service refused a step for good: with whatever does not depend on it, if the
user wants that and the checker has no objection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applying.deciding import WayOn
from reconciler.applying.outcomes import MOST_ALIKE, OutcomeKind, kind_of, too_many_alike
from reconciler.planning import continuing
from reconciler.tenants.protocol import Failed

if TYPE_CHECKING:
    from reconciler.applying.deciding import GiveUp, RunState, Unanswered
    from reconciler.applying.observing import RunContext


def is_refused(state: RunState, ending: GiveUp) -> bool:
    """Say whether a step was refused for good and changed nothing."""
    kind = kind_of(ending.attempt.outcome, state.retries, ending.reading)
    return kind is OutcomeKind.REFUSED


def way_on(run: RunContext, state: RunState, ending: GiveUp) -> WayOn | str:
    """Find the way on, and ask whether to take it.

    Returns: The way, or why there is none; no words where nobody wants it or nothing is left.
    """
    outcome = ending.attempt.outcome
    if (
        run.keep_going is None
        or run.host.stop()
        or not isinstance(outcome, Failed)
        or not is_refused(state, ending)
    ):
        return ""
    doubt = _doubt(state, ending.attempt)
    if doubt:
        return doubt
    left = state.course[state.reached + 1 :]
    remaining = continuing.continuation(run.plan, state.passed, left)
    if not remaining:
        return ""
    done = {step.id for step in (*state.passed, *remaining)}
    if any(continuing.halfway(run.plan.steps, done)):
        return (
            "the other steps were not tried: a group that lost its policy would not get it back, and"
            " only this plan knows its rank"
        )
    if not continuing.is_safe(run.plan, (*state.passed, *remaining)):
        return "the other steps were not tried: without this one they are not safe"
    way = WayOn(
        ending.attempt.step,
        outcome.fault,
        outcome.message,
        remaining,
        len(left) - len(remaining),
    )
    wanted = run.keep_going(way) and not run.host.stop()
    return way if wanted else ""


def _doubt(state: RunState, attempt: Unanswered) -> str:
    refusals = [past.outcome for past in (*state.row, attempt)]
    faults = [outcome.fault for outcome in refusals if isinstance(outcome, Failed)]
    if too_many_alike(faults):
        return (
            f"{MOST_ALIKE} steps in a row were refused alike ({faults[-1]}): the account may have lost"
            " a role (`reconciler doctor` shows it). The other steps were not tried"
        )
    return ""
