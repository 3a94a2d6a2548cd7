"""The action that sets up a job of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.workflows.running import ACTION, WORKFLOWS

if TYPE_CHECKING:
    from tests.workflows.running import Platform

TOOL = "reconciler==1"


def test_everything_is_set_up_and_the_tokens_are_masked_before_anything_has_them(
    platform: Platform,
) -> None:
    ran = platform.run_action({"tool": TOOL, "tokens": "true"})
    assert ran.results == {"setup": "success"}, ran.printed
    tools = (platform.folder / "tools.txt").read_text()
    assert f"-m pip install --quiet --disable-pip-version-check -- {TOOL}" in tools
    assert "Install-PSResource -Name MicrosoftTeams -Version '[7.7.0]'" in tools
    values = ran.outputs["setup"]
    assert list(values) == ["graph-token", "teams-token", "exchange-token"]
    for value in values.values():
        assert f"::add-mask::{value}\n" in ran.printed


def test_without_a_live_tenant_reconciler_is_all(platform: Platform) -> None:
    ran = platform.run_action({"tool": TOOL, "live": "false"})
    assert ran.results == {"setup": "success"}
    assert "pwsh" not in (platform.folder / "tools.txt").read_text()


def test_it_has_the_very_steps_of_the_workflows() -> None:
    action = yaml.safe_load(ACTION.read_text())
    own = {step["name"]: step["run"] for step in action["runs"]["steps"] if "run" in step}
    for file in WORKFLOWS.glob("policy-*.yml"):
        workflow = yaml.safe_load(file.read_text())
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                if step.get("name") in {"Install", "PowerShell and its modules"}:
                    assert step["run"] == own[step["name"]], file.name
        inputs = workflow[True]["workflow_call"]["inputs"]
        for name in inputs.keys() & action["inputs"].keys() - {"tool"}:
            assert inputs[name]["default"] == action["inputs"][name]["default"]
