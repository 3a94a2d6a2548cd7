"""What is published, on a machine that has nothing but Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey.places import ROOT
from tests.journey.smoke import tried

COMMAND = Path(sys.executable).with_name("reconciler")


def test_the_smoke_of_every_system_passes_here(tmp_path: Path) -> None:
    assert tried(str(COMMAND), tmp_path) == []


def test_the_smoke_tells_what_did_not_end_as_it_has_to(tmp_path: Path) -> None:
    false = tmp_path / "false"
    false.write_text(
        '#!/bin/sh\n[ "$1" = plan ] && [ "$2" = --out ] && echo "{\\"steps\\": []}" > plan.json\nexit 9\n'
    )
    false.chmod(0o755)
    (tmp_path / "folder").mkdir()
    wrong = tried(str(false), tmp_path / "folder")
    assert wrong[0] == "`--version` ended with 9, not 0"
    assert wrong[-1] == "the plan has no step"


@pytest.mark.exhaustive
def test_the_wheel_with_the_pinned_dependencies_in_an_empty_environment(tmp_path: Path) -> None:
    """A minute, and the package index."""
    environment = tmp_path / "environment"
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT))
    (wheel,) = tmp_path.glob("*.whl")
    _run(sys.executable, "-m", "venv", str(environment))
    binaries = environment / ("Scripts" if sys.platform == "win32" else "bin")
    install = (str(binaries / "python"), "-m", "pip", "install", "-q")
    _run(*install, "--require-hashes", "-r", str(ROOT / ".github" / "requirements.txt"))
    _run(*install, "--no-deps", "--no-index", str(wheel))
    (tmp_path / "folder").mkdir()
    assert tried(str(binaries / "reconciler"), tmp_path / "folder") == []


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
