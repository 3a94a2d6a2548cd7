"""Runs our templates as Azure Pipelines would: parameters put in, stages and jobs in order, conditions,
output variables, artefacts, and every script in bash, with stand-ins for `az`, `pwsh` and `pip`.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.workflows.agent import install_tools, run_bash, stand_in
from tests.workflows.blocks import loaded
from tests.workflows.expressions import evaluated, filled
from tests.workflows.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

TEMPLATES: Final = ROOT / ".github" / "azure"
AZ: Final = Path(__file__).with_name("az.py")
CURL: Final = Path(__file__).with_name("curl_tool.py")
MACRO: Final = re.compile(r"\$\(([\w.]+)\)")
OUTPUT: Final = re.compile(
    r"^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$", re.MULTILINE
)
IGNORED: Final = ("UsePythonVersion@0", "Cache@2")


class AzureRan(NamedTuple):
    """What became of a run: results of jobs, output variables by step, what was printed, scripts run,
    environments that were used, and for how many minutes jobs without an agent waited.
    """

    results: Mapping[str, str]
    outputs: Mapping[str, str]
    printed: str
    scripts: frozenset[tuple[str, str]]
    environments: tuple[str, ...]
    waited: tuple[str, ...]


def expanded(name: str, given: Mapping[str, Any]) -> Any:
    """A template with its parameters put in, and the templates that it uses in their places."""
    template = loaded(TEMPLATES / name)
    declared = {each["name"]: each for each in template.pop("parameters")}
    assert given.keys() <= declared.keys(), given.keys() - declared.keys()
    values = {key: given.get(key, each.get("default")) for key, each in declared.items()}
    assert None not in values.values(), values
    return _put_in(template, {"parameters": values})


def _put_in(part: Any, contexts: Mapping[str, Any]) -> Any:
    if isinstance(part, str):
        return filled(part, contexts) if "${{" in part else part
    if isinstance(part, dict):
        return {key: _put_in(value, contexts) for key, value in part.items()}
    if not isinstance(part, list):
        return part
    items: list[Any] = []
    for item in part:
        whole = _put_in(item, contexts)
        if isinstance(whole, dict) and "template" in whole:
            items += expanded(whole["template"], whole.get("parameters", {}))["steps"]
        else:
            items.append(whole)
    return items


def jobs_of(pipeline: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every job, with the name of its stage, which is empty if there are none."""
    for stage in pipeline.get("stages", [pipeline]):
        for job in stage["jobs"]:
            yield stage.get("stage", ""), job


def steps_of(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps of a job, also of one that deploys."""
    steps: list[Mapping[str, Any]] = (
        job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
    )
    return steps


def script_of(step: Mapping[str, Any]) -> str | None:
    """What a step runs in bash."""
    script: str | None = step.get("bash") or step.get("inputs", {}).get("inlineScript")
    return script


class Organization:
    """A project of Azure DevOps with its runs, work items and pull requests, in a folder.

    Attributes:
        before: What happens in the world before a job begins, by the job's name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.checkout = folder, folder / "checkout"
        self.checkout.mkdir(parents=True)
        self.next_run = 5
        self.before: dict[str, Callable[[], object]] = {}
        self.state: dict[str, Any] = {
            "next": 100,
            **{kind: [] for kind in ("items", "requests", "runs", "asked", "threads", "written")},
        }
        install_tools(folder, {"az": stand_in(AZ), "curl": stand_in(CURL)})

    def keep(self, run: int, name: str, source: Path, pipeline: str, branch: str) -> None:
        """Keep an artefact of a run."""
        kept = self.folder / "runs" / str(run) / name
        if kept.exists():
            shutil.rmtree(kept)
        shutil.copytree(source, kept, copy_function=shutil.copyfile)
        row = {"id": run, "pipeline": pipeline, "branch": branch}
        if row not in self.state["runs"]:
            self.state["runs"].append(row)

    def newest(self, pipeline: str, branch: str) -> int:
        """The number of the newest run of a pipeline on a branch; 0 if there is none."""
        rows = self.state["runs"]
        wanted = pipeline, branch
        return max(
            (row["id"] for row in rows if (row["pipeline"], row["branch"]) == wanted), default=0
        )

    def run(self, template: str, parameters: Mapping[str, Any], **variables: str) -> AzureRan:
        """Run a template with parameters; `variables` as the platform sets them."""
        run = self.next_run
        self.next_run += 1
        return _AzureRun(self, expanded(template, parameters), run, variables).run()


class _JobRan(NamedTuple):
    """What became of a job, or of a whole stage: its result, and its output variables."""

    result: str
    outputs: Mapping[str, str]

    def context(self) -> Mapping[str, Any]:
        """What conditions see of it."""
        results = {"success": "Succeeded", "failure": "Failed", "skipped": "Skipped"}
        return {"result": results[self.result], "outputs": self.outputs}


def _whole(jobs: Mapping[str, _JobRan]) -> _JobRan:
    """What other stages see of a stage."""
    results = {job.result for job in jobs.values()}
    result = next(each for each in ("failure", "success", "skipped") if each in results)
    outputs = {
        f"{name}.{key}": text for name, job in jobs.items() for key, text in job.outputs.items()
    }
    return _JobRan(result, outputs)


class _AzureRun:
    def __init__(
        self,
        organization: Organization,
        pipeline: Mapping[str, Any],
        number: int,
        variables: Mapping[str, str],
    ) -> None:
        self._organization, self._pipeline, self._number = organization, pipeline, number
        self._variables = {
            "System.AccessToken": "the-token",
            "System.TeamProjectId": "1",
            "System.JobAttempt": "1",
            "System.CollectionUri": "https://dev.azure.com/contoso/",
            "System.TeamProject": "policies",
            "System.DefinitionId": "9",
            "Agent.OS": "Linux",
            "HOME": str(organization.folder),
            "Build.BuildId": str(number),
            "Build.Repository.ID": "repository",
            "Build.Repository.Provider": "TfsGit",
            "Build.Reason": "Manual",
            "Build.SourceBranch": "refs/heads/main",
            **variables,
        }
        self._jobs: dict[str, dict[str, _JobRan]] = {}
        self._printed: list[str] = []
        self._scripts: set[tuple[str, str]] = set()
        self._environments: list[str] = []
        self._waited: list[str] = []

    def run(self) -> AzureRan:
        for stage in self._pipeline.get("stages", [self._pipeline]):
            self._stage(stage)
        every = [
            (f"{stage}.{name}" if stage else name, job)
            for stage, jobs in self._jobs.items()
            for name, job in jobs.items()
        ]
        return AzureRan(
            {name: job.result for name, job in every},
            {key: text for _, job in every for key, text in job.outputs.items()},
            "".join(self._printed),
            frozenset(self._scripts),
            tuple(self._environments),
            tuple(self._waited),
        )

    def _stage(self, stage: Mapping[str, Any]) -> None:
        name = stage.get("stage", "")
        needs = {each: _whole(self._jobs[each]) for each in _listed(stage.get("dependsOn"))}
        contexts = {"dependencies": {each: job.context() for each, job in needs.items()}}
        goes = self._holds(stage.get("condition", "succeeded()"), needs.values(), contexts)
        self._jobs[name] = {}
        for job in stage["jobs"]:
            self._job(name, _listed(stage.get("dependsOn")), job, goes=goes)

    def _holds(
        self,
        condition: str,
        needs: Iterable[_JobRan],
        contexts: Mapping[str, Any],
        *,
        well: bool = True,
    ) -> bool:
        succeeded = well and all(each.result in {"success", "skipped"} for each in needs)
        functions: dict[str, Callable[..., Any]] = {
            "succeeded": lambda: succeeded,
            "succeededOrFailed": lambda: True,
            "canceled": lambda: False,
            "not": lambda value: not value,
            "and": lambda *values: all(values),
            "or": lambda *values: any(values),
            "eq": lambda left, right: (left or "").lower() == right.lower(),
            "ne": lambda left, right: (left or "").lower() != right.lower(),
            "in": lambda value, *others: value in others,
        }
        return bool(evaluated(condition.strip(), contexts, functions))

    def _job(self, stage: str, before: list[str], job: Mapping[str, Any], *, goes: bool) -> None:
        name = job.get("job") or job["deployment"]
        here = self._jobs[stage]
        needs = {each: here[each] for each in _listed(job.get("dependsOn"))}
        contexts = {
            "variables": self._variables,
            "dependencies": {each: ran.context() for each, ran in needs.items()},
            "stageDependencies": {
                each: {key: ran.context() for key, ran in self._jobs[each].items()}
                for each in before
            },
        }
        if not (
            goes and self._holds(job.get("condition", "succeeded()"), needs.values(), contexts)
        ):
            here[name] = _JobRan("skipped", {})
            return
        self._organization.before.get(name, lambda: None)()
        if "environment" in job:
            self._environments.append(job["environment"])
        temp = self._organization.folder / str(self._number) / stage / name
        variables = {
            **self._variables,
            "Agent.TempDirectory": str(temp / "temp"),
            "Pipeline.Workspace": str(temp),
        }
        (temp / "temp").mkdir(parents=True)
        for key, value in job.get("variables", {}).items():
            runtime = re.fullmatch(r"\$\[ (.*) \]", value)
            assert runtime, value
            variables[key] = evaluated(runtime[1], contexts) or ""
        outputs: dict[str, str] = {}
        well = True
        for step in steps_of(job):
            if self._holds(step.get("condition", "succeeded()"), (), contexts, well=well):
                well &= self._step(name, step, variables, outputs)
        if "deployment" in job:  # of which the lifecycle hook is a part of the name
            outputs = {f"{name}.{key}": text for key, text in outputs.items()}
        here[name] = _JobRan("success" if well else "failure", outputs)

    def _step(
        self,
        job: str,
        step: Mapping[str, Any],
        variables: dict[str, str],
        outputs: dict[str, str],
    ) -> bool:
        script = script_of(step)
        if script is not None:
            self._scripts.add((job, step["displayName"]))
            return self._bash(step, script, variables, outputs)
        return self._task(step, variables)

    def _task(self, step: Mapping[str, Any], variables: Mapping[str, str]) -> bool:
        given = {key: _macros(value, variables) for key, value in step.get("inputs", {}).items()}
        match step.get("task") or next(iter(step)):
            case "PublishPipelineArtifact@1":
                source = Path(given["targetPath"])
                here = variables["System.DefinitionId"], variables["Build.SourceBranch"]
                if source.exists():
                    self._organization.keep(self._number, given["artifact"], source, *here)
                return source.exists()
            case "DownloadPipelineArtifact@2":
                newest = self._organization.newest(given["definition"], given["branchName"])
                return self._fetched(newest, given["artifactName"], Path(given["targetPath"]))
            case "download":
                kept = self._organization.folder / "runs" / str(self._number)
                every = sorted(each.name for each in kept.iterdir()) if kept.exists() else []
                names = [step["artifact"]] if "artifact" in step else every
                place = Path(variables["Pipeline.Workspace"])
                return all(self._fetched(self._number, name, place / name) for name in names)
            case "Delay@1":
                self._waited.append(given["delayForMinutes"])
                return True
            case "checkout":
                return True
        assert step["task"] in IGNORED, step
        return True

    def _fetched(self, run: int, name: str, target: Path) -> bool:
        kept = self._organization.folder / "runs" / str(run) / name
        if kept.exists():
            shutil.copytree(kept, target)
        return kept.exists()

    def _bash(
        self,
        step: Mapping[str, Any],
        script: str,
        variables: Mapping[str, str],
        outputs: dict[str, str],
    ) -> bool:
        assert "$(System." not in script
        platform = {
            key.upper().replace(".", "_"): value
            for key, value in variables.items()
            if key[0].isupper() and key != "System.AccessToken"
        }
        state = self._organization.folder / "azure.json"
        state.write_text(json.dumps(self._organization.state), encoding="utf-8")
        done = run_bash(
            script,
            Path(variables["Agent.TempDirectory"]) / "script.sh",
            self._organization.folder,
            (),
            {
                "TF_BUILD": "True",
                **platform,
                **{key: _macros(value, variables) for key, value in step.get("env", {}).items()},
            },
        )
        self._organization.state = json.loads(state.read_text(encoding="utf-8"))
        self._printed.append(f"== {step['displayName']}\n{done.stdout}{done.stderr}")
        if "name" in step:
            found = OUTPUT.findall(done.stdout)
            outputs |= {f"{step['name']}.{key}": value for key, value in found}
        return done.returncode == 0


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _macros(value: Any, variables: Mapping[str, str]) -> str:
    """A text with `$(name)` replaced; one that nobody set stays, as on the platform."""
    return MACRO.sub(lambda each: variables.get(each[1], each[0]), str(value))
