"""Time whole processes, fairly: every round runs each command once, so that a busy moment hits all
of them alike.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from reconciler.errors import CHANGES_PENDING, SUCCESS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Timing(NamedTuple):
    """User CPU seconds of one command over all rounds, and its peak memory in MiB.

    User CPU, because what else the machine does is not what the work costs.
    """

    best: float
    median: float
    peak: float


_COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Byte code is kept, as pip does for whoever installs a package: reading source anew at each start
is no measure of anything.
"""


def _once(command: Sequence[str], cwd: Path) -> tuple[float, float]:
    """User CPU seconds and peak MiB of one run, as the operating system accounts for it."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=said,
            stdin=subprocess.DEVNULL,
            env=_COMPILED,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if process.returncode not in (SUCCESS, CHANGES_PENDING):
            raise subprocess.CalledProcessError(process.returncode, command, stderr=said.read())
    return used.ru_utime, used.ru_maxrss / 1024


def measure(commands: Mapping[str, Sequence[str]], cwd: Path, rounds: int) -> dict[str, Timing]:
    """Run every command `rounds` times and once before, so that byte code and disk caches are warm.

    Raises:
        subprocess.CalledProcessError: a command failed; what it costs to fail is no measurement.
    """
    for command in commands.values():
        _once(command, cwd)
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(_once(command, cwd))
    return {name: _timing(found) for name, found in runs.items()}


def _timing(runs: Sequence[tuple[float, float]]) -> Timing:
    seconds = [run[0] for run in runs]
    return Timing(min(seconds), statistics.median(seconds), max(run[1] for run in runs))
