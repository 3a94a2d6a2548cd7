"""An object that cannot be understood, through the life of a plan: it is named and stays as it is,
whatever is selected beside it, and drift, apply, verify, rehearse and undo go on for the rest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
POLICY = "ApplicationAccessPolicy"
ZEROS = "00000000-0000-0000-0000-000000000000"
OLD = "9d9e9ef6-700e-43b4-b202-9af752d31077"
"""An application of whose policy no document says anything."""

Rows = list[dict[str, Any]]


def _row(rows: Rows, key: str, beginning: str) -> dict[str, Any]:
    return next(row for row in rows if str(row[key]).startswith(beginning))


def placeholder(tenant: dict[str, Any]) -> dict[str, Any]:
    row = _row(tenant["exchange"]["policies"], "AppId", OLD)
    return row | {"AppId": ZEROS}


def right(tenant: dict[str, Any]) -> dict[str, Any]:
    return _row(tenant["exchange"]["policies"], "AppId", OLD) | {"AccessRight": "ReadOnly"}


def entry(tenant: dict[str, Any]) -> dict[str, Any]:
    row = _row(tenant["teams"]["policies"], "Identity", "Tag:Legacy")
    return row | {"AppIds": [*row["AppIds"], "<APP_ID>"]}


def granted_global(tenant: dict[str, Any]) -> dict[str, Any]:
    row = _row(tenant["teams"]["users"], "UserPrincipalName", "lynne")
    return row | {POLICY: {"Name": "Global"}}


def damaged(tenant: dict[str, Any]) -> dict[str, Any]:
    row = _row(tenant["teams"]["users"], "UserPrincipalName", "lynne")
    return row | {POLICY: {"Name": "Test\ufffdpolicy"}}


def nobody(tenant: dict[str, Any]) -> dict[str, Any]:
    row = _row(tenant["teams"]["users"], "UserPrincipalName", "lynne")
    return row | {"Identity": ZEROS}


ODD = (placeholder, right, entry, granted_global, damaged, nobody)


def _rows_of(tenant: dict[str, Any]) -> list[Any]:
    teams = tenant["teams"]
    return [*teams["policies"], *teams["users"], *tenant["exchange"]["policies"]]


@pytest.fixture(params=ODD, ids=lambda odd: odd.__name__)
def row(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """The odd row, in the place of the one that it is made of; without the access tests, which the
    undone tenant did not pass before either.
    """
    for tests in (folder / "policies").rglob("tests.yaml"):
        tests.unlink()
    file = folder / "tenant.json"
    tenant = json.loads(file.read_text("utf-8"))
    changed: dict[str, Any] = request.param(tenant)
    for rows in (tenant["teams"]["policies"], tenant["teams"]["users"]):
        rows[:] = [changed if _is_made_of(changed, each) else each for each in rows]
    rows = tenant["exchange"]["policies"]
    rows[:] = [changed if _is_made_of(changed, each) else each for each in rows]
    file.write_text(json.dumps(tenant), encoding="utf-8")
    assert changed in _rows_of(tenant)
    return changed


def _is_made_of(changed: dict[str, Any], original: dict[str, Any]) -> bool:
    key = "UserPrincipalName" if "UserPrincipalName" in changed else "Identity"
    return bool(original.get(key) == changed[key])


def test_from_drift_to_undo_the_rest_goes_on(run: Run, folder: Path, row: dict[str, Any]) -> None:
    def stays() -> bool:
        return row in _rows_of(json.loads((folder / "tenant.json").read_text("utf-8")))

    assert run("drift", *SIM).code == 2
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    assert "not-understood" in {note["code"] for note in plan["held"]}
    assert {step["provider"] for step in plan["steps"]} == {"teams", "exchange"}
    assert run("rehearse", "plan.json", *SIM).code == 0
    assert run("apply", "plan.json", *SIM, "--auto-approve").code == 0
    assert stays()
    again = json.loads(run("plan", *SIM, "--format", "json").out)
    assert again["plan"]["steps"] == []
    assert run("verify", "plan.json", *SIM, "--timeout", "0").code == 0
    undo = ("undo", "plan.json", *SIM, "--out", "undo.json")
    assert run(*undo).code in {0, 4}
    refused = json.loads((folder / "undo.json").read_text("utf-8"))["refusals"]
    undone = run(
        *undo, *(word for note in refused for word in ("--allow", note["details"]["allow"]))
    )
    assert undone.code == 0, undone
    assert run("apply", "undo.json", *SIM, "--auto-approve").code == 0
    assert stays()


@pytest.mark.parametrize(
    "selection",
    [
        ("--only", "mailbox-analytics", "--skip", "teams.policy/Test-policy"),
        ("--only", "teams.policy/MY-APP-POLICY"),
        ("--skip", "application/crm", "--skip", "teams.grant/tenant"),
    ],
    ids=" ".join,
)
def test_a_selection_beside_it_widens_nothing(
    run: Run, folder: Path, row: dict[str, Any], selection: tuple[str, ...]
) -> None:
    """Its steps are steps of the whole plan, and the odd row is still told."""
    assert row
    for name, more in (("whole.json", ()), ("part.json", selection)):
        assert run("plan", *SIM, *more, "--out", name).code in {0, 4}
    whole, part = (
        json.loads((folder / name).read_text("utf-8")) for name in ("whole.json", "part.json")
    )
    assert {step["text"] for step in part["steps"]} <= {step["text"] for step in whole["steps"]}
    assert "not-understood" in {note["code"] for note in part["held"]}
