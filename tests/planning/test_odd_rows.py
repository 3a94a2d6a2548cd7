"""Rows of Teams that cannot be understood as a whole: a policy without a name or of a name that is
read twice, a description that is no text, a grant of which nobody knows whose it is.

The world really has what the reading does not tell; what is planned runs in it.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.audiences.verdicts import Depends, Granted
from reconciler.errors import CaptureFault
from reconciler.guids import EMPTY_GUID
from reconciler.kinds.teams import parse
from reconciler.kinds.teams.effective_policy import user_verdict
from reconciler.model.access_rows import Certainty
from reconciler.model.baselines import StoredTeamsPolicy
from reconciler.model.codes import Held
from reconciler.model.observed import OPAQUE
from reconciler.planning import making
from reconciler.planning.checking import ViolationKind, judge_prefixes
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    USERS,
    StepFailed,
    TeamsWorld,
    documents,
    listing,
    observed,
    random_teams,
    random_teams_documents,
    teams_document,
    tenant,
)

SAMPLES = 300
SIZES = (APPS[:3], USERS[:3], GROUPS[:2], NAMES)
ODD_IDS = (None, 7, "CN=somebody", "", EMPTY_GUID)


def _section(world):
    return {
        "policies": [
            {"Identity": "Global", "AppIds": sorted(world.everyone), "Description": ""},
            *(
                {"Identity": f"Tag:{name}", "AppIds": sorted(apps), "Description": text}
                for name, (apps, text) in world.policies.items()
            ),
        ],
        "groupAssignments": [
            {"GroupId": group, "PolicyName": name, "Priority": rank}
            for rank, (group, name) in enumerate(world.groups, 1)
        ],
        "users": [
            {"Identity": user, "ApplicationAccessPolicy": {"Name": name}}
            for user, name in world.users.items()
        ],
    }


def _policy_row(section, name):
    return next(row for row in section["policies"] if row["Identity"] == f"Tag:{name}")


def _reading(section):
    return replace(observed(None, None), states={"teams": parse.parse(section)})


def _case(seed):
    chance = random.Random(seed)
    world = random_teams(chance, *SIZES)
    if not world.policies:
        world.policies["Alpha"] = (frozenset(APPS[:1]), "")
    wanted = random_teams_documents(chance, *SIZES)
    return world, documents(wanted, [], tenant(prune=chance.random() < 0.3)), chance


def _plan(declared, reading):
    return making.make_plan(declared, reading, making.PlanOptions())


def _along(world, plan):
    """What everybody has, before and after each step; the service refuses none of them."""
    along = [world.copy()]
    for step in plan.steps:
        later = along[-1].copy()
        later.run(step.cmdlet, dict(step.parameters))
        along.append(later)
    return along


def _accesses(along):
    return [each.access(USERS[:3], GROUPS[:2]) for each in along]


def _assert_safe(world, plan, seed):
    along = _along(world, plan)
    accesses = _accesses(along)
    for access in accesses:
        for who, reached in access.items():
            assert reached <= accesses[0][who] | accesses[-1][who], f"seed {seed}"
    assert judge_prefixes(plan) == (), f"seed {seed}"
    return along, accesses


def _named(plan, code=Held.NOT_UNDERSTOOD):
    return [note for note in plan.held if note.code == code]


# a grant of which nobody knows whose it is


@pytest.fixture(scope="module")
def unidentified():
    made: list[Any] = []
    for seed in range(SAMPLES):
        world, declared, chance = _case(seed)
        user, name = chance.choice(USERS[:3]), chance.choice([*world.policies])
        world.users[user] = name
        section = _section(world)
        row = next(row for row in section["users"] if row["Identity"] == user)
        row["Identity"] = chance.choice(ODD_IDS)
        reading = _reading(section)
        made.append((seed, world, declared, user, name, reading, _plan(declared, reading)))
    return made


def test_whoever_it_is_no_prefix_opens_anything_and_nothing_is_refused(unidentified):
    for seed, world, _, _, _, _, plan in unidentified:
        _assert_safe(world, plan, seed)


def test_whoever_it_is_keeps_the_grant_unless_the_documents_list_the_user_elsewhere(unidentified):
    kept = moved = 0
    for seed, world, declared, user, name, _, plan in unidentified:
        along, _ = _assert_safe(world, plan, seed)
        if user not in along[-1].users:
            pytest.fail(f"seed {seed}: lost")
        if along[-1].users[user] == name:
            kept += 1
            assert along[-1].apps(name) <= along[0].apps(name), f"seed {seed}: gained"
        else:
            moved += 1
            document = next(each for each in declared.teams if each.name == name)
            assert document.absent or document.users is not None, f"seed {seed}"
            listed = {
                text for each in declared.teams for row in each.users or () for text in row.texts
            }
            assert user in listed, f"seed {seed}"
    assert kept > 100
    assert moved > 5


def test_it_is_named_with_what_was_read_and_its_policy_stays(unidentified):
    for seed, _, _, _, name, reading, plan in unidentified:
        row = next(iter(reading.states["teams"].unidentified))
        address = f"teams.grant/user:{row}"
        assert [note.details["text"] for note in _named(plan) if note.address == address] == [
            row.removeprefix(OPAQUE)
        ], f"seed {seed}"
        assert not [
            step
            for step in plan.steps
            if step.cmdlet.startswith("Remove-") and step.parameters["Identity"] == name
        ], f"seed {seed}"
        assert not [step for step in plan.steps if OPAQUE in step.text], f"seed {seed}"


def test_what_does_not_rest_on_it_is_planned(unidentified):
    """Groups, moves, unassignments and what makes lists shorter never rest on it."""
    for seed, world, declared, user, _, _, plan in unidentified:
        without = world.copy()
        del without.users[user]
        complete = _plan(declared, observed(without, None))
        resting = {note.address for note in _named(plan, Held.RESTS_ON_OPAQUE)}
        changed = {change.address for change in plan.changes}
        missing = {change.address for change in complete.changes} - changed - resting
        told = {note.address for note in (*plan.held, *plan.warnings)}
        # What Global copies of a list that is held stays too.
        assert missing <= told | {"teams.grant/tenant"}, f"seed {seed}"
        assert not any(address.startswith("teams.grant/group:") for address in resting)
        for holder in world.users.keys() - {user}:
            assert f"teams.grant/user:{holder}" not in resting, f"seed {seed}"


def test_nothing_is_certain_for_somebody_who_may_be_the_one(unidentified):
    """In the world as it is, whoever is named certainly gains what the row says."""
    certain = 0
    for seed, world, _, user, _, _, plan in unidentified:
        before, after = (_accesses(_along(world, plan))[end] for end in (0, -1))
        for row in plan.access.gained if plan.access is not None else ():
            if row.certainty is Certainty.CERTAIN and row.subject.id == user:
                certain += 1
                for who in (each for each in before if each[0] == user):
                    assert row.application not in before[who], f"seed {seed}"
                    assert row.application in after[who], f"seed {seed}"
    assert certain >= 0


def test_a_verdict_is_decided_only_if_it_is_so_whoever_it_is(unidentified):
    undecided = decided = 0
    for seed, world, _, user, name, reading, _ in unidentified[:120]:
        state = reading.states["teams"]
        for application, who in itertools.product(APPS[:3], USERS[:3]):
            if who in world.users and who != user:
                continue
            for some in (frozenset(), frozenset(GROUPS[:1])):
                verdict = user_verdict(state, application, who, some.__contains__)
                worlds = [world.copy(), world.copy()]
                worlds[0].users.pop(who, None)
                worlds[1].users[who] = name
                meant = {application in each.reach(who, some) for each in worlds}
                if isinstance(verdict, Depends):
                    undecided += 1
                    assert len(meant) == 2, f"seed {seed}"
                else:
                    decided += 1
                    assert meant == {isinstance(verdict, Granted)}, f"seed {seed}"
    assert decided > 50
    assert undecided > 50


def _granting_before_its_list_is_edited():
    """Alpha lists A and shall list B, as Global does; somebody gets it before it is edited: safe,
    for Global has A now.
    """
    a, b = APPS[:2]
    world = TeamsWorld(
        {"Alpha": (frozenset({a}), ""), "Beta": (frozenset(), "")}, frozenset({a}), [], {}
    )
    wanted = [
        teams_document("Alpha", applications=(b,), users=(listing([USERS[0]]),)),
        teams_document("Beta", users=(listing([]),)),
    ]
    plan = _plan(documents(wanted, [], tenant()), observed(world, None))
    grants = [step for step in plan.steps if step.cmdlet.startswith("Grant-")]
    edits = [step for step in plan.steps if step.cmdlet.startswith("Set-")]
    steps = [replace(step, id=number) for number, step in enumerate((*grants, *edits), 1)]
    return replace(plan, steps=tuple(steps))


def test_the_checker_counts_with_a_holder_whom_nobody_knows():
    plan = _granting_before_its_list_is_edited()
    assert judge_prefixes(plan) == ()
    teams = plan.baseline.of_teams()
    policies = {**teams.policies, "beta": StoredTeamsPolicy((), "", "Beta")}
    users = {**teams.users, f'{OPAQUE}{{"Identity": null}}': "beta"}
    section = replace(teams, policies=policies, users=users)
    forged = replace(plan, baseline=replace(plan.baseline, teams=section))
    assert [each.why for each in judge_prefixes(forged)] == [ViolationKind.EXPOSED]


def test_the_checker_refuses_to_touch_a_grant_whose_user_nobody_knows():
    plan = _granting_before_its_list_is_edited()
    teams, row = plan.baseline.of_teams(), f'{OPAQUE}{{"Identity": null}}'
    section = replace(teams, users={**teams.users, row: "alpha"})
    step = replace(plan.steps[0], parameters={"Identity": row, "PolicyName": "Alpha"})
    forged = replace(plan, baseline=replace(plan.baseline, teams=section), steps=(step,))
    assert [each.why for each in judge_prefixes(forged)] == [ViolationKind.OPAQUE]


# a row that does not say what is granted


@pytest.fixture(scope="module")
def untold():
    made: list[Any] = []
    for seed in range(SAMPLES):
        world, declared, chance = _case(seed)
        user, name = chance.choice(USERS[:3]), chance.choice([*world.policies, None])
        told = chance.choice([other for other in USERS[:3] if other != user])
        world.users[told] = chance.choice([*world.policies])
        section = _section(world)
        section["users"] = [row for row in section["users"] if row["Identity"] != user]
        section["users"].insert(chance.randrange(len(section["users"]) + 1), {"Identity": user})
        world.users.pop(user, None)
        if name is not None:
            world.users[user] = name
        made.append((seed, world, user, _plan(declared, _reading(section))))
    return made


def test_whatever_a_user_has_whose_row_does_not_say_it_nobody_is_newly_reached(untold):
    """The service refuses to delete a policy that is held, and the apply stops there."""
    for seed, world, _, plan in untold:
        along = [world.copy()]
        for step in plan.steps:
            later = along[-1].copy()
            try:
                later.run(step.cmdlet, dict(step.parameters))
            except StepFailed:
                assert step.cmdlet.startswith("Remove-"), f"seed {seed}"
                break
            along.append(later)
        accesses = _accesses(along)
        for access in accesses:
            for who, reached in access.items():
                assert reached <= accesses[0][who] | accesses[-1][who], f"seed {seed}"
        assert judge_prefixes(plan) == (), f"seed {seed}"


def test_such_a_row_is_named_and_holds_its_user_alone(untold):
    steps = 0
    for seed, _, user, plan in untold:
        address = f"teams.grant/user:{user}"
        (note,) = _named(plan)
        assert (note.address, note.details["text"]) == (address, f'{{"Identity": "{user}"}}'), seed
        assert "the row does not say which policy is granted" in note.details["why"]
        assert not [step for step in plan.steps if step.parameters.get("Identity") == user], seed
        steps += len(plan.steps)
    assert steps > SAMPLES


def test_rows_none_of_which_says_what_is_granted_are_no_reading():
    """Then something else was read than was asked for."""
    section = _section(TeamsWorld({"Alpha": (frozenset(), "")}, frozenset(), [], {}))
    section["users"] = [{"Identity": user} for user in USERS[:2]]
    with pytest.raises(CaptureFault, match="is missing, so the user's policy is unknown"):
        parse.parse(section)


# a policy without a name


@pytest.fixture(scope="module")
def nameless():
    made: list[Any] = []
    for seed in range(SAMPLES):
        world, declared, chance = _case(seed)
        name, section = chance.choice([*world.policies]), _section(world)
        row = _policy_row(section, name)
        if chance.random() < 0.5:
            row["Identity"] = chance.choice((None, 3, ["x"], "Tag:Al\ufffdha", "\ufffd"))
        else:
            del row["Identity"]
        made.append((seed, world, declared, name, _plan(declared, _reading(section))))
    return made


def test_whichever_policy_it_is_it_stays_with_all_that_hold_it(nameless):
    holders = 0
    for seed, world, _, name, plan in nameless:
        along, _ = _assert_safe(world, plan, seed)
        assert along[-1].policies[name] == world.policies[name], f"seed {seed}"
        for user, policy in world.users.items():
            if policy == name:
                holders += 1
                assert along[-1].users.get(user) == name, f"seed {seed}"
        groups = [row for row in along[-1].groups if row[1] == name]
        assert groups == [row for row in world.groups if row[1] == name], f"seed {seed}"
    assert holders > 50


def test_no_policy_is_created_beside_one_without_a_name_and_it_is_named(nameless):
    held = 0
    for seed, world, declared, name, plan in nameless:
        assert not [step for step in plan.steps if step.cmdlet.startswith("New-")], f"seed {seed}"
        notes = [note for note in _named(plan) if note.address.startswith("teams.policy/")]
        assert len(notes) == 1, f"seed {seed}"
        resting = {note.address for note in _named(plan, Held.RESTS_ON_OPAQUE)}
        for document in declared.teams:
            if document.name not in {"Global", *world.policies} - {name}:
                held += 1
                assert f"teams.policy/{document.name}" in resting, f"seed {seed}"
    assert held > 50


def test_other_policies_are_edited_beside_one_without_a_name(nameless):
    edits: Counter[str] = Counter()
    for _, _, _, _, plan in nameless:
        edits.update(step.cmdlet.partition("-")[0] for step in plan.steps)
    assert edits["Set"] > 30
    assert edits["Grant"] > 30


def test_global_may_be_the_one_without_a_name():
    """A capture without Global has an empty one; not if a row without a name may be it."""
    section = _section(TeamsWorld({}, frozenset(APPS[:1]), [], {}))
    section["policies"][0]["Identity"] = None
    state = parse.parse(section)
    assert state.policies["global"].opaque
    wanted = [teams_document("Global", applications=())]
    assert _plan(documents(wanted, [], tenant()), _reading(section)).steps == ()


def test_the_checker_refuses_to_create_beside_a_policy_without_a_name():
    wanted = [teams_document("Alpha", applications=(APPS[0],))]
    world = TeamsWorld({}, frozenset(), [], {})
    plan = _plan(documents(wanted, [], tenant()), observed(world, None))
    assert judge_prefixes(plan) == ()
    opaque = {"teams.policy/*": ('{"AppIds": []}',)}
    forged = replace(plan, baseline=replace(plan.baseline, opaque=opaque))
    assert [each.why for each in judge_prefixes(forged)] == [ViolationKind.OPAQUE]


# a name that is read twice, a description that is no text


@pytest.fixture(scope="module")
def doubled():
    made: list[Any] = []
    for seed in range(SAMPLES):
        world, declared, chance = _case(seed)
        name, section = chance.choice([*world.policies, "Global"]), _section(world)
        other = frozenset(chance.sample(APPS[:3], chance.randrange(4)))
        spelled = name if name == "Global" else f"Tag:{name.upper()}"
        section["policies"].insert(
            chance.randrange(len(section["policies"]) + 1),
            {"Identity": spelled, "AppIds": sorted(other), "Description": ""},
        )
        second = world.copy()
        if name == "Global":
            second.everyone = other
        else:
            second.policies[name] = (other, "")
        made.append((seed, (world, second), declared, name, _plan(declared, _reading(section))))
    return made


def test_whichever_of_two_rows_is_true_no_prefix_opens_anything(doubled):
    for seed, worlds, _, name, plan in doubled:
        spelled = {step.parameters.get("Identity") for step in plan.steps}
        respelled = _in_spelling(plan, name) if name.upper() in spelled else plan
        for world in worlds:
            along = _along(world, respelled)
            accesses = _accesses(along)
            for access in accesses:
                for who, reached in access.items():
                    assert reached <= accesses[0][who] | accesses[-1][who], f"seed {seed}"
        assert judge_prefixes(plan) == (), f"seed {seed}"


def _in_spelling(plan, name):
    """The service ignores case, this world does not."""
    steps = [
        replace(
            step,
            parameters={
                key: name if str(value).lower() == name.lower() else value
                for key, value in step.parameters.items()
            },
        )
        for step in plan.steps
    ]
    return replace(plan, steps=tuple(steps))


def test_the_list_of_a_name_that_is_read_twice_is_never_edited_nor_newly_granted(doubled):
    held = 0
    for seed, worlds, _, name, plan in doubled:
        own = [
            step
            for step in plan.steps
            if str(step.parameters.get("Identity")).lower() == name.lower()
        ]
        assert not [step for step in own if "AppIds" in step.parameters], f"seed {seed}"
        granted = [
            step
            for step in plan.steps
            if str(step.parameters.get("PolicyName")).lower() == name.lower()
        ]
        assert not granted, f"seed {seed}"
        if not any(step.cmdlet.startswith("Remove-") for step in own):
            held += 1
            assert len(_named(plan)) == 1, f"seed {seed}"
        assert worlds
    assert held > SAMPLES // 2


def test_a_description_that_is_no_text_holds_itself_alone():
    held = 0
    for seed in range(SAMPLES // 2):
        world, declared, chance = _case(seed)
        name, section = chance.choice([*world.policies]), _section(world)
        _policy_row(section, name)["Description"] = chance.choice((3, ["a"], {"x": 1}, False))
        plan = _plan(declared, _reading(section))
        _assert_safe(world, plan, seed)
        own = [step for step in plan.steps if step.parameters.get("Identity") == name]
        assert not [step for step in own if "Description" in step.parameters], f"seed {seed}"
        world.policies[name] = (world.apps(name), "")
        silent = [
            replace(each, description=None if each.name == name else each.description)
            for each in declared.teams
        ]
        complete = _plan(replace(declared, teams=tuple(silent)), observed(world, None))
        assert [step.text for step in plan.steps] == [step.text for step in complete.steps], seed
        held += bool(_named(plan, Held.RESTS_ON_OPAQUE))
    assert held > 10


def test_the_order_of_odd_rows_changes_nothing():
    for seed in range(40):
        world, declared, chance = _case(seed)
        section = _section(world)
        section["policies"] += [
            {"Identity": None, "AppIds": [APPS[0]]},
            {"AppIds": [APPS[1]], "Description": 3},
            {"Identity": "ALPHA", "AppIds": [APPS[2]], "Description": "x"},
            {"Identity": "alpha", "AppIds": [], "Description": "y"},
        ]
        section["users"] += [
            {"Identity": odd, "ApplicationAccessPolicy": "Alpha"} for odd in ODD_IDS
        ]
        first = _plan(declared, _reading(section))
        for key in ("policies", "users"):
            chance.shuffle(section[key])
        assert _plan(declared, _reading(section)) == first, f"seed {seed}"
