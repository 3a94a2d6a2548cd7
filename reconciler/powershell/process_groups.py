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
    """A process that runs: the id of its group, and clock ticks from the boot to its start."""

    group: int
    ticks: int


def started(pid: int) -> str:
    """Say when a process started, as text that is equal only for the same process.

    Args:
        pid: A process id of this machine.

    Returns:
        `BOOT:TICKS` on Linux: the boot's id, and clock ticks from it to the start. Empty when there
        is no such process any more, or on a system that does not tell without extra libraries
        (macOS, Windows): a reader must not take empty texts for equal ones.
    """
    process, boot = _process(pid), _boot()
    return "" if process is None or not boot else f"{boot}:{process.ticks}"


def group_runs(leader: int, start: str) -> bool:
    """Say whether a group has a member that runs, its leader or another; False also when that
    cannot be known.

    Args:
        leader: The id of the process that the group was made for.
        start: What `started` said of it.
    """
    boot, _, ticks = start.partition(":")
    if not ticks.isdecimal() or boot != _boot():
        return False
    process = _process(leader)
    if process is not None:
        # An id is given away only once no group has it any more.
        return started(leader) == start
    return any(member.ticks >= int(ticks) for member in _members(leader))


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


def _process(pid: int) -> _Process | None:
    """A process that runs; None if there is none of this id, or it has ended."""
    if sys.platform != "linux":  # pragma: no cover  the other systems
        return None
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name of a command may hold blanks and brackets; the last bracket ends it.
    fields = stat.rpartition(")")[2].split()
    if fields[_STATE] in _ENDED:
        return None
    return _Process(int(fields[_GROUP]), int(fields[_START_TIME]))


def _boot() -> str:
    if sys.platform != "linux":  # pragma: no cover  the other systems
        return ""
    try:
        identity = _PROC / "sys" / "kernel" / "random" / "boot_id"
        return identity.read_text(encoding="ascii").strip()
    except OSError:
        return ""
