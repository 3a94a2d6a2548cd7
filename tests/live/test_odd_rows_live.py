"""Rows of a live tenant that cannot be understood: they are in the capture as they came, named and
held, and what does not rest on them is planned, applied and verified.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.errors import TenantFault
from reconciler.model.codes import Held
from reconciler.model.observed import OPAQUE
from reconciler.tenants.live import projecting
from reconciler.tenants.protocol import CaptureRequest
from tests.live.service import POLICY, output
from tests.live.test_capture import capture, observed, teams
from tests.strategies.tenants import APPS, SCOPES, USERS, empty, grant, recipient, teams_policy

if TYPE_CHECKING:
    from tests.live.places import Place
    from tests.live.stages import Stage


def odd(**changed: Any) -> dict[str, Any]:
    """A tenant with a policy and a holder that can be queried, and something odd beside them."""
    rows: dict[str, list[Any]] = {
        "policies": [teams_policy("Alpha", APPS[:1]), teams_policy("Beta", [])],
        "users": [grant(USERS[0], "Alpha"), grant(USERS[1], "Beta")],
    }
    return teams(
        **{key: [*rows[key], *more] for key, more in changed.items()}
        | {key: rows[key] for key in rows.keys() - changed.keys()}
    )


@pytest.mark.parametrize("identity", [None, 7, "CN=somebody"])
def test_a_grant_without_a_user_is_read(stage: Stage, identity: Any) -> None:
    row = {"Identity": identity, "UserPrincipalName": "x@contoso.com", POLICY: {"Name": "Beta"}}
    stage.set(teams=odd(users=[row]))
    state = observed(capture(stage)).states["teams"]
    (user,) = state.unidentified
    assert json.loads(user.removeprefix(OPAQUE))["Identity"] == identity
    assert state.users == {USERS[0]: "alpha", USERS[1]: "beta", user: "beta"}


@pytest.mark.parametrize("identity", [None, 3])
def test_a_policy_without_a_name_is_read_if_another_one_can_be_checked(
    stage: Stage, identity: Any
) -> None:
    row = {"Identity": identity, "AppIds": APPS[:1], "Description": ""}
    stage.set(teams=odd(policies=[row]))
    assert len(observed(capture(stage)).states["teams"].nameless) == 1
    stage.set(teams=odd(policies=[row]) | {"users": []})
    with pytest.raises(
        TenantFault, match="a policy that was read without a name cannot be queried"
    ):
        capture(stage)


def test_a_name_that_was_damaged_on_the_way_stops_itself(stage: Stage) -> None:
    """Which policy it is, and whose grant a damaged principal name is, is not guessed."""
    policy = {"Identity": "Tag:a\ufffdb", "AppIds": APPS[:1], "Description": ""}
    stage.set(teams=odd(policies=[policy]))
    state = observed(capture(stage)).states["teams"]
    (key,) = state.nameless
    assert json.loads(key.removeprefix(OPAQUE))["Identity"] == "Tag:a\ufffdb"
    assert state.users == {USERS[0]: "alpha", USERS[1]: "beta"}
    directory = empty()["directory"]
    directory["users"][2]["upn"] = "bo\ufffdard@contoso.com"
    stage.set(teams=odd(users=[grant(USERS[2], "Beta")]), directory=directory)
    known = observed(capture(stage))
    assert known.states["teams"].users[USERS[2]] == "beta"
    assert "U+FFFD" in known.directory.opaque[USERS[2]].why


def test_a_holder_whose_row_lacks_the_policy_stops_itself(stage: Stage) -> None:
    """Others have the property, so that the answer is what was asked for."""
    stage.set(teams=odd())
    listed = stage.service.get_csonlineuser

    def silent(request: Any) -> Any:
        for item in listed(request):
            row = dict(item["value"]["properties"])
            if row["Identity"] == USERS[1]:
                row.pop(POLICY, None)
            yield output(row)

    stage.service.get_csonlineuser = silent  # type: ignore[method-assign]
    state = observed(capture(stage)).states["teams"]
    assert state.users[USERS[0]] == "alpha"
    assert state.users[USERS[1]] == f'{OPAQUE}{{"Identity": "{USERS[1]}"}}'


def answering(
    stage: Stage | Place, rows: dict[str, dict[str, Any]], *, alone: bool = False
) -> None:
    """Let Teams answer with other properties for some users; if `alone`, only where the holders of
    one policy are asked for.
    """
    listed = stage.service.get_csonlineuser

    def answer(request: Any) -> Any:
        replaced = rows if not alone or "-eq" in str(request["parameters"].get("Filter")) else {}
        for item in listed(request):
            row = dict(item["value"]["properties"])
            yield output({**row, **replaced.get(row["Identity"], {})})

    stage.service.get_csonlineuser = answer  # type: ignore[method-assign]


UNFIT = ("Be\ufffdta", "Be\u200bta", "Tag:Be\u202eta", "\t", 7, ["Beta"], {})


@pytest.mark.parametrize("name", UNFIT, ids=ascii)
def test_a_grant_whose_policy_has_a_damaged_name_stops_its_user_alone(
    stage: Stage, name: Any
) -> None:
    """The policy itself was read intact, and lists its other holders."""
    stage.set(teams=odd(users=[grant(USERS[2], "Beta")]))
    answering(stage, {USERS[2]: {POLICY: {"Name": name}}})
    state = observed(capture(stage)).states["teams"]
    assert (state.users[USERS[0]], state.users[USERS[1]]) == ("alpha", "beta")
    assert state.users[USERS[2]].startswith(OPAQUE)


@pytest.mark.parametrize("name", UNFIT[:3], ids=ascii)
def test_a_holder_who_is_read_in_one_way_only_leaves_the_reading_incomplete(
    stage: Stage, name: str
) -> None:
    """A damaged name does not make two answers agree that differ about a user."""
    stage.set(teams=odd(users=[grant(USERS[2], "Beta")]))
    answering(stage, {USERS[2]: {POLICY: {"Name": name}}}, alone=True)
    with pytest.raises(TenantFault, match="give different users"):
        capture(stage)


@pytest.mark.parametrize("name", ["Gone", "Alpha", None])
def test_a_holder_of_another_policy_than_was_asked_for_leaves_the_reading_incomplete(
    stage: Stage, name: str | None
) -> None:
    stage.set(teams=odd(users=[grant(USERS[2], "Beta")]))
    answering(stage, {USERS[2]: {POLICY: {"Name": name}}})
    with pytest.raises(TenantFault, match="its filter was not applied"):
        capture(stage)


def test_a_policy_that_is_read_twice_and_a_description_that_is_no_text_are_read(
    stage: Stage,
) -> None:
    rows = [
        {"Identity": "Tag:ALPHA", "AppIds": APPS[1:2], "Description": ""},
        {"Identity": "Tag:Gamma", "AppIds": [], "Description": ["a", "b"]},
    ]
    stage.set(teams=odd(policies=rows))
    policies = observed(capture(stage)).states["teams"].policies
    assert len(policies["alpha"].opaque) == 1
    assert not policies["alpha"].applications.keys() & set(APPS)
    assert policies["gamma"].odd_description == '["a", "b"]'


def test_a_recipient_with_an_odd_address_keeps_its_others(stage: Stage) -> None:
    scope = recipient(SCOPES[0], "scope0", "MailUniversalSecurityGroup", 1000)
    scope["addresses"] = [*(scope.get("addresses") or []), "smtp:bo\u200bard@contoso.com", 3]
    stage.set(directory={"users": [], "groups": [], "recipients": [scope]})
    request = CaptureRequest(frozenset({"exchange"}), recipients=(scope["primary"],))
    known = observed(capture(stage, request)).directory
    assert known.recipients_by_address[scope["primary"]] == SCOPES[0]
    assert "U+200B" in known.odd_recipients[SCOPES[0]].why


def test_what_does_not_rest_on_odd_rows_is_applied_and_verified(place: Place) -> None:
    """The sample, beside a grant of which nobody knows whose it is, a policy that is read twice, and
    a description that is no text.
    """
    tenant = dict(place.tenant())
    row = {"Identity": None, "UserPrincipalName": "x@contoso.com", POLICY: {"Name": "Test-policy"}}
    tenant["teams"]["users"].append(row)
    tenant["teams"]["policies"] += [
        teams_policy("Twice", APPS[:1]),
        teams_policy("TWICE", []),
        {"Identity": "Tag:Odd", "AppIds": [], "Description": ["a"]},
    ]
    (place.folder / "tenant.json").write_text(json.dumps(tenant), encoding="utf-8")
    place.renew()
    plan = place.plan()
    named = [note["address"] for note in plan["held"] if note["code"] == Held.NOT_UNDERSTOOD]
    assert len(named) == 4  # the row is one of the directory too
    assert plan["applicable"]
    assert plan["steps"]
    applied = place.apply()
    assert applied.code == 0, applied.out + applied.err
    assert place.plan()["steps"] == []
    assert row in place.tenant()["teams"]["users"]


@pytest.mark.parametrize("name", ["Test\ufffdpolicy", 7], ids=ascii)
def test_beside_a_grant_with_a_damaged_name_the_rest_is_applied_and_verified(
    place: Place, name: Any
) -> None:
    holder = next(
        row["Identity"]
        for row in place.tenant()["teams"]["users"]
        if row[POLICY]["Name"] == "Test-policy" and row["UserPrincipalName"].startswith("lynne")
    )
    answering(place, {holder: {POLICY: {"Name": name}}})
    plan = place.plan()
    named = [note["address"] for note in plan["held"] if note["code"] == Held.NOT_UNDERSTOOD]
    assert named == [f"teams.grant/user:{holder}"]
    assert plan["applicable"]
    applied = place.apply()
    assert applied.code == 0, applied.out + applied.err
    assert place.plan()["steps"] == []
    assert not [
        call
        for call in place.service.calls("Grant-CsApplicationAccessPolicy")
        if call.get("Identity") == holder
    ]


def test_a_recipient_that_is_read_with_two_contents_keeps_both(stage: Stage) -> None:
    scope = recipient(SCOPES[0], "scope0", "MailUniversalSecurityGroup", 1000)
    other = scope | {"isValidSecurityPrincipal": "yes", "displayName": "Somebody else"}
    stage.set(directory={"users": [], "groups": [], "recipients": [scope, other]})
    request = CaptureRequest(frozenset({"exchange"}), recipients=(scope["primary"],))
    known = observed(capture(stage, request)).directory
    assert known.doubled == {SCOPES[0]}
    assert known.recipients[SCOPES[0]].principal is None
    assert known.recipients[SCOPES[0]].display_name == ""
    assert known.recipients_by_address[scope["primary"]] == SCOPES[0]


@pytest.mark.parametrize("identity", [USERS[0], None, 7])
def test_a_user_who_is_read_with_two_contents_keeps_both(identity: Any) -> None:
    answer = [
        {"Identity": identity, "UserPrincipalName": f"{name}@contoso.com", "DisplayName": "Adele"}
        for name in ("old", "new", "old")
    ]
    names = [row["upn"] for row in projecting.users_by_key(answer).values()]
    assert sorted(names) == ["new@contoso.com", "old@contoso.com"]
