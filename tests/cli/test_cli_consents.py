"""Standing consents are called unused only by a plan in which nothing is left out that may need them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
UNUSED = "A consent was given that nothing in this plan needs"


def entry(tenant: dict) -> None:  # type: ignore[type-arg]
    """An entry of the list that the tenant gets is not understood, so that the grant is held."""
    tenant["teams"]["policies"][1]["AppIds"] = ["<APP_ID>"]


def twice(tenant: dict) -> None:  # type: ignore[type-arg]
    """The policy that the tenant gets is read twice."""
    tenant["teams"]["policies"].append({"Identity": "Tag:TEST-POLICY", "AppIds": []})


def unresolved(tenant: dict) -> None:  # type: ignore[type-arg]
    """A listed user is not found."""
    users = tenant["directory"]["users"]
    tenant["directory"]["users"] = [row for row in users if not row["upn"].startswith("megan")]


@pytest.mark.parametrize("odd", [entry, twice, unresolved], ids=lambda odd: odd.__name__)
def test_not_where_something_is_held(
    run: Run,
    folder: Path,
    odd: Callable[[dict], None],  # type: ignore[type-arg]
) -> None:
    file = folder / "tenant.json"
    tenant = json.loads(file.read_text("utf-8"))
    odd(tenant)
    file.write_text(json.dumps(tenant), encoding="utf-8")
    ran = run("plan", *SIM)
    assert "\nPlan: " in ran.out
    assert UNUSED not in ran.out


@pytest.mark.parametrize(
    "selection",
    [
        ("--only", "mailbox-analytics"),
        ("--skip", "teams.grant/tenant"),
        ("--only", "teams.policy/MY-APP-POLICY"),
    ],
)
def test_not_by_a_selection(run: Run, folder: Path, selection: tuple[str, ...]) -> None:
    assert (folder / "tenant.json").exists()
    assert UNUSED not in run("plan", *SIM, *selection).out


@pytest.mark.parametrize("more", ["policies/exchange", "policies/exchange/crm.yaml"])
def test_not_by_a_run_of_another_product_s_documents(run: Run, folder: Path, more: str) -> None:
    assert (folder / more).exists()
    ran = run("plan", "policies/tenant.yaml", "policies/applications.yaml", more, *SIM)
    assert (ran.code, UNUSED in ran.out) == (0, False)


@pytest.mark.parametrize(
    "rule", ["tenant-wide:exchange.application", "tenant-wide:teams.application"]
)
def test_but_by_a_whole_plan_and_where_it_is_typed(run: Run, folder: Path, rule: str) -> None:
    consent = f"{rule}/e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"
    for selection in ((), ("--only", "mailbox-analytics")):
        ran = run("plan", *SIM, *selection, "--allow", consent)
        assert UNUSED in ran.out
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    assert run("apply", "plan.json", *SIM, "--auto-approve").code == 0
    assert (folder / "tenant.json").exists()
    assert UNUSED in run("plan", *SIM).out
