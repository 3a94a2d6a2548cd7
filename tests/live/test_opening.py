"""Opening a session: in the right order, to the right tenant, with the right cmdlets, or one clear
message.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from reconciler.errors import TenantFault
from reconciler.kinds.facts import facts
from reconciler.powershell.answers import Resolved
from reconciler.powershell.faults import DoorFault, OperationFailed, SessionLost
from reconciler.tenants.live import opening, questions
from reconciler.tenants.protocol import CaptureRequest, NotUnderstood
from tests.live.service import DENIED, THROTTLED, UNAVAILABLE, Drop, error, output, warning
from tests.live.sessions import FakeSession, service_error
from tests.live.signing import CONNECT, ENVIRONMENT, SETTINGS, TOKEN
from tests.strategies.tenants import STRANGER, TENANT

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.addresses import Provider
    from reconciler.model.target_tenant import TargetTenant
    from tests.live.service import Request
    from tests.live.stages import Stage

PRODUCTS: tuple[Provider, ...] = ("teams", "exchange")


def read(
    stage: Stage, product: Provider = "teams", settings: TargetTenant = SETTINGS, **more: Any
) -> FakeSession:
    with stage.live(settings=settings, **more) as live:
        live.capture(CaptureRequest(frozenset({product})))
    return stage.begin.sessions[-1]


def starting(stage: Stage, make: Callable[..., FakeSession]) -> None:
    stage.begin = replace(stage.begin, make=make)


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_tenant_is_asserted_before_anything_is_read(stage: Stage, product: Provider) -> None:
    stage.service.signs_in_to = STRANGER
    with pytest.raises(
        TenantFault,
        match=(
            rf"{product}: expected tenant {TENANT}, but the credential is for .{STRANGER}.: nothing was read"
            r" or written"
        ),
    ):
        read(stage, product)
    assert {request["cmdlet"].split("-")[0] for request in stage.service.seen} <= {"Connect", "Get"}
    assert [
        request["cmdlet"] for request in stage.service.seen if request["cmdlet"].startswith("Get-")
    ] in (
        [],
        ["Get-ConnectionInformation"],
    )
    assert stage.begin.sessions[0].closed


def test_the_case_of_ids_does_not_count(stage: Stage) -> None:
    stage.service.signs_in_to = TENANT.upper()
    for product in PRODUCTS:
        read(stage, product)
    assert stage.live(settings=replace(SETTINGS, tenant_id=TENANT.upper())).tenant_id == TENANT


@pytest.mark.parametrize(
    "items",
    [
        [],
        [output({"Account": "app"})],
        [output({"TenantId": TENANT}), output({"TenantId": STRANGER})],
    ],
)
def test_a_sign_in_that_names_no_tenant_or_two_is_refused(stage: Stage, items: list[Any]) -> None:
    stage.service.spoil("Connect-MicrosoftTeams", *items)
    with pytest.raises(TenantFault, match="nothing was read or written"):
        read(stage)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"State": "Broken", "TenantID": TENANT, "ModuleName": "x"}],
        [{"State": "Connected", "ModuleName": "x"}],
    ],
)
def test_an_exchange_connection_must_stand_and_name_its_tenant(
    stage: Stage, rows: list[Any]
) -> None:
    stage.service.spoil("Get-ConnectionInformation", *map(output, rows))
    with pytest.raises(TenantFault, match="nothing was read or written"):
        read(stage, "exchange")


def test_an_exchange_connection_must_name_its_module(stage: Stage) -> None:
    stage.service.spoil(
        "Get-ConnectionInformation",
        output({"State": "Connected", "TenantID": TENANT, "ModuleName": None}),
    )
    with pytest.raises(TenantFault, match="does not return the module of the cmdlets"):
        read(stage, "exchange")


def test_an_error_of_the_connection_is_told(stage: Stage) -> None:
    stage.service.spoil("Get-ConnectionInformation", DENIED)
    with pytest.raises(TenantFault, match="Get-ConnectionInformation failed: Access Denied"):
        read(stage, "exchange")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/tmp/tmpEXO_a.b", "tmpEXO_a.b"),  # noqa: S108  a text
        (r"C:\Users\x y\tmpEXO_a.b", "tmpEXO_a.b"),
        ("tmpEXO_a.b", "tmpEXO_a.b"),
    ],
)
def test_cmdlets_come_from_the_module_that_was_made_for_the_session(
    stage: Stage, path: str, name: str
) -> None:
    asked: list[list[str]] = []

    class Watched(FakeSession):
        def resolve(self, cmdlets: Any, modules: Any) -> Any:
            asked.append(list(modules))
            return super().resolve(cmdlets, modules)

    starting(stage, lambda _connection: Watched(stage.service))
    stage.service.spoil(
        "Get-ConnectionInformation",
        output({"State": "Connected", "TenantID": TENANT, "ModuleName": path}),
    )
    read(stage, "exchange")
    assert asked == [["ExchangeOnlineManagement"], [name]]


def test_a_reading_session_has_no_cmdlet_that_writes(stage: Stage) -> None:
    for product in PRODUCTS:
        session = read(stage, product)
        assert {name.split("-")[0] for name in session.allowed} <= {"Get", "Test"}
    assert session.connection.parameters["CommandName"] == list(facts("exchange").reads)


def test_a_writing_session_imports_just_what_it_needs_besides(stage: Stage) -> None:
    with stage.live(writes=True) as live:
        live.runner("exchange")
        live.runner("teams")
    exchange, teams = stage.begin.sessions
    assert exchange.connection.parameters["CommandName"] == [
        *facts("exchange").reads,
        *facts("exchange").writes,
    ]
    assert "CommandName" not in teams.connection.parameters
    assert set(facts("teams").writes) < teams.allowed


# what is missing


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        (
            {},
            (
                r"teams: the PowerShell module MicrosoftTeams \(6.9.0 or newer\) was not found,"
                r" none is installed: install it with `pwsh .*Install-PSResource"
            ),
        ),
        (
            {"MicrosoftTeams": "6.4.0"},
            r"MicrosoftTeams \(6.9.0 or newer\) was not found, only installed: 6.4.0",
        ),
    ],
)
def test_a_module_that_is_missing_or_too_old_is_one_message(
    stage: Stage, versions: dict[str, str], said: str
) -> None:
    starting(stage, lambda _connection: FakeSession(stage.service, versions=versions or {"x": "1"}))
    with pytest.raises(TenantFault, match=said):
        read(stage)
    assert stage.begin.sessions[0].closed


def test_no_powershell_is_one_message(stage: Stage) -> None:
    def missing(_connection: Any) -> FakeSession:
        raise DoorFault("PowerShell was not found")

    starting(stage, missing)
    with pytest.raises(TenantFault, match="teams: PowerShell was not found"):
        read(stage)


@pytest.mark.parametrize("place", ["load", "connect", "resolve"])
def test_a_process_that_is_lost_while_it_is_opened_is_a_fault(stage: Stage, place: str) -> None:
    class Losing(FakeSession):
        pass

    def lose(*_: Any, **__: Any) -> None:
        raise SessionLost("it ended", sent=True)

    setattr(Losing, place, lose)
    starting(stage, lambda _connection: Losing(stage.service))
    with pytest.raises(TenantFault, match="teams: it ended"):
        read(stage)
    assert stage.begin.sessions[0].closed


def test_missing_credentials_are_named_without_their_values(stage: Stage) -> None:
    stage.begin = replace(stage.begin, environment={"TEAMS_TOKEN": TOKEN})
    with pytest.raises(TenantFault, match="GRAPH_TOKEN is not set") as fault:
        read(stage)
    assert TOKEN not in str(fault.value)


def test_the_other_products_credentials_are_not_missed(stage: Stage) -> None:
    stage.begin = replace(
        stage.begin,
        environment={key: value for key, value in ENVIRONMENT.items() if key != "EXO_TOKEN"},
    )
    assert read(stage, "teams") is stage.begin.sessions[0]


def test_a_document_that_does_not_say_how_to_sign_in(stage: Stage) -> None:
    with pytest.raises(
        TenantFault,
        match=(
            r"exchange: the Tenant document does not say how to sign in to exchange: add"
            r" `spec.connect.exchange`"
        ),
    ):
        read(stage, "exchange", replace(SETTINGS, connect={"teams": CONNECT["teams"]}))


def test_a_refused_sign_in_is_told_with_what_to_do(stage: Stage) -> None:
    stage.service.spoil(
        "Connect-MicrosoftTeams", error("AADSTS7000215: Invalid client secret provided.")
    )
    with pytest.raises(
        TenantFault,
        match=(
            r"teams: signing in with access tokens was refused: AADSTS7000215.*`reconciler doctor`"
        ),
    ):
        read(stage)


@pytest.mark.parametrize(
    "answer",
    [THROTTLED, UNAVAILABLE, error("The operation has timed out.")],
    ids=["throttled", "unavailable", "no answer"],
)
def test_a_sign_in_that_may_succeed_later_is_tried_again(stage: Stage, answer: Any) -> None:
    stage.service.spoil("Connect-ExchangeOnline", answer, times=2)
    read(stage, "exchange")
    assert stage.waits == [2.0, 10.0]
    assert [session.closed for session in stage.begin.sessions] == [True, True, True]
    stage.service.spoil("Connect-ExchangeOnline", answer, times=3)
    with pytest.raises(TenantFault, match="signing in with access tokens was refused"):
        read(stage, "exchange")


def test_nobody_is_asked_for_a_second_code(stage: Stage) -> None:
    stage.service.spoil("Connect-MicrosoftTeams", UNAVAILABLE)
    with pytest.raises(TenantFault, match="signing in with device code was refused"):
        read(stage, settings=replace(SETTINGS, connect={"teams": {"device": True}}))
    assert stage.waits == []


def test_a_credential_that_has_ended_is_not_tried_again(stage: Stage) -> None:
    stage.service.spoil(
        "Connect-MicrosoftTeams",
        error("AADSTS700024: Client assertion is not within its valid time range."),
    )
    with pytest.raises(TenantFault, match="the credential has expired: get a new one"):
        read(stage)
    assert stage.waits == []


def test_a_missing_cmdlet_means_a_missing_role(stage: Stage) -> None:
    starting(
        stage,
        lambda _connection: FakeSession(
            stage.service, missing={"Get-Recipient", "Get-ApplicationAccessPolicy"}
        ),
    )
    with pytest.raises(
        TenantFault,
        match=(
            r"exchange: Get-ApplicationAccessPolicy is missing; Get-Recipient is missing\."
            r" .*reading: Global Reader"
        ),
    ):
        read(stage, "exchange")


def test_what_only_tells_more_may_be_missing(stage: Stage) -> None:
    starting(stage, lambda _connection: FakeSession(stage.service, missing=questions.SPARED))
    with stage.live() as live:
        raw = live.capture(
            CaptureRequest(frozenset({"exchange"}), recipients=("scope0@contoso.com",))
        )
        assert live.verdict("x", "y") is None
    assert "sid" not in raw["directory"]["recipients"][0]


def test_a_parameter_that_is_gone_is_one_message() -> None:
    installed = Resolved("MicrosoftTeams", "9.0.0", frozenset({"Identity", "Filter"}))
    with pytest.raises(
        TenantFault,
        match=r"Get-CsOnlineUser of version 9.0.0 has no parameter Properties",
    ):
        opening.expect("teams", {"Get-CsOnlineUser": installed})


# how long it lasts


def token(ends: int) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{claims}.sig"


def test_a_session_lasts_as_long_as_its_first_token_to_end(stage: Stage) -> None:
    tokens = {
        "GRAPH_TOKEN": token(2_000_000_000),
        "TEAMS_TOKEN": token(1_900_000_000),
        "EXO_TOKEN": TOKEN,
    }
    stage.begin = replace(stage.begin, environment=tokens)
    with stage.live() as live:
        assert live.lasts_until("teams") == 1_900_000_000
        assert live.lasts_until("exchange") is None


# checks of access, writes without a session


def test_the_services_own_check(stage: Stage) -> None:
    with stage.live() as live:
        for said, meant in (("Granted", True), ("Denied", False), ("denied", False)):
            stage.service.spoil(questions.CHECK, output({"AccessCheckResult": said}))
            assert live.verdict("mailbox", "application") is meant
        for odd, text in (("Indeterminate", '"Indeterminate"'), ("Gewährt", r'"Gew\u00e4hrt"')):
            stage.service.spoil(questions.CHECK, output({"AccessCheckResult": odd}))
            assert live.verdict("mailbox", "application") == NotUnderstood(text)
        stage.service.spoil(
            questions.CHECK,
            output({"AccessCheckResult": "Granted"}),
            output({"AccessCheckResult": "Denied"}),
        )
        assert live.verdict("mailbox", "application") == NotUnderstood('"Granted", "Denied"')
        granted = output({"AccessCheckResult": "Granted"})
        stage.service.spoil(questions.CHECK, granted, warning("Not sure"))
        assert live.verdict("mailbox", "application") == NotUnderstood('it warned: "Not sure"')
        stage.service.before = _drop_the_check
        with pytest.raises(TenantFault, match="got no answer"):
            live.verdict("mailbox", "application")


def _drop_the_check(request: Request) -> None:
    if request["cmdlet"] == questions.CHECK:
        raise Drop


@pytest.mark.parametrize("place", ["load", "resolve"])
def test_an_operation_that_fails_while_it_is_opened_is_a_fault(stage: Stage, place: str) -> None:
    class Failing(FakeSession):
        pass

    def fail(*_: Any, **__: Any) -> None:
        raise OperationFailed("it failed", service_error(DENIED))

    setattr(Failing, place, fail)
    starting(stage, lambda _connection: Failing(stage.service))
    with pytest.raises(TenantFault, match="teams: it failed"):
        read(stage)
    assert stage.begin.sessions[0].closed
