"""A live capture equals what the simulated tenant shows, is complete, and asks no more than it
needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from reconciler.captures import reading
from reconciler.errors import TenantFault
from reconciler.model.target_tenant import TargetTenant
from reconciler.tenants.live.reading_teams import MANY
from reconciler.tenants.protocol import CaptureRequest
from tests.live import service
from tests.live.signing import CONNECT, SETTINGS
from tests.strategies.tenants import (
    APPS,
    BOTH,
    EVERYTHING,
    GROUPS,
    SCOPES,
    SHARED,
    STRANGER,
    TENANT,
    USERS,
    assignment,
    empty,
    exchange_policy,
    grant,
    guid,
    recipient,
    sid,
    teams_policy,
    tenants,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.observed import Observed
    from tests.live.stages import Stage

ROWS = CaptureRequest(BOTH, rows_only=True)


def observed(raw: Mapping[str, Any], source: str = "live") -> Observed:
    return reading.parse_capture(
        raw, source=source, tenant_id=TENANT, needs=frozenset(p for p in BOTH if raw[p]["complete"])
    )


def capture(stage: Stage, request: CaptureRequest = ROWS) -> Mapping[str, Any]:
    with stage.live() as live:
        return live.capture(request)


def teams(**sections: Any) -> dict[str, Any]:
    return {**empty()["teams"], **sections}


def two_holders(policy: str = "Alpha") -> dict[str, Any]:
    return teams(
        policies=[
            {"Identity": "Global", "AppIds": [], "Description": ""},
            teams_policy("Alpha", APPS[:1]),
            teams_policy("Beta", []),
        ],
        users=[grant(USERS[0], policy), grant(USERS[1], "Beta")],
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=tenants())
def test_a_capture_shows_the_tenant_as_it_is(stage: Stage, state: dict[str, Any]) -> None:
    stage.set(**state)
    live, simulated = (
        observed(capture(stage)),
        observed(stage.service.simulator.capture(EVERYTHING), "simulated"),
    )
    assert live.states == simulated.states


def test_a_capture_says_when_of_whom_and_what_was_read(stage: Stage) -> None:
    stage.set(teams=two_holders())
    raw = capture(stage)
    assert raw["taken_at"] == "2025-10-09T08:53:20Z"
    assert raw["tenant"] == {"tenantId": TENANT, "organization": "contoso.onmicrosoft.com"}
    assert raw["teams"]["tenantId"] == raw["exchange"]["tenantId"] == TENANT
    assert [
        (read["cmdlet"], read["parameters"].get("Filter"), read["count"])
        for read in raw["teams"]["reads"]
    ] == [
        ("Get-CsApplicationAccessPolicy", None, 3),
        ("Get-CsGroupPolicyAssignment", None, 0),
        ("Get-CsOnlineUser", "ApplicationAccessPolicy -ne $null", 2),
        ("Get-CsOnlineUser", "ApplicationAccessPolicy -eq 'Alpha'", 1),
        ("Get-CsOnlineUser", "ApplicationAccessPolicy -eq 'Beta'", 1),
    ]
    assert {one.cmdlet for one in stage.told} >= {"Get-CsOnlineUser"}


def test_rows_are_plain_and_hold_what_the_service_spells(stage: Stage) -> None:
    stage.set(
        teams=teams(
            policies=[teams_policy("Alpha", [APPS[0].upper()], "text")],
            groupAssignments=[assignment(GROUPS[0], "Alpha", 1)],
        ),
        exchange={"policies": [exchange_policy(APPS[0], SCOPES[0], "DenyAccess")]},
    )
    raw = capture(stage)
    assert {"Identity": "Tag:Alpha", "AppIds": [APPS[0].upper()], "Description": "text"} in raw[
        "teams"
    ]["policies"]
    assert raw["teams"]["groupAssignments"] == [assignment(GROUPS[0], "Alpha", 1)]
    assert raw["exchange"]["policies"] == [exchange_policy(APPS[0], SCOPES[0], "DenyAccess")]


# one product only


@pytest.mark.parametrize(("product", "other"), [("teams", "exchange"), ("exchange", "teams")])
def test_a_product_that_is_not_wanted_is_not_asked_and_needs_no_credential(
    stage: Stage, product: str, other: str
) -> None:
    connect = {key: value for key, value in CONNECT.items() if key != other}
    with stage.live(settings=TargetTenant(TENANT, "contoso.onmicrosoft.com", connect)) as live:
        raw = live.capture(
            CaptureRequest(
                frozenset({product}),
                users=("user9@contoso.com",),
                recipients=("nobody@contoso.com",),
            )
        )
    assert raw[product]["complete"]
    assert not raw[other]["complete"]
    assert len(stage.begin.sessions) == 1


def test_names_alone_are_looked_up_without_reading_a_product(stage: Stage) -> None:
    raw = capture(
        stage,
        CaptureRequest(
            frozenset(),
            users=("User1@contoso.com", STRANGER),
            recipients=("scope1.old@contoso.com", "gone@contoso.com"),
        ),
    )
    assert not raw["teams"]["complete"]
    assert not raw["exchange"]["complete"]
    known = observed(raw).directory
    assert list(known.users) == [USERS[1]]
    assert list(known.recipients) == [SCOPES[1]]
    assert known.absent == {STRANGER, "gone@contoso.com"}
    assert {
        request["cmdlet"]
        for request in stage.service.seen
        if request["cmdlet"].startswith("Get-Cs")
    } == {"Get-CsOnlineUser"}


def test_only_users_asked_for_leaves_exchange_alone(stage: Stage) -> None:
    capture(stage, CaptureRequest(frozenset(), users=(USERS[0],)))
    assert [session.connection.provider for session in stage.begin.sessions] == ["teams"]


# direct grants are read twice


def test_holders_of_a_policy_that_is_gone_are_kept(stage: Stage) -> None:
    stage.set(teams=two_holders("Gone"))
    assert observed(capture(stage)).states["teams"].users == {USERS[0]: "gone", USERS[1]: "beta"}


def test_two_readings_that_differ_are_repeated_until_they_agree(stage: Stage) -> None:
    stage.set(teams=two_holders())
    stage.service.spoil("Get-CsOnlineUser", times=2, after=1)
    raw = capture(stage)
    assert observed(raw).states["teams"].users == {USERS[0]: "alpha", USERS[1]: "beta"}
    assert stage.waits == [10.0]
    assert len(raw["teams"]["reads"]) == 5


def test_two_readings_that_stay_different_are_no_reading(stage: Stage) -> None:
    stage.set(teams=two_holders())
    stage.service.before = lambda request: (
        request["parameters"].get("Filter", "").endswith("'Beta'")
        and stage.service.spoil("Get-CsOnlineUser")
    )
    with pytest.raises(TenantFault, match=r"the holders of .Beta. give different users"):
        capture(stage)
    assert stage.waits == [10.0, 20.0, 30.0]


@pytest.mark.parametrize("policy", ["Beta", None])
def test_a_filter_that_lists_others_was_not_understood(stage: Stage, policy: str | None) -> None:
    stage.set(teams=two_holders())
    stranger = {
        "Identity": USERS[2],
        "UserPrincipalName": "x@contoso.com",
        service.POLICY: policy and {"Name": policy},
    }
    stage.service.spoil("Get-CsOnlineUser", service.output(stranger), after=1)
    with pytest.raises(
        TenantFault, match=r".Alpha., but returned users with another policy or none"
    ):
        capture(stage)


@pytest.mark.parametrize("name", ["Test-policy", "My Policy (new)", "Größe_1.2", "会议"])
def test_names_of_plain_characters_do(stage: Stage, name: str) -> None:
    stage.set(teams=teams(policies=[teams_policy(name, [])], users=[grant(USERS[0], name)]))
    assert observed(capture(stage)).states["teams"].users == {USERS[0]: name.lower()}


def test_a_template_is_no_policy_to_be_asked_for(stage: Stage) -> None:
    stage.set(teams=teams(policies=[teams_policy("Default", [])]))
    capture(stage)
    assert len(stage.service.calls("Get-CsOnlineUser")) == 1


# users of the directory


def test_users_who_hold_a_grant_are_known_and_not_asked_for_again(stage: Stage) -> None:
    stage.set(teams=two_holders())
    raw = capture(
        stage, CaptureRequest(frozenset({"teams"}), users=(USERS[0].upper(), "USER1@contoso.com"))
    )
    assert [row["upn"] for row in raw["directory"]["users"]] == [
        "user0@contoso.com",
        "user1@contoso.com",
    ]
    assert all("Identity" not in call for call in stage.service.calls("Get-CsOnlineUser"))


def test_a_user_whose_name_the_service_spells_in_another_case_is_not_absent(stage: Stage) -> None:
    people = empty()["directory"]
    people["users"][0]["upn"] = "User0@Contoso.com"
    stage.set(directory=people)
    raw = capture(stage, CaptureRequest(frozenset({"teams"}), users=("user0@contoso.COM",)))
    assert [row["upn"] for row in raw["directory"]["users"]] == ["User0@Contoso.com"]
    assert raw["directory"]["absent"] == []


def test_a_user_found_by_another_name_than_asked_for_is_absent(stage: Stage) -> None:
    row = {"Identity": USERS[0], "UserPrincipalName": "user0@contoso.com", "DisplayName": "User 0"}
    stage.service.spoil("Get-CsOnlineUser", service.output(row), after=1)
    raw = capture(stage, CaptureRequest(frozenset({"teams"}), users=("sip-of-user0@contoso.com",)))
    assert raw["directory"]["absent"] == ["sip-of-user0@contoso.com"]


def test_a_user_who_is_deleted_and_not_yet_gone_is_absent(stage: Stage) -> None:
    row = {
        "Identity": USERS[0],
        "UserPrincipalName": "user0@contoso.com",
        "SoftDeletionTimestamp": "2026-11-01T00:00:00Z",
    }
    stage.service.spoil("Get-CsOnlineUser", service.output(row), after=1)
    raw = capture(stage, CaptureRequest(frozenset({"teams"}), users=(USERS[0],)))
    assert (raw["directory"]["users"], raw["directory"]["absent"]) == ([], [USERS[0]])


def test_many_unknown_names_are_one_reading_of_everybody(stage: Stage) -> None:
    names = (USERS[2], *(f"gone{number}@contoso.com" for number in range(MANY)))
    raw = capture(stage, CaptureRequest(frozenset({"teams"}), users=names))
    assert [row["id"] for row in raw["directory"]["users"]] == [USERS[2]]
    assert len(raw["directory"]["absent"]) == MANY
    assert len(stage.service.calls("Get-CsOnlineUser")) == 2


# recipients


def test_scopes_of_policies_and_names_asked_for_are_resolved_with_members(stage: Stage) -> None:
    people = empty()["directory"]
    people["recipients"][0]["members"] = [USERS[0], SHARED]
    stage.set(
        directory=people,
        exchange={"policies": [exchange_policy(APPS[0], SCOPES[0], "RestrictAccess")]},
    )
    raw = capture(
        stage,
        CaptureRequest(
            frozenset({"exchange"}),
            recipients=("SCOPE1@contoso.com", SCOPES[2], "shared@contoso.com"),
        ),
    )
    known = observed(raw).directory
    assert known.recipients[SCOPES[0]].members == {USERS[0], SHARED}
    assert known.recipients[SCOPES[1]].members == frozenset()
    assert known.recipients[SCOPES[2]].members == frozenset()
    assert known.recipients[SHARED].members is None
    assert not known.recipients[SHARED].principal
    assert [known.recipients[scope].sid for scope in SCOPES] == [sid(0), sid(1), sid(2)]
    assert {call["Identity"] for call in stage.service.calls("Get-Group")} == {
        f"ec{scope[2:]}" for scope in SCOPES[1:]
    }


def test_a_scope_that_is_gone_is_absent(stage: Stage) -> None:
    stage.set(exchange={"policies": [exchange_policy(APPS[0], STRANGER, "RestrictAccess")]})
    raw = capture(stage, CaptureRequest(frozenset({"exchange"})))
    assert (raw["directory"]["recipients"], raw["directory"]["absent"]) == ([], [STRANGER])


def nested(
    *memberships: tuple[int, list[str]], kind: str = "MailUniversalSecurityGroup"
) -> dict[str, Any]:
    people = empty()["directory"]
    people["recipients"] += [recipient(guid("9", 1), "unified", "GroupMailbox", 8)]
    del people["recipients"][-1]["members"]
    for number, members in memberships:
        people["recipients"][number]["members"] = members
        people["recipients"][number]["type"] = kind
    return people


def test_nested_groups_are_followed_and_a_circle_ends(stage: Stage) -> None:
    stage.set(directory=nested((0, [SCOPES[1], SHARED]), (1, [SCOPES[2]]), (2, [SCOPES[0]])))
    raw = capture(
        stage, CaptureRequest(frozenset({"exchange"}), recipients=("scope0@contoso.com",))
    )
    known = observed(raw).directory.recipients
    assert [known[scope].members for scope in SCOPES] == [
        {SCOPES[1], SHARED},
        {SCOPES[2]},
        {SCOPES[0]},
    ]
    assert len(stage.service.calls("Get-DistributionGroupMember")) == 3


def test_the_members_of_a_microsoft_365_group_stay_unknown(stage: Stage) -> None:
    stage.set(directory=nested((0, [guid("9", 1)])))
    raw = capture(
        stage, CaptureRequest(frozenset({"exchange"}), recipients=("scope0@contoso.com",))
    )
    known = observed(raw).directory.recipients
    assert known[SCOPES[0]].members == {guid("9", 1)}
    assert (known[guid("9", 1)].type, known[guid("9", 1)].members) == ("GroupMailbox", None)


def test_contacts_are_no_members_and_a_member_without_an_id_makes_all_unknown(stage: Stage) -> None:
    contact = {"RecipientTypeDetails": "MailContact", "ExternalDirectoryObjectId": ""}
    for strange, members in (
        ([], []),
        ([{"RecipientTypeDetails": "UserMailbox", "ExternalDirectoryObjectId": ""}], None),
    ):
        stage.service.spoil(
            "Get-DistributionGroupMember", *map(service.output, [contact, *strange])
        )
        raw = capture(
            stage, CaptureRequest(frozenset({"exchange"}), recipients=("scope0@contoso.com",))
        )
        assert raw["directory"]["recipients"][0]["members"] == members


def test_a_member_that_nobody_finds_was_not_asked_for_and_is_not_absent(stage: Stage) -> None:
    stage.set(directory=nested((0, [STRANGER])))
    raw = capture(
        stage,
        CaptureRequest(
            frozenset({"exchange"}), recipients=("scope0@contoso.com", "gone@contoso.com")
        ),
    )
    known = observed(raw).directory
    assert known.recipients[SCOPES[0]].members == {STRANGER}
    assert known.absent == {"gone@contoso.com"}


def test_an_address_that_two_recipients_have_leads_to_neither(stage: Stage) -> None:
    rows = [
        {**stage.service._recipient(scope), "EmailAddresses": ["smtp:both@contoso.com"]}
        for scope in SCOPES[:2]
    ]
    stage.service.spoil("Get-Recipient", *map(service.output, rows))
    raw = capture(stage, CaptureRequest(frozenset(), recipients=("both@contoso.com",)))
    known = observed(raw).directory
    assert known.unclear == {"both@contoso.com": tuple(SCOPES[:2])}
    assert "both@contoso.com" not in known.absent
    assert known.recipients.keys() >= {*SCOPES[:2]}


def test_everybody_instead_of_nobody_is_nobody(stage: Stage) -> None:
    """Get-Recipient may list all when an identity does not exist (its page)."""
    stage.service.spoil(
        "Get-Recipient", *(service.output(stage.service._recipient(scope)) for scope in SCOPES)
    )
    raw = capture(stage, CaptureRequest(frozenset(), recipients=("nobody@contoso.com",)))
    assert raw["directory"] == {
        "users": [],
        "groups": [],
        "recipients": [],
        "absent": ["nobody@contoso.com"],
    }


def test_recipients_without_an_id_or_an_address_are_passed_over(stage: Stage) -> None:
    rows = [
        {**stage.service._recipient(SCOPES[0]), **gone}
        for gone in ({"ExternalDirectoryObjectId": ""}, {"PrimarySmtpAddress": None})
    ]
    stage.service.spoil("Get-Recipient", *map(service.output, rows))
    raw = capture(stage, CaptureRequest(frozenset(), recipients=("scope0@contoso.com",)))
    assert raw["directory"]["recipients"] == []


def test_a_group_whose_sid_nobody_tells_has_none(stage: Stage) -> None:
    stage.service.spoil("Get-Group")
    raw = capture(stage, CaptureRequest(frozenset(), recipients=("scope0@contoso.com",)))
    assert "sid" not in raw["directory"]["recipients"][0]


def test_300_scopes_are_few_calls(stage: Stage) -> None:
    scopes = [guid("d", number) for number in range(300)]
    people = {
        **empty()["directory"],
        "recipients": [
            {**recipient(one, f"s{n}", "UserMailbox", n), "members": None}
            for n, one in enumerate(scopes)
        ],
    }
    stage.set(
        directory=people,
        exchange={
            "policies": [exchange_policy(APPS[0], scope, "RestrictAccess") for scope in scopes]
        },
    )
    raw = capture(stage, CaptureRequest(frozenset({"exchange"})))
    assert len(raw["directory"]["recipients"]) == 300
    assert len(stage.service.calls("Get-Recipient")) == 15


def test_rows_only_looks_nobody_up(stage: Stage) -> None:
    stage.set(exchange={"policies": [exchange_policy(APPS[0], SCOPES[0], "RestrictAccess")]})
    assert capture(stage)["directory"]["recipients"] == []
    assert not stage.service.calls("Get-Recipient")


def test_a_directory_of_everybody(stage: Stage) -> None:
    raw = capture(
        stage,
        CaptureRequest(
            BOTH,
            users=("gone@contoso.com",),
            recipients=("SCOPE0@contoso.com", "gone2@contoso.com"),
            everything=True,
        ),
    )
    known = observed(raw).directory
    assert list(known.users) == USERS
    assert (
        list(known.recipients) == SCOPES
    )  # a shared mailbox is no security principal that can be a scope
    assert known.recipients[SCOPES[0]].members == frozenset()
    assert known.recipients[SCOPES[1]].members is None
    assert known.absent == {"gone@contoso.com", "gone2@contoso.com"}


def test_recipients_are_looked_up_beside_another_product(stage: Stage) -> None:
    """Documents of Teams may name a group by its address, which only Exchange knows."""
    raw = capture(stage, CaptureRequest(frozenset({"teams"}), recipients=("scope0@contoso.com",)))
    assert raw["teams"]["complete"] is True
    assert raw["exchange"] == {"complete": False, "reads": [], "policies": []}
    assert [row["primary"] for row in raw["directory"]["recipients"]] == ["scope0@contoso.com"]


def test_no_recipient_is_looked_up_without_a_way_to_sign_in(stage: Stage) -> None:
    connect = {name: way for name, way in SETTINGS.connect.items() if name != "exchange"}
    assert "teams" in connect
    with stage.live(settings=replace(SETTINGS, connect=connect)) as live:
        raw = live.capture(CaptureRequest(frozenset({"teams"}), recipients=("scope0@contoso.com",)))
    assert raw["directory"]["recipients"] == []
    assert raw["directory"]["absent"] == []
