"""The benchmark runs and says what it measured; how long anything takes is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.benchmarks.rows import Row, table
from tests.benchmarks.startup import COMMANDS, FLOORS, ROOT


def test_every_command_has_a_row_and_those_of_ours_a_ratio() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--rounds", "1", "--json", "start-up"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = {row["name"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows.keys() == COMMANDS.keys()
    assert {name for name, row in rows.items() if row["ratio"]} == FLOORS.keys()


def test_a_table_shows_milliseconds_and_ratios() -> None:
    shown = table([Row("start-up", "floor", 0.01, 0.02, None, None), Row("start-up", "ours", 0.03, 0.04, "floor", 3.0)])
    assert "10.0" in shown
    assert "3.00 x floor" in shown
