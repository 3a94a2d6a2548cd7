"""Both products of a plan, each judged on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.planning.checking import exchange, teams
from reconciler.planning.checking.between import exchange_strays, teams_strays
from reconciler.planning.checking.exchange_steps import ExchangeModel
from reconciler.planning.checking.partial import Beyond, beyond_exchange, beyond_teams
from reconciler.planning.checking.teams_steps import TeamsModel
from reconciler.planning.checking.verdicts import Unfollowable, Violation, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.addresses import Provider
    from reconciler.model.baselines import Baseline
    from reconciler.model.plans import Plan, Step
    from reconciler.planning.checking.verdicts import Judging


def judge_prefixes(plan: Plan) -> tuple[Violation, ...]:
    """Judge every prefix of a plan; nothing but its baseline and its steps is looked at.

    Returns: What is wrong, by step; nothing if the plan is safe: after every step every application
    reaches only whom it reaches before the plan or after it, whatever groups a user, and whatever
    scopes a mailbox, may be in.
    """
    return violations(plan.baseline, plan.steps)


def violations(
    baseline: Baseline, steps: Sequence[Step], *, toward: Sequence[Step] | None = None
) -> tuple[Violation, ...]:
    """The same for a plan that is still being made, or of which only some steps are run.

    Args:
        baseline: The state before the first step.
        steps: What is run, in order.
        toward: Steps after which an application may reach whom it reaches then; default: `steps`.
    """
    every = _violations(baseline, steps, steps if toward is None else toward)
    return tuple(sorted(every, key=lambda violation: violation.step))


def still_reaching(
    baseline: Baseline, steps: Sequence[Step] = ()
) -> frozenset[tuple[Provider, str]]:
    """Applications that shall reach nobody and that may reach somebody in the end, by product: a
    mailbox, in whatever scopes it lies; on the Teams side, whoever holds a list that has them.

    Args:
        baseline: The state before the first step, and which applications these are.
        steps: All that is run.
    """
    return frozenset(
        (provider, application)
        for provider in PROVIDERS
        if baseline.shut_out()
        for application in _reaching(provider, baseline, _of(provider, steps))
    )


def _reaching(provider: Provider, baseline: Baseline, steps: Sequence[Step]) -> frozenset[str]:
    """Of one product; all of them where that cannot be followed."""
    shut_out, opaque = baseline.shut_out(), baseline.opaque_of(provider)
    try:
        match provider:
            case "exchange":
                exchange_side = ExchangeModel.read(
                    baseline.of_exchange() or {}, opaque, (), shut_out
                )
                for step in steps:
                    exchange_side.run(step)
                return frozenset(filter(exchange_side.reaches, shut_out))
            case "teams":
                section = baseline.of_teams()
                if section is None:
                    return shut_out
                teams_side = TeamsModel.read(section, opaque)
                for step in steps:
                    teams_side.run(step)
                return frozenset(filter(teams_side.lists, shut_out))
            case _:
                assert_never(provider)
    except (Unfollowable, KeyError, TypeError, AttributeError, ValueError):
        return shut_out


class StepwiseJudge:
    """Follows steps one by one, and skips those that would not be safe at that point."""

    def __init__(self, baseline: Baseline, toward: Sequence[Step]) -> None:
        """Begin at a baseline; `toward` as in `violations`."""
        self._judgings = {
            provider: _begun(provider, baseline, _of(provider, toward)) for provider in PROVIDERS
        }

    def admits(self, step: Step) -> bool:
        """Do a step if it can be done and nobody is exposed after it; say whether it was done."""
        judging = self._judgings[step.provider]
        return not (judging is None or isinstance(judging, Violation)) and judging.admits(step)


def strays(
    provider: Provider, baseline: Baseline, done: Sequence[Step], planned: Sequence[Step]
) -> frozenset[str]:
    """Applications that reach, with some steps of a plan done, somebody whom they reach neither
    before nor after the plan, or miss somebody whom they reach at both ends.

    Args:
        provider: the product.
        baseline: what the plan rests on.
        done: steps of the product that are done, in the order of the plan.
        planned: all its steps.

    Returns: lower-case client ids; `*` alone where that cannot be followed.
    """
    if not done:
        return frozenset()
    if baseline.opaque_of(provider):
        return frozenset("*")
    try:
        match provider:
            case "exchange":
                policies = baseline.of_exchange() or {}
                exchange_side = ExchangeModel.read(policies, shut_out=baseline.shut_out())
                return frozenset(exchange_strays(exchange_side, done, planned))
            case "teams":
                section = baseline.of_teams()
                if section is None:
                    return frozenset("*")
                return frozenset(teams_strays(TeamsModel.read(section), done, planned))
            case _ as unfollowed:
                assert_never(unfollowed)
    except (Unfollowable, KeyError, TypeError, AttributeError, ValueError):
        return frozenset("*")


def reached_beyond(provider: Provider, sides: Sequence[Baseline]) -> tuple[Beyond, ...]:
    """Compare what a plan of a part leads to with the tenant and with what the whole plan leads to.

    Args:
        provider: the product.
        sides: the tenant, what the part leads to, what the whole plan leads to; all three name the
            same objects of the product.

    Returns: Nothing if the part lets no application reach anybody beyond the other two.
    """
    try:
        return tuple(_reached_beyond(provider, sides))
    except Unfollowable:
        return (Beyond("*", None),)


def _reached_beyond(provider: Provider, sides: Sequence[Baseline]) -> Iterable[Beyond]:
    match provider:
        case "exchange":
            return beyond_exchange([side.of_exchange() or {} for side in sides])
        case "teams":
            return beyond_teams(list(filter(None, (side.of_teams() for side in sides))))
        case _ as unjudged:
            assert_never(unjudged)


PROVIDERS: tuple[Provider, ...] = ("exchange", "teams")
"""The checker's own table of products: each is judged by a module of this package."""


def _violations(
    baseline: Baseline, steps: Sequence[Step], toward: Sequence[Step]
) -> Iterator[Violation]:
    for provider in PROVIDERS:
        own = _of(provider, steps)
        if own:
            yield from _judged(provider, baseline, own, _of(provider, toward))


def _of(provider: Provider, steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.provider == provider]


def _judged(
    provider: Provider, baseline: Baseline, steps: Sequence[Step], toward: Sequence[Step]
) -> Iterator[Violation]:
    judging = _begun(provider, baseline, toward)
    if judging is None:
        yield Violation(provider, steps[0].id, steps[0].address, ViolationKind.UNKNOWN)
    elif isinstance(judging, Violation):
        yield judging
    else:
        for step in steps:
            yield from judging.after(step)


def _begun(
    provider: Provider, baseline: Baseline, toward: Sequence[Step]
) -> Judging | Violation | None:
    opaque = baseline.opaque_of(provider)
    match provider:
        case "exchange":
            policies = baseline.of_exchange()
            awaited = baseline.awaited_of(provider)
            if policies is None:
                return None
            return exchange.begun(policies, toward, opaque, awaited, baseline.shut_out())
        case "teams":
            section = baseline.of_teams()
            if section is None:
                return None
            return teams.begun(section, toward, opaque, baseline.shut_out())
        case _:
            assert_never(provider)
