"""The same corpus through a real PowerShell: its parser and the package's own runner must read what
was rendered.
"""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.model.plans import Invocation
from reconciler.powershell.rendering import render
from tests.powershell.conftest import Runner
from tests.powershell.scripts import hostile_plan, written
from tests.strategies.invocations import invocations

pytestmark = pytest.mark.pwsh

PARSE = r"""
$reader = [IO.StreamReader]::new([Console]::OpenStandardInput(), [Text.UTF8Encoding]::new($false, $true))
$text = $reader.ReadToEnd()
$tokens = $errors = $null
$tree = [System.Management.Automation.Language.Parser]::ParseInput($text, [ref] $tokens, [ref] $errors)
$calls = $tree.FindAll({ param($node) $node -is [System.Management.Automation.Language.CommandAst] }, $true)
ConvertTo-Json -Compress -EscapeHandling EscapeNonAscii -InputObject @{
    errors = @($errors | ForEach-Object { $_.ErrorId })
    calls = @($calls | ForEach-Object { $_.Extent.Text })
    modules = @($tree.ScriptRequirements.RequiredModules | ForEach-Object { $_.Name })
    version = "$($tree.ScriptRequirements.RequiredPSVersion)"
}
"""


@settings(
    deadline=None,
    max_examples=300,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(invocations, min_size=1, max_size=5))
def test_the_runner_reads_what_was_rendered(runner: Runner, made: list[Invocation]) -> None:
    for invocation in made:
        answer = runner.ask("read", text=render(invocation))
        assert answer.get("value") == {
            "cmdlet": invocation.cmdlet,
            "parameters": dict(invocation.parameters),
        }, answer


def test_the_runner_still_answers_as_it_was_recorded(
    runner: Runner, runner_reads: list[dict]
) -> None:
    for row in runner_reads:
        answer = runner.ask("read", text=row["text"])
        assert answer.get("value") == row.get("value"), row["text"]
        assert ("refused" in answer) == ("refused" in row), row["text"]


def test_a_script_parses_and_calls_exactly_its_steps(pwsh: str) -> None:
    plan = hostile_plan()
    for provider in ("teams", "exchange"):
        answer = subprocess.run(
            [pwsh, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", PARSE],
            input=written(plan, provider).encode(),
            capture_output=True,
            timeout=120,
            check=True,
        )
        parsed = json.loads(answer.stdout)
        texts = [step.text for step in plan.steps if step.provider == provider]
        assert parsed["errors"] == []
        assert [call for call in parsed["calls"] if "-Cs" in call or "-ApplicationAccess" in call][
            -len(texts) :
        ] == texts
        assert len(parsed["modules"]) == 1
        assert parsed["version"].startswith("7.6")
