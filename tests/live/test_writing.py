"""One write: what is sent, and what each answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from reconciler.errors import RefusedText, TenantFault
from reconciler.model.plans import Invocation
from reconciler.powershell.faults import DoorFault, SessionLost
from reconciler.powershell.rendering import render
from reconciler.tenants.protocol import Done, Failed, Fault, Lost, Remote, Tenant
from tests.live.service import DENIED, THROTTLED, UNAVAILABLE, Drop, error, swallowed
from tests.live.test_capture import two_holders
from tests.strategies.tenants import APPS, SCOPES, STRANGER, USERS

if TYPE_CHECKING:
    from reconciler.tenants.protocol import Outcome
    from tests.live.sessions import FakeSession
    from tests.live.stages import Stage

GRANT = Invocation("Grant-CsApplicationAccessPolicy", {"Identity": USERS[2], "PolicyName": "Beta"})
NEW = Invocation(
    "New-ApplicationAccessPolicy",
    {
        "AppId": [APPS[0]],
        "PolicyScopeGroupId": SCOPES[0],
        "AccessRight": "DenyAccess",
        "Description": " ",
        "Confirm": False,
    },
)


def write(stage: Stage, invocation: Invocation = GRANT) -> Outcome:
    with stage.live(writes=True) as live:
        return live.run(invocation, render(invocation))


def test_a_live_tenant_is_a_tenant(stage: Stage) -> None:
    live: Tenant = stage.live()
    assert isinstance(live, Remote)
    assert live.source == "live"


def test_a_write_goes_to_its_product_and_is_done(stage: Stage) -> None:
    stage.set(teams=two_holders())
    with stage.live(writes=True) as live:
        assert live.run(GRANT, render(GRANT)) == Done()
        assert live.run(NEW, render(NEW)) == Done()
        assert [session.connection.provider for session in stage.begin.sessions] == [
            "teams",
            "exchange",
        ]
    assert stage.service.calls("Grant-CsApplicationAccessPolicy") == [GRANT.parameters]
    assert stage.service.calls("New-ApplicationAccessPolicy") == [NEW.parameters]


@pytest.mark.parametrize(
    ("invocation", "fault"),
    [
        (
            Invocation(
                "Grant-CsApplicationAccessPolicy", {"Identity": USERS[0], "PolicyName": "Nowhere"}
            ),
            Fault.NOT_FOUND,
        ),
        (
            Invocation(
                "Grant-CsApplicationAccessPolicy", {"Identity": STRANGER, "PolicyName": "Beta"}
            ),
            Fault.NOT_FOUND,
        ),
        (Invocation("New-CsApplicationAccessPolicy", {"Identity": "beta"}), Fault.EXISTS),
        (Invocation("Remove-CsApplicationAccessPolicy", {"Identity": "Beta"}), Fault.ASSIGNED),
        (
            replace(NEW, parameters={**NEW.parameters, "PolicyScopeGroupId": "nobody@contoso.com"}),
            Fault.NOT_FOUND,
        ),
        (
            replace(NEW, parameters={**NEW.parameters, "PolicyScopeGroupId": "shared@contoso.com"}),
            Fault.SCOPE_INVALID,
        ),
    ],
)
def test_what_the_service_refuses_is_told_by_its_class(
    stage: Stage, invocation: Invocation, fault: Fault
) -> None:
    stage.set(teams=two_holders())
    outcome = write(stage, invocation)
    assert isinstance(outcome, Failed)
    assert outcome.fault is fault


@pytest.mark.parametrize(
    ("answer", "fault"),
    [(DENIED, Fault.DENIED), (THROTTLED, Fault.THROTTLED), (UNAVAILABLE, Fault.TRANSIENT)],
)
def test_a_write_is_never_repeated_here(stage: Stage, answer: Any, fault: Fault) -> None:
    stage.service.spoil(GRANT.cmdlet, answer)
    outcome = write(stage)
    assert isinstance(outcome, Failed)
    assert outcome.fault is fault
    assert len(stage.service.calls(GRANT.cmdlet)) == 1
    assert stage.waits == []


@pytest.mark.parametrize(
    "answer", [error("The operation has timed out."), error("no", status=504), swallowed("odd")]
)
def test_a_write_that_may_have_happened_is_lost(stage: Stage, answer: Any) -> None:
    stage.service.spoil(GRANT.cmdlet, answer)
    assert isinstance(write(stage), Lost)


def test_a_process_that_is_lost_in_a_write_leaves_it_unknown_and_the_next_use_starts_another(
    stage: Stage,
) -> None:
    stage.set(teams=two_holders())
    lost = iter([True])
    stage.service.before = lambda request: _drop(
        request["cmdlet"] == GRANT.cmdlet and next(lost, False)
    )
    with stage.live(writes=True) as live:
        first = live.runner("teams")
        assert live.run(GRANT, render(GRANT)) == Lost("the process was lost")
        assert live.runner("teams") != first
        assert live.run(GRANT, render(GRANT)) == Done()


def test_while_what_a_lost_process_started_runs_on_no_other_is_started(stage: Stage) -> None:
    stage.set(teams=two_holders())
    with stage.live(writes=True) as live:
        first = live.runner("teams").pid
        (session,) = stage.begin.sessions
        session.gone, session.outlived = "it ended", True
        assert live.run(GRANT, render(GRANT)) == Failed(Fault.TRANSIENT, "it ended")
        with pytest.raises(TenantFault, match=f"process {first} was killed, but something"):
            live.run(GRANT, render(GRANT))
        assert live.runner("exchange")
    assert [session.connection.provider for session in stage.begin.sessions] == [
        "teams",
        "exchange",
    ]
    assert not stage.service.calls(GRANT.cmdlet)


def _drop(now: Any) -> None:
    if now:
        raise Drop


def test_a_write_that_never_left_may_be_tried_again(stage: Stage) -> None:
    with stage.live(writes=True) as live:
        live.runner("teams")
        stage.begin.sessions[0].gone = "it ended"
        assert live.run(GRANT, render(GRANT)) == Failed(Fault.TRANSIENT, "it ended")
        assert not stage.service.calls(GRANT.cmdlet)


def test_after_a_session_expired_the_next_attempt_signs_in_again(stage: Stage) -> None:
    stage.set(teams=two_holders())
    stage.service.spoil(GRANT.cmdlet, error("Authentication_ExpiredToken"))
    with stage.live(writes=True) as live:
        outcome = live.run(GRANT, render(GRANT))
        assert isinstance(outcome, Failed)
        assert outcome.fault is Fault.TRANSIENT
        assert live.run(GRANT, render(GRANT)) == Done()
    assert len(stage.begin.sessions) == 2


def test_a_write_without_any_session_is_not_tried(stage: Stage) -> None:
    def missing(_connection: Any) -> FakeSession:
        raise DoorFault("PowerShell was not found")

    stage.begin = replace(stage.begin, make=missing)
    with pytest.raises(TenantFault, match="PowerShell was not found"):
        write(stage)


# texts are read before anything is written


def test_every_text_is_read_by_what_will_run_it(stage: Stage) -> None:
    with stage.live(writes=True) as live:
        live.prove([(GRANT, render(GRANT)), (NEW, render(NEW))])
    assert not stage.service.calls(GRANT.cmdlet)
    assert not stage.service.calls(NEW.cmdlet)


@pytest.mark.parametrize(
    "other",
    [
        Invocation(GRANT.cmdlet, {"Identity": USERS[1], "PolicyName": "Beta"}),
        Invocation("Remove-CsApplicationAccessPolicy", {"Identity": "Beta"}),
        Invocation(GRANT.cmdlet, {"Identity": USERS[2], "PolicyName": None}),
    ],
)
def test_a_text_that_reads_as_another_call_is_refused(stage: Stage, other: Invocation) -> None:
    with (
        stage.live(writes=True) as live,
        pytest.raises(RefusedText, match="PowerShell reads another call"),
    ):
        live.prove([(other, render(GRANT))])


def test_a_process_that_is_lost_while_it_reads_stops_before_anything_is_written(
    stage: Stage,
) -> None:
    def lose(_text: str) -> Invocation:
        raise SessionLost("it ended", sent=True)

    with stage.live(writes=True) as live:
        live.runner("teams")
        stage.begin.sessions[0].read = lose
        with pytest.raises(
            TenantFault,
            match=r"PowerShell was lost while it read the steps: it ended. Nothing was written",
        ):
            live.prove([(GRANT, render(GRANT))])
