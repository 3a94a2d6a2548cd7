"""A measured row, and how rows are shown."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Row(NamedTuple):
    """One measurement: seconds, or whatever `unit` says, the ratio to the floor it is judged by,
    the largest ratio (or value) that is wanted.

    A floor itself has neither ratio nor budget. `peak`: MiB.
    """

    stage: str
    name: str
    best: float
    median: float
    floor: str | None = None
    ratio: float | None = None
    budget: float | None = None
    peak: float | None = None
    unit: str = "s"

    @property
    def judged(self) -> float:
        """What the budget speaks of."""
        return self.best if self.ratio is None else self.ratio


def table(rows: Sequence[Row]) -> str:
    """Rows for people; seconds as milliseconds."""
    width = max(len(row.name) for row in rows)
    head = (
        f"{'stage':10} {'what':{width}} {'best':>11} {'median':>11} {'peak MiB':>9}  ratio to its"
        " floor, and budget"
    )
    return "\n".join((head, *(_line(row, width) for row in rows)))


def _line(row: Row, width: int) -> str:
    best, median = (_value(value, row.unit) for value in (row.best, row.median))
    peak = "" if row.peak is None else f"{row.peak:.1f}"
    ratio = "" if row.ratio is None else f"  {row.ratio:.2f} x {row.floor}"
    figures = f"{best:>11} {median:>11} {peak:>9}{ratio}{_budget(row)}"
    return f"{row.stage:10} {row.name:{width}} {figures}".rstrip()


def _value(value: float, unit: str) -> str:
    return f"{value * 1000:.1f} ms" if unit == "s" else f"{value:.2f} {unit}".rstrip()


def _budget(row: Row) -> str:
    if row.budget is None:
        return ""
    least = row.unit == "steps/s"
    kept = row.judged >= row.budget if least else row.judged <= row.budget
    return (
        f"  [{'at least' if least else 'at most'} {row.budget:g}: {'kept' if kept else 'MISSED'}]"
    )


def document(rows: Sequence[Row], commit: str) -> str:
    """Rows as JSON, for comparison across commits; times in seconds."""
    where = {
        "commit": commit,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
    }
    return json.dumps({**where, "rows": [row._asdict() for row in rows]}, indent=2)
