"""A measured row, and how rows are shown."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Row(NamedTuple):
    """One measurement: seconds, and the ratio to the floor it is judged by. A floor itself has neither."""

    stage: str
    name: str
    best: float
    median: float
    floor: str | None
    ratio: float | None


def table(rows: Sequence[Row]) -> str:
    """Rows for people, milliseconds."""
    width = max(len(row.name) for row in rows)
    head = f"{'stage':10} {'what':{width}} {'best ms':>9} {'median ms':>10}  ratio to its floor"
    lines = [
        f"{row.stage:10} {row.name:{width}} {row.best * 1000:9.1f} {row.median * 1000:10.1f}"
        + (f"  {row.ratio:.2f} x {row.floor}" if row.ratio is not None else "")
        for row in rows
    ]
    return "\n".join((head, *lines))


def document(rows: Sequence[Row], commit: str) -> str:
    """Rows as JSON, for comparison across commits; times in seconds."""
    where = {"commit": commit, "python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    return json.dumps({**where, "rows": [row._asdict() for row in rows]}, indent=2)
