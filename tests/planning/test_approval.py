"""What an approval covers: it outlives whatever moves without the plan doing anything else, and
nothing that its reviewer relied on.
"""

from __future__ import annotations

import hashlib
from functools import cache

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from reconciler import canonical
from reconciler.model.addresses import teams_policy
from reconciler.planning import approval, making, planfile
from reconciler.planning.making import PlanOptions
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    USERS,
    TeamsWorld,
    documents,
    observed,
    teams_document,
    tenant,
)
from tests.planning.test_consequences import case, consented


def content(plan):
    return planfile.sealed(plan).content_digest


@cache
def applicable_plans():
    return [plan for plan in map(consented, range(60)) if plan.applicable and plan.steps]


@pytest.mark.parametrize("number", range(8))
def test_what_moves_daily_is_left_out(number):
    plan = applicable_plans()[number]
    for moved in (
        replace(plan, inputs=replace(plan.inputs, capture_taken_at="2027-01-01T00:00:00Z")),
        replace(plan, inputs=replace(plan.inputs, source="live", capture_digest="a" * 64)),
        replace(plan, names={}),
        replace(plan, unmanaged=()),
        replace(plan, warnings=()),
        replace(plan, access=replace(plan.access, gained=())),
        replace(plan, summary={**plan.summary, "access teams gained group-members g": 7}),
    ):
        assert content(moved) == content(plan)
        assert approval.differences(plan, moved) == ()


def test_a_plan_made_offline_and_one_made_with_all_members_known_are_one_approval():
    compared = 0
    for seed in range(80):
        wanted, reading = case(seed)
        bare = replace(reading, directory=replace(reading.directory, groups={}, absent=frozenset()))
        plans = []
        for one in (reading, bare):
            plan = making.make_plan(wanted, one, PlanOptions())
            allow = tuple(
                str(note.details["allow"]) for note in plan.refusals if "allow" in note.details
            )
            plans.append(making.make_plan(wanted, one, PlanOptions(allow=allow)))
        if all(plan.applicable for plan in plans) and plans[0].consents == plans[1].consents:
            compared += 1
            if plans[0].steps == plans[1].steps:
                assert content(plans[0]) == content(plans[1]), approval.differences(*plans)
    assert compared > 20


def test_a_product_that_nothing_rests_on_may_have_been_read_or_not():
    plan = widening(USERS[:3])
    for section in (None, UNSET):
        changed = replace(plan, baseline=replace(plan.baseline, exchange=section))
        assert content(changed) == content(plan)


COVERED = {
    "limits": lambda plan: replace(plan, limits=replace(plan.limits, max_removals=9999)),
    "connect": lambda plan: replace(plan, connect={"teams": {"certificate": "OTHER"}}),
    "consents": lambda plan: replace(plan, consents=(*plan.consents, "read-warning:teams")),
    "steps": lambda plan: replace(plan, steps=plan.steps[1:]),
    "changes": lambda plan: replace(plan, changes=plan.changes[1:]),
    "tenant": lambda plan: replace(plan, tenant=replace(plan.tenant, organization="other")),
}


@pytest.mark.parametrize("member", COVERED)
def test_what_a_reviewer_relied_on_is_covered_and_a_difference_names_it(member):
    for plan in applicable_plans()[:8]:
        changed = COVERED[member](plan)
        assert content(changed) != content(plan)
        (difference,) = approval.differences(plan, changed)
        assert difference.member == member
        assert difference.objects


def widening(holders, groups=()):
    """A plan that adds an application to a list that these hold."""
    world = TeamsWorld(
        {"Alpha": (frozenset({APPS[0]}), "")},
        frozenset(),
        list(groups),
        dict.fromkeys(holders, "Alpha"),
    )
    declared = documents([teams_document("Alpha", applications=tuple(APPS[:2]))], [], tenant())
    return making.make_plan(declared, observed(world, None), PlanOptions())


def test_an_approval_for_three_holders_does_not_serve_more():
    approved = widening(USERS[:3])
    assert content(widening(USERS[:3])) == content(approved)
    for other in (
        widening(USERS[:4]),
        widening(USERS[1:4]),
        widening(USERS[:3], [(GROUPS[0], "Alpha")]),
    ):
        assert content(other) != content(approved)
        (difference, *_) = [
            one for one in approval.differences(approved, other) if one.member == "widened"
        ]
        assert difference.objects == (teams_policy("Alpha"),)


def test_a_list_that_gets_no_longer_may_change_its_holders():
    assert widening(USERS[:3]).widened
    assert all(not plan.widened for plan in applicable_plans() if not plan.access.gained)


def test_the_digest_is_that_of_the_canonical_json_of_what_is_covered(tmp_path):
    for number, plan in enumerate(applicable_plans()[:10]):
        path = tmp_path / f"{number}.json"
        planfile.sealed(plan, path)
        raw = msgspec.json.decode(path.read_bytes())
        covered = hashlib.sha256(canonical.dumps(approval.covered(raw))).hexdigest()
        assert raw["content_digest"] == f"content:{covered}"
