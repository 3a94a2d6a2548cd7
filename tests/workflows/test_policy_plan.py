"""The workflow that plans a pull request: the comment, forks, refused plans, whose capture it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.workflows.running import BRANCH, REPOSITORY, WORKFLOWS, commit, run_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.workflows.running import Platform, Ran

WORKFLOW = "policy-plan.yml"
MARKER = "<!-- reconciler plan contoso -->"
INPUTS = {"tool": "reconciler==1", "tenant": "contoso"}
KEPT = {"plan.json", "plan.md", "plan.html", "findings.sarif", "junit.xml", "output.json"}


def event(base: str, repository: str = REPOSITORY) -> Mapping[str, Any]:
    return {
        "event_name": "pull_request",
        "ref_name": "7/merge",
        "event": {
            "pull_request": {
                "number": 7,
                "base": {"sha": base},
                "head": {"repo": {"full_name": repository}},
            },
            "repository": {"default_branch": BRANCH},
        },
    }


class Pull:
    """A pull request against the sample, on a platform that has a capture."""

    def __init__(self, platform: Platform, capture: Path) -> None:
        self.platform = platform
        platform.keep("1", "capture-contoso", capture)
        platform._next_run = 2
        self.base = commit(platform.checkout, "the sample")

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.platform.checkout / "policies" / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        commit(self.platform.checkout, "an edit")

    def run(self, repository: str = REPOSITORY, **inputs: str) -> Ran:
        return self.platform.run(WORKFLOW, event(self.base, repository), {**INPUTS, **inputs})

    def artefacts(self) -> set[str]:
        newest = self.platform.folder / "runs" / str(self.platform._next_run - 1) / "plan-contoso"
        return {file.name for file in newest.iterdir()} if newest.exists() else set()

    def comments(self) -> list[str]:
        return [row["body"] for row in self.platform.state["comments"]]


@pytest.fixture
def pull(platform: Platform, capture: Path) -> Pull:
    return Pull(platform, capture)


def test_every_block_runs_and_the_comment_is_made_and_then_edited(pull: Pull) -> None:
    ran = pull.run()
    assert ran.results == {"plan": "success", "comment": "success"}, ran.printed
    assert ran.blocks == run_blocks(WORKFLOW)
    assert pull.artefacts() >= KEPT
    (first,) = pull.comments()
    assert first.startswith(f"{MARKER}\n")
    assert "3 applications newly reach EVERYONE" in first
    outputs = ran.outputs["plan"]
    assert (outputs["applicable"], outputs["exit_name"]) == ("true", "ok")
    assert outputs["content_digest"] in first
    pull.edit("exchange/crm.yaml", "description: ", "description: Edited. ")
    again = pull.run()
    assert again.results["comment"] == "success", again.printed
    (second,) = pull.comments()
    assert second != first
    assert again.outputs["plan"]["content_digest"] in second
    assert pull.platform.written() == [
        f"POST repos/{REPOSITORY}/issues/7/comments",
        f"PATCH repos/{REPOSITORY}/issues/comments/100",
    ]


def test_a_comment_of_somebody_else_with_the_same_first_line_is_left_alone(pull: Pull) -> None:
    foreign = {"id": 5, "issue": 7, "user": {"login": "mallory"}, "body": f"{MARKER}\nAll is well."}
    pull.platform.state["comments"].append(foreign)
    pull.run()
    assert pull.comments()[0] == foreign["body"]
    assert len(pull.comments()) == 2


def test_a_second_tenant_has_a_comment_of_its_own(pull: Pull, capture: Path) -> None:
    pull.run()
    pull.platform.keep("1", "capture-fabrikam", capture)
    pull.run(tenant="fabrikam")
    assert [body.split("\n")[0] for body in pull.comments()] == [
        MARKER,
        MARKER.replace("contoso", "fabrikam"),
    ]


def test_a_fork_has_the_plan_and_no_comment(pull: Pull) -> None:
    ran = pull.run("mallory/policies")
    assert ran.results == {"plan": "success", "comment": "skipped"}
    assert pull.artefacts() >= KEPT
    assert pull.platform.written() == []


def test_a_refused_plan_fails_and_is_shown_and_kept(pull: Pull) -> None:
    tenant = pull.platform.checkout / "policies" / "tenant.yaml"
    lines = [line for line in tenant.read_text().splitlines() if "tenant-wide:" not in line]
    tenant.write_text("\n".join(lines).replace("consents:", "consents: []"))
    ran = pull.run()
    assert ran.results == {"plan": "failure", "comment": "success"}, ran.printed
    assert ran.outputs["plan"]["exit_name"] == "refused"
    assert pull.artefacts() >= KEPT
    assert "NOT APPLICABLE" in pull.comments()[0]


def test_faulty_documents_fail_and_are_shown(pull: Pull) -> None:
    pull.edit("tenant.yaml", "maxDeletes: 5", "maxDeletes: five")
    ran = pull.run()
    assert ran.results == {"plan": "failure", "comment": "success"}, ran.printed
    assert "expected an integer" in pull.comments()[0]
    assert pull.artefacts() >= KEPT - {"plan.json"}


def test_without_a_capture_the_drift_workflow_is_named(pull: Pull) -> None:
    pull.platform.state["artifacts"].clear()
    ran = pull.run()
    assert ran.results["plan"] == "failure"
    assert "Run the drift workflow" in ran.printed
    assert pull.platform.written() == []


@pytest.mark.parametrize(
    "origin",
    [{"head_branch": "a-branch"}, {"head_repository_id": 2}],
    ids=["of a branch", "of a fork whose branch is called main"],
)
def test_a_capture_that_a_pull_request_kept_is_not_taken(
    pull: Pull, tmp_path: Path, origin: Mapping[str, object]
) -> None:
    forged = tmp_path / "capture.json"
    forged.write_text("{}")
    pull.platform.keep("9", "capture-contoso", forged, **origin)
    expired = {**pull.platform.state["artifacts"][0], "expired": True}
    later = {"created_at": "2027-01-01T00:00:00Z", "workflow_run": {"id": 9, "head_branch": BRANCH}}
    pull.platform.state["artifacts"].append({**expired, **later})
    assert pull.run().results["plan"] == "success"


def test_a_redacted_plan_names_nobody_and_keeps_no_json(pull: Pull) -> None:
    ran = pull.run(redact="names")
    assert ran.results == {"plan": "success", "comment": "success"}, ran.printed
    assert not {name for name in pull.artefacts() if name.endswith(".json")}
    assert "Adele" not in pull.comments()[0]


def test_folders_with_blanks_and_dashes_are_paths(pull: Pull) -> None:
    checkout = pull.platform.checkout
    (checkout / "policies").rename(checkout / "-my policies")
    commit(checkout, "renamed")
    ran = pull.run(paths="-my policies\n\n")
    assert ran.results["plan"] == "success", ran.printed


def test_the_job_that_sees_the_pull_request_has_no_token_that_writes() -> None:
    workflow = yaml.safe_load((WORKFLOWS / WORKFLOW).read_text())
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["plan"]["permissions"] == {"contents": "read", "actions": "read"}
    uses = [step.get("uses", "") for step in workflow["jobs"]["comment"]["steps"]]
    assert not any("checkout" in use for use in uses)
