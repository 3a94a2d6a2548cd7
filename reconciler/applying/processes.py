"""Processes of an earlier apply: whether one still runs, and the end of what may still write."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from reconciler.processes.groups import end_members, group_runs, running, started

__all__ = ["end_group", "group_runs", "running", "same", "started"]


def same(pid: int, start: str) -> bool:
    """Say whether the process that had this id and start time is still running; False if that
    cannot be determined.
    """
    return bool(start) and started(pid) == start


def end_group(leader: int, start: str) -> None:
    """End every process of the group that a process with this id and start time was made to lead,
    whether or not the leader itself still runs.

    Whatever else a journal may name is left alone: a process that leads no group of its own, and
    our own group.
    """
    if not group_runs(leader, start):
        return
    if sys.platform == "win32":  # pragma: no cover  Windows has no groups
        end_members(leader, start)
        return
    with contextlib.suppress(OSError):
        if leader != os.getpgrp() and not (same(leader, start) and os.getpgid(leader) != leader):
            os.killpg(leader, signal.SIGKILL)
