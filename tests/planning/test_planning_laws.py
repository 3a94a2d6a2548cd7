"""Laws 5, 6 and 10 for small random transitions, judged by the plain model in enumerated_access.py."""

from __future__ import annotations

import random

import pytest

from reconciler.model.codes import RefusalRule
from reconciler.planning import making, prefixes
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

SAMPLES = samples(800)
OPTIONS = making.PlanOptions()


def _plan(declared, teams=None, exchange=None):
    return making.make_plan(declared, observed(teams, exchange), OPTIONS)


def _worlds_along(world, plan):
    """The world before the first step, and after each."""
    along = [world.copy()]
    for step in plan.steps:
        world = along[-1].copy()
        world.run(step.cmdlet, dict(step.parameters))
        along.append(world)
    return along


def _teams_case(seed):
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
    return random_teams(chance, *sizes), documents(
        random_teams_documents(chance, *sizes), [], tenant(prune=chance.random() < 0.3)
    )


def _unsafe_prefixes(along, access):
    before, after = access(along[0]), access(along[-1])
    return [
        k
        for k, world in enumerate(along)
        if any(not reach <= before[key] | after[key] for key, reach in access(world).items())
    ]


def _teams_access(world):
    """All users of the case and one that nothing names: a group may have members whom nobody
    listed.
    """
    return world.access(USERS, GROUPS[:3])


def test_teams_prefixes_are_safe_and_plans_converge():
    steps = 0
    for seed in range(SAMPLES):
        world, declared = _teams_case(seed)
        plan = _plan(declared, teams=world)
        along = _worlds_along(world, plan)
        assert _unsafe_prefixes(along, _teams_access) == [], f"seed {seed}"
        again = _plan(declared, teams=along[-1])
        assert again.steps == (), f"seed {seed}: {[step.text for step in again.steps]}"
        assert again.changes == (), f"seed {seed}"
        steps += len(plan.steps)
    assert steps > SAMPLES


def test_every_teams_step_is_needed():
    for seed in range(SAMPLES // 4):
        world, declared = _teams_case(seed)
        plan = _plan(declared, teams=world)
        for left_out in range(len(plan.steps)):
            assert _is_missed(world, declared, plan, left_out), (
                f"seed {seed}: {plan.steps[left_out].text} is not needed"
            )


def _is_missed(world, declared, plan, left_out):
    along = [world.copy()]
    for step in plan.steps[:left_out] + plan.steps[left_out + 1 :]:
        world = along[-1].copy()
        try:
            world.run(step.cmdlet, dict(step.parameters))
        except StepFailed:
            return True
        along.append(world)
    return bool(_plan(declared, teams=along[-1]).steps) or bool(
        _unsafe_prefixes(along, _teams_access)
    )


def test_after_any_stop_the_place_is_found_and_a_new_plan_ends_in_the_same_state():
    for seed in range(SAMPLES // 4):
        world, declared = _teams_case(seed)
        plan = _plan(declared, teams=world)
        along = _worlds_along(world, plan)
        for k, stopped in enumerate(along):
            assert prefixes.locate(plan, observed(stopped, None)) == k, f"seed {seed}"
            assert prefixes.prefix_differences(plan, k, observed(stopped, None)) == {}
            resumed = _worlds_along(stopped, _plan(declared, teams=stopped))[-1]
            assert resumed == along[-1], f"seed {seed} after {k}"


def _exchange_case(seed):
    chance = random.Random(seed)
    apps, scopes = [APPS[0], "*"], SCOPES[:3]
    world, wanted = random_exchange(chance, apps, scopes), random_exchange(chance, apps, scopes)
    return world, documents([], exchange_documents(wanted, described=chance.random() < 0.5))


def _exchange_access(world):
    """Every application of the world and one that has no policy of its own."""
    reached = world.access([APPS[0], APPS[1]], SCOPES[:3])
    return {
        (app, some): {True} if (app, some) in reached else set()
        for app in APPS[:2]
        for some in _combinations()
    }


def _combinations():
    return [
        frozenset(scope for bit, scope in enumerate(SCOPES[:3]) if number >> bit & 1)
        for number in range(8)
    ]


def test_exchange_prefixes_are_safe_unless_a_guard_is_asked_for():
    refused = 0
    for seed in range(SAMPLES):
        world, declared = _exchange_case(seed)
        plan = _plan(declared, exchange=world)
        along = _worlds_along(world, plan)
        guarded = any(note.code == RefusalRule.NEEDS_GUARD for note in plan.refusals)
        unsafe = _unsafe_prefixes(along, _exchange_access)
        assert bool(unsafe) <= guarded, f"seed {seed}: {[step.text for step in plan.steps]}"
        refused += guarded
        assert _plan(declared, exchange=along[-1]).steps == (), f"seed {seed}"
        for k, stopped in enumerate(along):
            assert prefixes.locate(plan, observed(None, stopped)) == k
    assert 0 < refused < SAMPLES // 10


def test_every_exchange_step_is_needed():
    for seed in range(SAMPLES // 4):
        world, declared = _exchange_case(seed)
        plan = _plan(declared, exchange=world)
        for left_out in range(len(plan.steps)):
            rest = plan.steps[:left_out] + plan.steps[left_out + 1 :]
            end = world.copy()
            try:
                for step in rest:
                    end.run(step.cmdlet, dict(step.parameters))
            except StepFailed:
                continue
            assert _plan(declared, exchange=end).steps, f"seed {seed}: {plan.steps[left_out].text}"
