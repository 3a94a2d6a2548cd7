"""The workflow that applies what was merged: what the approval covers, what asks for one of its own,
what is not applied at all, and an apply that goes on where another one stopped.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.workflows.merged import DONE, LIVE_ONLY, NOTHING, SIM, WORKFLOW
from tests.workflows.running import WORKFLOWS, run_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.workflows.merged import Merged


def test_what_was_approved_is_applied_without_another_approval(merged: Merged) -> None:
    merged.approve()
    ran = merged.push()
    assert ran.results == DONE, ran.printed
    assert ran.environments == {"apply": "tenant"}
    assert ran.blocks == run_blocks(WORKFLOW) - LIVE_ONLY
    assert not merged.has_changes()
    assert merged.artefact("applied-contoso") >= {"plan.md", "job.json"}
    assert merged.push().results == {**NOTHING, "plan": "success"}


def test_a_part_of_what_was_approved_is_applied_too(merged: Merged) -> None:
    merged.approve()
    merged.reconciler("apply", *SIM, "--auto-approve", "--only", "application/mailbox-analytics")
    ran = merged.push()
    assert ran.results["apply"] == "success", ran.printed
    assert ran.environments == {"apply": "tenant"}
    assert "It is a part of" in ran.printed
    assert not merged.has_changes()


def test_what_was_not_approved_asks_for_an_approval_and_says_what_differs(merged: Merged) -> None:
    merged.approve("--only", "application/mailbox-analytics")
    ran = merged.push()
    assert ran.environments == {"apply": "tenant-approval"}
    assert "differs from" in ran.printed
    assert ran.results["apply"] == "success", ran.printed  # whoever was asked said yes


@pytest.mark.parametrize("missing", ["pulls", "artifacts"])
def test_without_an_approved_plan_an_approval_is_asked_for(merged: Merged, missing: str) -> None:
    merged.approve()
    merged.platform.state[missing] = []
    ran = merged.push()
    assert ran.results == DONE, ran.printed
    assert ran.environments == {"apply": "tenant-approval"}
    assert "needs an approval of its own" in ran.printed


def test_a_plan_of_another_commit_is_no_approval(merged: Merged) -> None:
    merged.approve()
    merged.platform.state["artifacts"][0]["workflow_run"]["head_sha"] = "6" * 40
    assert merged.push().environments == {"apply": "tenant-approval"}


@pytest.mark.parametrize(
    "changed",
    [{"sha": "1" * 40}, {"ref_name": "a-branch"}],
    ids=["an old commit", "another branch"],
)
def test_only_the_tip_of_the_branch_is_applied(merged: Merged, changed: Mapping[str, str]) -> None:
    merged.approve()
    ran = merged.push(**changed)
    assert ran.results == {**NOTHING, "plan": "failure"}
    assert "only that is applied" in ran.printed
    assert merged.has_changes()


def test_a_refused_plan_is_kept_and_nothing_is_applied(merged: Merged) -> None:
    merged.approve()
    tenant = merged.platform.checkout / "policies" / "tenant.yaml"
    lines = [line for line in tenant.read_text().splitlines() if "tenant-wide:" not in line]
    tenant.write_text("\n".join(lines).replace("consents:", "consents: []"))
    ran = merged.push()
    assert ran.results == {**NOTHING, "plan": "failure"}
    assert merged.artefact("apply-contoso") >= {"plan.json", "plan.md"}
    assert merged.has_changes()


def test_a_tenant_that_moved_after_the_plan_is_left_alone(merged: Merged) -> None:
    """Somebody needs an hour to approve; the plan rests on what was there before."""
    tool = merged.platform.folder / "tools" / "reconciler"
    moved = merged.platform.folder / "moved.json"
    merged.reconciler("fetch", *SIM, "--out", str(merged.platform.folder / "any.json"))
    merged.reconciler("plan", *SIM)
    other = merged.platform.checkout / "other.json"
    merged.reconciler(
        "apply", "--tenant", "sim:other.json", "--auto-approve", "--only", "application/crm"
    )
    shutil.move(other, moved)
    text = tool.read_text()
    tool.write_text(
        text.replace("exec", f'case "$2" in apply) cp {moved} tenant.json;; esac\nexec')
    )
    before = json.loads(moved.read_text())
    ran = merged.push()
    assert ran.results == {**NOTHING, "plan": "success", "apply": "failure"}, ran.printed
    assert ran.outputs["apply"]["exit_name"] == "stale"
    assert json.loads((merged.platform.checkout / "tenant.json").read_text()) == before
    assert merged.artefact("applied-contoso") >= {"plan.md", "job.json"}


def test_journals_come_with_the_next_run_and_are_believed(merged: Merged) -> None:
    merged.approve()
    assert merged.push().results["apply"] == "success"
    journals = {name for name in merged.journals() if name.endswith(".jsonl")}
    assert journals
    crm = merged.platform.checkout / "policies" / "exchange" / "crm.yaml"
    crm.write_text(crm.read_text().replace("description: ", "description: Edited. "))
    ran = merged.push()
    assert ran.results["apply"] == "success", ran.printed
    assert merged.journals() > journals
    assert "Ignoring" not in ran.printed


def test_a_journal_that_a_pull_request_kept_is_not_taken(merged: Merged, tmp_path: Path) -> None:
    merged.approve()
    forged = tmp_path / "journal.jsonl"
    forged.write_text("{}")
    merged.platform.keep("9", "journal-contoso", forged, head_branch="a-branch")
    merged.platform.keep("8", "journal-contoso", forged, head_repository_id=2)
    assert merged.push().results["apply"] == "success"
    assert "journal.jsonl" not in merged.journals()


@pytest.mark.parametrize("name", ["policy-plan.yml", "policy-drift.yml", WORKFLOW])
def test_permissions_are_the_least_and_actions_are_pinned(name: str) -> None:
    text = (WORKFLOWS / name).read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert "pull_request_target" not in text
    assert "secrets." not in text
    uses = [
        step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step
    ]
    assert uses
    assert not [use for use in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", use)]
    for job in workflow["jobs"].values():
        signs_in = job["permissions"].get("id-token") == "write"
        assert signs_in is any("azure/login" in step.get("uses", "") for step in job["steps"])
