"""What a journal says of how fast an apply went."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def rate(journal: Path) -> float:
    """Steps a second, between the first line of a step and the last."""
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    told = [datetime.fromisoformat(line["at"]) for line in lines if "state" in line]
    return len(told) / 2 / max((told[-1] - told[0]).total_seconds(), 1e-6)
