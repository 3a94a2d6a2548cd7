"""The templates for Azure Pipelines: plan, apply and drift, as on GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.workflows.azure import TEMPLATES, expanded
from tests.workflows.project import GIVEN, LIVE_ONLY, SIM, scripts
from tests.workflows.running import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.workflows.project import Project


def test_a_pull_request_is_planned_on_the_newest_capture_of_the_branch(project: Project) -> None:
    assert project.run("drift.yml").results["drift"] == "success"
    pull = project.pull()
    ran = project.run("plan.yml", **pull)
    assert ran.results == {"plan": "success", "comment": "success"}, ran.printed
    assert ran.scripts == scripts("plan.yml") - {("plan", LIVE_ONLY)}
    assert ran.outputs["plan.applicable"] == "true"
    assert "##vso[task.uploadsummary]" in ran.printed
    kept = project.artefact("plan-contoso-1")
    assert kept >= {"plan.json", "plan.md", "plan.html", "findings.sarif", "junit.xml"}
    redacted = project.run("plan.yml", {"redact": "names"}, **pull)
    assert redacted.results["plan"] == "success", redacted.printed
    assert "plan.json" not in project.artefact("plan-contoso-1")


def test_without_a_capture_nothing_is_planned(project: Project) -> None:
    ran = project.run("plan.yml")
    assert ran.results == {"plan": "failure", "comment": "skipped"}
    assert ("plan", "Plan") not in ran.scripts


def test_a_refused_plan_fails_and_is_kept(project: Project) -> None:
    project.run("drift.yml")
    tenant = project.organization.checkout / "policies" / "tenant.yaml"
    lines = [line for line in tenant.read_text().splitlines() if "tenant-wide:" not in line]
    tenant.write_text("\n".join(lines).replace("consents:", "consents: []"))
    ran = project.run("plan.yml")
    assert ran.results == {"plan": "failure", "comment": "skipped"}
    assert ran.outputs["plan.exit_name"] == "refused"
    assert project.artefact("plan-contoso-1") >= {"plan.json", "plan.md"}


def test_one_work_item_is_opened_updated_closed_and_reopened(project: Project) -> None:
    ran = project.run("drift.yml")
    assert ran.results == {"drift": "success", "ticket": "success"}, ran.printed
    assert ran.scripts == scripts("drift.yml") - {("drift", LIVE_ONLY)}
    state = lambda: project.organization.state["items"]
    (item,) = state()
    assert item["fields"]["System.Tags"] == "reconciler-drift-contoso"
    assert f"buildId={project.organization.next_run - 1}" in item["text"]
    project.run("drift.yml")
    assert len(state()) == 1
    assert state()[0]["text"] != item["text"]
    project.reconciler("apply", *SIM, "--auto-approve")
    for address in (
        "teams.policy/Legacy-recorder",
        "exchange.policy/9d9e9ef6-700e-43b4-b202-9af752d31077@sales@contoso.com",
    ):
        project.reconciler("export", *SIM, "--accept", address, "--reason", "known")
    assert project.run("drift.yml").results["ticket"] == "success"
    assert [each["fields"]["System.State"] for each in state()] == ["Done"]
    (project.organization.checkout / "tenant.json").unlink()
    project.run("drift.yml")
    assert [each["fields"]["System.State"] for each in state()] == ["To Do"]


@pytest.mark.parametrize("foreign", [{"by": "mallory"}, {"days": 40}])
def test_another_or_an_old_work_item_is_left_alone(
    project: Project, foreign: dict[str, Any]
) -> None:
    fields = {"System.Tags": "a; reconciler-drift-contoso", "System.State": "Done"}
    item = {"id": 3, "by": "me", "days": 2, "fields": fields, "text": ""}
    project.organization.state["items"] = [{**item, **foreign}]
    project.run("drift.yml")
    assert [each["id"] for each in project.organization.state["items"]] == [3, 100]


def test_a_night_on_which_nothing_could_be_read_leaves_the_work_item(project: Project) -> None:
    project.run("drift.yml")
    (project.organization.checkout / "tenant.json").write_text("{")
    ran = project.run("drift.yml")
    assert ran.results == {"drift": "failure", "ticket": "skipped"}
    assert project.artefact("capture-contoso") == set()


def test_what_was_approved_is_applied_without_another_approval(project: Project) -> None:
    project.approve()
    ran = project.run("apply.yml")
    assert ran.results == {
        "plan.plan": "success",
        "apply.covered": "success",
        "apply.asked": "skipped",
        "verify.wait": "skipped",
        "verify.verify": "success",
    }, ran.printed
    assert ran.environments == ("tenant",)
    assert not project.has_changes()
    assert project.artefact("applied-contoso-1") >= {"plan.md", "job.json"}
    assert project.artefact("journal-contoso-1")
    again = project.run("apply.yml")
    assert again.results["apply.covered"] == again.results["apply.asked"] == "skipped"


def test_what_was_not_approved_asks_for_an_approval(project: Project) -> None:
    project.approve("--only", "application/mailbox-analytics")
    ran = project.run("apply.yml")
    assert ran.environments == ("tenant-approval",)
    assert ran.results["apply.asked"] == "success", ran.printed
    assert "differs from" in ran.printed
    covered = {name for job, name in scripts("apply.yml") if job == "asked"} - {LIVE_ONLY}
    assert {name for job, name in ran.scripts if job == "asked"} == covered


def test_journals_come_with_the_next_run(project: Project) -> None:
    project.approve()
    project.run("apply.yml")
    project.organization.state["requests"] = []
    crm = project.organization.checkout / "policies" / "exchange" / "crm.yaml"
    crm.write_text(crm.read_text().replace("description: ", "description: Edited. "))
    ran = project.run("apply.yml")
    assert ran.results["apply.asked"] == "success", ran.printed
    assert "was not merged by a pull request" in ran.printed
    assert "Ignoring" not in ran.printed
    runs = project.organization.folder / "runs"
    journals = [
        {file.name for file in (runs / run / "journal-contoso-1").rglob("*.jsonl")}
        for run in ("5", "6")
    ]
    assert journals[0] < journals[1]


@pytest.mark.parametrize(
    "variables", [{"Build.SourceVersion": "1" * 40}, {"Build.SourceBranch": "refs/heads/other"}]
)
def test_only_the_tip_of_the_branch_is_applied(project: Project, variables: dict[str, str]) -> None:
    project.approve()
    ran = project.run("apply.yml", **variables)
    assert ran.results["plan.plan"] == "failure"
    assert ran.environments == ()
    assert project.has_changes()


@pytest.mark.parametrize("name", ["drift.yml", "apply.yml"])
def test_live_signs_in_and_keeps_tokens_secret(project: Project, name: str) -> None:
    ran = project.run(name, {"source": "live"})
    tokens = re.findall(r"^##vso\[task\.setsecret\](.+)$", ran.printed, re.MULTILINE)
    assert len(tokens) == 3
    others = [line for line in ran.printed.splitlines() if "setsecret" not in line]
    assert not [line for line in others if any(token in line for token in tokens)]
    tools = (project.organization.folder / "tools.txt").read_text()
    assert "Install-PSResource -Name MicrosoftTeams -Version '[7.7.0]'" in tools


@pytest.mark.parametrize("file", sorted(TEMPLATES.glob("*.yml")), ids=lambda file: file.name)
def test_every_parameter_of_a_template_is_declared_and_used(file: Path) -> None:
    text = file.read_text()
    declared = {each["name"] for each in yaml.safe_load(text)["parameters"]}
    used = set(re.findall(r"\$\{\{ parameters\.(\w+) \}\}", text))
    assert used == declared
    assert text.count("${{") == len(re.findall(r"\$\{\{ parameters\.\w+ \}\}", text))


PAGE = (ROOT / ".github" / "docs" / "azure-pipelines.md").read_text(encoding="utf-8")
CALLERS = re.findall(r"^```yaml\n(trigger:.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_callers_of_the_page_give_what_the_templates_ask_for() -> None:
    called = set()
    for text in CALLERS:
        caller = yaml.safe_load(text)
        (use,) = caller.get("jobs") or caller["stages"]
        file = use["template"].removeprefix(".github/azure/").removesuffix("@reconciler")
        assert expanded(file, use["parameters"])
        called.add(file)
    assert called == GIVEN.keys()


def test_an_azure_template_has_the_very_set_up_of_the_github_action() -> None:
    action = yaml.safe_load((ROOT / ".github" / "actions" / "setup" / "action.yml").read_text())
    own = {step.get("name"): step.get("run", "") for step in action["runs"]["steps"]}
    ours = expanded("setup.yml", {"tool": "reconciler==1"})["steps"]
    theirs = {step.get("displayName"): step.get("bash", "") for step in ours}
    assert theirs["Install"].strip() == own["Install"].strip()
    install = own["PowerShell and its modules"].partition("install() {")[2]
    assert install
    assert theirs["PowerShell and its modules"].partition("install() {")[2] == install
