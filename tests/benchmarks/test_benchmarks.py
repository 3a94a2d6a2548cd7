"""The benchmark runs and says what it measured; how long anything takes is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.benchmarks import floor, generated_tenants
from tests.benchmarks.rows import Row, table
from tests.benchmarks.stages import STAGES
from tests.benchmarks.startup import COMMANDS, FLOORS, ROOT


def _rows(*arguments: str) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "tests.benchmarks", "--rounds", "1", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["rows"]


def test_every_command_has_a_row_and_those_of_ours_a_ratio() -> None:
    rows = {row["name"]: row for row in _rows("start-up")}
    assert rows.keys() == COMMANDS.keys()
    assert {name for name, row in rows.items() if row["ratio"]} == FLOORS.keys()


def test_a_small_tenant_has_a_row_for_every_stage() -> None:
    rows = _rows("--largest", "100", "scaling")
    staged = {str(row["name"]).partition(": ")[2] for row in rows if row["stage"] == "stages"}
    assert staged >= {stage for stage, _, _ in STAGES} - {"read"}
    assert {row["stage"] for row in rows} == {
        "floor",
        "plan",
        "stages",
        "calls",
        "from zero",
        "html",
        "looks",
        "markdown",
        "text",
        "apply",
    }


def test_an_apply_through_processes_has_a_row() -> None:
    (row,) = _rows("--largest", "200", "stand-in")
    assert (row["stage"], row["unit"]) == ("stand-in", "steps/s")
    assert isinstance(row["best"], float)
    assert row["best"] > 0


def test_a_fleet_has_a_row_beside_as_many_single_runs() -> None:
    rows = _rows("--largest", "2", "fleet")
    assert [row["budget"] for row in rows] == [None, 1.2, 1.2, None, 0.6]


@pytest.mark.parametrize("form", ["yaml", "csv"])
def test_the_floor_finds_what_differs(tmp_path, form) -> None:
    world = generated_tenants.write(tmp_path / "world", 1000, form)
    exchange = generated_tenants.EXCHANGE_POLICIES // generated_tenants.ONE_OF
    assert len(floor.differing(world.documents, world.capture)) == world.changes - exchange


def test_a_table_shows_units_ratios_and_budgets() -> None:
    rows = [
        Row("start-up", "floor", 0.01, 0.02),
        Row("start-up", "ours", 0.03, 0.04, "floor", 3.0, 2.0),
        Row("apply", "rate", 400.0, 400.0, budget=300.0, unit="steps/s"),
    ]
    shown = table(rows)
    assert "10.0 ms" in shown
    assert "3.00 x floor  [at most 2: MISSED]" in shown
    assert "[at least 300: kept]" in shown
