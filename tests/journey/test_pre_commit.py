"""A repository that `init` began: pre-commit checks every commit of it, whatever the commit does."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

IDENTITY = ("--tenant-id", "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a", "--organization", "contoso.com")
APPLICATION = """\
apiVersion: reconciler/v1
kind: Application
metadata: {name: crm}
spec: {appId: 7a774f0c-7a6f-11e0-85ad-07fb4824019b}
"""
POLICY = """\
apiVersion: reconciler/v1
kind: TeamsApplicationAccessPolicy
metadata: {name: Hosts}
spec: {applications: [crm]}
"""


class Repository:
    """A repository of git, and what is typed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        binaries = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": binaries,
            "HOME": str(folder.parent),
            "PRE_COMMIT_HOME": str(folder.parent / "pre-commit"),
        }
        author = (("user.name", "Adele"), ("user.email", "adele@contoso.com"))
        self.typed("reconciler", "init", ".", *IDENTITY)
        self.typed("git", "init", "-q", "-b", "main")
        for key, value in (*author, ("commit.gpgsign", "false"), ("core.autocrlf", "false")):
            self.typed("git", "config", key, value)
        self.typed(sys.executable, "-m", "pre_commit", "install")
        self.write("policies/crm.yaml", APPLICATION)
        self.write("policies/hosts.yaml", POLICY)
        self.typed("git", "add", "-A")
        self.typed("git", "commit", "-q", "-m", "begun")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def typed(self, *words: str) -> None:
        done = self._run(*words)
        assert done.returncode == 0, done.stdout

    def refused(self) -> str:
        """What a commit of everything prints; empty if it was made."""
        self.typed("git", "add", "-A")
        done = self._run("git", "commit", "-q", "-m", "change")
        return done.stdout if done.returncode else ""

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    if find_spec("pre_commit") is None:
        pytest.skip("pre-commit is not installed")
    (tmp_path / "caller").mkdir()
    return Repository(tmp_path / "caller")


def test_what_is_right_is_committed(repository: Repository) -> None:
    repository.write("policies/more.yaml", POLICY.replace("Hosts", "Guests"))
    assert repository.refused() == ""
    repository.write("policies/more.yaml", POLICY.replace("Hosts", "Others"))
    assert repository.refused() == ""
    repository.typed("git", "mv", "policies/more.yaml", "policies/others.yaml")
    assert repository.refused() == ""
    repository.typed("git", "rm", "-q", "policies/others.yaml")
    assert repository.refused() == ""


def test_an_added_fault_is_refused(repository: Repository) -> None:
    repository.write("policies/more.yaml", POLICY.replace("[crm]", "[cmr]"))
    assert "did you mean `crm`?" in repository.refused()


def test_an_edited_fault_is_refused(repository: Repository) -> None:
    repository.write("policies/crm.yaml", APPLICATION.replace("name: crm", "name: sales"))
    assert "policies/hosts.yaml:4:23" in repository.refused()


def test_a_deletion_that_breaks_another_document_is_refused(repository: Repository) -> None:
    repository.typed("git", "rm", "-q", "policies/crm.yaml")
    assert "Application `crm` not found" in repository.refused()


def test_a_document_that_is_moved_away_is_missed(repository: Repository) -> None:
    repository.write("archive/readme.txt", "what was")
    repository.typed("git", "mv", "policies/crm.yaml", "archive/crm.yaml")
    assert "Application `crm` not found" in repository.refused()
