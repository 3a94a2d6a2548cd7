"""Time whole processes, fairly: every round runs each command once, so that a busy moment hits all of them alike."""

from __future__ import annotations

import statistics
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Timing(NamedTuple):
    """Wall-clock seconds of one command over all rounds. `best` is what the work costs, `median` what people wait."""

    best: float
    median: float


def _seconds(command: Sequence[str], cwd: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(commands: Mapping[str, Sequence[str]], cwd: Path, rounds: int) -> dict[str, Timing]:
    """Run every command `rounds` times and once before, so that byte code and disk caches are warm.

    Raises:
        subprocess.CalledProcessError: a command failed; what it costs to fail is no measurement.
    """
    for command in commands.values():
        _seconds(command, cwd)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(_seconds(command, cwd))
    return {name: Timing(min(times), statistics.median(times)) for name, times in seconds.items()}
