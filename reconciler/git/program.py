"""Which git is started, with what environment and options: nothing that a repository or the caller's
environment configures may run, and nothing is fetched.

The commands that are run here are built into git and only read objects. What a repository's
configuration could still start is named and switched off: a pager, a file system monitor, hooks, and
what fetches an object that a partial clone lacks. Aliases cannot take the place of built-in
commands; filters, textconv and external diffs belong to commands that are not used (git(1),
git-config(1), git-cat-file(1)).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.errors import ReconcilerError
from reconciler.processes.programs import Chosen, SoughtProgram, choose_program, told
from reconciler.processes.running import Bounds, Ended, Unfinished, run_to_end
from reconciler.processes.untrusted import (
    RealDisk,
    flavour_here,
    untrusted_folders,
    working_directory,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

GIT: Final = SoughtProgram(
    "git", "RECONCILER_GIT", "/usr/bin/git", r"C:\Program Files\Git\cmd\git.exe"
)
SECONDS: Final = 120.0
MOST_BYTES: Final = 256 * 1024 * 1024
"""What one command of git may print: all documents of a commit are read at once."""

_KEPT: Final = frozenset({"HOME", "USERPROFILE", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR"})
"""Variables of the caller that git gets. HOME only so that a `~` in a configured path has a meaning."""
_SET: Final[Mapping[str, str]] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    # Before git 2.44 a missing object is fetched all the same: by no protocol at all.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_ADVICE": "0",
    "LC_ALL": "C",
}
_OPTIONS: Final = (
    *("--no-pager", "--no-replace-objects", "--literal-pathspecs"),
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.commitGraph=false"),
    *("-c", "core.warnAmbiguousRefs=true"),
    *("-c", "protocol.allow=never"),
)


class GitFault(ReconcilerError):
    """git, or a repository, does not give what was asked of it."""


class Repository(NamedTuple):
    """A work tree, the repository that it is of, and the git that reads it.

    `top`: the folder that has `.git`.
    """

    program: str
    top: Path
    environment: Mapping[str, str]

    def ask(self, *words: str, request: bytes = b"") -> Ended:
        """Run a command of git; what its exit code means is the caller's to say.

        Args:
            words: the command and its arguments. What others wrote comes after
                `--end-of-options`.
            request: what it reads on standard input.

        Raises:
            GitFault: it cannot be started, takes too long or prints too much.
        """
        command = (self.program, *_OPTIONS, f"--git-dir={self.top / '.git'}", *words)
        bounds = Bounds(SECONDS, MOST_BYTES)
        try:
            return run_to_end(command, self.environment, self.top, bounds, request)
        except OSError as fault:
            raise GitFault(
                f"cannot start {self.program}: {fault.strerror or fault}: name another git by its"
                f" whole path in {GIT.variable}"
            ) from None
        except Unfinished as fault:
            raise GitFault(
                f"git {words[0]} in {self.top} {fault}: try again, or run without --since"
            ) from None

    def answer(self, *words: str, request: bytes = b"") -> bytes:
        """What a command prints.

        Raises:
            GitFault: as `ask`, or it fails.
        """
        ended = self.ask(*words, request=request)
        if ended.code:
            raise GitFault(f"git {words[0]} failed in {self.top}: {complaint(ended)}")
        return ended.printed


def complaint(ended: Ended) -> str:
    """The first line of what git complained of, in one line."""
    lines = ended.complaints.decode("utf-8", "replace").split("\n")
    line = next((text.strip() for text in lines if text.strip()), f"exit code {ended.code}")
    return line.removeprefix("fatal: ").removeprefix("error: ")


def repository(top: Path, reads: Iterable[Path], environ: Mapping[str, str]) -> Repository:
    """The repository of a work tree, with the git to read it.

    Args:
        top: the folder that has `.git`.
        reads: what this run reads: nothing beside it is started.
        environ: this process's environment.

    Raises:
        GitFault: there is no git that may be started.
    """
    where = untrusted_folders((top, *reads), working_directory())
    choice = choose_program(GIT, environ, flavour_here(environ), RealDisk(), where)
    if not isinstance(choice, Chosen):
        passed = f" ({told(choice.passed)})" if choice.passed else ""
        raise GitFault(
            f"--since needs git, which was not found: {choice.why}{passed}; install it from"
            f" https://git-scm.com, or name one that is installed, by its whole path, in"
            f" {GIT.variable}"
        )
    kept = {name: value for name, value in environ.items() if name.upper() in _KEPT}
    return Repository(choice.program, top, {**kept, **_SET})
