"""Which process is meant by a process id: ids are used again, so a start time stands beside each
(law 10).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START_TIME = 0, 19
"""Indexes of `state` and `starttime` (fields 3 and 22) among the fields of /proc/PID/stat that
follow the command's name; proc(5).
"""
_ENDED = frozenset("ZX")
"""States of a process that has ended and is only still listed: nobody may have asked how it ended
(a container without an init).
"""


def started(pid: int) -> str:
    """Say when a process started, as text that is equal only for the same process.

    Args:
        pid: A process id of this machine.

    Returns:
        `BOOT:TICKS` on Linux: the boot's id, and clock ticks from it to the start. Empty when there
            is no such process any more, or on a
        system that does not tell without extra libraries (macOS, Windows): a reader must not take
            empty texts for equal ones.
    """
    if sys.platform != "linux":  # pragma: no cover  the other systems
        return ""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    # The name of a command may hold blanks and brackets; the last bracket ends it.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[_STATE] in _ENDED else f"{boot}:{fields[_START_TIME]}"


def same(pid: int, start: str) -> bool:
    """Say whether the process that had this id and start time still runs; False also when that
    cannot be known.
    """
    return bool(start) and started(pid) == start


def end(pid: int, start: str) -> None:
    """End a process that still is the one that had this id and start time, with everything that it
    started.

    Only one that leads a process group of its own, as those do that run steps: whatever else a
    journal may name is left alone.
    """
    if sys.platform == "win32" or not same(pid, start):
        return
    with contextlib.suppress(OSError):
        if os.getpgid(pid) == pid != os.getpgrp():
            os.killpg(pid, signal.SIGKILL)
