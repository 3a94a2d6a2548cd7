"""Whether a tenant in which only some steps of a plan are done lies between the plan's two ends:
every application reaches whoever it reaches at both, and nobody whom it reaches at neither.

If so, the other steps give and take access only from those of whom the whole plan says it. Judged
for every membership, like prefixes: what decides is one group or scope at each of three moments, so
sets of at most three tell all.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from reconciler.planning.checking.exchange import exposed
from reconciler.planning.checking.exchange_steps import EVERY
from reconciler.planning.checking.teams_steps import EVERYONE
from reconciler.planning.checking.verdicts import Unfollowable, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.plans import Step
    from reconciler.planning.checking.exchange_steps import ExchangeModel, Rights
    from reconciler.planning.checking.teams_steps import TeamsModel

    Reach = tuple[frozenset[str], ...]
    """What is reached before the plan, now and after it."""

_MOMENTS = 3


def exchange_strays(
    before: ExchangeModel, done: Sequence[Step], planned: Sequence[Step]
) -> Iterator[str]:
    """Applications that reach, with some steps done, a mailbox that they reach at neither end, or
    miss one that they reach at both.

    Args:
        before: the state that the plan rests on.
        done: Exchange steps that are done, in the order of the plan.
        planned: all of them.

    Raises:
        Unfollowable: a step cannot be done.
    """
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


def teams_strays(
    before: TeamsModel, done: Sequence[Step], planned: Sequence[Step]
) -> Iterator[str]:
    """The same of users and of Teams steps.

    Raises:
        Unfollowable: a step cannot be done, or it is not known who holds what.
    """
    if before.unidentified:
        raise Unfollowable(ViolationKind.OPAQUE)
    now, after = before.copy(), before.copy()
    for model, steps in ((now, done), (after, planned)):
        for step in steps:
            model.run(step)
    moments = (before, now, after)
    classes = {tuple(model.users[user] for model in moments) for user in before.users}
    classes |= {(key,) * _MOMENTS for key in before.policies if before.others.get(key, True)}
    fallen = _fallen(moments)
    for grants in {*classes, (None,) * _MOMENTS}:
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
            reach[min(own, key=place.__getitem__)] if (own := place.keys() & some) else others
            for reach, place, others in zip(listed, places, everyone, strict=True)
        )
        for size in range(_MOMENTS + 1)
        for some in map(frozenset, combinations(groups, size))
    }
