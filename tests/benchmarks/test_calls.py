"""No call that is not needed: how many cmdlets a change takes, counted on random transitions of
both products.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from reconciler.model.addresses import name_key
from reconciler.planning import making
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

pytestmark = pytest.mark.no_cover

SAMPLES = 250
"""Temporaries are let be here: that some prefix is unsafe without each of them is a law, with tests
beside the planner.
"""


def _planned(seed):
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:4], GROUPS[:3], NAMES)
    teams, wanted = random_teams(chance, *sizes), random_teams_documents(chance, *sizes)
    exchange, aim = (random_exchange(chance, [APPS[0], "*"], SCOPES[:3]) for _ in range(2))
    declared = documents(
        wanted,
        exchange_documents(aim, described=chance.random() < 0.5),
        tenant(prune=chance.random() < 0.3),
    )
    return making.make_plan(declared, observed(teams, exchange), making.PlanOptions())


def _call(step):
    """What a call is about, in the finest form that may occur once only."""
    given = step.parameters
    match step.cmdlet.partition("-")[0], given:
        case "Set", {"AppIds": edit}:
            return "edit", step.provider, name_key(given["Identity"]), *edit
        case "Grant", {"Identity": user}:
            return "grant", "user", user
        case "Grant", {"Group": group}:
            return "grant", "group", group
        case "Grant", _:
            return "grant", "tenant"
        case verb, _:
            return verb, step.provider, step.address


def test_each_object_takes_as_few_calls_as_the_service_allows():
    edits = grants = 0
    for seed in range(SAMPLES):
        plan = _planned(seed)
        calls = Counter(_call(step) for step in plan.steps if not step.temporary)
        again = {call: count for call, count in calls.items() if count > 1}
        assert not again, f"seed {seed}: {again}"
        edits += sum(call[0] == "edit" for call in calls)
        grants += sum(call[0] == "grant" for call in calls)
    assert edits > SAMPLES / 4
    assert grants > SAMPLES


def test_every_call_is_about_an_object_that_changes():
    for seed in range(SAMPLES):
        plan = _planned(seed)
        changed = {change.address for change in plan.changes}
        shifted = {
            step.address for step in plan.steps if step.address.startswith("teams.grant/group:")
        }  # a rank may be all that changes
        assert {step.address for step in plan.steps if not step.temporary} <= changed | shifted, (
            f"seed {seed}"
        )


def test_a_description_rides_on_an_edit():
    for seed in range(SAMPLES):
        plan = _planned(seed)
        sets = [
            step
            for step in plan.steps
            if step.cmdlet == "Set-CsApplicationAccessPolicy" and not step.temporary
        ]
        alone = {
            name_key(step.parameters["Identity"])
            for step in sets
            if "AppIds" not in step.parameters
        }
        edited = {
            name_key(step.parameters["Identity"]) for step in sets if "AppIds" in step.parameters
        }
        assert not alone & edited, f"seed {seed}"
