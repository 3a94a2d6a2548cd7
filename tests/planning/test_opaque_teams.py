"""One thing of Teams that nobody understands: it stops what rests on it, and nothing else.

The world really has what the reading does not understand: an entry of a list is an application, a
grant is one of some policy, groups of one rank have an order.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.audiences.verdicts import Depends, Granted
from reconciler.kinds.teams.effective_policy import user_verdict
from reconciler.model.access_rows import Certainty
from reconciler.model.codes import Held
from reconciler.model.observed import OPAQUE, OpaqueRow, TeamsPolicy
from reconciler.planning import making
from reconciler.planning.checking import ViolationKind, judge_prefixes
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    USERS,
    documents,
    observed,
    random_teams,
    random_teams_documents,
    tenant,
)

SAMPLES = 400
SIZES = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
ENTRY = f'{OPAQUE}"<APP_ID>"'
GRANT = f'{OPAQUE}"Global"'
HIDDEN = APPS[3]
"""The application that the entry really is."""
ROW = OpaqueRow('{"Priority": 1}', "rank 1 appears twice")


def _case(seed):
    chance = random.Random(seed)
    world = random_teams(chance, *SIZES)
    wanted = random_teams_documents(chance, *SIZES)
    return world, documents(wanted, [], tenant(prune=chance.random() < 0.3)), chance


def _read(world, **changed):
    found = observed(world, None)
    return replace(found, states={"teams": replace(found.states["teams"], **changed)})


def _plan(declared, found, **options):
    return making.make_plan(declared, found, making.PlanOptions(**options))


def _along(world, plan):
    along = [world.copy()]
    for step in plan.steps:
        later = along[-1].copy()
        later.run(step.cmdlet, dict(step.parameters))
        along.append(later)
    return [each.access(USERS, GROUPS[:3]) for each in along]


def _with_entry(world, name):
    """A reading in which one policy's list, or Global's, has an entry that is not understood, and
    the world where the entry is an application.
    """
    real = world.copy()
    if name == "Global":
        real.everyone |= {HIDDEN}
    else:
        apps, text = real.policies[name]
        real.policies[name] = (apps | {HIDDEN}, text)
    policies = dict(observed(world, None).states["teams"].policies)
    policy = policies[name.lower()]
    policies[name.lower()] = TeamsPolicy(
        policy.name, {**policy.applications, ENTRY: '"<APP_ID>"'}, policy.description
    )
    return _read(world, policies=policies), real


@pytest.fixture(scope="module")
def entries():
    made: list[Any] = []
    for seed in range(SAMPLES):
        world, declared, chance = _case(seed)
        name = chance.choice([*world.policies, "Global"])
        found, real = _with_entry(world, name)
        made.append((seed, world, declared, name, found, real, _plan(declared, found)))
    return made


def test_nobody_gains_an_entry_that_is_not_understood_and_no_prefix_opens_anything(entries):
    for seed, _, _, _, _, real, plan in entries:
        along = _along(real, plan)
        for access in along:
            for who, reached in access.items():
                assert reached <= along[0][who] | along[-1][who], f"seed {seed}"
                assert HIDDEN not in reached - along[0][who], f"seed {seed}"
        assert judge_prefixes(plan) == (), f"seed {seed}"


def test_its_list_is_never_edited_and_it_is_named(entries):
    for seed, _, _, name, _, _, plan in entries:
        own = [step for step in plan.steps if step.parameters.get("Identity") == name]
        assert not [step for step in own if "AppIds" in step.parameters], f"seed {seed}"
        assert not [step for step in plan.steps if OPAQUE in step.text], f"seed {seed}"
        notes = [note for note in plan.held if note.code == Held.NOT_UNDERSTOOD]
        gone = any(step.cmdlet.startswith("Remove-") for step in own)
        expected = [] if gone else [(f"teams.policy/{name}", '"<APP_ID>"')]
        assert [(note.address, note.details["text"]) for note in notes] == expected, f"seed {seed}"


def test_no_row_of_access_is_certain_of_what_the_entry_decides(entries):
    """Whoever is named certainly gains the application whatever the entry is: here it is one that
    other policies list.
    """
    for seed, world, _, name, _, _, plan in entries:
        before, after = _ends_with_entry_as(world, name, plan, APPS[0])
        for row in plan.access.gained if plan.access is not None else ():
            if row.certainty is Certainty.CERTAIN and row.subject.kind == "user":
                for some in _memberships():
                    who = (row.subject.id, some)
                    assert row.application not in before[who], f"seed {seed}"
                    assert row.application in after[who], f"seed {seed}"


def _memberships():
    return [
        frozenset(some) for size in range(4) for some in itertools.combinations(GROUPS[:3], size)
    ]


def _ends_with_entry_as(world, name, plan, application):
    real = world.copy()
    if name == "Global":
        real.everyone |= {application}
    else:
        apps, text = real.policies[name]
        real.policies[name] = (apps | {application}, text)
    along = _along(real, plan)
    return along[0], along[-1]


def test_what_does_not_rest_on_the_entry_is_planned_as_without_it(entries):
    steps = 0
    for seed, world, declared, _, _, _, plan in entries:
        resting = {note.address for note in plan.held if note.code == Held.RESTS_ON_OPAQUE}
        without = _plan(declared, observed(world, None))
        if resting:
            left = {step.text for step in plan.steps}
            assert {change.address for change in plan.changes} <= {
                change.address for change in without.changes
            }, f"seed {seed}"
            steps += len(left)
        else:
            assert [step.text for step in plan.steps] == [step.text for step in without.steps], seed
    assert steps > SAMPLES // 4


def test_a_grant_that_is_not_understood_holds_its_user_alone():
    for seed in range(SAMPLES // 2):
        world, declared, chance = _case(seed)
        user = chance.choice(USERS[:3])
        state = observed(world, None).states["teams"]
        plan = _plan(declared, _read(world, users={**state.users, user: GRANT}))
        assert not [step for step in plan.steps if step.parameters.get("Identity") == user], seed
        world.users.pop(user, None)
        address = f"teams.grant/user:{user}"
        complete = _plan(declared, observed(world, None))
        if any(change.address == address for change in complete.changes):
            complete = _plan(declared, observed(world, None), skip=(address,))
        texts = [step.text for step in plan.steps]
        assert sorted(texts) == sorted(step.text for step in complete.steps), f"seed {seed}"
        notes = [note.address for note in plan.held if note.code == Held.NOT_UNDERSTOOD]
        assert notes == [address], f"seed {seed}"


def test_groups_of_one_rank_stay_and_no_order_of_them_opens_anything():
    held = 0
    for seed in range(SAMPLES // 2):
        world, declared, _ = _case(seed)
        plan = _plan(declared, _read(world, opaque_ranks=(ROW,)))
        assert not [step for step in plan.steps if "Group" in step.parameters], f"seed {seed}"
        assert judge_prefixes(plan) == (), f"seed {seed}"
        held += any(note.address.startswith("teams.grant/group:0") for note in plan.held)
        for order in itertools.permutations(world.groups):
            real = world.copy()
            real.groups = list(order)
            along = _along(real, plan)
            for access in along:
                for who, reached in access.items():
                    assert reached <= along[0][who] | along[-1][who], f"seed {seed}"
    assert held > SAMPLES // 8


def test_a_verdict_about_groups_of_one_rank_is_decided_only_if_no_order_changes_it():
    decided = undecided = 0
    for seed in range(SAMPLES // 2):
        world, _, _ = _case(seed)
        state = _read(world, opaque_ranks=(ROW,)).states["teams"]
        for application, user, some in itertools.product(APPS[:2], USERS[:2], _memberships()):
            verdict = user_verdict(state, application, user, some.__contains__)
            meant = set()
            for order in itertools.permutations(world.groups):
                real = world.copy()
                real.groups = list(order)
                meant.add(application in real.reach(user, some))
            if isinstance(verdict, Depends):
                undecided += 1
                assert len(meant) > 1, f"seed {seed}"
                assert "teams.grant/group:*" in verdict.unknown
            else:
                decided += 1
                assert meant == {isinstance(verdict, Granted)}, f"seed {seed}"
    assert decided > undecided > 20


def test_a_verdict_about_a_list_with_an_odd_entry_is_decided_only_where_the_list_says_so():
    undecided = 0
    for seed in range(SAMPLES // 2):
        world, _, chance = _case(seed)
        name = chance.choice([*world.policies, "Global"])
        found, _ = _with_entry(world, name)
        for application, user, some in itertools.product(APPS[:2], USERS[:2], _memberships()):
            verdict = user_verdict(found.states["teams"], application, user, some.__contains__)
            real = world.copy()
            if name == "Global":
                real.everyone |= {application}
            else:
                real.policies[name] = (real.policies[name][0] | {application}, "")
            meant = {application in each.reach(user, some) for each in (world, real)}
            if isinstance(verdict, Depends):
                undecided += 1
                assert len(meant) > 1, f"seed {seed}"
            else:
                assert meant == {isinstance(verdict, Granted)}, f"seed {seed}"
    assert undecided > 20


def test_the_checker_refuses_what_rests_on_an_entry_or_on_the_order_of_groups():
    """Whatever a planner makes: the baseline says what was not understood."""
    lists = groups = 0
    for seed in range(SAMPLES // 2):
        world, declared, _ = _case(seed)
        plan = _plan(declared, observed(world, None))
        teams = plan.baseline.of_teams()
        if teams is None:
            continue
        if any("Group" in step.parameters for step in plan.steps):
            groups += 1
            opaque = {"teams.grant/group:*": (ROW.text,)}
            forged = replace(plan, baseline=replace(plan.baseline, opaque=opaque))
            assert {each.why for each in judge_prefixes(forged)} == {ViolationKind.OPAQUE}
        edited = [
            step
            for step in plan.steps
            if step.cmdlet.startswith("Set-") and "AppIds" in step.parameters
        ]
        if edited:
            lists += 1
            key = str(edited[0].parameters["Identity"]).lower()
            stored = teams.policies[key]
            policies = {
                **teams.policies,
                key: replace(stored, applications=(*stored.applications, ENTRY)),
            }
            section = replace(teams, policies=policies)
            forged = replace(plan, baseline=replace(plan.baseline, teams=section))
            assert ViolationKind.OPAQUE in {each.why for each in judge_prefixes(forged)}
    assert lists > 20
    assert groups > 20


def test_the_checker_refuses_to_grant_an_entry_to_somebody_new():
    refused = 0
    for seed in range(SAMPLES // 2):
        world, declared, _ = _case(seed)
        plan = _plan(declared, observed(world, None))
        teams = plan.baseline.of_teams()
        granting = [
            step
            for step in plan.steps
            if "Identity" in step.parameters and step.parameters.get("PolicyName")
        ]
        if teams is None or not granting:
            continue
        key = str(granting[0].parameters["PolicyName"]).lower()
        stored = teams.policies.get(key)
        if stored is None:
            continue
        section = replace(
            teams,
            policies={
                **teams.policies,
                key: replace(stored, applications=(*stored.applications, ENTRY)),
            },
        )
        forged = replace(plan, baseline=replace(plan.baseline, teams=section))
        assert ViolationKind.OPAQUE in {each.why for each in judge_prefixes(forged)}, seed
        refused += 1
    assert refused > 20
