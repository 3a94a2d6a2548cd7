"""An apply of a live tenant: processes named and ended, texts proved, a credential that ends,
Exchange asked itself.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from reconciler.applying import credential_lifetime, processes
from reconciler.applying.events import EndingProcess
from reconciler.applying.journal import Header, Journal
from reconciler.errors import AppliedInPart, RefusedText, TenantFault
from reconciler.model.addresses import Address
from reconciler.model.plans import Invocation, Step
from reconciler.model.target_tenant import TargetTenant
from reconciler.powershell.faults import SessionLost
from reconciler.processes.groups import child_identity
from reconciler.tenants.live import Live
from reconciler.tenants.simulated import Simulator
from tests.applying import small_tenants
from tests.applying.locked import apply, directories
from tests.applying.test_applying import AFTER, BEFORE, WANTED
from tests.live import signing, stages
from tests.live.service import Drop, Service, error, output
from tests.live.sessions import FakeSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied
    from reconciler.planning.planfile import SealedPlan
    from tests.live.service import Request

SETTINGS = TargetTenant(small_tenants.TENANT, "contoso.onmicrosoft.com", signing.CONNECT)


def with_mailboxes(state: dict[str, Any]) -> dict[str, Any]:
    """Every user has a mailbox, and every scope a member of its own."""
    people = state["directory"]
    for number, row in enumerate(people["recipients"], 1):
        row["members"] = [small_tenants.user(number)]
    mailboxes = [
        {
            "id": row["id"],
            "primary": row["upn"],
            "addresses": [row["upn"]],
            "type": "UserMailbox",
            "isValidSecurityPrincipal": True,
        }
        for row in people["users"]
    ]
    return {**state, "directory": {**people, "recipients": [*people["recipients"], *mailboxes]}}


class Case:
    """A plan for a tenant that is reached through sessions in memory, and everything that an apply
    of it said.
    """

    def __init__(
        self, directory: Path, before: small_tenants.World = BEFORE, documents: Any = WANTED
    ) -> None:
        self.directory, self.documents = directory, documents
        self.clock = small_tenants.Clock()
        (directory / "tenant.json").write_text(
            json.dumps(with_mailboxes(small_tenants.state(before))), encoding="utf-8"
        )
        self.service = Service(Simulator(directory / "tenant.json"))
        self.begin = stages.FakeStart(
            signing.ENVIRONMENT, make=lambda _connection: FakeSession(self.service)
        )
        self.told: list[Event] = []
        with self.live(writes=False) as live:
            self.plan: SealedPlan = small_tenants.loaded(
                directory, small_tenants.planned(live, documents)
            )

    def live(self, *, writes: bool = True) -> Live:
        return Live(SETTINGS, self.begin, writes=writes, sleep=self.clock.sleep, clock=self.clock)

    def apply(self) -> Applied:
        with self.live() as live:
            return small_tenants.ran(self.plan, live, self.directory, self.clock, told=self.told)

    def replan(self) -> Any:
        with self.live(writes=False) as live:
            return small_tenants.planned(live, self.documents)

    def journal(self) -> Any:
        return small_tenants.journal_lines(self.directory)[-1]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def on(cmdlet: str, number: int, act: Callable[[], object]) -> Callable[[Request], None]:
    """Do something at the so-manieth call of a cmdlet."""
    left = [number]

    def before(request: Request) -> None:
        if request["cmdlet"] == cmdlet:
            left[0] -= 1
            if left[0] == 0:
                act()

    return before


def drop() -> None:
    raise Drop


def test_a_live_apply_converges(case: Case) -> None:
    applied = case.apply()
    assert applied.converged
    assert len(applied.done) == len(case.plan.plan.steps)
    assert case.replan().steps == ()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=small_tenants.worlds(), after=small_tenants.worlds())
def test_from_any_tenant_to_any_documents_it_ends_where_the_simulator_does(
    tmp_path: Path, before: small_tenants.World, after: small_tenants.World
) -> None:
    absent = sorted(before.policies.keys() - after.policies.keys())
    case = Case(tmp_path, before, small_tenants.documents(after, absent=absent))
    if not case.plan.plan.applicable:
        return
    other = tmp_path / "other"
    other.mkdir(exist_ok=True)
    shutil.copy(tmp_path / "tenant.json", other / "tenant.json")
    simulator = Simulator(other / "tenant.json")
    assert case.apply().converged
    for step in case.plan.plan.steps:
        simulator.run(Invocation(step.cmdlet, step.parameters), step.text)
    lives, simulated = (
        one.capture(small_tenants.EVERYTHING) for one in (case.service.simulator, simulator)
    )
    for section in ("teams", "exchange"):
        assert {**lives[section], "reads": []} == {**simulated[section], "reads": []}
    assert case.replan().steps == ()


# the processes that write


def test_a_process_is_journalled_before_it_writes_and_so_is_its_successor(case: Case) -> None:
    case.service.before = on("Grant-CsApplicationAccessPolicy", 2, drop)
    assert case.apply().converged
    lines = case.journal()
    teams = [line["pid"] for line in lines if line.get("runner") == "teams"]
    assert len(teams) == 2
    assert (
        teams
        == [
            session.pid for session in case.begin.sessions if session.connection.provider == "teams"
        ][1:]
    )
    lost = next(n for n, line in enumerate(lines) if line.get("state") == "unknown")
    assert (
        lost < next(n for n, line in enumerate(lines) if line.get("pid") == teams[1]) < len(lines)
    )


@pytest.fixture
def lingering() -> Iterator[subprocess.Popen[bytes]]:
    """A process of an earlier apply that does not end by itself, in a group of its own as a runner
    is.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    yield process
    process.kill()
    process.wait()


def leave_behind(case: Case, pid: int) -> None:
    directory = directories(case.directory / ".reconciler").lock
    header = Header(
        tool="t",
        plan="plan:other",
        content="c",
        tenant=small_tenants.TENANT,
        source="live",
        steps=1,
        already=0,
    )
    with Journal.create(directory, header, case.clock) as lines:
        lines.runner("teams", child_identity(pid))
        lines.started(1, 1)


def test_a_process_of_an_earlier_apply_that_does_not_end_is_ended_before_anything_is_read(
    case: Case, lingering: subprocess.Popen[bytes]
) -> None:
    leave_behind(case, lingering.pid)
    read = len(case.service.seen)
    seen: list[int | None] = []
    case.service.before = lambda _request: (
        seen.append(lingering.poll()) if len(case.service.seen) == read + 1 else None
    )
    reaped = iter([False])

    def sleep(seconds: float) -> None:
        case.clock.now += seconds
        if next(reaped, True) and EndingProcess((lingering.pid,)) in case.told:
            lingering.wait()

    with case.live() as live:
        applied = apply(
            case.plan,
            live,
            state_dir=case.directory / ".reconciler",
            tell=case.told.append,
            clock=case.clock,
            sleep=sleep,
            patience=small_tenants.ApplyPatience(),
        )
    assert applied.converged
    assert EndingProcess((lingering.pid,)) in case.told
    assert seen == [-signal.SIGKILL]


SHIM = """
import subprocess, sys
real = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(real.pid, flush=True)
real.wait()
"""


@pytest.fixture
def shim() -> Iterator[subprocess.Popen[bytes]]:
    """A leader of a group that starts a second process and waits for it."""
    process = subprocess.Popen(
        [sys.executable, "-c", SHIM], start_new_session=True, stdout=subprocess.PIPE
    )
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def test_what_a_shim_of_an_earlier_apply_left_behind_is_ended_before_anything_is_read(
    case: Case, shim: subprocess.Popen[bytes]
) -> None:
    with shim:
        assert shim.stdout is not None
        real = int(shim.stdout.readline())
        leave_behind(case, shim.pid)
        shim.kill()
    assert processes.started(real)
    read = len(case.service.seen)
    seen: list[str] = []
    case.service.before = lambda _request: (
        seen.append(processes.started(real)) if len(case.service.seen) == read + 1 else None
    )

    def sleep(seconds: float) -> None:
        case.clock.now += seconds
        if EndingProcess((real,)) in case.told:
            time.sleep(0.01)

    with case.live() as live:
        applied = apply(
            case.plan,
            live,
            state_dir=case.directory / ".reconciler",
            tell=case.told.append,
            clock=case.clock,
            sleep=sleep,
            patience=small_tenants.ApplyPatience(),
        )
    assert applied.converged
    assert EndingProcess((real,)) in case.told
    assert seen == [""]


def test_only_what_leads_a_group_of_its_own_is_ended(lingering: subprocess.Popen[bytes]) -> None:
    processes.end_group(os.getpid(), processes.started(os.getpid()))
    processes.end_group(lingering.pid, "another boot:1")
    assert lingering.poll() is None
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        processes.end_group(child.pid, processes.started(child.pid))
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()
    processes.end_group(lingering.pid, processes.started(lingering.pid))
    assert lingering.wait() == -signal.SIGKILL


# texts


def test_nothing_is_written_when_powershell_reads_one_text_otherwise(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = case.plan.plan.steps[-1].text
    read = FakeSession.read

    def other(self: FakeSession, text: str) -> Invocation:
        found = read(self, text)
        return (
            replace(found, parameters={**found.parameters, "Identity": "another"})
            if text == last
            else found
        )

    monkeypatch.setattr(FakeSession, "read", other)
    with pytest.raises(RefusedText, match="PowerShell reads another call"):
        case.apply()
    assert not [
        request
        for request in case.service.seen
        if request["cmdlet"].split("-")[0] in {"New", "Set", "Grant", "Remove"}
    ]


# credentials


def test_an_apply_stops_before_a_step_that_the_credential_does_not_outlive(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = case.clock.now
    monkeypatch.setattr(
        Live,
        "lasts_until",
        lambda _self, _provider: int(
            begun + credential_lifetime.MARGIN + credential_lifetime.STEP_TAKES * 4
        ),
    )
    sent = Service.__call__

    def slowly(self: Service, request: Request) -> Any:
        case.clock.now += (
            20.0
            if "Access" in request["cmdlet"] and not request["cmdlet"].startswith("Get")
            else 0.0
        )
        return sent(self, request)

    monkeypatch.setattr(Service, "__call__", slowly)
    with pytest.raises(
        AppliedInPart,
        match=(
            r"the \w+ credential expires in \d+ minutes, but step \d+ and the steps that belong to it"
            r" need"
        ),
    ) as stopped:
        case.apply()
    applied = stopped.value.applied
    assert applied is not None
    assert applied.done
    assert applied.not_tried
    assert case.journal()[-1]["end"] == "stopped"
    monkeypatch.setattr(Live, "lasts_until", lambda _self, _provider: None)
    again = case.apply()
    assert again.converged
    assert again.already == len(applied.done)


def test_a_credential_that_is_about_to_end_begins_nothing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Live, "lasts_until", lambda _self, _provider: int(case.clock.now) + 200)
    with pytest.raises(TenantFault, match="Get a new credential and apply the same plan again"):
        case.apply()
    assert "state" not in {key for line in case.journal() for key in line}


def test_a_step_needs_as_much_time_as_is_reckoned_for_it_to_the_second(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    closes = credential_lifetime.closing_steps(case.plan.plan)
    needed = int(credential_lifetime.needed(case.plan.plan.steps[0], closes))
    end = int(case.clock.now) + needed
    monkeypatch.setattr(Live, "lasts_until", lambda _self, _provider: end - 1)
    with pytest.raises(TenantFault, match=f"need {needed / 60:.0f}. Get a new credential"):
        case.apply()
    monkeypatch.setattr(Live, "lasts_until", lambda _self, _provider: end)
    try:
        done = case.apply().done
    except AppliedInPart as stopped:  # a later step needs more
        done = () if stopped.applied is None else stopped.applied.done
    assert 1 in done


def step(
    number: int,
    cmdlet: str = "Set-CsApplicationAccessPolicy",
    at: str = "",
    *,
    temporary: bool = False,
    gaps: tuple[int, ...] = (),
) -> Step:
    return Step(
        number,
        Address(at or f"teams.policy/{number}"),
        "teams",
        cmdlet,
        {},
        "",
        "",
        temporary=temporary,
        gaps=gaps,
    )


WINDOWS = {
    "none": ([step(1), step(2)], {}),
    "a gap ends with the first step that stands in none": (
        [step(1), step(2, gaps=(0,)), step(3, gaps=(0,)), step(4)],
        {2: 4},
    ),
    "two gaps": ([step(1, gaps=(0,)), step(2), step(3, gaps=(1,)), step(4)], {1: 2, 3: 4}),
    "a guard": (
        [step(1, at="g", temporary=True), step(2), step(3, at="g", temporary=True)],
        {1: 3},
    ),
    "made anew": ([step(1, "Remove-X", "p"), step(2, "New-X", "p")], {1: 2}),
    "removed for good": ([step(1, "Remove-X", "p"), step(2, "New-X", "q")], {}),
    "a temporary step without a counterpart": ([step(1, at="g", temporary=True), step(2)], {}),
    "the longer one counts": (
        [step(1, "Remove-X", "p", gaps=(0,)), step(2, gaps=(0,)), step(3, "New-X", "p")],
        {1: 3},
    ),
}


@pytest.mark.parametrize(("steps", "windows"), WINDOWS.values(), ids=WINDOWS.keys())
def test_windows_that_a_credential_must_outlive(
    case: Case, steps: list[Step], windows: dict[int, int]
) -> None:
    closes = credential_lifetime.closing_steps(replace(case.plan.plan, steps=tuple(steps)))
    assert closes == windows
    for one in steps:
        span = windows.get(one.id, one.id) - one.id
        assert (
            credential_lifetime.needed(one, closes)
            == credential_lifetime.MARGIN + credential_lifetime.STEP_TAKES * span
        )


# Exchange itself


def test_exchange_is_asked_about_what_changed_and_agrees(case: Case) -> None:
    checks = case.apply().checks
    assert checks
    assert all(check.granted is check.expected for check in checks)
    assert {check.application for check in checks} <= {
        small_tenants.application(1),
        small_tenants.application(2),
    }


def test_what_exchange_says_otherwise_is_told_and_changes_nothing(case: Case) -> None:
    case.service.spoil(
        "Test-ApplicationAccessPolicy", output({"AccessCheckResult": "Odd"}), times=9
    )
    applied = case.apply()
    assert applied.converged
    assert {(check.granted, check.text) for check in applied.checks} == {(None, '"Odd"')}


def test_a_check_that_fails_changes_nothing(case: Case) -> None:
    case.service.spoil("Test-ApplicationAccessPolicy", error("Something went wrong"), times=9)
    applied = case.apply()
    assert applied.converged
    assert applied.checks == ()


def test_a_plan_without_exchange_asks_nothing(tmp_path: Path) -> None:
    before, after = (
        dataclasses.replace(BEFORE, exchange={}),
        dataclasses.replace(AFTER, exchange={}),
    )
    case = Case(tmp_path, before, small_tenants.documents(after, absent=[2]))
    assert case.apply().checks == ()
    assert not case.service.calls("Test-ApplicationAccessPolicy")


def test_a_session_that_is_lost_for_good_leaves_a_plan_to_go_on_with(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, dead = FakeSession.connect, [False]

    def die() -> None:
        dead[0] = True
        drop()

    def broken(self: FakeSession, connection: Any) -> Any:
        if dead[0]:
            raise SessionLost("no more", sent=True)
        return connect(self, connection)

    case.service.before = on("Grant-CsApplicationAccessPolicy", 2, die)
    monkeypatch.setattr(FakeSession, "connect", broken)
    applied = case.apply()
    assert applied.unknown is not None
    assert "no more" in applied.trouble
    dead[0] = False
    assert case.apply().converged
