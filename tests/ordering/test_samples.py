"""Teams with 3 applications, 3 policies, 3 users and 3 groups, from documents: seeded samples, in
both ways to change groups.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from reconciler.kinds.ordering.search import MOST_NODES
from reconciler.kinds.teams import desired, steps, target
from reconciler.kinds.teams.nodes import cut, nodes
from reconciler.model.observed import GroupAssignment, TeamsPolicy, TeamsState
from reconciler.planning.selection import selection
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    USERS,
    directory,
    random_teams,
    random_teams_documents,
)

pytestmark = pytest.mark.no_cover

NOTHING_HELD = selection((), ()).holding
PEOPLE = directory()


def _case(seed, *, size=3, names=NAMES, users=USERS[:3], groups=GROUPS[:3]):
    chance = random.Random(seed)
    sizes = (APPS[:size], users, groups, names)
    world = random_teams(chance, *sizes)
    state = world.state()
    wanted, _ = desired.resolve(random_teams_documents(chance, *sizes), PEOPLE, state.users)
    return (
        world,
        state,
        target.target(wanted, state, prune=chance.random() < 0.3, holding=NOTHING_HELD),
    )


def _access(world, users, groups):
    """All users of the case and one that nothing names."""
    return world.access([*users, "somebody"], groups)


def _judge(world, ordered, users=USERS[:3], groups=GROUPS[:3]):
    """(unsafe prefixes, missing pairs summed over the prefixes) along the steps."""
    along = [_access(world, users, groups)]
    now = world.copy()
    for draft in ordered.drafts:
        now.run(draft.invocation.cmdlet, dict(draft.invocation.parameters))
        along.append(_access(now, users, groups))
    before, after = along[0], along[-1]
    unsafe = sum(
        1
        for one in along
        if any(not reach <= before[key] | after[key] for key, reach in one.items())
    )
    missing = sum(
        len((before[key] & after[key]) - reach) for one in along for key, reach in one.items()
    )
    return unsafe, missing


def _samples(count, first=0):
    counts = Counter()
    for seed in range(first, first + count):
        world, state, aim = _case(seed)
        ordered = steps.ordered(state, aim)
        unsafe, missing = _judge(world, ordered)
        assert unsafe == 0, f"seed {seed}"
        assert not ordered.exposures
        assert bool(missing) is bool(ordered.gaps), f"seed {seed}"
        counts.update(judged=1, steps=len(ordered.drafts), gaps=bool(missing))
    print(f"\nTeams, 3 of each: {dict(counts)}")
    return counts


def test_a_thousand_samples():
    assert _samples(1000)["judged"] == 1000


@pytest.mark.exhaustive
def test_a_hundred_thousand_samples():
    assert _samples(100_000)["judged"] == 100_000


def test_documented_group_changes_name_whom_they_expose():
    exposed = 0
    for seed in range(600):
        world, state, aim = _case(seed)
        ordered = steps.ordered(state, aim, regranting=False)
        unsafe, missing = _judge(world, ordered)
        assert bool(unsafe) is bool(ordered.exposures), f"seed {seed}"
        assert bool(missing) is bool(ordered.gaps), f"seed {seed}"
        exposed += bool(unsafe)
        held = {row.group for row in state.groups}
        for draft in ordered.drafts:
            group = draft.invocation.parameters.get("Group")
            if group is not None:
                assert (draft.invocation.parameters["PolicyName"] is None) is (group in held), (
                    f"seed {seed}: taken away first"
                )
                held ^= {group}
    assert exposed > 10


def _large(seed):
    """More nodes in one component than are searched."""
    chance = random.Random(seed)
    names = [f"Policy-{number}" for number in range(8)]
    users = [f"{number:08x}-0000-4000-8000-000000000002" for number in range(8)]

    def state():
        listed = {
            name.lower(): TeamsPolicy(
                name, {app: app for app in APPS[:3] if chance.random() < 0.5}, ""
            )
            for name in names
        }
        listed["global"] = TeamsPolicy(
            "Global", {app: app for app in APPS[:3] if chance.random() < 0.5}, ""
        )
        keys = sorted(listed.keys() - {"global"})
        groups = tuple(
            GroupAssignment(group, chance.choice(keys))
            for group in chance.sample(GROUPS, 4)
            if chance.random() < 0.8
        )
        holders = {user: chance.choice(keys) for user in users if chance.random() < 0.7}
        return TeamsState(
            listed, groups, holders, {key: policy.name for key, policy in listed.items()}
        )

    before, after = state(), state()
    changing = {
        user: after.users.get(user)
        for user in users
        if before.users.get(user) != after.users.get(user)
    }
    declared = tuple(row.group for row in after.groups)
    return before, target.TeamsTarget(
        after.policies, after.groups, changing, declared, None, frozenset(), frozenset(), ()
    )


def test_what_is_too_large_to_search_takes_the_fixed_order_and_is_safe():
    from tests.planning.enumerated_access import TeamsWorld

    unproved = judged = 0
    for seed in range(60):
        before, aim = _large(seed)
        if max(map(len, cut(before, aim, nodes(before, aim, regranting=True)))) <= MOST_NODES:
            continue
        judged += 1
        spelled = {key: policy.name for key, policy in before.policies.items()}
        world = TeamsWorld(
            {
                policy.name: (frozenset(policy.applications), "")
                for key, policy in before.policies.items()
                if key != "global"
            },
            frozenset(before.policies["global"].applications),
            [(row.group, spelled[row.policy]) for row in before.groups],
            {user: spelled[key] for user, key in before.users.items()},
        )
        for regranting in (True, False):
            ordered = steps.ordered(before, aim, regranting=regranting)
            unsafe, missing = _judge(world, ordered, sorted(aim.users), GROUPS)
            assert bool(missing) is bool(ordered.gaps), f"seed {seed}"
            assert bool(unsafe) is bool(ordered.exposures), f"seed {seed}"
            assert not (unsafe and regranting), f"seed {seed}"
        unproved += any(not gap.proved for gap in ordered.gaps)
    assert judged > 30
    assert unproved > 20


def test_many_users_of_few_classes_cost_no_more_than_their_steps():
    """A hundred times the users: the same nodes."""
    users = {f"{number:08x}-0000-4000-8000-000000000002": "alpha" for number in range(2000)}
    listed = {
        key: TeamsPolicy(key.title(), {APPS[0]: APPS[0]}, "") for key in ("alpha", "beta", "global")
    }
    before = TeamsState(listed, (), users, {})
    after = {
        **listed,
        "beta": TeamsPolicy("Beta", {APPS[1]: APPS[1]}, ""),
        "alpha": TeamsPolicy("Alpha", {}, ""),
    }
    aim = target.TeamsTarget(
        after, (), dict.fromkeys(users, "beta"), (), None, frozenset(), frozenset(), ()
    )
    (part,) = cut(before, aim, nodes(before, aim, regranting=True))
    assert len(part) == 4
    assert len(steps.ordered(before, aim).drafts) == 2003
