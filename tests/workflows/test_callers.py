"""What a repository of documents writes: the callers of the documentation fit the workflows."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.cli.tenants_sample import settle
from tests.workflows.agent import run_bash
from tests.workflows.running import ACTION, ROOT, WORKFLOWS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run
    from tests.workflows.running import Platform

PAGE = (ROOT / ".github" / "docs" / "github-actions.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
CALLERS = [block for block in BLOCKS if block.startswith("name:")]
LEVELS = ("none", "read", "write")


def test_every_workflow_has_a_caller() -> None:
    called = re.findall(r"workflows/(policy-\w+\.yml)@COMMIT", "".join(CALLERS))
    assert sorted(called) == sorted(path.name for path in WORKFLOWS.glob("policy-*.yml"))


@pytest.mark.parametrize("text", CALLERS, ids=lambda text: text.split()[1])
def test_a_caller_gives_what_the_workflow_asks_for(text: str) -> None:
    caller: dict[Any, Any] = yaml.safe_load(text)
    (job,) = caller["jobs"].values()
    owner, file = re.fullmatch(r"(.+)/\.github/workflows/(.+)@COMMIT", job["uses"]).groups()
    assert owner == "OWNER/RECONCILER"
    called = yaml.safe_load((WORKFLOWS / file).read_text())
    inputs = called[True]["workflow_call"]["inputs"]
    assert job["with"].keys() <= inputs.keys()
    assert {name for name, each in inputs.items() if each.get("required")} <= job["with"].keys()
    for callee in called["jobs"].values():
        for permission, level in callee["permissions"].items():
            given = caller["permissions"].get(permission, "none")
            assert LEVELS.index(given) >= LEVELS.index(level), permission
    assert len(text.splitlines()) <= 13


RINGS = (ROOT / ".github" / "docs" / "many-tenants.md").read_text(encoding="utf-8")


def rings() -> dict[Any, Any]:
    """The pipeline of many tenants on GitHub."""
    (text,) = re.findall(r"^```yaml\n(name: apply\n.*?)^```", RINGS, re.MULTILINE | re.DOTALL)
    whole: dict[Any, Any] = yaml.safe_load(text)
    return whole


def test_the_rings_of_many_tenants_call_the_workflow_that_verifies() -> None:
    whole = rings()
    called = yaml.safe_load((WORKFLOWS / "policy-apply.yml").read_text())
    inputs = called[True]["workflow_call"]["inputs"]
    for name, needs in (("canary", "tenants"), ("rest", ["tenants", "canary"])):
        job = whole["jobs"][name]
        assert job["uses"].endswith("/policy-apply.yml@COMMIT")
        assert job["with"].keys() <= inputs.keys()
        assert "verify" not in job["with"]
        assert job["needs"] == needs
    for callee in called["jobs"].values():
        assert callee["permissions"].items() <= whole["permissions"].items()


def test_the_rings_have_the_tenants_of_the_repository(tmp_path: Path, platform: Platform) -> None:
    folder = tmp_path / "rings"
    (folder / "checkout").mkdir(parents=True)
    settle(folder / "checkout")
    (folder / "tools").symlink_to(platform.folder / "tools")
    steps = rings()["jobs"]["tenants"]["steps"]
    (step,) = (step for step in steps if step.get("id") == "rings")
    output = folder / "output"
    done = run_bash(
        step["run"], folder / "script.sh", folder, ("-e",), {"GITHUB_OUTPUT": str(output)}
    )
    assert done.returncode == 0, done.stderr
    told = dict(line.split("=", 1) for line in output.read_text().splitlines())
    legs = {name: json.loads(text)["include"] for name, text in told.items()}
    assert [leg["tenant"] for leg in legs["canary"]] == ["contoso"]
    assert [leg["tenant"] for leg in legs["rest"]] == ["fabrikam", "woodgrove"]
    assert legs["canary"][0]["paths"].split("\n") == ["policies/contoso", "policies/shared"]


def test_the_tenant_document_of_the_page_is_valid(run: Run, tmp_path: Path) -> None:
    (document,) = (block for block in BLOCKS if block.startswith("apiVersion:"))
    (tmp_path / "tenant.yaml").write_text(document)
    assert run("validate", str(tmp_path)).code == 0
    workflow = (WORKFLOWS / "policy-drift.yml").read_text()
    for name in re.findall(r"[A-Z]+_TOKEN", document):
        assert f"{name}=$(token " in workflow


def test_a_job_of_ones_own_uses_what_the_action_has() -> None:
    (steps,) = (yaml.safe_load(block) for block in BLOCKS if block.startswith("- id: setup"))
    action = yaml.safe_load(ACTION.read_text())
    assert steps[0]["with"].keys() <= action["inputs"].keys()
    used = re.findall(r"steps\.setup\.outputs\.([\w-]+)", "".join(steps[1]["env"].values()))
    assert used == list(action["outputs"])
