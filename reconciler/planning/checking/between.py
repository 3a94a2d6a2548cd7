"""Whether a tenant in which only some steps of a plan are done lies between the plan's two ends:
every application reaches whoever it reaches at both, and nobody whom it reaches at neither.

If so, the other steps give and take access only from those of whom the whole plan says it. Judged
for every membership, like prefixes: what decides is one group or scope at each of three moments, so
sets of at most three tell all.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, assert_never

from reconciler.model.observed import is_opaque
from reconciler.planning.checking.exchange import exposed
from reconciler.planning.checking.exchange_steps import EVERY, ExchangeModel
from reconciler.planning.checking.teams_steps import EVERYONE, TeamsModel
from reconciler.planning.checking.verdicts import Unfollowable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.addresses import Provider
    from reconciler.model.baselines import Baseline
    from reconciler.model.plans import Step
    from reconciler.planning.checking.exchange_steps import Rights

    Reach = tuple[frozenset[str], ...]
    """What is reached before the plan, now and after it."""

_MOMENTS = 3
_STUCK = (Unfollowable, KeyError, TypeError, AttributeError, ValueError)


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
        return frozenset((EVERY,))
    try:
        match provider:
            case "exchange":
                return frozenset(_exchange(baseline, done, planned))
            case "teams":
                return frozenset(_teams(baseline, done, planned))
            case _:
                assert_never(provider)
    except _STUCK:
        return frozenset((EVERY,))


def _exchange(baseline: Baseline, done: Sequence[Step], planned: Sequence[Step]) -> Iterator[str]:
    before = ExchangeModel.read(baseline.of_exchange() or {}, shut_out=baseline.shut_out())
    now, after = before.copy(), before.copy()
    for model, steps in ((now, done), (after, planned)):
        for step in steps:
            model.run(step)
    for application in {*before.own, EVERY}:
        first, meanwhile, last = (model.bearing(application) for model in (before, now, after))
        ends = (first, last)
        if meanwhile not in ends and (
            exposed(meanwhile, ends, before.empty) is not None
            or _misses(meanwhile, ends, before.empty)
        ):
            yield application


def _misses(now: Rights, ends: tuple[Rights, Rights], empty: frozenset[str]) -> bool:
    """Whether a mailbox can be reached at both ends and not now: in no scope that an end denies, in
    one that each end restricts to if it does, and now denied, or in none that is restricted to.
    """
    barred = empty.union(*(end.deny for end in ends))
    wanted = [end.restrict - barred for end in ends if end.restrict]
    denied = all((*wanted, now.deny - barred))
    return denied or (bool(now.restrict) and all(scopes - now.restrict for scopes in wanted))


def _teams(baseline: Baseline, done: Sequence[Step], planned: Sequence[Step]) -> Iterator[str]:
    section = baseline.of_teams()
    if section is None or any(map(is_opaque, section.users)):
        raise ValueError
    before = TeamsModel.read(section)
    now, after = before.copy(), before.copy()
    for model, steps in ((now, done), (after, planned)):
        for step in steps:
            model.run(step)
    moments = (before, now, after)
    held = {tuple(model.users[user] for model in moments) for user in before.users}
    held |= {(key,) * _MOMENTS for key in before.policies if before.others.get(key, True)}
    fallen = _fallen(moments)
    for grants in {*held, (None,) * _MOMENTS}:
        direct = [
            None if key is None else model.reach(key)
            for model, key in zip(moments, grants, strict=True)
        ]
        for by_groups in fallen if None in direct else {(frozenset[str](),) * _MOMENTS}:
            first, meanwhile, last = (
                group if grant is None else grant
                for grant, group in zip(direct, by_groups, strict=True)
            )
            yield from (first & last) - meanwhile
            yield from meanwhile - first - last


def _fallen(moments: tuple[TeamsModel, ...]) -> set[Reach]:
    """What users without a direct grant may reach at the moments, by what groups they may be in."""
    groups = sorted({group for model in moments for group, _ in model.groups})
    listed = [{group: model.reach(policy) for group, policy in model.groups} for model in moments]
    places = [{group: place for place, (group, _) in enumerate(m.groups)} for m in moments]
    everyone = [model.reach(EVERYONE) for model in moments]
    return {
        tuple(
            reach[min(own, key=place.__getitem__)] if (own := place.keys() & some) else rest
            for reach, place, rest in zip(listed, places, everyone, strict=True)
        )
        for size in range(_MOMENTS + 1)
        for some in map(frozenset, combinations(groups, size))
    }
