"""What orders look like in whole plans: gaps by step, consents for exposures, reliances, and that
every temporary step is needed.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from reconciler.model.codes import GapReason, RefusalRule, WarningCode
from reconciler.model.documents import AccessRight, GroupGrant
from reconciler.planning.making import PlanOptions, make_plan
from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from reconciler.reports.review.composing import review
from tests.ordering import exchange_judge as judge
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    ExchangeWorld,
    TeamsWorld,
    documents,
    exchange_documents,
    listing,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    teams_document,
    tenant,
)
from tests.thoroughness import samples

A, B = APPS[:2]
OWNER = replace(
    tenant(),
    guard_scope=judge.GUARD_SCOPE,
)


class Digests:
    digest = content_digest = "plan:0"


def _planned(declared, *, teams=None, exchange=None, owner=OWNER, **options):
    here = replace(observed(teams, exchange), directory=judge.people())
    return make_plan(replace(declared, tenant=owner), here, PlanOptions(**options))


def _groups_change(*, rank_first="Alpha"):
    """One group is moved from Alpha to Beta; between Global and both there is an application that
    only Global has.
    """
    world = TeamsWorld(
        {"Alpha": (frozenset({A}), ""), "Beta": (frozenset({A}), "")},
        frozenset({B}),
        [(GROUPS[0], "Alpha")],
        {},
    )
    grants = (GroupGrant(GROUPS[0], 1, None, tenant().position),)
    return world, documents(
        [teams_document("Alpha", groups=()), teams_document("Beta", groups=grants)], []
    )


def test_a_documented_group_change_that_exposes_needs_its_consent():
    world, declared = _groups_change()
    refused = _planned(declared, teams=world, group_changes="remove-add")
    address = f"teams.application/{B}"
    assert [(note.code, note.address, note.details["allow"]) for note in refused.refusals] == [
        (RefusalRule.EXPOSURE, address, f"exposure:{address}")
    ]
    assert refused.refusals[0].details["subjects"] == [{"kind": "group-members", "id": GROUPS[0]}]
    allowed = _planned(
        declared, teams=world, group_changes="remove-add", allow=(f"exposure:{address}",)
    )
    assert allowed.applicable
    assert allowed.consents == (f"exposure:{address}",)
    assert [step.reason for step in allowed.steps] == ["drop-group", "move-group"]
    assert [(row.application, row.steps, row.reason) for row in allowed.gaps] == [
        (A, (1,), GapReason.GROUPS_REMOVED_FIRST)
    ]
    assert [step.gaps for step in allowed.steps] == [(0,), ()]


def test_in_place_nobody_is_exposed_and_the_plan_says_what_it_rests_on():
    world, declared = _groups_change()
    made = _planned(declared, teams=world)
    assert made.applicable
    assert made.gaps == ()
    assert [step.reason for step in made.steps] == ["move-group"]
    assert [
        note.address for note in made.warnings if note.code == WarningCode.REGRANTS_IN_PLACE
    ] == [made.steps[0].address]


def test_a_new_or_dropped_group_rests_on_nothing_unverified():
    world = TeamsWorld({"Alpha": (frozenset({A}), "")}, frozenset(), [(GROUPS[0], "Alpha")], {})
    grants = (GroupGrant(GROUPS[1], 1, None, tenant().position),)
    for way in ("in-place", "remove-add"):
        made = _planned(
            documents([teams_document("Alpha", groups=grants)], []), teams=world, group_changes=way
        )
        assert {step.reason for step in made.steps} == {"drop-group", "grant-group"}
        assert not [note for note in made.warnings if note.code == WarningCode.REGRANTS_IN_PLACE]


def test_a_move_before_the_list_shrinks_leaves_no_gap():
    """The fixed order would take the application away first and give it back last."""
    world = TeamsWorld(
        {"Alpha": (frozenset({A, B}), ""), "Beta": (frozenset(), "")},
        frozenset(),
        [],
        {USERS[0]: "Alpha"},
    )
    declared = documents(
        [
            teams_document("Alpha", applications=()),
            teams_document("Beta", applications=(A,), users=(listing(USERS[:1]),)),
        ],
        [],
    )
    made = _planned(declared, teams=world)
    assert [step.reason for step in made.steps] == [
        "add-applications",
        "move-user",
        "remove-applications",
    ]
    assert made.gaps == ()
    assert [
        (note.details["on"], note.details["step"])
        for note in made.warnings
        if note.code == WarningCode.RELIES_ON
    ] == [(2, 3)]


def _flip():
    world = ExchangeWorld(
        {(A, SCOPES[0]): (AccessRight.RESTRICT, "why"), (A, SCOPES[1]): (AccessRight.DENY, "why")}
    )
    wanted = ExchangeWorld(
        {(A, SCOPES[0]): (AccessRight.DENY, ""), (A, SCOPES[1]): (AccessRight.RESTRICT, "")}
    )
    return world, documents([], exchange_documents(wanted))


def test_a_flip_that_needs_a_guard_has_one_and_carries_descriptions_over():
    world, declared = _flip()
    made = _planned(declared, exchange=world)
    assert not [
        note
        for note in made.refusals
        if note.code in {RefusalRule.NEEDS_GUARD, RefusalRule.UNSAFE, RefusalRule.UNCHECKED}
    ]
    created = [
        step.parameters["Description"] for step in made.steps if step.reason == "flip-create"
    ]
    assert created == ["why", "why"]
    assert made.baseline.of_exchange()["guardScope"].id == judge.NOBODY


def test_without_the_group_the_plan_is_refused_naming_what_is_missing():
    world, declared = _flip()
    made = _planned(declared, exchange=world, owner=tenant())
    assert [
        (note.code, note.address, note.details)
        for note in made.refusals
        if note.code not in {RefusalRule.TENANT_WIDE, RefusalRule.DENY}
    ] == [
        (
            RefusalRule.NEEDS_GUARD,
            f"exchange.application/{A}",
            {"missing": "guard-scope-not-declared"},
        )
    ]
    assert not any(step.temporary for step in made.steps)


def _access(world, guards=frozenset()):
    if guards:
        world = ExchangeWorld(
            {**world.policies, **dict.fromkeys(guards, (AccessRight.RESTRICT, ""))}
        )
    return world.access([APPS[0], APPS[1]], SCOPES[:3])


def _along(world, steps):
    now, guards = world.copy(), set()
    yield _access(now)
    for step in steps:
        if step.temporary:
            guards ^= {
                (step.address.removeprefix("exchange.policy/").partition("@")[0], judge.NOBODY)
            }
        else:
            now.run(step.cmdlet, dict(step.parameters))
        yield _access(now, frozenset(guards))


@pytest.mark.no_cover
def test_without_its_guard_some_prefix_of_a_plan_is_unsafe():
    needed = 0
    for seed in range(samples(750)):
        chance = random.Random(seed)
        apps = [APPS[0], "*"]
        world, wanted = (
            random_exchange(chance, apps, SCOPES[:3]),
            random_exchange(chance, apps, SCOPES[:3]),
        )
        made = _planned(documents([], exchange_documents(wanted)), exchange=world)
        temporary = [step for step in made.steps if step.temporary]
        if not temporary:
            continue
        for address in {step.address for step in temporary}:
            left = [step for step in made.steps if step.address != address]
            along = list(_along(world, left))
            assert any(not one <= along[0] | along[-1] for one in along), (
                f"seed {seed}: {address} is not needed"
            )
            needed += 1
        along = list(_along(world, made.steps))
        assert all(one <= along[0] | along[-1] for one in along), f"seed {seed}"
    assert needed > 10


@pytest.mark.parametrize("seed", range(60))
def test_gaps_are_told_with_their_steps_and_the_steps_with_their_gaps(seed):
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
    world, declared = (
        random_teams(chance, *sizes),
        documents(random_teams_documents(chance, *sizes), []),
    )
    made = _planned(declared, teams=world, group_changes=chance.choice(["in-place", "remove-add"]))
    for number, row in enumerate(made.gaps):
        assert tuple(step.id for step in made.steps if number in step.gaps) == row.steps
    told = plain_text(plans.plan_lines(review(made, Digests())))
    assert ("\n  Missing for a while: " in told) is bool(made.gaps)
