"""Every line of the doctor: how it stands, and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from reconciler.kinds.facts import facts
from reconciler.powershell.faults import DoorFault, SessionLost
from reconciler.tenants.live import examining, questions
from reconciler.tenants.live.examining import Health, examine_tenant
from tests.live.service import DENIED, error
from tests.live.sessions import FakeSession
from tests.live.signing import ENVIRONMENT, SETTINGS, TOKEN
from tests.strategies.tenants import STRANGER

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.powershell.answers import Resolved
    from reconciler.tenants.live.examining import Check
    from tests.conftest import Run
    from tests.live.stages import Stage


def checks(stage: Stage, settings: Any = SETTINGS, **more: Any) -> list[Check]:
    return list(examine_tenant(settings, replace(stage.begin, **more)))


def made(stage: Stage, **more: Any) -> dict[str, Any]:
    return {"make": lambda _connection: FakeSession(stage.service, **more)}


def of(found: list[Check], health: Health) -> dict[str, Check]:
    return {f"{check.about} {check.what}": check for check in found if check.health is health}


def test_everything_in_order_needs_nothing(stage: Stage) -> None:
    found = checks(stage)
    assert {check.health for check in found} == {Health.OK}
    assert all(not check.remedy for check in found)
    assert [check.what for check in found if check.about == "exchange"] == [
        *("PowerShell", "module", "credentials", "sign-in"),
        *facts("exchange").reads,
        *facts("exchange").writes,
        "reading",
    ]
    assert {check.what: check.found for check in found}["PowerShell"] == "7.6.5"
    assert all(session.closed for session in stage.begin.sessions)


def test_nothing_is_written(stage: Stage) -> None:
    checks(stage)
    assert not [
        request
        for request in stage.service.seen
        if request["cmdlet"] in {*facts("teams").writes, *facts("exchange").writes}
    ]


def test_without_powershell_the_credentials_are_still_looked_at(stage: Stage) -> None:
    def missing(_connection: Any) -> FakeSession:
        raise DoorFault("PowerShell was not found")

    found = checks(stage, make=missing)
    assert set(of(found, Health.FAULT)) == {"teams PowerShell", "exchange PowerShell"}
    assert set(of(found, Health.OK)) == {
        "pwsh program",
        "teams credentials",
        "exchange credentials",
    }


def test_a_missing_module_comes_with_the_line_that_installs_it(stage: Stage) -> None:
    fault = of(
        checks(stage, **made(stage, versions={"ExchangeOnlineManagement": "3.10.1"})), Health.FAULT
    )
    assert set(fault) == {"teams module"}
    assert "Install-PSResource -Name MicrosoftTeams" in fault["teams module"].remedy


def test_missing_variables_are_named_without_any_value(stage: Stage) -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "EXO_TOKEN"}
    found = checks(stage, environment=environment)
    assert "EXO_TOKEN is not set" in of(found, Health.FAULT)["exchange credentials"].found
    assert not [check for check in found if TOKEN in check.found + check.remedy]


def test_without_a_tenant_document_what_is_installed_is_looked_at(stage: Stage) -> None:
    found = checks(stage, settings=None)
    assert set(of(found, Health.FAULT)) == {"teams credentials", "exchange credentials"}
    assert {check.what for check in found if check.health is Health.OK} == {
        "program",
        "PowerShell",
        "module",
    }


@pytest.mark.parametrize(
    "answer", [error("AADSTS7000215: Invalid client secret provided."), DENIED]
)
def test_a_refused_sign_in_names_permission_and_role(stage: Stage, answer: Any) -> None:
    stage.service.spoil("Connect-MicrosoftTeams", answer)
    stage.service.spoil("Connect-ExchangeOnline", answer)
    fault = of(checks(stage), Health.FAULT)
    assert set(fault) == {"teams sign-in", "exchange sign-in"}
    assert "Organization.Read.All" in fault["teams sign-in"].remedy
    assert "Exchange.ManageAsApp" in fault["exchange sign-in"].remedy


def test_another_tenant_is_a_fault(stage: Stage) -> None:
    stage.service.signs_in_to = STRANGER
    assert set(of(checks(stage), Health.FAULT)) == {"teams sign-in", "exchange sign-in"}


def test_a_reader_may_plan_and_is_told_what_it_may_not(stage: Stage) -> None:
    found = checks(stage, **made(stage, missing={*facts("exchange").writes, *questions.SPARED}))
    assert not of(found, Health.FAULT)
    warned = of(found, Health.WARNING)
    spared = questions.SPARED - {questions.EFFECTIVE}
    assert set(warned) == {
        *(f"exchange {name}" for name in (*facts("exchange").writes, *spared)),
        f"teams {questions.EFFECTIVE}",
    }
    assert "members of groups" in warned[f"teams {questions.EFFECTIVE}"].found
    assert "can plan but not apply" in warned["exchange New-ApplicationAccessPolicy"].found
    assert "Exchange Administrator" in warned["exchange New-ApplicationAccessPolicy"].remedy
    assert "SID of a guard scope" in warned["exchange Get-Group"].found


def test_a_cmdlet_without_which_nothing_is_read_is_a_fault(stage: Stage) -> None:
    fault = of(checks(stage, **made(stage, missing={"Get-ApplicationAccessPolicy"})), Health.FAULT)
    assert set(fault) == {"exchange Get-ApplicationAccessPolicy"}
    assert "Global Reader" in fault["exchange Get-ApplicationAccessPolicy"].remedy


def test_a_parameter_that_is_missing_is_a_matter_of_the_module(stage: Stage) -> None:
    class Other(FakeSession):
        def _resolved(self, name: str, modules: list[str]) -> Resolved | None:
            found = super()._resolved(name, modules)
            return (
                replace(found, parameters=frozenset({"Identity"}))
                if found and name == "Get-CsOnlineUser"
                else found
            )

    fault = of(checks(stage, make=lambda _connection: Other(stage.service)), Health.FAULT)
    assert set(fault) == {"teams Get-CsOnlineUser"}
    assert "6.9.0 to 7.7.0" in fault["teams Get-CsOnlineUser"].remedy


def test_a_role_that_only_the_service_knows_of_shows_in_a_reading(stage: Stage) -> None:
    stage.service.spoil("Get-CsApplicationAccessPolicy", DENIED)
    fault = of(checks(stage), Health.FAULT)
    assert set(fault) == {"teams reading"}
    assert "Global Reader" in fault["teams reading"].remedy
    assert stage.waits == []


def test_a_process_that_is_lost_on_the_way_is_told(stage: Stage) -> None:
    class Losing(FakeSession):
        def connect(self, connection: Any) -> Any:
            raise SessionLost("it ended", sent=True)

    assert set(of(checks(stage, make=lambda _connection: Losing(stage.service)), Health.FAULT)) == {
        "teams PowerShell",
        "exchange PowerShell",
    }


# the command


@pytest.fixture
def begun(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("reconciler.cli.live.begin", lambda _reads: stage.begin)
    return stage


DOCUMENT = """
apiVersion: reconciler/v1
kind: Tenant
metadata: {name: contoso}
spec:
  tenantId: 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a
  organization: contoso.onmicrosoft.com
  connect:
    teams: {accessTokens: {graph: GRAPH_TOKEN, teams: TEAMS_TOKEN}}
"""


def test_the_command_looks_at_the_products_that_the_document_names(
    begun: Stage, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "tenant.yaml").write_text(DOCUMENT, encoding="utf-8")
    ran = run("doctor", "tenant.yaml")
    assert ran.code == 0
    assert ran.out.endswith("Ready. Next: reconciler fetch --tenant live --out capture.json\n")
    assert "exchange" not in ran.out
    assert len(begun.begin.sessions) == 1


def test_the_command_says_what_to_do_and_exits_1(begun: Stage, run: Run) -> None:
    ran = run("doctor")
    assert ran.code == 1
    assert "fault   teams    credentials: Tenant document not found\n" in ran.out
    assert "-> pass its folder: `reconciler doctor PATH`\n" in ran.out
    assert ran.out.endswith("Not ready; each failed check above says what to do about it.\n")
    assert begun.begin.sessions


def test_a_path_that_is_not_there_is_a_usage_error(begun: Stage, run: Run) -> None:
    assert run("doctor", "nowhere").code == 64
    assert not begun.begin.sessions


def test_warnings_do_not_fail_the_command(begun: Stage, run: Run, tmp_path: Path) -> None:
    (tmp_path / "tenant.yaml").write_text(DOCUMENT, encoding="utf-8")
    begun.begin = replace(begun.begin, **made(begun, missing=facts("teams").writes))
    ran = run("doctor", "tenant.yaml")
    assert ran.code == 0
    assert "Ready to read and plan" in ran.out


def test_the_command_as_json(begun: Stage, run: Run) -> None:
    ran = run("doctor", "--format", "json")
    assert ran.code == 1
    rows = json.loads(ran.out)["checks"]
    assert rows[0].keys() == {"about", "found", "health", "remedy", "what"}
    assert {row["health"] for row in rows} <= {one.value for one in examining.Health}
    assert begun.begin.sessions
