"""Two applies of one tenant never overlap, however the first one ends, and the second one learns
who is in its way (law 10).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.applying import identity, mounts, processes, state
from reconciler.applying.events import SharedStateDirectory, WaitingForLock
from reconciler.applying.lock import HeldLock
from reconciler.errors import Interrupted, LockHeld, ReconcilerError
from tests.applying.locked import TENANT, directories, hold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.applying.events import Event

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import pathlib, sys, time
sys.path.insert(0, sys.argv[2])
from tests.applying.locked import hold
with hold(pathlib.Path(sys.argv[1]), clock=lambda: 1767225600.0):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return directories(tmp_path / "state").lock


def other_process(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory), str(ROOT)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def record(**more: object) -> bytes:
    """What a holder here writes, with differences."""
    own = identity.own()
    return json.dumps(
        {
            "host": own.host,
            "pid": own.pid,
            "started": own.started,
            "namespace": own.namespace,
            "since": "then",
            **more,
        }
    ).encode()


ELSEWHERE = {"host": "elsewhere", "pid": 7, "started": "x:1", "namespace": "pid:[1]"}


def test_a_second_apply_is_told_who_holds_the_lock_and_what_to_do(directory: Path) -> None:
    process = other_process(directory)
    try:
        with pytest.raises(LockHeld) as caught, hold(directory):
            pass
    finally:
        end(process)
    message = str(caught.value)
    assert f"process {process.pid} on {socket.gethostname()}" in message
    assert "2026-01-01T00:00:00" in message
    assert "do not delete" in message
    assert "--lock-timeout" in message
    assert caught.value.exit_code == 8


def test_the_lock_of_a_killed_process_is_free(directory: Path) -> None:
    process = other_process(directory)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert (directory / "lock").read_bytes()  # nobody cleaned up
    with hold(directory):
        assert json.loads((directory / "lock").read_bytes())["pid"] == os.getpid()


def test_one_process_cannot_hold_it_twice_and_can_hold_it_again(directory: Path) -> None:
    with (
        hold(directory),
        pytest.raises(LockHeld, match=f"process {os.getpid()}"),
        hold(directory),
    ):
        pass
    with hold(directory):
        pass
    assert (directory / "lock").read_bytes() == b""


def test_it_is_given_back_after_an_error(directory: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(directory):
        raise ZeroDivisionError
    with hold(directory):
        pass


def test_a_refused_apply_leaves_what_the_first_one_wrote(directory: Path) -> None:
    with hold(directory):
        written = (directory / "lock").read_bytes()
        with pytest.raises(LockHeld), hold(directory):
            pass
        assert (directory / "lock").read_bytes() == written
        assert [path.name for path in directory.iterdir()] == ["lock"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        b'{"pid":"1"}',
        record(pid=2**22 + 1),
        record(started="another boot:1"),
        record(started=identity.own().started + "0"),
    ],
    ids=[
        *("empty", "torn", "no object", "deep", "no process"),
        *("process gone", "before a restart of the machine", "process id used again"),
    ],
)
def test_what_an_earlier_holder_wrote_is_not_told_as_the_holder(
    directory: Path, content: bytes
) -> None:
    with hold(directory):
        (directory / "lock").write_bytes(content)
        with (
            pytest.raises(LockHeld, match="another process that has just started"),
            hold(directory),
        ):
            pass


@pytest.mark.parametrize(
    ("differences", "told"),
    [
        (ELSEWHERE, "process 7 on elsewhere, since then"),
        ({"host": "container", "pid": 7, "namespace": "pid:[1]"}, "process 7 on container"),
    ],
    ids=["another machine", "another container"],
)
def test_a_holder_that_cannot_be_seen_from_here_is_told_as_it_says(
    directory: Path, differences: dict[str, Any], told: str
) -> None:
    with hold(directory):
        (directory / "lock").write_bytes(record(**differences))
        with pytest.raises(LockHeld, match=told), hold(directory):
            pass


# --- a lock that was not given back


def test_one_that_another_machine_did_not_give_back_is_refused_with_its_name(
    directory: Path,
) -> None:
    (directory / "lock").write_bytes(record(**ELSEWHERE))
    with (
        pytest.raises(LockHeld, match="process 7 on elsewhere, since then") as caught,
        hold(directory),
    ):
        pass
    assert "remove the file" in str(caught.value)
    assert (directory / "lock").read_bytes() == record(**ELSEWHERE)
    (directory / "lock").unlink()  # what the message says
    with hold(directory):
        pass


def test_it_is_free_once_the_other_machine_gives_it_back(directory: Path) -> None:
    lock, slept = directory / "lock", []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            lock.write_bytes(b"")

    lock.write_bytes(record(**ELSEWHERE))
    with hold(directory, sleep=sleep, timeout=10):
        assert len(slept) == 3


@pytest.mark.parametrize(
    "differences",
    [
        {"host": "container", "pid": 7, "namespace": "pid:[1]"},
        {"started": "another boot:1"},
        {"pid": 2**22 + 1},
    ],
    ids=["a container of this machine", "before a restart of the machine", "killed here"],
)
def test_one_whose_kernel_says_that_its_holder_has_ended_is_free(
    directory: Path, differences: dict[str, Any]
) -> None:
    (directory / "lock").write_bytes(record(**differences))
    with hold(directory):
        assert json.loads((directory / "lock").read_bytes())["pid"] == os.getpid()


# --- waiting


class Waiting:
    """A clock that nobody waits for; the first holder's process ends after so many seconds."""

    def __init__(self, process: subprocess.Popen[str] | None = None, ends: float = 0.0) -> None:
        self.told: list[Event] = []
        self.slept = 0.0
        self._process, self._ends = process, ends

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self._process is not None and self.slept >= self._ends:
            end(self._process)


def test_it_waits_as_long_as_it_may_and_says_so_now_and_then(directory: Path) -> None:
    waiting = Waiting()
    with (
        hold(directory),
        pytest.raises(LockHeld),
        hold(directory, sleep=waiting.sleep, tell=waiting.told.append, timeout=60.5),
    ):
        pass
    assert waiting.slept == 60.5
    assert [one.left for one in waiting.told if isinstance(one, WaitingForLock)] == [
        60.5,
        30.5,
        0.5,
    ]


def test_it_goes_on_when_the_first_one_ends(directory: Path) -> None:
    waiting = Waiting(other_process(directory), ends=5)
    with hold(directory, sleep=waiting.sleep, timeout=60):
        assert waiting.slept == 5


def test_a_wish_to_stop_ends_the_wait(directory: Path) -> None:
    waiting = Waiting()
    with (
        hold(directory),
        pytest.raises(Interrupted, match="nothing was written"),
        hold(directory, sleep=waiting.sleep, timeout=60, stop=lambda: waiting.slept >= 3),
    ):
        pass
    assert waiting.slept == 3


# --- where the lock lies


def linked(lock: Path, target: Path) -> None:
    lock.symlink_to(target)


def hard_linked(lock: Path, target: Path) -> None:
    lock.hardlink_to(target)


@pytest.mark.parametrize("link", [linked, hard_linked])
def test_a_lock_that_is_another_file_leaves_that_file_alone(
    tmp_path: Path, directory: Path, link: Callable[[Path, Path], None]
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me", encoding="utf-8")
    link(directory / "lock", precious)
    with pytest.raises(ReconcilerError, match="remove it"), hold(directory):
        pass
    assert precious.read_text(encoding="utf-8") == "keep me"


def test_a_lock_that_leads_nowhere_makes_no_file(tmp_path: Path, directory: Path) -> None:
    (directory / "lock").symlink_to(tmp_path / "new")
    with pytest.raises(ReconcilerError, match="is a link"), hold(directory):
        pass
    assert not (tmp_path / "new").exists()


def test_a_pipe_is_not_waited_for(directory: Path) -> None:
    os.mkfifo(directory / "lock")
    with pytest.raises(ReconcilerError, match="RECONCILER_STATE_DIR"), hold(directory):
        pass


def test_a_lock_of_another_user_is_not_used(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "lock").touch()
    monkeypatch.setattr(os, "geteuid", lambda: (directory / "lock").stat().st_uid + 1)
    with pytest.raises(ReconcilerError, match="another user"), hold(directory):
        pass


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path, directory: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(ReconcilerError, match="RECONCILER_STATE_DIR"):
        state.prepared(TENANT, blocked, tenant_id=TENANT)
    (directory / "lock").mkdir()
    with pytest.raises(ReconcilerError, match="RECONCILER_STATE_DIR"), hold(directory):
        pass


def test_a_file_system_without_locks_is_named(directory: Path) -> None:
    # A pipe can be opened for both and a named one cannot be flocked on every system: the closest
    # to a foreign file system is a full table.
    fcntl = pytest.importorskip("fcntl")
    with pytest.MonkeyPatch.context() as patch:

        def refuse(_descriptor: int, _operation: int) -> None:
            raise OSError(37, "No locks available")

        patch.setattr(fcntl, "flock", refuse)
        with pytest.raises(ReconcilerError, match="cannot lock files"), hold(directory):
            pass


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /people rw,relatime shared:2 - nfs4 server:/people rw,vers=4.2
31 30 8:2 / /people/a/local\\040disk rw - ext4 /dev/sdb1 rw
32 22 0:41 / /mnt/c rw - 9p C: rw
33 22 0:42 / /mnt/s rw - fuse.sshfs a:/ rw
34 22 0:43 / /mnt/f rw - fuse.fuse-overlayfs x rw
35 22 0:44 / /mnt/twice rw - ext4 /dev/sdc1 rw
36 22 0:45 / /mnt/twice rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", ""),
        ("/people/a/.local/state", "nfs4"),
        ("/people/a/local disk/state", ""),
        ("/peoples", ""),
        ("/mnt/c/x", "9p"),
        ("/mnt/s", "fuse.sshfs"),
        ("/mnt/f/x", ""),
        ("/mnt/twice/x", "cifs"),
    ],
)
def test_a_network_file_system_is_told_by_the_mount_that_holds_a_directory(
    path: str, kind: str
) -> None:
    assert mounts.network_type_in(MOUNTS, Path(path)) == kind


def test_a_shared_state_directory_is_told_and_what_a_restart_left_there_is_not_trusted(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Event] = []
    monkeypatch.setattr("reconciler.applying.lock.network_type", lambda _path: "nfs4")
    with hold(directory, tell=told.append):
        pass
    assert told == [SharedStateDirectory(str(directory), "nfs4")]
    (directory / "lock").write_bytes(record(started="another boot:1"))
    with pytest.raises(LockHeld), hold(directory):
        pass


def test_who_holds_it_may_apply(directory: Path) -> None:
    with hold(directory, timeout=7) as held:
        assert held == HeldLock(state.StateDirectories(directory, directory), 7)


def test_a_process_is_the_same_only_with_its_start_time() -> None:
    started = processes.started(os.getpid())
    assert processes.same(os.getpid(), started) is bool(started)
    assert not processes.same(os.getpid(), f"{started}0")
    assert not processes.same(os.getpid(), "")
    assert processes.started(2**22 + 1) == ""
