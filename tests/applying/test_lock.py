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
from typing import TYPE_CHECKING

import pytest

from reconciler.applying import processes
from reconciler.applying.lock import hold, tenant_directory
from reconciler.errors import LockHeld, ReconcilerError

if TYPE_CHECKING:
    from pathlib import Path

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
HOLDER = """
import pathlib, sys, time
from reconciler.applying.lock import hold
with hold(pathlib.Path(sys.argv[1]), since="2026-01-01T00:00:00+00:00"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tenant_directory(tmp_path / ".reconciler", TENANT)


def other_process(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_second_apply_is_told_who_holds_the_lock_and_what_to_do(directory: Path) -> None:
    process = other_process(directory)
    try:
        with pytest.raises(LockHeld) as caught, hold(directory, since="later"):
            pass
    finally:
        end(process)
    message = str(caught.value)
    assert f"process {process.pid} on {socket.gethostname()}" in message
    assert "2026-01-01T00:00:00" in message
    assert "do not delete" in message
    assert caught.value.exit_code == 1


def test_the_lock_of_a_killed_process_is_free(directory: Path) -> None:
    process = other_process(directory)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert (directory / "lock").read_bytes()  # nobody cleaned up
    with hold(directory, since="now"):
        assert json.loads((directory / "lock").read_bytes())["pid"] == os.getpid()


def test_one_process_cannot_hold_it_twice_and_can_hold_it_again(directory: Path) -> None:
    with (
        hold(directory, since="now"),
        pytest.raises(LockHeld, match=f"process {os.getpid()}"),
        hold(directory, since="again"),
    ):
        pass
    with hold(directory, since="again"):
        pass
    assert (directory / "lock").read_bytes() == b""


def test_it_is_given_back_after_an_error(directory: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(directory, since="now"):
        raise ZeroDivisionError
    with hold(directory, since="again"):
        pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"pid":"1"}',
        json.dumps(
            {"host": socket.gethostname(), "pid": 2**22 + 1, "since": "then", "started": "gone:1"}
        ).encode(),
        json.dumps(
            {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "since": "then",
                "started": "another boot:1",
            }
        ).encode(),
    ],
    ids=["empty", "torn", "no object", "no process", "process gone", "process id used again"],
)
def test_what_an_earlier_holder_wrote_is_not_told_as_the_holder(
    directory: Path, content: bytes
) -> None:
    with hold(directory, since="now"):
        (directory / "lock").write_bytes(content)
        with (
            pytest.raises(LockHeld, match="another process that has just started"),
            hold(directory, since="again"),
        ):
            pass


def test_a_holder_on_another_machine_is_told_as_it_says(directory: Path) -> None:
    with hold(directory, since="now"):
        (directory / "lock").write_bytes(
            b'{"host":"elsewhere","pid":7,"since":"then","started":"x:1"}'
        )
        with (
            pytest.raises(LockHeld, match="process 7 on elsewhere, since then"),
            hold(directory, since="again"),
        ):
            pass


@pytest.mark.parametrize(
    "tenant", ["", "..", "../../etc", "contoso", TENANT.upper(), f"{TENANT}/x", f"{TENANT}\n"]
)
def test_a_tenant_id_that_is_no_guid_never_becomes_a_path(tmp_path: Path, tenant: str) -> None:
    with pytest.raises(ReconcilerError, match="is not a lower-case GUID"):
        tenant_directory(tmp_path, tenant)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path, directory: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(ReconcilerError, match="--state-dir"):
        tenant_directory(blocked, TENANT)
    (directory / "lock").mkdir()
    with pytest.raises(ReconcilerError, match="--state-dir"), hold(directory, since="now"):
        pass


def test_a_file_system_without_locks_is_named(directory: Path) -> None:
    # A pipe can be opened for both and a named one cannot be flocked on every system: the closest
    # to a foreign file system is a full table.
    fcntl = pytest.importorskip("fcntl")
    with pytest.MonkeyPatch.context() as patch:

        def refuse(_descriptor: int, _operation: int) -> None:
            raise OSError(37, "No locks available")

        patch.setattr(fcntl, "flock", refuse)
        with (
            pytest.raises(ReconcilerError, match="cannot lock files"),
            hold(directory, since="now"),
        ):
            pass


def test_a_process_is_the_same_only_with_its_start_time() -> None:
    started = processes.started(os.getpid())
    assert processes.same(os.getpid(), started) is bool(started)
    assert not processes.same(os.getpid(), f"{started}0")
    assert not processes.same(os.getpid(), "")
    assert processes.started(2**22 + 1) == ""
