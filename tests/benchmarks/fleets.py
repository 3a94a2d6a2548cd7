"""Many tenants on one machine: what `fleet` costs beside as many single runs, and how much sooner
two at a time are done.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.rows import Row
from tests.benchmarks.startup import RECONCILER
from tests.cli.tenants_sample import settle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST = 200
CPU, CLOCK = "user CPU", "seconds on the clock"


def rows(rounds: int, largest: int) -> Iterator[Row]:
    """Plan tenants one by one, then with `fleet`, one and two at a time."""
    count = min(MOST, largest)
    names = {f"tenant{number:03}": str(uuid.UUID(int=number + 1)) for number in range(count)}
    with tempfile.TemporaryDirectory() as place:
        folder = settle(Path(place), names)
        (folder / "policies" / "shared" / "apps.yaml").write_text(_shared(), encoding="utf-8")
        single = [_plan(name) for name in names]
        fleet = [_fleet(1)], [_fleet(2)]
        _spent(single[:1], folder)
        _spent(fleet[1], folder)
        for _ in range(rounds):
            alone, one, two = (_spent(commands, folder) for commands in (single, *fleet))
            yield from _compared(count, alone, one, two)


def _compared(
    count: int, alone: tuple[float, float], one: tuple[float, float], two: tuple[float, float]
) -> Iterator[Row]:
    floor = f"{count} single plans"
    yield Row("fleet", f"{floor}, {CPU}", alone[0], alone[0])
    for jobs, (cpu, _) in ((1, one), (2, two)):
        name = f"fleet of {count}, {jobs} at a time, {CPU}"
        yield Row("fleet", name, cpu, cpu, floor, cpu / alone[0], 1.2)
    yield Row("fleet", f"fleet of {count}, 1 at a time, {CLOCK}", one[1], one[1])
    name = f"fleet of {count}, 2 at a time, {CLOCK}"
    yield Row("fleet", name, two[1], two[1], "1 at a time", two[1] / one[1], 0.6)


def _plan(name: str) -> Sequence[str]:
    paths = (f"policies/{name}", "policies/shared")
    return (RECONCILER, "plan", *paths, "--tenant", f"sim:{name}.json")


def _fleet(jobs: int) -> Sequence[str]:
    options = ("--jobs", str(jobs), "--summary")
    return (RECONCILER, "fleet", *options, "--", "plan", "--tenant", "sim:{tenant}.json")


def _spent(commands: Sequence[Sequence[str]], folder: Path) -> tuple[float, float]:
    """User CPU seconds of commands and all that they started, and seconds on the clock."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begun, spent = time.monotonic(), 0.0
    for command in commands:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=sys.stderr
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        spent += used.ru_utime
    return spent, time.monotonic() - begun


def _shared() -> str:
    return (
        "apiVersion: reconciler/v1\nkind: Application\nmetadata: {name: crm}\n"
        "spec: {appId: 7a774f0c-7a6f-11e0-85ad-07fb4824019b}\n---\n"
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name: Hosts}\n"
        "spec:\n  tenants: [tenant000]\n  applications: [crm]\n"
    )
