"""Conversations through the door: with the stand-in always, with a real PowerShell and the stub
modules where there is one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from reconciler.errors import RefusedText
from reconciler.model.plans import Invocation
from reconciler.powershell.answers import Answer, Loaded, NotFound, Raised
from reconciler.powershell.connecting import connections
from reconciler.powershell.door.requirements import required
from reconciler.powershell.faults import DoorFault, OperationFailed, SessionLost
from reconciler.powershell.reading import read_invocation
from reconciler.powershell.rendering import render
from reconciler.powershell.session import Session, start_session
from tests.door.conftest import BY_TOKENS, POLICY, QUICK, TENANT, TOKENS, Service, ready
from tests.powershell.conftest import recorded
from tests.standin import binding
from tests.standin.stubs.stub_server import BATCH, error, output, thing
from tests.strategies.invocations import writes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.standin.places import Place

GET = Invocation("Get-CsApplicationAccessPolicy", {})
GRANT = Invocation(
    "Grant-CsApplicationAccessPolicy", {"Identity": "u", "PolicyName": "Test-policy"}
)
PROC = Path("/proc")
CANARIES = tuple(TOKENS.values())


def run(session: Session, invocation: Invocation, **more: Any) -> Answer:
    return session.run(invocation, render(invocation), **more)


def row(**properties: Any) -> Any:
    return output(thing("Thing", properties))


# ---- what is read and written


def test_a_conversation_from_beginning_to_end(
    started: Callable[..., Session], service: Service
) -> None:
    session = started()
    assert session.powershell.startswith("7.")
    loaded = session.load("MicrosoftTeams", minimum="7.0")
    assert isinstance(loaded, Loaded)
    assert (loaded.name, loaded.version) == ("MicrosoftTeams", "7.7.0")
    assert session.connect(connections(BY_TOKENS, TENANT, None, TOKENS)["teams"]) == {
        "output": [{"TenantId": TENANT}]
    }
    found = session.resolve([*POLICY, "Get-Nothing"], ["MicrosoftTeams"])
    assert found["Get-Nothing"] is None
    grant = found["Grant-CsApplicationAccessPolicy"]
    assert grant is not None
    assert {"Identity", "Group", "Global", "Rank", "PolicyName", "Confirm"} <= grant.parameters
    service.items = [
        row(Identity="Global", AppIds=[], Description=None),
        row(Identity="Tag:Test-policy", AppIds=["a"]),
    ]
    answer = run(session, GET, select=("Identity", "AppIds", "Description"))
    assert answer.objects == [
        {"Identity": "Global", "AppIds": [], "Description": None},
        {"Identity": "Tag:Test-policy", "AppIds": ["a"], "(absent)": ["Description"]},
    ]
    assert (answer.warnings, answer.errors, answer.swallowed) == ((), (), ())
    service.items = []
    session.close()
    assert service.seen[-1]["cmdlet"] == "Disconnect-MicrosoftTeams"


def test_exchange_imports_the_cmdlets_that_are_named(
    started: Callable[..., Session], service: Service
) -> None:
    session = started()
    required(session, "ExchangeOnlineManagement", minimum="3.10.0")
    made = connections(
        {"exchange": {"accessToken": "GRAPH_TOKEN"}}, TENANT, "contoso.onmicrosoft.com", TOKENS
    )["exchange"]
    session.connect(made.importing(["Get-ApplicationAccessPolicy"]))
    session.resolve(["Get-ConnectionInformation"], ["ExchangeOnlineManagement"])
    (information,) = run(session, Invocation("Get-ConnectionInformation", {})).objects
    assert information["TenantID"] == TENANT
    module = Path(str(information["ModuleName"])).name
    found = session.resolve(
        ["Get-ApplicationAccessPolicy", "New-ApplicationAccessPolicy"], [module]
    )
    assert [name for name, one in found.items() if one] == ["Get-ApplicationAccessPolicy"]
    (asked,) = service.calls("Connect-ExchangeOnline")
    assert asked["CommandName"] == ["Get-ApplicationAccessPolicy"]
    assert (asked["ShowBanner"], asked["SkipLoadingFormatData"], asked["Organization"]) == (
        False,
        True,
        "contoso.onmicrosoft.com",
    )


def test_many_objects_come_in_parts_that_are_told(teams: Session, service: Service) -> None:
    service.items = [row(N=number) for number in range(1234)]
    told: list[int] = []
    answer = run(teams, GET, select=("N",), part=told.append)
    assert [one["N"] for one in answer.objects] == list(range(1234))
    assert told == [500, 1000, 1234]


def test_two_megabytes_in_one_answer(teams: Session, service: Service) -> None:
    service.items = [row(Description="x" * 2_000_000)]
    assert len(str(run(teams, GET).objects[0]["Description"])) == 2_000_000


def test_a_large_request_arrives(teams: Session, service: Service) -> None:
    made = Invocation(
        "New-CsApplicationAccessPolicy",
        {"Identity": "P", "AppIds": [f"{number:036}" for number in range(5000)]},
    )
    run(teams, made)
    assert service.calls("New-CsApplicationAccessPolicy") == [dict(made.parameters)]


def test_what_is_no_object_stands_under_a_name(teams: Session, service: Service) -> None:
    service.items = [output("text"), output(5)]
    assert run(teams, GET).objects == [{"(value)": "text"}, {"(value)": 5}]


def test_hostile_text_comes_through_unchanged(teams: Session, service: Service) -> None:
    texts = [
        "O’Brien",
        "\U0001f600\u202e\x00'q'\r\n",
        "::set-output",
        "",
        " ",
        "\ufeff",
        "\x1b[31m",
    ]
    service.items = [row(Description=text) for text in texts]
    assert [one["Description"] for one in run(teams, GET).objects] == texts


def test_errors_of_the_service_are_in_the_answer(teams: Session, service: Service) -> None:
    service.items = [
        row(Identity="a"),
        error(
            "429",
            error_id="Throttled",
            terminating=True,
            category="LimitsExceeded",
            exception_type="System.Net.Http.HttpRequestException",
            exception={
                "response": {"status": 429, "retryAfter": 17},
                "inner": {"type": "System.TimeoutException", "message": "inner"},
            },
        ),
    ]
    answer = run(teams, GET)
    assert answer.objects == [{"Identity": "a"}]
    (told,) = answer.errors
    assert told.id.startswith("Throttled")
    assert (told.category, told.status, told.retry_after, told.message) == (
        "LimitsExceeded",
        "429",
        "17",
        "429",
    )
    assert told.exceptions == (
        Raised("System.Net.Http.HttpRequestException", "429"),
        Raised("System.TimeoutException", "inner"),
    )


def test_errors_that_a_module_catches_itself_are_told_apart(
    teams: Session, service: Service
) -> None:
    service.items = [{**error("hidden", error_id="Caught"), "stream": "swallowed"}]
    answer = run(teams, GET)
    assert (answer.objects, answer.errors) == ([], ())
    assert [one.message for one in answer.swallowed] == ["hidden"]


def test_warnings_are_kept_and_noise_is_not(teams: Session, service: Service) -> None:
    service.items = [
        {"stream": "host", "message": "BANNER"},
        {"stream": "consoleWrite", "text": '{"id":1}\n'},
        {"stream": "warning", "message": "careful"},
        {"stream": "information", "message": "i", "tags": []},
        {"stream": "verbose", "message": "v"},
        {"stream": "debug", "message": "d"},
        {"stream": "progress", "activity": "a", "status": "s", "percent": 5},
        row(Identity="x"),
    ]
    assert run(teams, GET) == Answer([{"Identity": "x"}], ("careful",), (), ())


def test_what_powershell_does_not_bind_is_an_error_and_nothing_is_sent(
    teams: Session, service: Service
) -> None:
    before = len(service.seen)
    made = Invocation(
        "Grant-CsApplicationAccessPolicy", {"Global": True, "Group": "g", "PolicyName": "p"}
    )
    answer = teams.run(
        made, "Grant-CsApplicationAccessPolicy -Global:$true -Group:'g' -PolicyName:'p'"
    )
    assert [one.id for one in answer.errors] == [
        "AmbiguousParameterSet,Grant-CsApplicationAccessPolicy"
    ]
    assert len(service.seen) == before


def test_what_was_not_resolved_is_refused_by_the_gate(teams: Session, service: Service) -> None:
    before = len(service.seen)
    with pytest.raises(RefusedText, match="PowerShell's gate refuses the text: gate: "):
        teams.run(Invocation("Get-Recipient", {}), "Get-Recipient")
    with pytest.raises(RefusedText, match="gate: "):
        teams.run(
            Invocation("Get-CsOnlineUser", {"WhatIf": True}), "Get-CsOnlineUser -WhatIf:$true"
        )
    assert len(service.seen) == before
    assert run(teams, GET).errors == ()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes)
def test_powershell_reads_what_was_rendered(teams: Session, made: Invocation) -> None:
    assert teams.read(render(made)) == Invocation(
        made.cmdlet, json.loads(json.dumps(made.parameters))
    )


def test_what_is_recorded_of_binding_happens_through_the_door(
    teams: Session, service: Service
) -> None:
    """Every recorded invocation of a resolved cmdlet that our reader lets out: the service is asked
    exactly what was bound then.
    """
    count = 0
    for line in recorded("invocations.jsonl"):
        call = _call(line)
        if call is None or (line["error"] or {}).get("stage") == "run":
            continue
        count += 1
        before = len(service.seen)
        answer = teams.run(call, line["text"])
        if line["error"]:
            assert [one.id for one in answer.errors] == [line["error"]["fqid"]], line["text"]
            assert len(service.seen) == before
        else:
            assert answer.errors == (), line["text"]
            asked = service.seen[-1]
            assert (asked["parameterSet"], asked["parameters"], asked["common"]) == (
                line["parameterSet"],
                line["bound"],
                line["common"],
            )
    assert count > 60


def _call(line: Any) -> Invocation | None:
    try:
        made = read_invocation(line["text"])
    except RefusedText:
        return None
    exact = made.cmdlet in POLICY and set(made.parameters) <= set(
        binding.parameter_names(made.cmdlet)
    ) - {"WhatIf", *binding.COMMON}
    return made if exact else None


# ---- modules


def test_a_missing_module_is_told_with_the_line_that_installs_it(
    place: Place, tmp_path: Path
) -> None:
    session = start_session(
        place.executable(tmp_path, without_modules=True), environment=os.environ, timeouts=QUICK
    )
    try:
        assert session.load("MicrosoftTeams", minimum="7.0") == NotFound("MicrosoftTeams", ())
        with pytest.raises(DoorFault) as fault:
            required(session, "MicrosoftTeams", minimum="7.0")
    finally:
        session.close()
    assert "module MicrosoftTeams (7.0 or newer) was not found, none is installed" in str(
        fault.value
    )
    assert "Install-PSResource -Name MicrosoftTeams -Version '[7.0,)'" in str(fault.value)


def test_a_wrong_version_is_told_with_those_that_are_there(started: Callable[..., Session]) -> None:
    session = started()
    with pytest.raises(
        DoorFault,
        match=r"\(7\.1\.0\) was not found, only installed: 7\.7\.0.*-Version '7\.1\.0'",
    ):
        required(session, "MicrosoftTeams", version="7.1.0")
    with pytest.raises(DoorFault, match=r"\(99\.0 or newer\) was not found"):
        required(session, "MicrosoftTeams", minimum="99.0")
    with pytest.raises(DoorFault, match=r"\(any version\) was not found"):
        required(session, "NoSuchModule")
    assert required(session, "MicrosoftTeams", version="7.7.0").version == "7.7.0"


# ---- ends


@pytest.mark.parametrize("end", [{"how": "kill"}, {"how": "exit", "code": 3}])
def test_a_process_that_dies_in_a_write_leaves_an_unknown_outcome(
    teams: Session, service: Service, end: Any
) -> None:
    service.items = [{"stream": "exit", **end}]
    with pytest.raises(SessionLost, match="it exited without answering") as lost:
        run(teams, GRANT)
    assert lost.value.sent
    assert len(service.calls(GRANT.cmdlet)) == 1
    assert not (PROC / str(teams.pid)).exists()


def test_an_answer_after_its_time_is_no_answer(teams: Session, service: Service) -> None:
    service.items = [{"stream": "sleep", "milliseconds": 60_000}]
    with pytest.raises(SessionLost, match=r"did not answer within 0\.2 seconds"):
        run(teams, GRANT, timeout=0.2)
    assert not (PROC / str(teams.pid)).exists()


def test_what_is_written_past_everything_ends_the_session(teams: Session, service: Service) -> None:
    service.items = [
        {"stream": "consoleWrite", "to": "descriptor", "text": "from a native program\n"}
    ]
    with pytest.raises(SessionLost, match="something other than an answer"):
        run(teams, GET)


def test_two_products_at_once(
    place: Place, started: Callable[..., Session], service: Service, tmp_path: Path
) -> None:
    first, second = started(), started()
    assert first.pid != second.pid
    ready(second)
    first.close()
    service.items = [row(Identity="a")]
    assert run(second, GET).objects == [{"Identity": "a"}]


# ---- secrets


def test_the_child_gets_a_short_environment_and_a_home_of_its_own(
    place: Place, started: Callable[..., Session]
) -> None:
    noisy = {
        **os.environ,
        **TOKENS,
        "SECRET": "canary",
        "HOME": "/nowhere",
        "HTTPS_PROXY": "http://proxy.invalid:8080",
        "LANG": "de_DE.UTF-8",
    }
    session = started(environment=noisy)
    variables = dict(
        one.split("=", 1)
        for one in (PROC / str(session.pid) / "environ").read_text().split("\0")
        if one
    )
    if place.modules is None:
        assert (
            variables["PSModulePath"]
            == "/nowhere/.local/share/powershell/Modules:/usr/local/share/powershell/Modules"
        )
    assert variables["HOME"] == variables["TMPDIR"]
    home = Path(variables["HOME"])
    assert home.stat().st_mode & 0o077 == 0
    assert variables["HTTPS_PROXY"] == "http://proxy.invalid:8080"
    assert {"SECRET", "GRAPH_TOKEN", "LANG"} & variables.keys() == set()
    session.close()
    assert not home.exists()


def test_no_secret_is_in_argv_or_environment_while_connected(teams: Session) -> None:
    shown = b"".join((PROC / str(teams.pid) / name).read_bytes() for name in ("cmdline", "environ"))
    assert [one for one in CANARIES if one.encode() in shown] == []


def test_a_failing_connect_tells_no_secret(
    started: Callable[..., Session], service: Service, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    session = started(log=log)
    session.load("MicrosoftTeams", minimum="7.0")
    graph, team = CANARIES
    service.items = [
        {"stream": "warning", "message": f"warned of {graph}"},
        {"stream": "host", "message": f"told {team[:60]}"},
        {"stream": "consoleWrite", "to": "error", "text": f"{graph[:40]}\n{graph[40:]}\n"},
        error(
            f"Bearer {graph} is no good",
            error_id=f"Bad{team}",
            terminating=True,
            details=json.dumps({"token": team}),
            target=graph[30:],
            exception={"inner": {"type": "System.Exception", "message": f"{team[:100]}..."}},
        ),
    ]
    with pytest.raises(OperationFailed) as failed:
        session.connect(connections(BY_TOKENS, TENANT, None, TOKENS)["teams"])
    session.close()
    told = [
        str(failed.value),
        repr(failed.value.error),
        session.tail(),
        log.read_text("utf-8"),
        repr(session),
    ]
    assert leaks("\n".join(told)) == []
    assert "is no good" in failed.value.error.message
    assert "warned of (hidden)" in session.tail()


def leaks(text: str) -> list[str]:
    """Pieces of a canary of fifteen characters or more."""
    return sorted(
        {
            one[start : start + 15]
            for one in CANARIES
            for start in range(len(one) - 14)
            if one[start : start + 15] in text
        }
    )


def test_what_the_service_echoes_is_hidden_in_errors_and_warnings(
    teams: Session, service: Service
) -> None:
    graph, team = CANARIES
    service.items = [
        {"stream": "warning", "message": graph},
        error(f"{team} expired", details=graph[:50]),
    ]
    answer = run(teams, GET)
    assert leaks(repr(answer)) == []
    assert answer.warnings == ("(hidden)",)
    assert answer.errors[0].message == "(hidden) expired"


def test_an_object_with_a_secret_is_no_reading(teams: Session, service: Service) -> None:
    service.items = [row(Identity="a", Description=f"token {CANARIES[0]}")]
    with pytest.raises(SessionLost, match="holds a credential's value") as lost:
        run(teams, GET)
    assert leaks(str(lost.value)) == []


def test_a_person_is_shown_what_is_printed_while_signing_in_and_nothing_else(
    started: Callable[..., Session], service: Service
) -> None:
    shown: list[str] = []
    session = started(show=shown.append)
    session.load("MicrosoftTeams", minimum="7.0")

    def until_the_code_is_entered() -> Iterator[Any]:
        code = "enter the code ABCD at https://microsoft.com/devicelogin"
        for _ in range(BATCH + 1):  # so many are sent before the answer has an end
            yield {"stream": "host", "message": code}
        deadline = time.monotonic() + 60
        while not any("ABCD" in line for line in shown) and time.monotonic() < deadline:
            time.sleep(0.01)
        yield row(TenantId=TENANT)

    service.items = until_the_code_is_entered()
    session.connect(connections({"teams": {"device": True}}, TENANT, None, {})["teams"])
    session.resolve(["Get-CsApplicationAccessPolicy"], ["MicrosoftTeams"])
    service.items = [{"stream": "consoleWrite", "to": "error", "text": "later\n"}]
    run(session, GET)
    session.close()
    assert [line for line in shown if "ABCD" in line]
    assert not [line for line in shown if "later" in line]
    assert "later" in session.tail()


def test_a_certificate_goes_through_the_message(
    place: Place, started: Callable[..., Session], service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "reader.pfx"
    make_certificate(place, file)
    values = {
        "APP": "00000000-0000-0000-0000-000000000001",
        "PFX": str(file),
        "PASSWORD": "correct horse",
    }
    wanted = {
        "teams": {"application": "APP", "certificateFile": "PFX", "certificatePassword": "PASSWORD"}
    }
    session = started()
    session.load("MicrosoftTeams", minimum="7.0")
    service.items = [error("the password 'correct horse' does not open it", terminating=True)]
    with pytest.raises(OperationFailed) as failed:
        session.connect(connections(wanted, TENANT, None, values)["teams"])
    assert "correct horse" not in repr(failed.value.error)
    service.items = []
    session.connect(connections(wanted, TENANT, None, values)["teams"])
    asked = service.calls("Connect-MicrosoftTeams")[-1]
    assert asked["Certificate"]["$type"] == "X509Certificate2"
    assert asked["ApplicationId"] == values["APP"]


MAKE = """
$rsa = [System.Security.Cryptography.RSA]::Create(2048)
$sha = [System.Security.Cryptography.HashAlgorithmName]::SHA256
$padding = [System.Security.Cryptography.RSASignaturePadding]::Pkcs1
$maker = [System.Security.Cryptography.X509Certificates.CertificateRequest]
$request = $maker::new('CN=reader', $rsa, $sha, $padding)
$certificate = $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(1))
[IO.File]::WriteAllBytes($env:PFX, $certificate.Export('Pfx', 'correct horse'))
"""


def make_certificate(place: Place, file: Path) -> None:
    """A PFX file; the stand-in does not look into it."""
    file.write_bytes(os.urandom(2000))
    if place.real:
        environment = {**os.environ, "PFX": str(file)}
        subprocess.run(
            [*place.program, "-NoProfile", "-NonInteractive", "-Command", MAKE],
            env=environment,
            check=True,
            timeout=120,
        )


def test_connecting_twice_is_refused(teams: Session) -> None:
    with pytest.raises(RefusedText, match="connected already"):
        teams.connect(connections(BY_TOKENS, TENANT, None, TOKENS)["teams"])


@pytest.mark.parametrize("name", ["/no/such/pwsh", sys.prefix])
def test_a_missing_powershell_is_told_with_the_line_that_installs_it(name: str) -> None:
    with pytest.raises(
        DoorFault,
        match=(
            r"PowerShell was not found: .* there is no program there to start; install 7\.6 or newer with"
            r" `.*`, or name one that is installed, by its whole path, in RECONCILER_PWSH"
        ),
    ):
        start_session(environment={"RECONCILER_PWSH": name, "PATH": os.environ["PATH"]})
    with pytest.raises(DoorFault, match="no absolute folder on PATH has a pwsh to start"):
        start_session(environment={"PATH": "/nowhere"})


def test_a_program_that_cannot_run_is_told(tmp_path: Path) -> None:
    program = tmp_path / "pwsh"
    program.write_bytes(b"\x7fELF no program")
    program.chmod(0o700)
    with pytest.raises(DoorFault, match=r"cannot start .*; install 7\.6 or newer"):
        start_session(str(program), environment=os.environ)


def test_a_log_that_cannot_be_written_is_told(place: Place, tmp_path: Path) -> None:
    with pytest.raises(DoorFault, match=r"cannot write the log .*: "):
        start_session(
            place.executable(tmp_path), environment=os.environ, log=tmp_path / "no" / "log"
        )
