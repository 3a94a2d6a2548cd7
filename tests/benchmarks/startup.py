"""Start-up: what one waits for before anything is done, beside what Python and click cost by
themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.measuring import measure
from tests.benchmarks.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.benchmarks.measuring import Timing

ROOT = Path(__file__).parents[2]
RECONCILER = str(Path(sys.executable).with_name("reconciler"))

PYTHON = "python -c pass"
CLICK = "bare click"
IMPORTS = "import click, yaml, jinja2, jsonschema, deepdiff"
VERSION = "reconciler --version"
VALIDATE = "reconciler validate policies"
PLAN = "reconciler plan policies"

COMMANDS = {
    PYTHON: (sys.executable, "-c", "pass"),
    CLICK: (sys.executable, "-c", "import click; click.command()(lambda: None)([])"),
    IMPORTS: (sys.executable, "-c", IMPORTS),
    VERSION: (RECONCILER, "--version"),
    VALIDATE: (RECONCILER, "validate", "policies"),
    PLAN: (RECONCILER, "plan", "policies"),
}

# What each command of ours is compared with, and the largest ratio that is wanted.
FLOORS = {VERSION: (CLICK, 2.0), VALIDATE: (IMPORTS, None), PLAN: (IMPORTS, 1.3)}


def rows(rounds: int) -> Iterator[Row]:
    """Measure start-up in the repository itself, on its own documents and its bundled tenant."""
    return _compared(measure(COMMANDS, ROOT, rounds))


def _compared(timings: Mapping[str, Timing]) -> Iterator[Row]:
    for name, timing in timings.items():
        floor, budget = FLOORS.get(name, (None, None))
        ratio = timing.best / timings[floor].best if floor else None
        yield Row("start-up", name, timing.best, timing.median, floor, ratio, budget, timing.peak)
