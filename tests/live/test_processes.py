"""What goes wrong with processes and services ends with the contracted exit code, and the next run
converges.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from reconciler.applying import processes
from reconciler.cli import live as cli_live
from reconciler.model.plans import Invocation
from reconciler.model.target_tenant import TargetTenant
from reconciler.powershell.session import Timeouts, start_session
from reconciler.tenants.live import Live, Start
from reconciler.tenants.simulated import Simulator
from tests.applying import small_tenants
from tests.live.service import THROTTLED, UNAVAILABLE, Service, error, swallowed
from tests.live.signing import CONNECT, ENVIRONMENT, TOKEN
from tests.live.test_applying_live import with_mailboxes
from tests.standin.stubs.stub_server import StubServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.powershell.connecting import Connection
    from reconciler.powershell.session import Session
    from tests.live.places import Place
    from tests.live.service import Request
    from tests.standin.places import Place as Program

GRANT = "Grant-CsApplicationAccessPolicy"
NEW = "New-ApplicationAccessPolicy"
KILLED = {"stream": "exit", "how": "kill"}
ENDED = {"stream": "exit", "how": "exit", "code": 3}
GARBAGE = {
    "stream": "consoleWrite",
    "text": '{"id":1,"nonce":"?","value":{}}\n',
    "to": "descriptor",
}


def once(place: Place, cmdlet: str, act: Callable[[Request], None]) -> None:
    """Do something at the first call of a cmdlet."""
    left = [True]

    def before(request: Request) -> None:
        if request["cmdlet"] == cmdlet and left[0]:
            left[0] = False
            act(request)

    place.service.before = before


def converges(place: Place) -> None:
    """Nothing goes wrong any more: the same plan or a new one ends with no changes."""
    place.service.before = lambda _request: None
    place.service.heal()
    assert place("plan", "--out", "plan.json").code == 0
    again = place.apply()
    assert again.code == 0, again.out + again.err
    assert "No changes." in place("plan").out


@pytest.mark.parametrize(
    ("how", "accepted"),
    [(KILLED, False), (KILLED, True), (ENDED, True), (GARBAGE, False)],
    ids=["killed before the service accepted it", "killed after", "a module says exit", "garbage"],
)
def test_a_process_that_is_lost_in_a_write(
    place: Place, how: dict[str, Any], accepted: bool
) -> None:
    place.plan()
    if accepted:
        once(place, GRANT, lambda request: list(place.service.write(request)) and None)
    place.service.spoil(GRANT, how)
    ran = place.apply()
    assert ran.code == 0, ran.out + ran.err
    states = [(line["step"], line["state"]) for line in place.journal() if "state" in line]
    lost = next(step for step, state in states if state == "unknown")
    assert states.count((lost, "started")) == (1 if accepted else 2)
    assert "No changes." in place("plan").out


def test_a_process_that_is_killed_in_a_reading_is_replaced(place: Place) -> None:
    place.service.spoil("Get-CsOnlineUser", KILLED)
    assert place("plan", "--out", "plan.json").code == 0
    assert len(place.service.calls("Connect-MicrosoftTeams")) == 2


def test_an_answer_that_comes_too_late_is_unknown_and_found_out_by_reading(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(Start):
        def __call__(self, connection: Connection) -> Session:
            return start_session(
                environment=self.environment, timeouts=Timeouts(write=0.5, close=5)
            )

    place.plan()
    monkeypatch.setattr(cli_live, "begin", lambda _reads: Impatient(os.environ))
    once(place, GRANT, lambda request: list(place.service.write(request)) and None)
    place.service.spoil(GRANT, {"stream": "sleep", "milliseconds": 60_000})
    ran = place.apply()
    assert ran.code == 0, ran.out + ran.err
    assert "unknown" in {line.get("state") for line in place.journal()}
    assert "No changes." in place("plan").out


@pytest.mark.parametrize(
    ("cmdlet", "answer"), [(GRANT, THROTTLED), (NEW, UNAVAILABLE)], ids=["throttled", "unavailable"]
)
def test_twice_and_then_success(place: Place, cmdlet: str, answer: dict[str, Any]) -> None:
    place.plan()
    place.service.spoil(cmdlet, answer, times=2)
    ran = place.apply()
    assert ran.code == 0, ran.out + ran.err
    assert [line["state"] for line in place.journal() if "state" in line].count("failed") == 2
    assert "No changes." in place("plan").out


def test_a_session_that_expires_in_the_middle_signs_in_again(place: Place) -> None:
    place.plan()
    place.service.spoil(GRANT, error("Authentication_ExpiredToken"), after=1)
    ran = place.apply()
    assert ran.code == 0, ran.out + ran.err
    assert len({line["pid"] for line in place.journal() if line.get("runner") == "teams"}) == 2


def test_a_policy_that_somebody_else_created_meanwhile_stops_the_apply(place: Place) -> None:
    place.plan()
    place.service.spoil(NEW, error("||The object 'x' already exists."))
    ran = place.apply()
    assert ran.code == 6
    assert "exists: ||The object 'x' already exists." in ran.out
    converges(place)


def test_a_refused_write_of_exchange_stops_before_teams(place: Place) -> None:
    place.plan()
    place.service.spoil(NEW, error("||no", status=403))
    ran = place.apply()
    assert ran.code == 6
    assert not place.service.calls(GRANT)
    converges(place)


@pytest.mark.parametrize("cmdlet", ["Get-CsOnlineUser", "Get-CsApplicationAccessPolicy"])
def test_an_error_that_the_module_kept_to_itself_is_no_empty_tenant(
    place: Place, program: Program, cmdlet: str
) -> None:
    if program.real:
        return  # the stub modules cannot play a module that catches its own errors
    place.service.spoil(cmdlet, swallowed("odd"), times=9)
    ran = place("plan", "--out", "plan.json")
    assert ran.code == 1
    assert "suppressed an error" in ran.err
    assert not (place.folder / "plan.json").exists()


LEAVES, WAITS = "exec 3<&0\n{} <&3 &\nexec 3<&-\n", "{}\nexit $?\n"


@pytest.mark.parametrize("then", [LEAVES, WAITS], ids=["that leaves", "that waits"])
def test_a_whole_conversation_through_a_shim(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    shim = tmp_path / "shim"
    real = f'{shlex.quote(os.environ["RECONCILER_PWSH"])} "$@"'
    shim.write_text(f"#!/bin/sh\n{then.format(real)}", encoding="utf-8")
    shim.chmod(0o700)
    monkeypatch.setenv("RECONCILER_PWSH", str(shim))
    place.plan()
    place.service.spoil(GRANT, KILLED)
    ran = place.apply()
    assert ran.code == 0, ran.out + ran.err
    assert "No changes." in place("plan").out
    runners = [line for line in place.journal() if "runner" in line]
    assert len({line["pid"] for line in runners if line["runner"] == "teams"}) == 2
    for line in runners:
        assert line["process"]
        assert processes.running(line["pid"], line["process"]) == ()


def test_a_failing_sign_in_shows_no_secret(place: Place) -> None:
    place.service.spoil("Connect-MicrosoftTeams", error(f"the token {TOKEN} is no good"))
    place.service.spoil("Connect-ExchangeOnline", error(f"the token {TOKEN}3 is no good"))
    ran = place("plan")
    assert ran.code == 1
    assert "(hidden) is no good" in ran.err
    assert TOKEN not in ran.out + ran.err


# the tool itself is killed


class Running:
    """`reconciler apply` in a process of its own, held inside a write of the service."""

    def __init__(self, place: Place, number: int, *, accepted: bool) -> None:
        self.held, self.go = threading.Event(), threading.Event()
        left = [number]

        def before(request: Request) -> None:
            if request["cmdlet"].split("-")[0] in {"New", "Set", "Grant", "Remove"}:
                left[0] -= 1
                if left[0] == 0:
                    if accepted:
                        list(place.service.write(request))
                        place.service.spoil(request["cmdlet"])
                    self.held.set()
                    self.go.wait(60)

        place.service.before = before
        digest = json.loads((place.folder / "plan.json").read_text(encoding="utf-8"))["digest"]
        command = [
            sys.executable,
            "-m",
            "reconciler",
            "apply",
            "plan.json",
            "--tenant",
            "live",
            "--auto-approve",
            "--digest",
            digest,
        ]
        self.process = subprocess.Popen(
            command, cwd=place.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert self.held.wait(60)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.go.set()


def killed(place: Place, number: int, *, accepted: bool) -> None:
    """Kill the tool in its so-manieth write; the same plan, applied again, goes on and converges."""
    Running(place, number, accepted=accepted).kill()
    place.service.before = lambda _request: None
    ran = place.apply()
    assert ran.code == 0, ran.out + ran.err
    assert "No changes." in place("plan").out


@pytest.mark.parametrize("accepted", [False, True], ids=["before the service accepted it", "after"])
# parametrized
def test_the_tool_is_killed_in_a_write(place: Place, accepted: bool) -> None:
    place.plan()
    killed(place, 4, accepted=accepted)


@pytest.mark.exhaustive
@pytest.mark.parametrize("accepted", [False, True], ids=["before the service accepted it", "after"])
# parametrized
def test_the_tool_is_killed_at_every_step(place: Place, accepted: bool) -> None:
    steps = len(place.plan()["steps"])
    before = (place.folder / "tenant.json").read_bytes()
    for number in range(1, steps + 1):
        (place.folder / "tenant.json").write_bytes(before)
        shutil.rmtree(os.environ["RECONCILER_STATE_DIR"], ignore_errors=True)
        place.renew()
        place.plan()
        killed(place, number, accepted=accepted)


# random states, one process of each product for all of them


class Stage:
    """A service that is changed under a connection that stays."""

    service: Service

    def __call__(self, request: Request) -> Any:
        return self.service(request)


@pytest.fixture
def connected(tmp_path: Path, program: Program) -> Iterator[tuple[Live, Stage]]:
    stage = Stage()
    simulator = small_tenants.simulator(tmp_path, small_tenants.World())
    stage.service = Service(simulator)
    with StubServer(stage) as server:
        environment = {
            **ENVIRONMENT,
            "RECONCILER_PWSH": program.executable(tmp_path, server),
            "PATH": os.environ["PATH"],
        }
        with Live(
            TargetTenant(small_tenants.TENANT, "contoso.onmicrosoft.com", CONNECT),
            Start(environment),
            writes=True,
        ) as live:
            yield live, stage
            assert (
                len([one for one in stage.service.seen if one["cmdlet"].startswith("Connect-")])
                <= 2
            )


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(before=small_tenants.worlds(), after=small_tenants.worlds())
def test_random_states_end_where_the_simulator_does(
    connected: tuple[Live, Stage],
    tmp_path: Path,
    before: small_tenants.World,
    after: small_tenants.World,
) -> None:
    live, stage = connected
    for name in ("tenant.json", "other.json"):
        (tmp_path / name).write_text(
            json.dumps(with_mailboxes(small_tenants.state(before))), encoding="utf-8"
        )
    shutil.rmtree(tmp_path / ".reconciler", ignore_errors=True)
    stage.service = Service(Simulator(tmp_path / "tenant.json"))
    wanted = small_tenants.documents(
        after, absent=sorted(before.policies.keys() - after.policies.keys())
    )
    plan = small_tenants.loaded(tmp_path, small_tenants.planned(live, wanted))
    if not plan.plan.applicable:
        return
    clock = small_tenants.Clock()
    assert small_tenants.ran(plan, live, tmp_path, clock).converged
    other = Simulator(tmp_path / "other.json")
    for step in plan.plan.steps:
        other.run(Invocation(step.cmdlet, step.parameters), step.text)
    lived, simulated = (
        one.capture(small_tenants.EVERYTHING) for one in (stage.service.simulator, other)
    )
    assert {**lived["teams"], "reads": []} == {**simulated["teams"], "reads": []}
    assert {**lived["exchange"], "reads": []} == {**simulated["exchange"], "reads": []}
    assert small_tenants.planned(live, wanted).steps == ()
