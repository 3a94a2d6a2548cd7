"""Which steps rely on which: what a plan warns of is what its baseline and steps tell by themselves,
so that an apply waits as long without the warnings.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from reconciler.applying import lookups
from reconciler.model.codes import WarningCode
from reconciler.planning import making
from tests.checking import transitions
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    tenant,
)

SAMPLES = [300, pytest.param(5000, marks=pytest.mark.exhaustive)]


def _teams_plan(seed):
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS, GROUPS[:3], NAMES)
    world = random_teams(chance, *sizes)
    declared = documents(
        random_teams_documents(chance, *sizes), [], tenant(prune=chance.random() < 0.3)
    )
    options = making.PlanOptions(group_changes=chance.choice(["in-place", "remove-add"]))
    return making.make_plan(declared, observed(world, None), options)


def _exchange_plan(seed):
    chance = random.Random(seed)
    applications = [APPS[0], APPS[1], "*"] if seed % 3 == 0 else APPS[:3]
    world, wanted = (random_exchange(chance, applications, SCOPES[:3]) for _ in range(2))
    seen, guarding = transitions.guarded(world)
    declared = documents([], exchange_documents(wanted), guarding)
    return making.make_plan(declared, seen, making.PlanOptions())


@pytest.mark.no_cover
@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("planned", [_teams_plan, _exchange_plan])
def test_without_its_warnings_a_plan_tells_the_same_reliances(planned, samples):
    relying = 0
    for seed in range(samples):
        plan = planned(seed)
        warned = {
            note.details["step"]: note.details["on"]
            for note in plan.warnings
            if note.code == WarningCode.RELIES_ON
        }
        assert lookups.relied_on(plan) == warned, f"seed {seed}"
        assert lookups.relied_on(replace(plan, warnings=())) == warned, f"seed {seed}"
        relying += bool(warned)
    assert relying > samples // 4


def test_of_a_warning_and_the_steps_the_later_step_counts():
    plan = next(
        plan
        for plan in map(_teams_plan, range(100))
        if max(lookups.relied_on(plan).values(), default=0) > 1
    )
    relying = lookups.relied_on(plan)
    forged = tuple(
        replace(note, details={**note.details, "on": 1})
        if note.code == WarningCode.RELIES_ON
        else note
        for note in plan.warnings
    )
    assert lookups.relied_on(replace(plan, warnings=forged)) == relying
