"""Rows of a directory that cannot be understood as a whole: an id that is none or that two rows
have, a property of a wrong type, a member whom nobody knows.

Two worlds are read the same: the one that the reading tells, and the one that the odd row hides.
"""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.guids import EMPTY_GUID
from reconciler.kinds.capture_directory import parse_directory
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.exchange.scopes import scope_coverage
from reconciler.kinds.teams.groups import group_coverage
from reconciler.model.codes import Held, RefusalRule, WarningCode
from reconciler.model.documents import AccessRight
from reconciler.planning import making
from reconciler.planning.checking import judge_prefixes
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    SCOPES,
    USERS,
    ExchangeWorld,
    TeamsWorld,
    documents,
    exchange_document,
    exchange_documents,
    listing,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    teams_document,
    tenant,
)

SAMPLES = 120
OTHER = "0000000f-0000-4000-8000-000000000000"
"""An object that nothing names: who an odd row may be instead."""
WRONG_IDS = (None, 7, "CN=somebody", "", EMPTY_GUID)
WRONG_VALUES: dict[str, tuple[tuple[str, Any], ...]] = {
    "users": (("upn", 3), ("upn", None), ("displayName", ["x"])),
    "groups": (("displayName", {"x": 1}), ("members", ["?"]), ("members", [USERS[0], None])),
    "recipients": (
        ("sid", 3),
        ("sid", "a\u200bb"),
        ("type", ["x"]),
        ("displayName", 4),
        ("isValidSecurityPrincipal", "yes"),
        ("isValidSecurityPrincipal", None),
        ("members", [None]),
    ),
}


def _rows() -> dict[str, Any]:
    """A directory as it is read: two users are in a group of Teams, one is in each scope."""
    return {
        "users": [
            {"id": user, "upn": f"u{n}@contoso.com", "displayName": f"User {n}"}
            for n, user in enumerate(USERS)
        ],
        "groups": [
            {"id": group, "displayName": f"Group {n}", "members": USERS[:n]}
            for n, group in enumerate(GROUPS)
        ],
        "recipients": [
            {
                "id": scope,
                "sid": f"S-1-5-21-1-1-1-{n}",
                "primary": f"{scope}@contoso.com",
                "addresses": [f"SMTP:{scope}@contoso.com", f"smtp:second-{n}@contoso.com"],
                "displayName": f"Scope {n}",
                "type": "MailUniversalSecurityGroup",
                "isValidSecurityPrincipal": True,
                "members": USERS[n : n + 1],
            }
            for n, scope in enumerate(SCOPES)
        ],
        "absent": [OTHER],
    }


def _read(rows):
    faults = FaultList()
    directory = parse_directory(rows, "$.directory", faults)
    assert faults.told == ()
    return directory


def _planted(rows, key, index, chance):
    """A directory in which one row is odd, in one of the ways that there are."""
    odd = copy.deepcopy(rows)
    row = odd[key][index]
    match chance.choice(["id", "twice", "value"]):
        case "id":
            row["id"] = chance.choice(WRONG_IDS)
        case "twice":
            other = odd[key][(index + 1) % len(odd[key])]
            name = chance.choice(
                [name for name in sorted(row) if row[name] != other[name] and name != "id"]
            )
            odd[key].insert(chance.randrange(len(odd[key])), row | {name: other[name]})
        case _:
            name, value = chance.choice(WRONG_VALUES[key])
            row[name] = value
    return odd


def _case(seed):
    chance = random.Random(seed)
    teams = random_teams(chance, APPS[:3], USERS[:3], GROUPS[:3], ["Alpha", "Beta"])
    wanted = random_teams_documents(chance, APPS[:3], USERS[:3], GROUPS[:3], ["Alpha", "Beta"])
    exchange = random_exchange(chance, APPS[:2], SCOPES[:3])
    added = random_exchange(chance, APPS[:2], SCOPES[:3])
    # Whatever stands, stays: no right is flipped, which would need a temporary policy.
    declared = exchange_documents(ExchangeWorld(added.policies | exchange.policies))
    key = chance.choice(sorted(WRONG_VALUES))
    index = chance.randrange(3)
    return teams, exchange, documents(wanted, declared, tenant()), key, index, chance


def _plan(declared, teams, exchange, rows):
    reading = replace(observed(teams, exchange), directory=_read(rows))
    return making.make_plan(declared, reading, making.PlanOptions())


@pytest.fixture(scope="module")
def cases():
    made = []
    for seed in range(SAMPLES):
        teams, exchange, declared, key, index, chance = _case(seed)
        odd = _planted(_rows(), key, index, chance)
        plans = [_plan(declared, teams, exchange, rows) for rows in (_rows(), odd)]
        made.append((seed, teams, exchange, key, _rows()[key][index]["id"], odd, *plans))
    return made


def _notes(plan):
    return [note for note in plan.held if note.code == Held.NOT_UNDERSTOOD]


def test_the_row_is_named_with_what_was_read(cases):
    for seed, _, _, key, _, _, _, plan in cases:
        kinds = {"users": "teams.grant/user:", "groups": "teams.grant/group:"}
        start = kinds.get(key, "exchange.recipient/")
        named = [note for note in _notes(plan) if note.address.startswith(start)]
        assert named, f"seed {seed}"
        assert all(note.details["text"] and note.details["why"] for note in named), f"seed {seed}"


def test_what_does_not_rest_on_it_is_planned_as_before(cases):
    """Steps are left out only for what is held, and none comes that would not come without it."""
    left_out = planned = 0
    for seed, _, _, _, _, _, plain, plan in cases:
        told = {note.address for note in (*plan.held, *plan.unresolved)}
        owners = {address.partition("@")[0].replace("policy/", "application/") for address in told}
        missing = {step.address for step in plain.steps} - {step.address for step in plan.steps}
        for address in missing:
            owner = address.partition("@")[0].replace("exchange.policy", "exchange.application")
            assert address in told or owner in owners, f"seed {seed}: {address}"
        planned += bool(plan.steps)
        left_out += bool(missing)
        assert {change.address for change in plan.changes} <= {
            change.address for change in plain.changes
        } | told, f"seed {seed}"
    assert planned > SAMPLES // 2
    assert left_out > 5


def test_nobody_is_newly_reached_who_would_not_be_without_it(cases):
    followed = held = 0
    for seed, teams, exchange, _, _, _, plain, plan in cases:
        assert not plan.applicable or plain.applicable, f"seed {seed}"
        assert RefusalRule.BEYOND_SELECTION not in {note.code for note in plan.refusals}
        held += any(map(_holds_more_than_a_grant, plan.held))
        followed += bool(plan.steps)
        assert judge_prefixes(plan) == (), f"seed {seed}"
        for each, world, reached in (
            ("teams", teams, lambda it: it.access(USERS[:3], GROUPS[:3])),
            ("exchange", exchange, lambda it: it.access(APPS[:2], SCOPES[:3])),
        ):
            start = reached(world)
            end = reached(_after(world, plain, each))
            for state in _along(world, plan, each):
                _assert_within(reached(state), start, end, f"seed {seed}")
    assert followed > SAMPLES // 2
    assert held > 0


def _holds_more_than_a_grant(note):
    """Whether what a user would reach by holding a grant alone is held with it."""
    users = [address for address in note.details.get("on", ()) if "/user:" in address]
    return note.code == Held.RESTS_ON_OPAQUE and users and "/user:" not in note.address


def _assert_within(reached, start, end, why):
    if isinstance(reached, set):
        assert reached <= start | end, why
        return
    for who, applications in reached.items():
        assert applications <= start[who] | end[who], why


def _along(world, plan, provider):
    state = world.copy()
    for step in plan.steps:
        if step.provider == provider:
            state.run(step.cmdlet, dict(step.parameters))
            yield state


def _after(world, plan, provider):
    *_, last = (world, *_along(world, plan, provider))
    return last


def test_whose_members_differ_has_unknown_ones_and_covers_nobody_for_certain():
    rows = _rows()
    rows["groups"].append(rows["groups"][2] | {"members": []})
    rows["recipients"].append(rows["recipients"][2] | {"members": []})
    directory = _read(rows)
    for coverage in (group_coverage(directory)(GROUPS[2]), scope_coverage(directory)(SCOPES[2])):
        assert not coverage.closed
        assert coverage.inside == frozenset()


@pytest.mark.parametrize("key", ["users", "groups", "recipients"])
@pytest.mark.parametrize("odd_id", WRONG_IDS)
def test_nothing_is_gone_that_a_row_without_an_id_may_be(key, odd_id):
    rows = _rows()
    assert _read(rows).is_gone(OTHER)
    rows[key][0] |= {"id": odd_id}
    assert not _read(rows).is_gone(OTHER)
    assert _read(rows).is_missing(OTHER)


def test_no_policy_is_put_on_a_scope_that_may_be_gone():
    """A replacement on it would remove what stands and could then be refused."""
    rows = _rows()
    del rows["recipients"][0]
    rows["absent"] = [SCOPES[0]]
    rows["recipients"][1]["id"] = None
    world = ExchangeWorld({(APPS[0], SCOPES[0]): (AccessRight.RESTRICT, "")})
    declared = documents([], [exchange_document([APPS[0]], SCOPES[0], AccessRight.DENY)])
    plan = _plan(declared, None, world, rows)
    assert plan.steps == ()
    assert f"exchange.policy/{APPS[0]}@{SCOPES[0]}" in {note.address for note in plan.held}
    dead = {WarningCode.DEAD_RESTRICT, WarningCode.DEAD_DENY}
    assert not dead & {note.code for note in plan.warnings}


def test_a_scope_that_may_be_no_principal_holds_its_application_alone():
    rows = _rows()
    rows["recipients"][0]["isValidSecurityPrincipal"] = "True"
    declared = documents(
        [],
        [
            exchange_document([APPS[0]], f"{SCOPES[0]}@contoso.com", AccessRight.RESTRICT),
            exchange_document([APPS[1]], f"{SCOPES[1]}@contoso.com", AccessRight.RESTRICT),
        ],
    )
    plan = _plan(declared, None, ExchangeWorld(), rows)
    assert [step.parameters["AppId"] for step in plan.steps] == [[APPS[1]]]
    held = [note for note in plan.held if note.code == Held.RESTS_ON_OPAQUE]
    assert [APPS[0] in note.address for note in held] == [True]


def test_whoever_keeps_a_policy_because_of_an_odd_row_gains_nothing_by_its_list():
    """The documents take it away, and add an application for those who stay."""
    rows = _rows()
    rows["users"][0]["upn"] = 3
    world = TeamsWorld({"Alpha": (frozenset(APPS[:1]), "")}, frozenset(), [], {USERS[0]: "Alpha"})
    wanted = teams_document("Alpha", applications=tuple(APPS[:2]), users=(listing(USERS[1:2]),))
    plan = _plan(documents([wanted], [], tenant()), world, None, rows)
    after = _after(world, plan, "teams")
    assert after.users == {USERS[0]: "Alpha", USERS[1]: "Alpha"}
    assert after.apps("Alpha") == frozenset(APPS[:1])


def test_the_order_of_doubled_rows_changes_nothing():
    for seed in range(40):
        chance = random.Random(seed)
        rows = _rows()
        for key in WRONG_VALUES:
            for row in list(rows[key]):
                name = chance.choice(sorted(row))
                rows[key].append(row | {name: chance.choice(rows[key])[name]})
        first = _read(rows)
        for key in WRONG_VALUES:
            chance.shuffle(rows[key])
        again = _read(rows)
        assert again == first, f"seed {seed}"


def test_a_doubled_name_leads_to_nobody_and_the_id_still_leads():
    rows = _rows()
    rows["users"].append(rows["users"][0] | {"upn": "new@contoso.com"})
    directory = _read(rows)
    assert USERS[0] in directory.users
    assert not {"u0@contoso.com", "new@contoso.com"} & directory.users_by_upn.keys()
    assert directory.unclear["new@contoso.com"] == (USERS[0],)


@pytest.mark.parametrize("spelled", ["{}", "smtp:{}", "SMTP:{}"])
@pytest.mark.parametrize("named", [SCOPES[0], OTHER])
def test_an_object_id_among_the_addresses_of_another_names_nobody(named: str, spelled: str) -> None:
    """It names the object that has it, if there is one; whoever has it as an address is told."""
    rows = _rows()
    rows["recipients"][1]["addresses"].append(spelled.format(named.upper()))
    declared = documents(
        [],
        [
            exchange_document([APPS[0]], named, AccessRight.RESTRICT),
            exchange_document([APPS[1]], f"{SCOPES[1]}@contoso.com", AccessRight.RESTRICT),
        ],
    )
    plan = _plan(declared, None, ExchangeWorld(), rows)
    scopes = {step.parameters["PolicyScopeGroupId"] for step in plan.steps}
    other = f"{SCOPES[1]}@contoso.com"
    assert scopes == ({f"{SCOPES[0]}@contoso.com", other} if named == SCOPES[0] else {other})
    assert SCOPES[1] in _read(rows).odd_recipients
    assert named.lower() not in _read(rows).recipients_by_address


def test_an_object_id_as_the_principal_name_of_another_names_nobody() -> None:
    rows = _rows()
    rows["users"][1]["upn"] = OTHER.upper()
    directory = _read(rows)
    assert OTHER not in directory.users_by_upn
    assert rows["users"][1]["id"] in directory.opaque
