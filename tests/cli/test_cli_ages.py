"""How old a reading is: told when a plan is shown or applied, never in the file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

CAPTURED = ("--tenant", "capture.json")


def _captured(run: Run, folder: Path, age: timedelta, **more: object) -> None:
    """A capture of a tenant that was not simulated."""
    assert run("fetch", "--out", "capture.json", "--tenant", "sim:tenant.json").code == 0
    raw = json.loads((folder / "capture.json").read_text(encoding="utf-8"))
    taken = datetime.now(UTC) - age
    del raw["simulated"]
    raw |= {"taken_at": taken.strftime("%Y-%m-%dT%H:%M:%SZ"), **more}
    (folder / "capture.json").write_text(json.dumps(raw), encoding="utf-8")


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (timedelta(hours=25), "25 hours"),
        (timedelta(hours=49), "2 days"),
        (timedelta(days=400), "400 days"),
    ],
)
def test_a_reading_beyond_a_day_is_warned_of(
    run: Run, folder: Path, age: timedelta, told: str
) -> None:
    _captured(run, folder, age)
    planned = run("plan", "--out", "plan.json", *CAPTURED)
    shown = run("show", "plan.json", "--format", "json")
    for ran in (planned, shown):
        assert ran.code == 0
        assert f"Warning: the tenant was read {told} ago" in ran.err
    assert (folder / "plan.json").read_text(encoding="utf-8").rstrip("\n") in shown.out
    assert told not in shown.out


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=23), timedelta(days=-3)])
def test_a_fresh_reading_or_a_clock_that_is_behind_is_not(
    run: Run, folder: Path, age: timedelta
) -> None:
    _captured(run, folder, age)
    planned = run("plan", "--out", "plan.json", "--max-age", "24", *CAPTURED)
    assert (planned.code, planned.err) == (0, "")


@pytest.mark.parametrize("command", ["plan", "show", "apply"])
def test_an_age_that_was_typed_refuses(run: Run, folder: Path, command: str) -> None:
    _captured(run, folder, timedelta(hours=5))
    assert run("plan", "--out", "plan.json", *CAPTURED).code == 0
    before = (folder / "tenant.json").read_bytes()
    asked = {
        "plan": CAPTURED,
        "show": ("plan.json",),
        "apply": ("plan.json", "--auto-approve", "--tenant", "sim:tenant.json"),
    }[command]
    refused = run(command, *asked, "--max-age", "4")
    assert (refused.code, refused.out) == (4, "")
    assert "the tenant was read 5 hours ago" in refused.err
    assert "--max-age 4" in refused.err
    assert (folder / "tenant.json").read_bytes() == before
    assert run(command, *asked, "--max-age", "6").code == 0


@pytest.mark.parametrize("age", ["-1", "nan", "inf", "1e3", "0x10", "2.5", "", " ", "1h"])
def test_an_age_is_a_whole_number_of_hours(run: Run, folder: Path, age: str) -> None:
    _captured(run, folder, timedelta(hours=5))
    for command in (("plan", *CAPTURED), ("apply", "--auto-approve", "--tenant", "sim:t.json")):
        refused = run(*command, f"--max-age={age}")
        assert (refused.code, refused.out) == (64, "")
        assert "Invalid value for '--max-age': " in refused.err
    assert not (folder / "t.json").exists()


def test_a_simulated_tenant_has_no_age(run: Run, folder: Path) -> None:
    _captured(run, folder, timedelta(days=900), simulated=True)
    planned = run("plan", "--out", "plan.json", "--max-age", "0", *CAPTURED)
    assert (planned.code, planned.err) == (0, "")
    assert run("show", "plan.json", "--max-age", "0").code == 0


def test_an_approval_expires(run: Run, folder: Path) -> None:
    _captured(run, folder, timedelta(hours=5))
    assert run("plan", "--out", "approved.json", *CAPTURED).code == 0
    tenant = ("--tenant", "sim:tenant.json")
    command = ("apply", "--auto-approve", *tenant, "--approved", "approved.json", "--max-age")
    before = (folder / "tenant.json").read_bytes()
    refused = run(*command, "4")
    assert (refused.code, refused.out) == (4, "")
    assert "the approval has expired: the tenant was read 5 hours ago for approved.json" in (
        refused.err
    )
    assert (folder / "tenant.json").read_bytes() == before
    applied = run(*command, "6")
    assert applied.code == 0, applied.err
