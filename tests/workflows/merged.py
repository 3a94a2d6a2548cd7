"""A pull request that was approved and merged on the stand-in of GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.workflows.running import BRANCH, TIP, commit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Run
    from tests.workflows.running import Platform, Ran

WORKFLOW = "policy-apply.yml"
HEAD = "5" * 40
SIM = ("--tenant", "sim:tenant.json")
LIVE_ONLY = {(job, "PowerShell and its modules") for job in ("plan", "apply", "verify")}
LIVE_ONLY |= {("verify", "Wait for the services"), ("wait", "Waited")}
DONE = {"plan": "success", "apply": "success", "wait": "skipped", "verify": "success"}
NOTHING = dict.fromkeys(("apply", "wait", "verify"), "skipped")


def event(**changed: Any) -> Mapping[str, Any]:
    repository = {"default_branch": BRANCH, "visibility": "private"}
    return {
        "event_name": "push",
        "ref_name": BRANCH,
        "event": {"repository": repository},
        **changed,
    }


class Merged:
    """A pull request that was approved and merged, and the simulated tenant that it is about."""

    def __init__(self, platform: Platform, run: Run) -> None:
        self.platform, self._run = platform, run
        commit(platform.checkout, "the sample")
        platform._next_run = 5

    def reconciler(self, *arguments: str) -> None:
        ran = self._run(*arguments, cwd=self.platform.checkout)
        assert ran.code in {0, 2}, ran.err

    def approve(self, *options: str) -> None:
        """Plan as the pull request did, and keep the plan."""
        folder = self.platform.folder / "approved"
        self.reconciler("ci", "plan", *SIM, "--out", str(folder), *options)
        self.platform.keep("3", "plan-contoso", folder, head_branch="a-branch", head_sha=HEAD)
        pull = {"merged_at": "2026-11-28", "base": {"ref": BRANCH}, "head": {"sha": HEAD}}
        self.platform.state["pulls"] = [{**pull, "merge_commit_sha": TIP}]

    def push(self, inputs: Mapping[str, Any] | None = None, **changed: Any) -> Ran:
        given = {"tool": "reconciler==1", "tenant": "contoso", "source": "sim:tenant.json"}
        return self.platform.run(WORKFLOW, event(**changed), {**given, **(inputs or {})})

    def has_changes(self) -> bool:
        """Whether the tenant differs from the documents."""
        ran = self._run("plan", *SIM, "--detailed-exitcode", cwd=self.platform.checkout)
        assert ran.code in {0, 2, 4}, ran.err
        return ran.code != 0

    def journals(self) -> set[str]:
        """The files of the journals that the newest run kept."""
        run = self.platform.folder / "runs" / str(self.platform._next_run - 1) / "journal-contoso"
        return {file.name for file in run.rglob("*") if file.is_file()}

    def artefact(self, name: str) -> set[str]:
        folder = self.platform.folder / "runs" / str(self.platform._next_run - 1) / name
        return {file.name for file in folder.iterdir()} if folder.exists() else set()
