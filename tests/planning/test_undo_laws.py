"""Laws of undoing, for small random transitions, judged by the plain model in enumerated_access.py."""

from __future__ import annotations

import random

import pytest

from reconciler.model.codes import RefusalRule
from reconciler.model.documents import AccessRight
from reconciler.model.histories import PlanHistory
from reconciler.planning import checking, making, planfile, undoing
from tests.planning.consents import plan_with_deletions
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    StepFailed,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    tenant,
)
from tests.thoroughness import samples

pytestmark = pytest.mark.no_cover

SAMPLES = samples(100)
OPTIONS = making.PlanOptions()
TEAMS = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
EXCHANGE = ([APPS[0], "*"], SCOPES[:3])


def _along(world, steps):
    """The world before the first step, and after each."""
    along = [world.copy()]
    for step in steps:
        world = along[-1].copy()
        world.run(step.cmdlet, dict(step.parameters))
        along.append(world)
    return along


def _undo(plan, done, declared, teams=None, exchange=None):
    """The plan that undoes the first steps of a plan."""
    history = PlanHistory(frozenset(range(1, done + 1)))
    return undoing.make_undo(
        planfile.sealed(plan), history, declared, observed(teams, exchange), OPTIONS
    )


def _teams_case(seed):
    chance = random.Random(seed)
    return (
        chance,
        random_teams(chance, *TEAMS),
        documents(random_teams_documents(chance, *TEAMS), [], tenant(prune=chance.random() < 0.3)),
    )


def _exchange_case(seed):
    chance = random.Random(seed)
    world, wanted = random_exchange(chance, *EXCHANGE), random_exchange(chance, *EXCHANGE)
    declared = documents([], exchange_documents(wanted, described=chance.random() < 0.5))
    return chance, world, declared


def _teams_access(world):
    return world.access(USERS, GROUPS[:3])


def _exchange_access(world):
    scopes = SCOPES[:3]
    reached = world.access([APPS[0], APPS[1]], scopes)
    combinations = [
        frozenset(scope for bit, scope in enumerate(scopes) if number >> bit & 1)
        for number in range(8)
    ]
    return {
        (app, some): {True} if (app, some) in reached else set()
        for app in APPS[:2]
        for some in combinations
    }


def _assert_safe(along, access):
    before, after = access(along[0]), access(along[-1])
    for world in along:
        for key, reach in access(world).items():
            assert reach <= before[key] | after[key]


def test_a_teams_plan_that_stopped_after_any_step_is_undone_to_where_it_began():
    undone = 0
    for seed in range(SAMPLES):
        _, world, declared = _teams_case(seed)
        plan = making.make_plan(declared, observed(world, None), OPTIONS)
        for done, left in enumerate(_along(world, plan.steps)):
            back = _undo(plan, done, declared, teams=left)
            assert not back.held, (seed, done)
            assert checking.judge_prefixes(back) == ()
            way = _along(left, back.steps)
            _assert_safe(way, _teams_access)
            assert way[-1] == world, (seed, done, [step.text for step in back.steps])
            again = _undo(plan, done, declared, teams=world)
            assert (again.steps, again.held) == ((), ()), (seed, done)
            undone += len(back.steps)
    assert undone > SAMPLES


def test_an_exchange_plan_that_stopped_after_any_step_is_undone_to_where_it_began():
    undone = guarded = 0
    for seed in range(SAMPLES):
        _, world, declared = _exchange_case(seed)
        plan = plan_with_deletions(declared, observed(None, world))
        for done, left in enumerate(_along(world, plan.steps)):
            back = _undo(plan, done, declared, exchange=left)
            assert not back.held, (seed, done)
            way = _along(left, back.steps)
            if any(note.code == RefusalRule.NEEDS_GUARD for note in back.refusals):
                guarded += 1
            else:
                _assert_safe(way, _exchange_access)
            assert way[-1] == world, (seed, done, [step.text for step in back.steps])
            again = _undo(plan, done, declared, exchange=world)
            assert (again.steps, again.held) == ((), ()), (seed, done)
            undone += len(back.steps)
    assert undone > SAMPLES
    assert guarded < undone // 10


def test_an_undo_is_undone():
    for seed in range(SAMPLES // 2):
        _, world, declared = _teams_case(seed)
        plan = making.make_plan(declared, observed(world, None), OPTIONS)
        left = _along(world, plan.steps)[-1]
        back = _undo(plan, len(plan.steps), declared, teams=left)
        forth = _undo(back, len(back.steps), declared, teams=world)
        assert _along(world, forth.steps)[-1] == left, seed


def test_an_unknown_step_is_undone_whether_it_happened_or_not():
    for seed in range(SAMPLES // 3):
        _, world, declared = _teams_case(seed)
        plan = making.make_plan(declared, observed(world, None), OPTIONS)
        along = _along(world, plan.steps)
        for step in plan.steps:
            history = PlanHistory(frozenset(range(1, step.id)), uncertain=step.id)
            for left in along[step.id - 1 : step.id + 1]:
                back = undoing.make_undo(
                    planfile.sealed(plan), history, declared, observed(left, None), OPTIONS
                )
                assert _along(left, back.steps)[-1] == world, (seed, step.id)


def _somebody_changes(chance, world):
    """What another person does to a Teams world meanwhile; users whose own grant that takes away."""
    unassigned = set()
    for _ in range(chance.randint(1, 3)):
        name = chance.choice([*NAMES, "Other"])
        user, group, app = chance.choice(USERS), chance.choice(GROUPS[:3]), chance.choice(APPS[:3])
        edit = {chance.choice(["Add", "Remove"]): [app]}
        cmdlet, given = chance.choice(
            [
                ("New-", {"Identity": name, "AppIds": [app]}),
                ("Set-", {"Identity": name, "AppIds": edit}),
                ("Set-", {"Identity": "Global", "AppIds": edit}),
                ("Remove-", {"Identity": name}),
                ("Grant-", {"Identity": user, "PolicyName": name}),
                ("Grant-", {"Identity": user, "PolicyName": name}),
                ("Grant-", {"Identity": user, "PolicyName": None}),
                ("Grant-", {"Group": group, "PolicyName": name, "Rank": 1}),
                ("Grant-", {"Group": group, "PolicyName": None}),
            ]
        )
        held = set(world.users)
        try:
            world.run(cmdlet, given)
        except StepFailed:
            continue
        unassigned |= held - set(world.users)
    return unassigned


def test_nobody_gains_by_an_undo_what_was_neither_there_before_the_plan_nor_is_now():
    """Whatever somebody changed since. EVERYONE has a consent of its own; who lost a grant of one's
    own since gets what one's groups have.
    """
    undone = left_alone = 0
    for seed in range(SAMPLES * 4):
        chance, world, declared = _teams_case(seed)
        plan = making.make_plan(declared, observed(world, None), OPTIONS)
        done = chance.randint(0, len(plan.steps))
        left = _along(world, plan.steps)[done]
        now = left.copy()
        unassigned = _somebody_changes(chance, now)
        back = _undo(plan, done, declared, teams=now)
        if any(note.code == RefusalRule.BEYOND_BASELINE for note in back.refusals):
            continue
        way = _along(now, back.steps)
        _assert_safe(way, _teams_access)
        wide = way[-1].everyone - now.everyone
        before, present = _teams_access(world), _teams_access(now)
        for (user, groups), reach in _teams_access(way[-1]).items():
            if user not in unassigned:
                allowed = before[user, groups] | present[user, groups] | wide
                assert reach <= allowed, (seed, user, [step.text for step in back.steps])
        for user in USERS:
            if now.users.get(user) not in (left.users.get(user), world.users.get(user)):
                assert way[-1].users.get(user) == now.users.get(user), (seed, user)
        if now.groups not in (left.groups, world.groups):
            assert way[-1].groups == now.groups, seed
        again = _undo(plan, done, declared, teams=way[-1])
        assert again.steps == (), (seed, [step.text for step in again.steps])
        undone += bool(back.steps)
        left_alone += bool(back.held)
    assert undone > SAMPLES
    assert left_alone > SAMPLES // 2


def test_an_application_that_somebody_changed_since_is_left_whole():
    left_alone = 0
    for seed in range(SAMPLES):
        chance, world, declared = _exchange_case(seed)
        plan = plan_with_deletions(declared, observed(None, world))
        left = _along(world, plan.steps)[-1]
        now = left.copy()
        app, scope = chance.choice(EXCHANGE[0]), chance.choice(SCOPES[:4])
        right = chance.choice([None, AccessRight.RESTRICT, AccessRight.DENY])
        now.policies.pop((app, scope), None)
        if right is not None:
            now.policies[app, scope] = (right, "since")
        back = _undo(plan, len(plan.steps), declared, exchange=now)
        end = _along(now, back.steps)[-1]
        for owner in EXCHANGE[0]:
            own = [
                {key: value for key, value in each.policies.items() if key[0] == owner}
                for each in (world, now, end, left)
            ]
            assert own[2] in (own[0], own[1]), seed
            if own[1] != own[3]:
                assert own[2] == own[1], seed
        if any(note.code == RefusalRule.BEYOND_BASELINE for note in back.refusals):
            continue
        reached = [each.access([APPS[0], APPS[1]], SCOPES[:4]) for each in (world, now, end)]
        assert reached[2] <= reached[0] | reached[1], seed
        left_alone += bool(back.held)
    assert left_alone > SAMPLES // 4
