"""PowerShell may be a shim that starts the real one: what counts is the group that it leads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from reconciler.applying import processes
from reconciler.powershell.door.hiding import Hiding
from reconciler.powershell.door.log import Log
from reconciler.powershell.door.timeouts import Timeouts
from reconciler.processes.child import Child
from reconciler.processes.groups import child_identity, has_members, started
from reconciler.processes.running import Bounds, Unfinished, run_to_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("linux")

SECONDS = Timeouts(close=10.0, terminate=5.0)
# Waits for the end of its input, then needs a moment to say good-bye.
REAL = """
import pathlib, sys, time
print("ready", flush=True)
sys.stdin.read()
time.sleep(0.3)
pathlib.Path("disconnected").touch()
"""
STUBBORN = "import time; print('ready', flush=True); time.sleep(600)"
SHIM = """
import subprocess, sys
real = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
print(real.pid, flush=True)
{then}
"""
WAITING, LEAVING = SHIM.format(then="real.wait()"), SHIM.format(then="")


@pytest.fixture
def linux() -> None:
    assert sys.platform == "linux", "the suite runs on Linux; other systems tell no start times"


@pytest.fixture
def shim(tmp_path: Path) -> Callable[[str, str], tuple[Child, int]]:
    """Start a shim and what it starts; gives the child and the id of the second process."""

    def start(shim: str, real: str) -> tuple[Child, int]:
        child = Child([sys.executable, "-c", shim, real], dict(os.environ), tmp_path, Log(Hiding()))
        lines = sorted(child.line(20.0).strip() for _ in range(2))
        assert lines[1] == b"ready"
        return child, int(lines[0])

    return start


def test_what_a_shim_started_has_its_time_to_go(
    shim: Callable[[str, str], tuple[Child, int]], tmp_path: Path
) -> None:
    for leader in (WAITING, LEAVING):
        child, real = shim(leader, REAL)
        child.end(SECONDS)
        assert (tmp_path / "disconnected").exists()
        (tmp_path / "disconnected").unlink()
        assert started(real) == ""
        assert not has_members(child.pid)


def test_a_run_ends_in_time_although_what_a_shim_started_holds_its_pipes(tmp_path: Path) -> None:
    for leader in (WAITING, LEAVING):
        command = (sys.executable, "-c", leader, STUBBORN)
        began = time.monotonic()
        with pytest.raises(Unfinished, match="did not end within 2 seconds"):
            run_to_end(command, dict(os.environ), tmp_path, Bounds(2.0, 1024))
        assert time.monotonic() - began < 20.0


def test_what_a_shim_started_is_killed_with_it(
    shim: Callable[[str, str], tuple[Child, int]],
) -> None:
    for leader in (WAITING, LEAVING):
        child, real = shim(leader, STUBBORN)
        assert started(real)
        child.kill()
        assert started(real) == ""


def test_a_group_runs_as_long_as_a_member_of_it_does(
    shim: Callable[[str, str], tuple[Child, int]],
) -> None:
    child, real = shim(WAITING, STUBBORN)
    start = started(child.pid)
    assert processes.group_runs(child.pid, start)
    os.kill(child.pid, signal.SIGKILL)
    child._process.wait()
    assert not processes.same(child.pid, start)
    assert processes.group_runs(child.pid, start), "the shim is gone, what writes is not"
    processes.end_group(child.pid, start)
    _until(lambda: not processes.group_runs(child.pid, start))
    assert started(real) == ""
    child.kill()


def test_a_shim_that_ended_before_anybody_asked_still_has_its_start_time(
    shim: Callable[[str, str], tuple[Child, int]],
) -> None:
    child, real = shim(LEAVING, STUBBORN)
    _until(lambda: started(child.pid) == "")
    assert child.identity.started
    assert child_identity(child.pid) == child.identity, "ended, and nobody has waited for it"
    assert processes.running(*child.identity) == (real,)
    processes.end_group(*child.identity)
    _until(lambda: not processes.running(*child.identity))
    child.kill()


def test_the_leader_is_named_before_what_it_started(
    shim: Callable[[str, str], tuple[Child, int]],
) -> None:
    child, real = shim(WAITING, STUBBORN)
    assert processes.running(*child.identity) == (child.pid, real)
    child.kill()
    assert not child.outlived
    assert processes.running(*child.identity) == ()


def test_what_outlives_the_signal_that_nothing_can_refuse_is_told(
    shim: Callable[[str, str], tuple[Child, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process that waits for a device is not ended by any signal; none can be made in a test.
    child, _ = shim(WAITING, STUBBORN)
    monkeypatch.setattr("reconciler.processes.child.has_members", lambda *_group: True)
    monkeypatch.setattr("reconciler.processes.child._JOIN", 0.1)
    child.kill()
    assert child.outlived


def test_a_group_of_another_start_or_boot_is_another_group(
    shim: Callable[[str, str], tuple[Child, int]],
) -> None:
    child, real = shim(WAITING, STUBBORN)
    boot, _, ticks = started(child.pid).partition(":")
    for other in (f"{boot}:{int(ticks) + 1}", f"other:{ticks}", "", boot, f"{boot}:"):
        assert not processes.group_runs(child.pid, other)
        processes.end_group(child.pid, other)
    assert started(real)
    os.kill(child.pid, signal.SIGKILL)
    child._process.wait()
    later = f"{boot}:{int(started(real).partition(':')[2]) + 1}"
    assert not processes.group_runs(child.pid, later), "a member that is older is not of this group"
    child.kill()
    assert started(real) == ""


def test_a_process_that_leads_no_group_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as process:
        processes.end_group(process.pid, started(process.pid))
        assert process.poll() is None
        process.kill()


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
