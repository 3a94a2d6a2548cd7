"""Runs a reusable workflow as GitHub would: jobs in the order of their needs, `if`, outputs, artefacts,
and every `run` block in bash, with stand-ins for `gh`, `az`, `pwsh` and `pip` on the way.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.workflows.agent import install_tools, noted, run_bash, stand_in
from tests.workflows.blocks import loaded
from tests.workflows.expressions import evaluated, filled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = ROOT / ".github" / "workflows"
ACTION: Final = ROOT / ".github" / "actions" / "setup" / "action.yml"
GH: Final = Path(__file__).with_name("gh.py")
BRANCH, REPOSITORY, TIP = "main", "contoso/policies", "7" * 40
IGNORED: Final = (
    *("actions/checkout", "actions/setup-python", "actions/cache", "azure/login"),
    *("actions/attest-build-provenance", "pypa/gh-action-pypi-publish"),
)
"""Actions that leave nothing that a `run` block of ours would read."""


def commit(folder: Path, message: str) -> str:
    """Commit everything; the id of the commit."""
    git = ("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@contoso.com")
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", message], check=True)
    told = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return told.stdout.strip()


class Ran(NamedTuple):
    """What became of a run: results of jobs, their outputs, what was printed, which `run` blocks ran."""

    results: Mapping[str, str]
    outputs: Mapping[str, Mapping[str, str]]
    printed: str
    blocks: frozenset[tuple[str, str]]
    environments: Mapping[str, str]


def run_blocks(name: str) -> frozenset[tuple[str, str]]:
    """The jobs and names of all steps of a workflow that run something."""
    jobs = _workflow(name)["jobs"]
    return frozenset(
        (job, label(step))
        for job, whole in jobs.items()
        for step in whole["steps"]
        if "run" in step
    )


def label(step: Mapping[str, Any]) -> str:
    """What a step is called on the page of its run."""
    name: str = step.get("name") or step["run"]
    return name


def _workflow(name: str) -> Any:
    return loaded(WORKFLOWS / name)


def _copied(source: str, target: str) -> str:
    """An artefact has no modes: files come back as anybody's."""
    shutil.copyfile(source, target)
    Path(target).chmod(0o644)
    return target


def _as_workflow(action: Path) -> Any:
    """A composite action as a workflow with one job, which runs the same steps."""
    whole = loaded(action)
    outputs = {name: each["value"] for name, each in whole["outputs"].items()}
    jobs = {"setup": {"steps": whole["runs"]["steps"], "outputs": outputs}}
    return {True: {"workflow_call": {"inputs": whole["inputs"]}}, "jobs": jobs}


KINDS: Final = ("artifacts", "comments", "issues", "pulls", "releases", "writes")
"""What a repository has of each."""


class Platform:
    """A repository on GitHub, with its runs, artefacts, comments and issues, in a folder.

    Attributes:
        before: What happens in the world before a job begins, by the job's name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.checkout = folder, folder / "checkout"
        self.checkout.mkdir(parents=True)
        self._next_run = 1
        self.before: dict[str, Callable[[], object]] = {}
        self.state: dict[str, Any] = {
            "now": "2026-11-28T02:00:00Z",
            "next": 100,
            "tip": TIP,
            **{kind: [] for kind in KINDS},
        }
        install_tools(folder, {"gh": stand_in(GH), "az": noted('echo "token-of-$4"')})

    def keep(self, run: str, name: str, source: Path, **origin: object) -> None:
        """Keep an artefact, of a run on the default branch of the repository if nothing else is said."""
        kept = self.folder / "runs" / run / name
        if kept.exists():
            shutil.rmtree(kept)
        if source.is_dir():
            shutil.copytree(source, kept, copy_function=_copied)
        else:
            kept.mkdir(parents=True)
            shutil.copy(source, kept)
        whence = {
            "head_branch": BRANCH,
            "head_sha": TIP,
            "repository_id": 1,
            "head_repository_id": 1,
        }
        whence |= origin
        rows = self.state["artifacts"]
        rows[:] = [
            row for row in rows if (row["name"], row["workflow_run"]["id"]) != (name, int(run))
        ]
        row = {"name": name, "expired": False, "created_at": f"2026-11-28T00:00:{int(run):02}Z"}
        self.state["artifacts"].append({**row, "workflow_run": {"id": int(run), **whence}})

    def run(self, name: str, event: Mapping[str, Any], inputs: Mapping[str, Any]) -> Ran:
        """Run a workflow for an event, as its caller would with these inputs."""
        run = str(self._next_run)
        self._next_run += 1
        return _Run(self, _workflow(name), run, event, inputs).run()

    def run_action(self, inputs: Mapping[str, Any]) -> Ran:
        """Run the composite action that sets a job up, as a job of one's own would."""
        run = str(self._next_run)
        self._next_run += 1
        return _Run(self, _as_workflow(ACTION), run, {}, inputs).run()

    def written(self) -> list[str]:
        """What `gh` was asked to write so far."""
        return list(self.state["writes"])

    def save(self) -> None:
        """Give the stand-in of `gh` what is here."""
        (self.folder / "github.json").write_text(json.dumps(self.state), encoding="utf-8")

    def load(self) -> None:
        """Take back what the stand-in made of it."""
        self.state = json.loads((self.folder / "github.json").read_text(encoding="utf-8"))


class _Run:
    def __init__(
        self,
        platform: Platform,
        workflow: Mapping[str, Any],
        number: str,
        event: Mapping[str, Any],
        inputs: Mapping[str, Any],
    ) -> None:
        declared = (
            workflow[True].get("workflow_call", {}).get("inputs", {})
        )  # `on` is true in YAML 1.1
        for name, each in declared.items():
            assert not each.get("required") or name in inputs, f"input {name} is required"
        assert inputs.keys() <= declared.keys()
        self._platform, self._workflow, self._number = platform, workflow, number
        self._github = {
            "token": "secret-token",
            "repository": REPOSITORY,
            "server_url": "https://github.com",
            "run_id": number,
            "run_attempt": "1",
            "ref_name": BRANCH,
            "sha": TIP,
            **event,
        }
        self._inputs = {
            name: inputs.get(name, each.get("default")) for name, each in declared.items()
        }
        self._results: dict[str, str] = {}
        self._outputs: dict[str, dict[str, str]] = {}
        self._printed: list[str] = []
        self._blocks: set[tuple[str, str]] = set()
        self._environments: dict[str, str] = {}

    def run(self) -> Ran:
        for name, job in self._workflow["jobs"].items():
            self._job(name, job)
        printed = "".join(self._printed)
        blocks = frozenset(self._blocks)
        return Ran(self._results, self._outputs, printed, blocks, self._environments)

    def _job(self, name: str, job: Mapping[str, Any]) -> None:
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        well = all(self._results[each] == "success" for each in needs)
        contexts: dict[str, Any] = {
            "github": self._github,
            "inputs": self._inputs,
            "runner": {"os": "Linux", "temp": str(self._platform.folder / self._number / name)},
            "steps": {},
            "matrix": _first_leg(job),
            "needs": {
                each: {"result": self._results[each], "outputs": self._outputs[each]}
                for each in needs
            },
        }
        self._outputs[name] = {}
        if not _goes(job.get("if"), contexts, well=well):
            self._results[name] = "skipped"
            return
        if "environment" in job:
            self._environments[name] = filled(job["environment"], contexts)
        Path(contexts["runner"]["temp"]).mkdir(parents=True)
        self._platform.before.get(name, lambda: None)()
        well = True
        for step in job["steps"]:
            well &= self._step(name, step, contexts, well=well)
        self._results[name] = "success" if well else "failure"
        self._outputs[name] = {
            key: filled(value, contexts) for key, value in job.get("outputs", {}).items()
        }

    def _step(
        self, job: str, step: Mapping[str, Any], contexts: dict[str, Any], *, well: bool
    ) -> bool:
        if not _goes(step.get("if"), contexts, well=well):
            done, outputs, outcome = True, {}, "skipped"
        elif "run" in step:
            self._blocks.add((job, label(step)))
            done, outputs = self._bash(step, contexts)
            outcome = "success" if done else "failure"
        else:
            done, outputs = self._action(step, contexts), {}
            outcome = "success" if done else "failure"
        if "id" in step:
            contexts["steps"][step["id"]] = {"outcome": outcome, "outputs": outputs}
        return done

    def _bash(
        self, step: Mapping[str, Any], contexts: Mapping[str, Any]
    ) -> tuple[bool, dict[str, str]]:
        temp = Path(contexts["runner"]["temp"])
        files = {
            name: temp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")
        }
        for file in files.values():
            file.touch()
        files["GITHUB_OUTPUT"].write_text("")
        environment = {
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": self._github["sha"],
            "GITHUB_RUN_ID": self._number,
            "RUNNER_TEMP": str(temp),
            **{name: str(file) for name, file in files.items()},
            **self._workflow.get("env", {}),
            **{name: filled(value, contexts) for name, value in step.get("env", {}).items()},
        }
        self._platform.save()
        done = run_bash(
            step["run"],
            temp / "script.sh",
            self._platform.folder,
            ("-eo", "pipefail") if self._shell(step) == "bash" else ("-e",),
            environment,
        )
        self._platform.load()
        self._printed.append(f"== {label(step)}\n{done.stdout}{done.stderr}")
        return done.returncode == 0, _outputs(files["GITHUB_OUTPUT"].read_text(encoding="utf-8"))

    def _shell(self, step: Mapping[str, Any]) -> str:
        """What a step names, or the workflow: bash that is not named fails at no broken pipe."""
        named = self._workflow.get("defaults", {}).get("run", {}).get("shell", "")
        return str(step.get("shell", named))

    def _action(self, step: Mapping[str, Any], contexts: Mapping[str, Any]) -> bool:
        action = step["uses"].partition("@")[0]
        given = {name: filled(value, contexts) for name, value in step.get("with", {}).items()}
        match action:
            case "actions/upload-artifact":
                source = self._platform.checkout / given["path"]
                if not source.exists():
                    return given["if-no-files-found"] == "ignore"
                origin = {"head_branch": self._github["ref_name"], "head_sha": self._github["sha"]}
                self._platform.keep(self._number, given["name"], source, **origin)
                return True
            case "actions/download-artifact":
                names = [given["name"]] if "name" in given else self._artefacts()
                return all(self._fetched(name, given["path"]) for name in names)
        assert action in IGNORED, action
        return True

    def _artefacts(self) -> list[str]:
        return [each.name for each in (self._platform.folder / "runs" / self._number).iterdir()]

    def _fetched(self, name: str, path: str) -> bool:
        kept = self._platform.folder / "runs" / self._number / name
        if kept.exists():
            shutil.copytree(kept, self._platform.checkout / path, dirs_exist_ok=True)
        return kept.exists()


def _first_leg(job: Mapping[str, Any]) -> Mapping[str, str]:
    """One job of a matrix: no script knows which."""
    assert "matrix." not in "".join(step.get("run", "") for step in job["steps"])
    axes = job.get("strategy", {}).get("matrix", {})
    return {name: values[0] for name, values in axes.items()}


def _goes(condition: Any, contexts: Mapping[str, Any], *, well: bool) -> bool:
    """Whether a job or step runs: a condition that asks for no state of the job means success."""
    if condition is None:
        return well
    text = str(condition)
    states = {"always": lambda: True, "cancelled": lambda: False, "success": lambda: well}
    asks = any(f"{name}()" in text for name in (*states, "failure"))
    value = evaluated(text, contexts, {**states, "failure": lambda: not well})
    return bool(value) and (asks or well)


def _outputs(text: str) -> dict[str, str]:
    """`NAME=VALUE` lines, and values between lines of a delimiter (`NAME<<DELIMITER`)."""
    outputs: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, separator, value = line.partition("=")
        if "<<" in name or not separator:
            name, _, delimiter = line.partition("<<")
            value = "\n".join(iter(lambda lines=lines: next(lines), delimiter))
        outputs[name] = value
    return outputs
