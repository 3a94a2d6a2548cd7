"""Processes of this machine, as a journal names them."""

from __future__ import annotations

from typing import NamedTuple


class RunnerProcess(NamedTuple):
    """A process id, which is given away again, and beside it the start time, which is not.

    `started` is a text as `processes.groups` makes it; empty where the system does not
    tell.
    """

    pid: int
    started: str
