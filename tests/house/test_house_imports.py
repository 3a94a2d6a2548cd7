"""Start-up is paid by every run, so what a command does not need is not imported: counted, never
timed.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.house.tree import ROOT

HEAVY = {
    "jsonschema",
    "deepdiff",
    "jinja2",
    "rich",
    "yaml",
    "importlib.metadata",
    "asyncio",
    "subprocess",
}

SCRIPT = """
import contextlib, io, json, sys
from reconciler.cli.main import run
sys.argv = ["reconciler", *json.loads(sys.argv[1])]
with contextlib.redirect_stdout(io.StringIO()):
    run()
print(json.dumps(sorted(sys.modules)))
"""


def _loaded(*arguments: str) -> set[str]:
    """Every module in memory after a command."""
    command = [sys.executable, "-c", SCRIPT, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def bare_click() -> set[str]:
    command = [
        sys.executable,
        "-c",
        "import click, json, sys; print(json.dumps(sorted(sys.modules)))",
    ]
    return set(
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    )


def test_version_loads_nothing_heavy(bare_click: set[str]) -> None:
    assert (_loaded("--version") - bare_click) & HEAVY == set()


def test_version_loads_little_beside_click(bare_click: set[str]) -> None:
    ours = {
        name
        for name in _loaded("--version") - bare_click
        if not name.startswith(("encodings", "_"))
    }
    assert len(ours) <= 25, sorted(ours)


def test_validate_loads_no_renderer_and_no_terminal() -> None:
    assert (
        _loaded("validate", "policies")
        & {"deepdiff", "jinja2", "rich", "importlib.metadata", "asyncio"}
        == set()
    )


def test_plan_loads_no_terminal() -> None:
    assert _loaded("plan", "policies") & {"rich", "importlib.metadata"} == set()


def test_a_plan_without_a_changed_object_loads_no_object_diff() -> None:
    seed = "tests/seeds/003"
    assert "deepdiff" not in _loaded(
        "plan", f"{seed}/policies", "--tenant", f"sim:{seed}/tenant.json"
    )
