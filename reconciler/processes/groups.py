"""Processes and their groups, as the operating system lists them.

A process id is used again, so a start time is kept beside each (law 10). PowerShell may be a shim
that starts the real one as a second process (the form in which a .NET tool comes): what writes is
a member of the group that the shim leads, and may outlive it. Windows has no such groups: there the
members are what the leader started, and what those started.

Linux is asked through /proc, macOS and Windows through psutil (unverified there).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

from reconciler.model.processes import RunnerProcess

_PROC = Path("/proc")
_STATE, _PARENT, _GROUP, _START_TIME = 0, 1, 2, 19
"""Indexes of `state`, `ppid`, `pgrp` and `starttime` (fields 3, 4, 5 and 22) among the fields of
/proc/PID/stat that follow the command's name; proc(5).
"""
_ENDED = frozenset("ZX")
"""States of a process that has ended and is only still listed: nobody may have asked how it ended
(a container without an init).
"""


class ListedProcess(NamedTuple):
    """A process.

    `group`: the id of its group, 0 where there are none. `ticks`: when it started; two starts of
    one machine and boot are compared, whatever the unit. `ended`: it has ended and is only still
    listed.
    """

    pid: int
    parent: int
    group: int
    ticks: int
    ended: bool = False


class ProcessList(NamedTuple):
    """How a system tells of its processes.

    `boot`: what start times are counted from, empty if that is not known. `grouped`: whether there
    are groups; otherwise a parent is what tells.
    """

    boot: Callable[[], str]
    pids: Callable[[], list[int]]
    look: Callable[[int], ListedProcess | None]
    grouped: bool


def started(pid: int) -> str:
    """Say when a process started, as text that is equal only for the same process.

    Args:
        pid: A process id of this machine.

    Returns:
        `BOOT:TICKS`. Empty when there is no such process any more, or when that cannot be known: a
        reader must not take empty texts for equal ones.
    """
    return _start_time(_look(pid))


def child_identity(pid: int) -> RunnerProcess:
    """Identify a child of ours that nobody has waited for yet: its start time is available even when
    it has ended already, as a shim may have that left what it started behind.
    """
    return RunnerProcess(pid, _start_time(SYSTEM.look(pid)))


def running(leader: int, start: str) -> tuple[int, ...]:
    """The members of a group that run, by their ids, the leader first; none also when that cannot
    be known.

    Args:
        leader: The id of the process that the group was made for.
        start: What `started` said of it.
    """
    return tuple(member.pid for member in _running(leader, start))


def group_runs(leader: int, start: str) -> bool:
    """Say whether a group has a member that runs; otherwise as `running`."""
    return bool(running(leader, start))


def _running(leader: int, start: str) -> list[ListedProcess]:
    boot, _, ticks = start.partition(":")
    if not ticks.isdecimal() or boot != SYSTEM.boot():
        return []
    first = _look(leader)
    if first is not None and first.ticks != int(ticks):
        # An id is given away only once no group has it any more. On Windows it may be given away
        # while what the leader started still runs: that is older than the new bearer.
        return [] if SYSTEM.grouped else _tree(leader, int(ticks), first.ticks)
    members = _later(leader, int(ticks)) if SYSTEM.grouped else _tree(leader, int(ticks), None)
    return members if first is None else [first, *members]


def _later(group: int, ticks: int) -> list[ListedProcess]:
    """The other members of a leader's group, none older than the leader."""
    members = (member for member in _of_group(group) if member.pid != group)
    return sorted(member for member in members if member.ticks >= ticks)


def has_members(leader: int, start: str = "") -> bool:
    """Say whether a group has a member that runs.

    Args:
        leader: The id of the process that the group was made for; it has not been given away.
        start: What `started` said of it; without groups nothing is known unless it is given.
    """
    return bool(_of_group(leader)) if SYSTEM.grouped else group_runs(leader, start)


def end_members(leader: int, start: str) -> None:
    """End every member of what a process started, one by one; for systems without groups.

    A member may start another one meanwhile, so the list is read until it is empty.
    """
    for _ in range(_ROUNDS):
        members = running(leader, start)
        if not members:
            return
        for member in members:
            if member == os.getpid():
                return
            try:
                # Windows ends the process at once, whatever the signal (Python, os.kill).
                os.kill(member, signal.SIGTERM)
            except OSError:
                continue


_ROUNDS = 10


def _start_time(process: ListedProcess | None) -> str:
    boot = SYSTEM.boot()
    return "" if process is None or not boot else f"{boot}:{process.ticks}"


def _look(pid: int) -> ListedProcess | None:
    """A process that runs; None if there is none of this id, or it has ended."""
    process = SYSTEM.look(pid)
    return None if process is None or process.ended else process


def _of_group(group: int) -> list[ListedProcess]:
    return [process for process in _listed() if process.group == group]


def _tree(leader: int, start: int, until: int | None) -> list[ListedProcess]:
    """What a process started, and what that started: a child is never older than its parent, and
    `until` is when the leader's id got another bearer.
    """
    starts, members = {leader: start}, []
    for process in sorted(_listed(), key=lambda process: process.ticks):
        since = starts.get(process.parent)
        late = process.parent == leader and until is not None and process.ticks >= until
        if since is not None and process.ticks >= since and not late and process.pid != leader:
            starts[process.pid] = process.ticks
            members.append(process)
    return members


def _listed() -> Iterator[ListedProcess]:
    processes = map(_look, SYSTEM.pids())
    return (process for process in processes if process is not None)


# Linux


def _proc_pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdecimal()]  # noqa: PTH208  names only


def _proc_process(pid: int) -> ListedProcess | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name of a command may hold blanks and brackets; the last bracket ends it.
    fields = stat.rpartition(")")[2].split()
    parent, group, start = (int(fields[index]) for index in (_PARENT, _GROUP, _START_TIME))
    return ListedProcess(pid, parent, group, start, fields[_STATE] in _ENDED)


def _proc_boot() -> str:
    try:
        identity = _PROC / "sys" / "kernel" / "random" / "boot_id"
        return identity.read_text(encoding="ascii").strip()
    except OSError:
        return ""


# macOS and Windows


def _psutil_pids() -> list[int]:
    import psutil  # noqa: PLC0415  not installed on Linux

    return [int(pid) for pid in psutil.pids()]


def _psutil_process(pid: int) -> ListedProcess | None:
    """The same through psutil; None also for what this user may not look at, which is not ours."""
    import psutil  # noqa: PLC0415  not installed on Linux

    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        microseconds = round(process.create_time() * 1_000_000)
        group = 0 if sys.platform == "win32" else os.getpgid(pid)
        return ListedProcess(pid, int(process.ppid()), group, microseconds, ended)
    except (psutil.Error, OSError):
        return None


def _since_1970() -> str:
    """Start times are times of day there: they are equal for no two boots."""
    return "1970"


PROC = ProcessList(_proc_boot, _proc_pids, _proc_process, grouped=True)
PSUTIL = ProcessList(_since_1970, _psutil_pids, _psutil_process, grouped=sys.platform != "win32")
SYSTEM = PROC if sys.platform == "linux" else PSUTIL
