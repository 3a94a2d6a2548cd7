"""Real repositories of git, made anew for each test: fixed dates, no configuration of the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GIT = shutil.which("git") or ""


class Sandbox:
    """A work tree and what makes commits in it.

    Each commit is a minute later than the one before, so that orders are fixed.
    """

    def __init__(self, top: Path, home: Path) -> None:
        self.top, self._home, self._minute = top, home, 0
        home.mkdir(exist_ok=True)

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """Run git as a person would, with fixed dates and nothing configured."""
        date = f"2026-01-01T00:{self._minute:02}:00Z"
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_DATE": date for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_NAME": "Somebody" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "somebody@contoso.com" for who in ("AUTHOR", "COMMITTER")},
        }
        done = subprocess.run(
            [GIT, "-c", "protocol.file.allow=always", *words],
            cwd=cwd or self.top,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        """Commit all that there is, after these files were written; its hash. `a__b` is `a/b.txt`."""
        self._minute += 1
        for name, text in files.items():
            file = self.top / f"{name.replace('__', '/')}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def clone(self, folder: Path, *options: str) -> Sandbox:
        """A clone through a transport, as from a server."""
        self.git("clone", "-q", *options, f"file://{self.top}", str(folder), cwd=self.top.parent)
        copy = Sandbox(folder, self._home)
        copy._minute = self._minute
        return copy


def sandbox(folder: Path) -> Sandbox:
    """A new repository with the branch `main`, without a commit."""
    top = folder / "repo"
    top.mkdir(parents=True)
    made = Sandbox(top, folder / "home")
    made.git("init", "-q", "-b", "main", ".")
    return made
