"""Processes and their groups, as the operating system lists them.

A process id is used again, so a start time stands beside each (law 10). PowerShell may be a shim
that starts the real one as a second process (the form in which a .NET tool comes): what writes is
a member of the group that the shim leads, and may outlive it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from reconciler.model.processes import RunnerProcess

_PROC = Path("/proc")
_STATE, _GROUP, _START_TIME = 0, 2, 19
"""Indexes of `state`, `pgrp` and `starttime` (fields 3, 5 and 22) among the fields of
/proc/PID/stat that follow the command's name; proc(5).
"""
_ENDED = frozenset("ZX")
"""States of a process that has ended and is only still listed: nobody may have asked how it ended
(a container without an init).
"""


class _Process(NamedTuple):
    """A process: its id, that of its group, clock ticks from the boot to its start, and whether it
    has ended and is only still listed.
    """

    pid: int
    group: int
    ticks: int
    ended: bool


def started(pid: int) -> str:
    """Say when a process started, as text that is equal only for the same process.

    Args:
        pid: A process id of this machine.

    Returns:
        `BOOT:TICKS` on Linux: the boot's id, and clock ticks from it to the start. Empty when there
        is no such process any more, or on a system that does not tell without extra libraries
        (macOS, Windows): a reader must not take empty texts for equal ones.
    """
    return _start_time(_process(pid))


def child_identity(pid: int) -> RunnerProcess:
    """Identify a child of ours that nobody has waited for yet: its start time is told also when it
    has ended already, as a shim may have that left what it started behind.
    """
    return RunnerProcess(pid, _start_time(_listed(pid)))


def running(leader: int, start: str) -> tuple[int, ...]:
    """The members of a group that run, by their ids, the leader first; none also when that cannot
    be known.

    Args:
        leader: The id of the process that the group was made for.
        start: What `started` said of it.
    """
    boot, _, ticks = start.partition(":")
    if not ticks.isdecimal() or boot != _boot():
        return ()
    first = _process(leader)
    if first is not None and started(leader) != start:
        return ()  # an id is given away only once no group has it any more
    members = [member.pid for member in _members(leader) if member.ticks >= int(ticks)]
    others = sorted(pid for pid in members if pid != leader)
    return tuple(others) if first is None else (leader, *others)


def group_runs(leader: int, start: str) -> bool:
    """Say whether a group has a member that runs; otherwise as `running`."""
    return bool(running(leader, start))


def has_members(group: int) -> bool:
    """Say whether a group has a member that runs.

    Where the system does not list processes, a member that has ended and is still listed counts;
    on Windows there are no such groups (`taskkill /T` ends what a process started; unverified).
    """
    if sys.platform != "linux":  # pragma: no cover  the other systems
        return _answers_signals(group)
    return bool(_members(group))


def _answers_signals(group: int) -> bool:  # pragma: no cover  the other systems
    if sys.platform == "win32":
        return False
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _members(group: int) -> list[_Process]:
    if sys.platform != "linux":  # pragma: no cover  the other systems
        return []
    names = [name for name in os.listdir(_PROC) if name.isdecimal()]  # noqa: PTH208  names only
    processes = (_process(int(name)) for name in names)
    return [process for process in processes if process is not None and process.group == group]


def _start_time(process: _Process | None) -> str:
    boot = _boot()
    return "" if process is None or not boot else f"{boot}:{process.ticks}"


def _process(pid: int) -> _Process | None:
    """A process that runs; None if there is none of this id, or it has ended."""
    process = _listed(pid)
    return None if process is None or process.ended else process


def _listed(pid: int) -> _Process | None:
    if sys.platform != "linux":  # pragma: no cover  the other systems
        return None
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name of a command may hold blanks and brackets; the last bracket ends it.
    fields = stat.rpartition(")")[2].split()
    ended = fields[_STATE] in _ENDED
    return _Process(pid, int(fields[_GROUP]), int(fields[_START_TIME]), ended)


def _boot() -> str:
    if sys.platform != "linux":  # pragma: no cover  the other systems
        return ""
    try:
        identity = _PROC / "sys" / "kernel" / "random" / "boot_id"
        return identity.read_text(encoding="ascii").strip()
    except OSError:
        return ""
