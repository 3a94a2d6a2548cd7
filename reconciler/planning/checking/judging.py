"""Both products of a plan, each judged on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.planning.checking import exchange, teams
from reconciler.planning.checking.verdicts import Violation, Why

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.plans import Plan, Step


def check(plan: Plan) -> tuple[Violation, ...]:
    """Judge every prefix of a plan; nothing but its baseline and its steps is looked at.

    Returns: What is wrong, by step; nothing if the plan is safe: after every step every application
    reaches only whom it reaches before the plan or after it, whatever groups a user, and whatever
    scopes a mailbox, may be in.
    """
    return violations(plan.baseline, plan.steps)


def violations(baseline: Mapping[str, Json], steps: Sequence[Step]) -> tuple[Violation, ...]:
    """The same for a plan that is still being made."""
    return tuple(sorted(_violations(baseline, steps), key=lambda one: one.step))


def _violations(baseline: Mapping[str, Json], steps: Sequence[Step]) -> Iterator[Violation]:
    for provider in ("exchange", "teams"):
        own = [step for step in steps if step.provider == provider]
        section: Any = baseline.get(provider)
        if own and section is None:
            yield Violation(own[0].provider, own[0].id, own[0].address, Why.UNKNOWN)
        elif own and provider == "exchange":
            yield from exchange.judge(section, own)
        elif own:
            yield from teams.judge(section, own)
