"""No reading that failed, or may have lost something, looks like a tenant without anything (law 1)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.errors import TenantFault
from reconciler.tenants.live import reading_teams
from reconciler.tenants.protocol import CaptureRequest
from tests.live.service import (
    DENIED,
    POLICY,
    THROTTLED,
    UNAVAILABLE,
    Drop,
    error,
    output,
    swallowed,
)
from tests.live.test_capture import ROWS, capture, observed, teams, two_holders
from tests.strategies.tenants import BOTH, SCOPES, USERS, exchange_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.service import Item, Request
    from tests.live.stages import Stage

READINGS = (
    "Get-CsApplicationAccessPolicy",
    "Get-CsGroupPolicyAssignment",
    "Get-CsOnlineUser",
    "Get-ApplicationAccessPolicy",
)
NO_NETWORK = error("The operation has timed out.", kind="System.TimeoutException")
EXPIRED = error("Authentication_ExpiredToken")
STRANGE = error("Something went wrong")
WORDS = {
    "denied": (
        DENIED,
        r"failed \(denied\): Access Denied. \(the account is not allowed to do this: `reconciler doctor`",
    ),
    "throttled": (THROTTLED, r"failed \(throttled\): .*429.*\(the service is too busy"),
    "unavailable": (UNAVAILABLE, r"failed \(transient\)"),
    "no network": (NO_NETWORK, r"failed \(no-answer\)"),
    "expired": (EXPIRED, r"failed \(expired\)"),
    "anything": (STRANGE, r"failed \(unknown\): Something went wrong"),
}


@pytest.mark.parametrize("partly", [False, True], ids=["nothing came", "some came"])
@pytest.mark.parametrize("what", WORDS)
@pytest.mark.parametrize("cmdlet", READINGS)
def test_a_reading_that_fails_is_told_by_its_class(
    stage: Stage, cmdlet: str, what: str, partly: bool
) -> None:
    answer, words = WORDS[what]
    objects = [output({"Identity": "x", "AppIds": [], "Description": ""})] if partly else []
    stage.service.spoil(cmdlet, *objects, answer, times=9)
    with pytest.raises(TenantFault, match=f"{cmdlet} {words}"):
        capture(stage)


@pytest.mark.parametrize(
    ("answer", "waits"),
    [(THROTTLED, [10.0, 30.0, 60.0]), (UNAVAILABLE, [2.0, 10.0]), (EXPIRED, [2.0, 10.0])],
)
def test_what_passes_is_tried_again_so_many_times(
    stage: Stage, answer: Item, waits: list[float]
) -> None:
    stage.set(teams=two_holders())
    stage.service.spoil("Get-CsApplicationAccessPolicy", answer, times=len(waits))
    assert observed(capture(stage)).states["teams"].users
    assert stage.waits == waits
    stage.waits.clear()
    stage.service.spoil("Get-CsApplicationAccessPolicy", answer, times=len(waits) + 1)
    with pytest.raises(TenantFault):
        capture(stage)
    assert stage.waits == waits


@pytest.mark.parametrize(("asked", "waited"), [(45, 45.0), (4000, 300.0), (0, 10.0)])
def test_the_service_may_ask_for_more_time_within_bounds(
    stage: Stage, asked: int, waited: float
) -> None:
    stage.service.spoil("Get-CsApplicationAccessPolicy", error("no", status=429, retry_after=asked))
    capture(stage)
    assert stage.waits == [waited]


def test_a_process_that_is_lost_in_a_reading_is_replaced(stage: Stage) -> None:
    stage.set(teams=two_holders())
    lost = iter([True])
    stage.service.before = lambda request: _drop(
        request["cmdlet"] == "Get-CsOnlineUser" and next(lost, False)
    )
    assert observed(capture(stage)).states["teams"].users
    assert [session.connection.provider for session in stage.begin.sessions].count("teams") == 2


def test_a_process_that_is_lost_again_and_again_is_no_reading(stage: Stage) -> None:
    stage.service.before = lambda request: _drop(request["cmdlet"] == "Get-CsOnlineUser")
    with pytest.raises(TenantFault, match="Get-CsOnlineUser got no answer: the process was lost"):
        capture(stage)


def _drop(now: Any) -> None:
    if now:
        raise Drop


def test_a_session_that_expired_is_opened_anew(stage: Stage) -> None:
    stage.service.spoil("Get-CsGroupPolicyAssignment", EXPIRED)
    capture(stage)
    assert [session.connection.provider for session in stage.begin.sessions].count("teams") == 2


# errors that a module keeps to itself


@pytest.mark.parametrize("cmdlet", READINGS)
def test_nothing_is_not_believed_when_an_error_was_kept_quiet(stage: Stage, cmdlet: str) -> None:
    stage.service.spoil(cmdlet, swallowed("Something went wrong"), times=9)
    with pytest.raises(
        TenantFault, match=f"{cmdlet} returned nothing, but the module suppressed an error"
    ):
        capture(stage)


@pytest.mark.parametrize(
    "message",
    [
        "Access Denied.",
        "TooManyRequests",
        "The operation has timed out.",
        "Authentication_ExpiredToken",
    ],
)
def test_objects_are_not_all_when_an_error_ended_the_reading_quietly(
    stage: Stage, message: str
) -> None:
    row = output({"Identity": "Tag:x", "AppIds": [], "Description": ""})
    stage.service.spoil("Get-CsApplicationAccessPolicy", row, swallowed(message), times=9)
    with pytest.raises(TenantFault, match="returned 1, but the module suppressed an error"):
        capture(stage)


def test_objects_are_believed_beside_an_error_that_ends_nothing(stage: Stage) -> None:
    row = output({"Identity": "Tag:x", "AppIds": [], "Description": ""})
    stage.service.spoil("Get-CsApplicationAccessPolicy", row, swallowed("a help file is missing"))
    assert "x" in observed(capture(stage)).states["teams"].policies


# an empty tenant


@pytest.mark.parametrize("language", [0, 1], ids=["English", "German"])
def test_an_exchange_tenant_without_policies_is_empty_in_every_language(
    stage: Stage, language: int
) -> None:
    stage.service.language = language
    raw = capture(stage)
    assert raw["exchange"]["policies"] == []
    assert raw["exchange"]["complete"]
    assert observed(raw).states["exchange"].policies == {}


@pytest.mark.parametrize(
    "message",
    [
        (
            "Ex|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|object 'x'"
            " couldn't be found on 'DC'."
        ),
        "object 'OU=contoso,DC=com\\*' couldn't be found on 'DC'.",
    ],
)
def test_an_error_that_only_resembles_it_is_an_error(stage: Stage, message: str) -> None:
    stage.service.spoil("Get-ApplicationAccessPolicy", error(message))
    with pytest.raises(TenantFault, match=r"failed \(not-found\)"):
        capture(stage)


def test_an_empty_tenant_that_the_module_keeps_quiet_about_is_empty(stage: Stage) -> None:
    stage.service.language = 1
    (told,) = stage.service.get_applicationaccesspolicy({})
    stage.service.spoil("Get-ApplicationAccessPolicy", {**told, "stream": "swallowed"})
    assert capture(stage)["exchange"]["complete"]


def test_policies_beside_the_error_of_an_empty_tenant_are_a_contradiction(stage: Stage) -> None:
    (told,) = stage.service.get_applicationaccesspolicy({})
    row = output(exchange_policy(USERS[0], SCOPES[0], "DenyAccess"))
    stage.service.spoil("Get-ApplicationAccessPolicy", row, told)
    with pytest.raises(TenantFault, match=r"failed \(empty-store\)"):
        capture(stage)


# objects that are not what was asked for


@pytest.mark.parametrize(
    ("cmdlet", "lacking"),
    [
        ("Get-CsApplicationAccessPolicy", "AppIds"),
        ("Get-CsOnlineUser", POLICY),
        ("Get-ApplicationAccessPolicy", "AppId"),
    ],
)
def test_an_object_without_a_property_that_decides_is_no_reading(
    stage: Stage, cmdlet: str, lacking: str
) -> None:
    row = {
        "Identity": "x",
        "AppIds": [],
        "Description": "",
        "UserPrincipalName": "u",
        POLICY: None,
        "AppId": "*",
        "AccessRight": "DenyAccess",
    }
    stage.service.spoil(
        cmdlet, output({key: value for key, value in row.items() if key != lacking})
    )
    with pytest.raises(TenantFault, match=f"{cmdlet} returned objects without {lacking}"):
        capture(stage)


def test_a_name_that_was_damaged_on_the_way_is_no_reading_without_another_to_check(
    stage: Stage,
) -> None:
    stage.service.spoil(
        "Get-CsApplicationAccessPolicy",
        output({"Identity": "Tag:a\ufffdb", "AppIds": [], "Description": ""}),
    )
    with pytest.raises(
        TenantFault, match="a policy that was read without a name cannot be queried"
    ):
        capture(stage)


def test_a_directory_is_not_complete_either_when_a_look_up_fails(stage: Stage) -> None:
    for cmdlet, request in (
        ("Get-CsOnlineUser", CaptureRequest(frozenset(), users=(USERS[0],))),
        ("Get-Recipient", CaptureRequest(frozenset(), recipients=(SCOPES[0],))),
        ("Get-Recipient", CaptureRequest(frozenset(), recipients=("scope0@contoso.com",))),
        ("Get-DistributionGroupMember", CaptureRequest(frozenset(), recipients=(SCOPES[0],))),
        ("Get-Group", CaptureRequest(frozenset(), recipients=(SCOPES[0],))),
    ):
        stage.service.spoil(cmdlet, DENIED)
        with pytest.raises(TenantFault, match=rf"{cmdlet} failed \(denied\)"):
            capture(stage, request)


def test_members_that_may_be_missing_are_no_reading(stage: Stage) -> None:
    stage.service.spoil("Get-DistributionGroupMember", swallowed("odd"), times=9)
    with pytest.raises(TenantFault, match="Get-DistributionGroupMember returned nothing, but"):
        capture(stage, CaptureRequest(frozenset(), recipients=(SCOPES[0],)))


# both products


def test_when_both_products_fail_both_are_told(stage: Stage) -> None:
    stage.service.spoil("Get-CsApplicationAccessPolicy", DENIED)
    stage.service.spoil("Get-ApplicationAccessPolicy", STRANGE)
    with pytest.raises(TenantFault) as fault:
        capture(stage)
    assert (
        str(fault.value)
        .splitlines()[0]
        .startswith("teams: Get-CsApplicationAccessPolicy failed (denied)")
    )
    assert (
        str(fault.value)
        .splitlines()[1]
        .startswith("exchange: Get-ApplicationAccessPolicy failed (unknown)")
    )


def test_an_interrupted_reading_does_not_wait_for_the_other_product(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.set(exchange={"policies": [exchange_policy(USERS[0], SCOPES[0], "DenyAccess")]})
    begun = threading.Event()

    def before(request: Request) -> None:
        if request["cmdlet"] == "Get-ApplicationAccessPolicy":
            begun.set()
            raise Drop  # lost: it would be opened again, were it not for the interrupt

    def interrupted(*_: Any) -> Iterator[Any]:
        begun.wait()
        raise KeyboardInterrupt

    stage.service.before = before
    monkeypatch.setattr(reading_teams, "read_teams", interrupted)
    with stage.live() as live, pytest.raises(KeyboardInterrupt):
        live.capture(ROWS)
    assert all(
        session.closed
        for session in stage.begin.sessions
        if session.connection.provider == "exchange"
    )


def test_an_abandoned_line_opens_nothing_more(stage: Stage) -> None:
    live = stage.live()
    live.capture(CaptureRequest(frozenset({"exchange"})))
    live._lines["exchange"].abandon()
    with pytest.raises(TenantFault, match="exchange: interrupted"):
        live.capture(CaptureRequest(frozenset({"exchange"})))
    assert len(stage.begin.sessions) == 1


def test_a_session_that_is_opened_too_late_is_closed(stage: Stage) -> None:
    line = stage.live()._lines["teams"]
    stage.service.before = lambda _request: line.abandon()
    with pytest.raises(TenantFault, match="teams: interrupted"):
        line.opened  # noqa: B018  reading it opens
    assert [session.closed for session in stage.begin.sessions] == [True]


def test_a_pause_ends_when_the_line_is_abandoned(stage: Stage) -> None:
    line = stage.live()._lines["teams"]
    line.sleep = None
    line.abandon()
    begun = time.monotonic()
    line.pause(3600)
    assert time.monotonic() - begun < 60


def test_both_products_are_read_at_the_same_time(stage: Stage) -> None:
    """Each waits for the other: one after the other, they would wait for ever."""
    meeting = threading.Barrier(2, timeout=20)
    stage.service.before = lambda request: (
        meeting.wait() if request["cmdlet"] in {READINGS[0], READINGS[3]} else None
    )
    assert "teams" in observed(capture(stage, CaptureRequest(BOTH))).states


def test_a_row_that_names_nobody_is_kept_for_the_parser_to_refuse(stage: Stage) -> None:
    stage.set(teams=teams())
    stage.service.spoil(
        "Get-CsOnlineUser",
        output({"Identity": USERS[0], "UserPrincipalName": None, POLICY: "Alpha"}),
    )
    raw = capture(stage)
    assert raw["teams"]["users"] == [
        {"Identity": USERS[0], "UserPrincipalName": None, POLICY: "Alpha"}
    ]
    assert raw["directory"]["users"] == []
