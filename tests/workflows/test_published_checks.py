"""What others check workflows with finds nothing: GitHub's schema, and an audit of their security."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflows.running import ACTION, WORKFLOWS

TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize("file", sorted(WORKFLOWS.glob("*.yml")), ids=lambda file: file.name)
def test_a_workflow_is_valid_by_the_published_schema(file: Path) -> None:
    """The schema is SchemaStore's, which check-jsonschema brings along."""
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
    ]
    ran = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_action_is_valid_by_the_published_schema() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-actions",
    ]
    ran = subprocess.run([*command, str(ACTION)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_an_audit_of_all_workflows_finds_nothing() -> None:
    command = [
        str(TOOLS / "zizmor"),
        "--offline",
        "--no-progress",
        "--quiet",
        str(WORKFLOWS),
        str(ACTION),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
