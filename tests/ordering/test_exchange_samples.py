"""Exchange with two applications and `*`, 6 scopes: seeded samples, searched ones and larger ones,
judged by the plain model of the service.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from reconciler.kinds.exchange import steps
from reconciler.kinds.exchange.target import Creation, ExchangeTarget
from reconciler.model.documents import AccessRight
from reconciler.model.observed import ExchangePolicy, ExchangeState
from tests.ordering import exchange_judge as judge
from tests.planning.enumerated_access import APPS, ExchangeWorld, guid
from tests.thoroughness import samples

pytestmark = pytest.mark.no_cover

SCOPES = [guid(4, number) for number in range(6)]
OWNERS = (APPS[0], APPS[1], "*")
RIGHTS = (AccessRight.RESTRICT, AccessRight.DENY)


def _state(world):
    return ExchangeState(
        {
            key: ExchangePolicy(*key, "S-1", right, "", "", judge.identity(key), "")
            for key, (right, _) in world.policies.items()
        }
    )


def _target(before, after):
    here = _state(before).policies
    differing = {
        key
        for key in here.keys() | after.policies.keys()
        if before.policies.get(key) != after.policies.get(key)
    }
    created = {
        key: Creation(after.policies[key][0], f"{key[1]}@contoso.com", None)
        for key in differing & after.policies.keys()
    }
    return ExchangeTarget(
        created, {key: here[key] for key in differing & here.keys()}, {}, {}, {}, {}
    )


def _case(seed):
    """Most policies stay, so that some components are small and have scopes whose policies nobody
    touches.
    """
    chance = random.Random(seed)
    keys = [(owner, scope) for owner in OWNERS for scope in SCOPES if chance.random() < 0.6]
    before = ExchangeWorld({key: (chance.choice(RIGHTS), "") for key in keys})
    change = chance.choice([0.15, 0.3, 0.9])
    after = before.copy()
    for key in [(owner, scope) for owner in OWNERS for scope in SCOPES]:
        if chance.random() < change:
            after.policies.pop(key, None)
            if chance.random() < 0.6:
                after.policies[key] = (chance.choice(RIGHTS), "")
    return before, after


def _along(world, drafts):
    now = world.copy()
    yield now.access(APPS[:3], SCOPES)
    for draft in drafts:
        given = dict(draft.invocation.parameters)
        if given.get("PolicyScopeGroupId") == judge.GUARD_SCOPE:
            given["PolicyScopeGroupId"] = judge.NOBODY
        now.run(draft.invocation.cmdlet, given)
        yield now.access(APPS[:3], SCOPES)


def test_samples_are_safe_and_every_gap_is_told():
    counts = Counter()
    for seed in range(samples(1000)):
        before, after = _case(seed)
        made = steps.ordered(
            _state(before), _target(before, after), judge.people(), judge.GUARD_SCOPE
        )
        assert not made.lacking
        along = list(_along(before, made.ordered.drafts))
        assert all(one <= along[0] | along[-1] for one in along), f"seed {seed}"
        missing = [{app for app, _ in (along[0] & along[-1]) - one} for one in along[1:]]
        told = [set() for _ in missing]
        for gap in made.ordered.gaps:
            for step in gap.pairs.steps:
                told[step - 1].add(gap.pairs.application)
        # APPS[2] has no policy of its own: what holds for it is told as `*`.
        named = [{"*" if app == APPS[2] else app for app in one} for one in missing]
        assert [one & set(OWNERS) for one in told] == [
            one & {app for app, _ in _touched(before, after)} for one in named
        ], f"seed {seed}"
        counts.update(
            judged=1,
            gaps=any(missing),
            guards=made.guards > 0,
            unproved=any(not gap.proved for gap in made.ordered.gaps),
        )
    print(f"\nExchange, 6 scopes: {dict(counts)}")
    assert counts["judged"] == samples(1000)
    assert counts["gaps"] > samples(15)
    assert counts["unproved"] > samples(5)


def _touched(before, after):
    """Keys of applications whose reach can change: all of them, if policies of `*` do."""
    differing = {
        key
        for key in before.policies.keys() | after.policies.keys()
        if before.policies.get(key) != after.policies.get(key)
    }
    if any(owner == "*" for owner, _ in differing):
        return {(owner, scope) for owner in OWNERS for scope in SCOPES}
    return differing
