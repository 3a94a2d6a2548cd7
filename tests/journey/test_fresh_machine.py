"""What is published, on a machine that has nothing but Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey.places import ROOT
from tests.journey.smoke import tried

COMMAND = Path(sys.executable).with_name("reconciler")
BINARIES = "Scripts" if sys.platform == "win32" else "bin"


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


def _interpreters() -> list[str]:
    """The one of the tests, and the newest at hand."""
    for minor in range(20, sys.version_info.minor, -1):
        newer = shutil.which(f"python3.{minor}")
        # what pyenv puts on PATH may stand for nothing
        if (
            newer
            and subprocess.run([newer, "-c", ""], check=False, capture_output=True).returncode == 0
        ):
            return [sys.executable, newer]
    return [sys.executable]


@pytest.mark.exhaustive
@pytest.mark.parametrize("interpreter", _interpreters())
def test_the_wheel_with_the_pinned_dependencies_in_an_empty_environment(
    tmp_path: Path, interpreter: str
) -> None:
    """A minute, and the package index."""
    environment = tmp_path / "environment"
    _run(interpreter, "-m", "venv", str(environment))
    install = (str(environment / BINARIES / "python"), "-m", "pip", "install", "-q")
    _run(*install, "--require-hashes", "-r", str(ROOT / ".github" / "requirements.txt"))
    _run(*install, "--no-deps", "--no-index", str(_wheel(tmp_path)))
    (tmp_path / "folder").mkdir()
    assert tried(str(environment / BINARIES / "reconciler"), tmp_path / "folder") == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("interpreter", _interpreters())
def test_the_wheel_by_pipx(
    tmp_path: Path, interpreter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page about installing says it, in an empty folder."""
    environment = tmp_path / "environment"
    _run(sys.executable, "-m", "venv", str(environment))
    _run(str(environment / BINARIES / "python"), "-m", "pip", "install", "-q", "pipx")
    monkeypatch.setenv("PIPX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIPX_BIN_DIR", str(tmp_path / "bin"))
    pipx = (str(environment / BINARIES / "pipx"), "install", "--python", interpreter)
    _run(*pipx, str(_wheel(tmp_path)))
    (tmp_path / "folder").mkdir()
    assert tried(str(tmp_path / "bin" / "reconciler"), tmp_path / "folder") == []


def _wheel(folder: Path) -> Path:
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
