"""A repository of documents on the stand-in of GitHub, and a capture of its tenant."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.workflows.running import ROOT, Platform

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


def commit(folder: Path, message: str) -> str:
    """Commit everything; the id of the commit."""
    git = ("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@contoso.com")
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", message], check=True)
    told = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return told.stdout.strip()


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    """The sample's documents on the default branch."""
    made = Platform(tmp_path / "platform")
    shutil.copytree(ROOT / "policies", made.checkout / "policies")
    subprocess.run(["git", "init", "--quiet", "-b", "main", str(made.checkout)], check=True)
    return made


@pytest.fixture
def capture(run: Run, tmp_path: Path) -> Path:
    """A capture of the sample's tenant."""
    folder = tmp_path / "capture"
    folder.mkdir()
    file = folder / "capture.json"
    assert run("fetch", str(ROOT / "policies"), "--directory", "all", "--out", str(file)).code == 0
    return file
