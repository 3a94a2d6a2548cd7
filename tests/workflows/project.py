"""The sample's documents in a project on the stand-in of Azure DevOps."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.workflows.azure import AzureRan, Organization, expanded, jobs_of, script_of, steps_of
from tests.workflows.running import ROOT, commit

if TYPE_CHECKING:
    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
MAIN = "refs/heads/main"
LIVE_ONLY = "PowerShell and its modules"
GIVEN: dict[str, dict[str, str]] = {
    "plan.yml": {"tool": "reconciler==1", "tenant": "contoso", "driftPipeline": "3"},
    "drift.yml": {
        "tool": "reconciler==1",
        "tenant": "contoso",
        "source": "sim:tenant.json",
        "connection": "reader",
    },
    "apply.yml": {
        "tool": "reconciler==1",
        "tenant": "contoso",
        "source": "sim:tenant.json",
        "reader": "reader",
        "writer": "writer",
        "planPipeline": "4",
    },
}


def scripts(name: str) -> set[tuple[str, str]]:
    """The jobs and names of all scripts of a template."""
    pipeline = expanded(name, GIVEN[name])
    return {
        (job.get("job") or job["deployment"], step["displayName"])
        for _, job in jobs_of(pipeline)
        for step in steps_of(job)
        if script_of(step) is not None
    }


class Project:
    """The sample's documents on the protected branch, and the simulated tenant that they are about."""

    def __init__(self, organization: Organization, run: Run) -> None:
        self.organization, self._run = organization, run
        checkout = organization.checkout
        shutil.copytree(ROOT / "policies", checkout / "policies")
        subprocess.run(["git", "init", "--quiet", "-b", "main", str(checkout)], check=True)
        (checkout / ".gitignore").write_text("tenant.json\n")
        self.origin = organization.folder / "origin.git"
        self.tip = commit(checkout, "the sample")
        subprocess.run(
            ["git", "clone", "--quiet", "--bare", str(checkout), str(self.origin)], check=True
        )
        git = ("git", "-C", str(checkout))
        subprocess.run([*git, "remote", "add", "origin", str(self.origin)], check=True)
        subprocess.run([*git, "fetch", "--quiet", "origin"], check=True)

    def reconciler(self, *arguments: str) -> None:
        ran = self._run(*arguments, cwd=self.organization.checkout)
        assert ran.code in {0, 2}, ran.err

    def run(self, name: str, given: dict[str, str] | None = None, **variables: str) -> AzureRan:
        definition = {"drift.yml": "3", "plan.yml": "4", "apply.yml": "9"}[name]
        told = {"System.DefinitionId": definition, "Build.SourceVersion": self.tip, **variables}
        return self.organization.run(name, {**GIVEN[name], **(given or {})}, **told)

    def has_changes(self) -> bool:
        ran = self._run("plan", *SIM, "--detailed-exitcode", cwd=self.organization.checkout)
        assert ran.code in {0, 2, 4}, ran.err
        return ran.code != 0

    def artefact(self, name: str) -> set[str]:
        newest = self.organization.next_run - 1
        folder = self.organization.folder / "runs" / str(newest) / name
        return {file.name for file in folder.iterdir()} if folder.exists() else set()

    def pull(self) -> dict[str, str]:
        """What the platform sets in a run of a pull request."""
        return {
            "Build.Reason": "PullRequest",
            "Build.SourceBranch": "refs/pull/7/merge",
            "System.PullRequest.IsFork": "False",
            "System.PullRequest.PullRequestId": "7",
            "System.PullRequest.TargetBranch": MAIN,
        }

    def approve(self, *options: str) -> None:
        """Plan as the pull request did, and merge it."""
        folder = self.organization.folder / "approved"
        self.reconciler("ci", "plan", *SIM, "--out", str(folder), *options)
        self.organization.keep(2, "plan-contoso-1", folder, "4", "refs/pull/7/merge")
        merged = {"pullRequestId": 7, "lastMergeCommit": {"commitId": self.tip}}
        self.organization.state["requests"] = [
            {"pullRequestId": 6, "lastMergeCommit": {"commitId": "0" * 40}},
            merged,
        ]
