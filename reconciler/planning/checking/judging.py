"""Both products of a plan, each judged on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.planning.checking import exchange, teams
from reconciler.planning.checking.verdicts import Violation, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.addresses import Provider
    from reconciler.model.baselines import Baseline
    from reconciler.model.plans import Plan, Step


def judge_prefixes(plan: Plan) -> tuple[Violation, ...]:
    """Judge every prefix of a plan; nothing but its baseline and its steps is looked at.

    Returns: What is wrong, by step; nothing if the plan is safe: after every step every application
    reaches only whom it reaches before the plan or after it, whatever groups a user, and whatever
    scopes a mailbox, may be in.
    """
    return violations(plan.baseline, plan.steps)


def violations(baseline: Baseline, steps: Sequence[Step]) -> tuple[Violation, ...]:
    """The same for a plan that is still being made."""
    return tuple(sorted(_violations(baseline, steps), key=lambda violation: violation.step))


PROVIDERS: tuple[Provider, ...] = ("exchange", "teams")
"""The checker's own table of products: each is judged by a module of this package."""


def _violations(baseline: Baseline, steps: Sequence[Step]) -> Iterator[Violation]:
    for provider in PROVIDERS:
        own = [step for step in steps if step.provider == provider]
        if own:
            yield from _judged(provider, baseline, own)


def _judged(provider: Provider, baseline: Baseline, steps: Sequence[Step]) -> Iterator[Violation]:
    match provider:
        case "exchange":
            policies = baseline.of_exchange()
            judged = None if policies is None else exchange.judge(policies, steps)
        case "teams":
            section = baseline.of_teams()
            judged = None if section is None else teams.judge(section, steps)
        case _:
            assert_never(provider)
    if judged is None:
        yield Violation(provider, steps[0].id, steps[0].address, ViolationKind.UNKNOWN)
    else:
        yield from judged
