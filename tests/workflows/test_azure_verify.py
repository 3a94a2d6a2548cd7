"""The stage of Azure Pipelines that looks, after an apply, whether what was applied is in effect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.workflows.live import live_reconciler
from tests.workflows.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.workflows.azure import AzureRan
    from tests.workflows.project import Project


def report(project: Project, ran: AzureRan) -> str:
    """What the page of the run shows."""
    folder = project.organization.folder / str(project.organization.next_run - 1)
    file = folder / "verify" / "verify" / "temp" / "verify.md"
    assert f"##vso[task.uploadsummary]{file}\n" in ran.printed
    return file.read_text()


def newest(project: Project) -> Path:
    return project.organization.folder / "runs" / str(project.organization.next_run - 1)


def edit(project: Project, change: Callable[[Any], object]) -> None:
    """Let somebody change the tenant between the apply and the job that verifies."""

    def changed() -> None:
        file = newest(project) / "applied-contoso-1" / "simulated.json"
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))

    project.organization.before["verify"] = changed


def test_what_was_applied_is_verified_by_a_job_with_a_checkout_of_its_own(project: Project) -> None:
    project.approve()
    file = project.organization.checkout / "tenant.json"
    project.organization.before["verify"] = file.unlink
    ran = project.run("apply.yml")
    assert ran.results["verify.verify"] == "success", ran.printed
    assert "Verified: 13 objects accepted and visible" in report(project, ran)
    assert ran.waited == ()


def to_before(content: Any) -> None:
    content.clear()
    content.update(json.loads((ROOT / "reconciler" / "tenants" / "contoso.json").read_text()))


def by_hand(content: Any) -> None:
    for policy in content["teams"]["policies"]:
        if policy["Identity"] == "Tag:Test-policy":
            policy["AppIds"] = ["11111111-1111-4111-8111-111111111111"]


@pytest.mark.parametrize(
    ("change", "told"), [(to_before, "as before the plan"), (by_hand, "changed since")]
)
def test_what_is_late_or_was_changed_since_fails_and_is_shown(
    project: Project, change: Callable[[Any], object], told: str
) -> None:
    project.approve()
    edit(project, change)
    ran = project.run("apply.yml")
    assert ran.results["apply.covered"] == "success"
    assert ran.results["verify.verify"] == "failure"
    assert "##vso[task.logissue type=error]Not all of what was applied" in ran.printed
    assert "exit code 7" in ran.printed
    assert told in report(project, ran)


def test_it_can_be_switched_off(project: Project) -> None:
    project.approve()
    ran = project.run("apply.yml", {"verify": False})
    assert ran.results["apply.covered"] == "success"
    assert ran.results["verify.verify"] == ran.results["verify.wait"] == "skipped"


@pytest.mark.parametrize(
    ("ended", "code", "wrote"),
    [("ok", 0, True), ("applied-in-part", 6, True), ("not-verified", 7, True), ("stale", 5, False)],
)
def test_a_live_tenant_is_read_as_the_reader_after_a_job_without_an_agent_has_waited(
    project: Project, ended: str, code: int, wrote: bool
) -> None:
    tool = project.organization.folder / "tools" / "reconciler"
    tool.write_text(live_reconciler(ended, code))
    ran = project.run("apply.yml", {"source": "live", "verifyAfter": "80"})
    assert ran.results["verify.verify"] == ("success" if wrote else "skipped"), ran.printed
    assert ran.waited == (("80",) if wrote else ())
    asked = (project.organization.folder / "tools.txt").read_text().splitlines()
    lines = [line for line in asked if line.startswith("reconciler verify")]
    assert len(lines) == wrote
    for line in lines:
        assert "/apply-contoso/plan.json --tenant live --journal " in line
        assert line.endswith("apply-000010.jsonl --timeout 30 --path policies --format markdown")


def test_the_newest_attempt_of_this_very_tenant_counts(project: Project) -> None:
    tool = project.organization.folder / "tools" / "reconciler"
    tool.write_text(live_reconciler("ok", 0))

    def others() -> None:
        for name in ("journal-contoso-2", "journal-contoso-10", "journal-contoso-eu-11"):
            (newest(project) / name).mkdir()
            (newest(project) / name / "apply-000011.jsonl").touch()

    project.organization.before["verify"] = others
    project.run("apply.yml", {"source": "live"})
    asked = (project.organization.folder / "tools.txt").read_text()
    assert "/journal-contoso-10/apply-000011.jsonl" in asked
