"""What runs of an earlier apply, judged on the lists of other systems than this one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from reconciler.processes import groups
from reconciler.processes.groups import (
    ListedProcess,
    ProcessList,
    end_members,
    group_runs,
    has_members,
    running,
    started,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[int, ListedProcess]]:
    """Put a list in the place of this system's; it can be changed afterwards."""

    def listed(*processes: ListedProcess, grouped: bool) -> dict[int, ListedProcess]:
        there = {process.pid: process for process in processes}
        monkeypatch.setattr(
            groups,
            "SYSTEM",
            ProcessList(lambda: "1970", lambda: list(there), there.get, grouped),
        )
        return there

    return listed


def ids(leader: int, start: str) -> set[int]:
    return set(running(leader, start))


def test_macos_a_group_is_what_carries_its_leaders_id(
    put: Callable[..., dict[int, ListedProcess]],
) -> None:
    there = put(
        ListedProcess(50, 1, 50, 1000),
        ListedProcess(51, 50, 50, 1010),
        ListedProcess(60, 50, 60, 1020),
        grouped=True,
    )
    assert started(50) == "1970:1000"
    assert ids(50, "1970:1000") == {50, 51}
    del there[50]
    assert started(50) == ""
    assert ids(50, "1970:1000") == {51}, "the shim is gone, what writes is not"
    assert has_members(50)
    del there[51]
    assert not group_runs(50, "1970:1000")
    assert not has_members(50)
    there[50] = ListedProcess(50, 1, 50, 2000)
    assert not group_runs(50, "1970:1000"), "another process has got the id"
    assert group_runs(50, "1970:2000")


def test_windows_a_group_is_what_the_leader_started(
    put: Callable[..., dict[int, ListedProcess]],
) -> None:
    there = put(
        ListedProcess(40, 50, 0, 900),
        ListedProcess(50, 4, 0, 1000),
        ListedProcess(51, 50, 0, 1010),
        ListedProcess(52, 51, 0, 1020),
        ListedProcess(53, 52, 0, 950),
        ListedProcess(60, 4, 0, 1030),
        grouped=False,
    )
    assert ids(50, "1970:1000") == {50, 51, 52}, "a child is not older than its parent"
    del there[50]
    assert ids(50, "1970:1000") == {51, 52}
    there[50] = ListedProcess(50, 4, 0, 2000)
    there[54] = ListedProcess(54, 50, 0, 2010)
    assert ids(50, "1970:1000") == {51, 52}, "what the id's new bearer started is its own"
    assert ids(50, "1970:2000") == {50, 54}
    assert has_members(50, "1970:1000")
    assert not has_members(50)


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("start", ["", "1970", "1970:", ":1000", "other:1000", "1970:x"])
def test_a_start_that_is_not_known_is_nobodys(
    put: Callable[..., dict[int, ListedProcess]], start: str, *, grouped: bool
) -> None:
    put(ListedProcess(50, 1, 50, 1000), ListedProcess(51, 50, 50, 1010), grouped=grouped)
    assert not group_runs(50, start)


def test_windows_every_member_is_ended_the_late_ones_too(
    put: Callable[..., dict[int, ListedProcess]], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = put(
        ListedProcess(50, 4, 0, 1000),
        ListedProcess(51, 50, 0, 1010),
        ListedProcess(60, 4, 0, 1030),
        grouped=False,
    )
    late = [ListedProcess(55, 51, 0, 1040)]

    def kill(pid: int, _signal: int) -> None:
        if pid == 51 and late:
            there[55] = late.pop()
            raise PermissionError
        del there[pid]

    monkeypatch.setattr(os, "kill", kill)
    end_members(50, "1970:1000")
    assert set(there) == {60}


def test_windows_what_cannot_be_ended_is_not_waited_for_for_ever(
    put: Callable[..., dict[int, ListedProcess]], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(ListedProcess(50, 4, 0, 1000), grouped=False)
    tried: list[int] = []

    def kill(pid: int, _signal: int) -> None:
        tried.append(pid)
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    end_members(50, "1970:1000")
    assert 1 < len(tried) < 100
    assert group_runs(50, "1970:1000"), "the apply is refused, and says why"


def test_this_system_tells_what_a_process_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of Windows on the processes of this system."""
    monkeypatch.setattr(groups, "SYSTEM", groups.SYSTEM._replace(grouped=False))
    code = (
        "import subprocess; real = subprocess.Popen(['sleep', '600']);"
        " print(real.pid, flush=True); real.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as leader:
        assert leader.stdout is not None
        real = int(leader.stdout.readline())
        start = started(leader.pid)
        assert ids(leader.pid, start) == {leader.pid, real}
        end_members(leader.pid, start)
    # What was sent a signal here ends a little later, and who started it is not listed any more.
    deadline = time.monotonic() + 60
    while started(real) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert started(real) == ""
