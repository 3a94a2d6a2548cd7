"""Continuing after the service refused a step for good: with whatever does not depend on it, if the
user wants that and the checker has no objection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.applying.deciding import WayOn
from reconciler.applying.outcomes import MOST_ALIKE, OutcomeKind, kind_of, too_many_alike
from reconciler.planning import continuing
from reconciler.tenants.protocol import Failed

if TYPE_CHECKING:
    from reconciler.applying.deciding import GiveUp, RunState, Unanswered
    from reconciler.applying.observing import RunContext


def went_on(run: RunContext, state: RunState, ending: GiveUp) -> WayOn | GiveUp:
    """Find the way on without a step that was refused, and ask whether to take it.

    Returns: The way if it is taken; else the ending, which says why not.
    """
    outcome = ending.attempt.outcome
    if run.host.stop() or not isinstance(outcome, Failed) or not _is_refused(state, ending):
        return ending
    way = _way_on(run, state, ending.attempt, outcome)
    if isinstance(way, str):
        return ending if run.keep_going is None else replace(ending, why=way)
    if run.keep_going is None or not run.keep_going(way) or run.host.stop():
        return replace(ending, goes_on=True)
    return way


def _is_refused(state: RunState, ending: GiveUp) -> bool:
    """Whether a step was refused for good and changed nothing."""
    kind = kind_of(ending.attempt.outcome, state.retries, ending.reading)
    return kind is OutcomeKind.REFUSED


def _way_on(run: RunContext, state: RunState, attempt: Unanswered, refusal: Failed) -> WayOn | str:
    """The way, or why there is none."""
    left = state.course[state.reached + 1 :]
    doubt = _doubt(state, attempt) if left else ""
    if doubt or not left:
        return doubt
    remaining = continuing.continuation(run.plan, state.passed, left)
    done = {step.id for step in (*state.passed, *remaining)}
    if any(continuing.halfway(run.plan.steps, done)):
        return (
            "the other steps were not tried: a group that lost its policy would not get it back, and"
            " only this plan knows its rank"
        )
    if not remaining:
        return "the other steps were not tried: all of them depend on this one"
    if not continuing.is_safe(run.plan, (*state.passed, *remaining)):
        return "the other steps were not tried: without this one they are not safe"
    left_out = len(left) - len(remaining)
    return WayOn(attempt.step, refusal.fault, refusal.message, remaining, left_out)


def _doubt(state: RunState, attempt: Unanswered) -> str:
    refusals = [past.outcome for past in (*state.row, attempt)]
    faults = [outcome.fault for outcome in refusals if isinstance(outcome, Failed)]
    if not too_many_alike(faults):
        return ""
    return (
        f"{MOST_ALIKE} steps in a row were refused alike ({faults[-1]}): they may have one cause, such as"
        " a role that the account has lost (`reconciler doctor` shows it). The other steps were not"
        " tried"
    )
