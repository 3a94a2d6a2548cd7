"""A repository of documents on the stand-in of GitHub, and a capture of its tenant."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.workflows.agent import noted, write_tool
from tests.workflows.azure import Organization
from tests.workflows.merged import Merged
from tests.workflows.project import Project
from tests.workflows.running import ROOT, Platform

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


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


@pytest.fixture
def merged(platform: Platform, run: Run) -> Merged:
    return Merged(platform, run)


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Project:
    return Project(Organization(tmp_path / "organization"), run)


@pytest.fixture
def own(tmp_path: Path) -> Platform:
    """This very repository, with a `.ci/run` that is only noted."""
    made = Platform(tmp_path / "platform")
    for each in ROOT.iterdir():
        if each.name not in {".git", ".venv", ".ci", ".github"}:
            (made.checkout / each.name).symlink_to(each)
    shutil.copytree(ROOT / ".github", made.checkout / ".github")
    write_tool(made.checkout / ".ci" / "run", 'echo ".ci/run $*" >> "$STAND_IN_STATE/tools.txt"')
    write_tool(made.folder / "tools" / "docker", noted("true"))
    return made
