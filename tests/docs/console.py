"""The console blocks of a Markdown page, run for real in a copy of the repository's sample.

A block is a fence marked `console`: lines that begin with `$ ` are typed, the lines after them are
what must be printed. All blocks of a page run in order, in one folder, as somebody would who reads
from top to bottom. A line `yes` is typed too, as the answer to the question above it. A line
`[...]` stands for what the page leaves out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.cli import tenants_sample
from tests.docs import everyday, nightly, reviewing
from tests.exporting import brownfield

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / ".github" / "docs"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ANSWERED = re.compile(r"^(?P<question>.*\n)yes$", re.MULTILINE)
LEFT_OUT = "[...]\n"
SET_UP = re.compile(r"^python3 -m venv .* && (?=\.venv/bin/)")
"""What makes the environment that the tests already run in: left away, what follows it is run."""


class Typed(NamedTuple):
    """One command of a block and what the page says it prints."""

    command: str
    printed: str


def typed(block: str) -> Iterator[Typed]:
    """The commands of one block, in order."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield Typed(command, printed)


def sample(folder: Path) -> Path:
    """A copy of what the page talks about.

    The environment of this test run stands where the page's own would.
    """
    shutil.copytree(ROOT / "policies", folder / "policies")
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return folder


def brownfield_sample(folder: Path) -> Path:
    """A tenant that nobody tidied up, and no documents."""
    brownfield.write(folder / "tenant.json", brownfield.SMALL)
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return folder


def everyday_sample(folder: Path) -> Path:
    """The sample as it is once it was applied, with people who are still to be granted something."""
    return everyday.write(sample(folder))


def nightly_sample(folder: Path) -> Path:
    """The same on three nights."""
    return nightly.write(sample(folder))


def reviewing_sample(folder: Path) -> Path:
    """A repository of git with a branch that edits its documents."""
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return reviewing.write(folder)


def many_tenants_sample(folder: Path) -> Path:
    """A repository of three tenants."""
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return tenants_sample.settle(folder)


PAGES = {
    ROOT / "README.md": sample,
    DOCS / "adopting.md": brownfield_sample,
    DOCS / "everyday.md": everyday_sample,
    DOCS / "incident.md": everyday_sample,
    DOCS / "drift.md": nightly_sample,
    DOCS / "why-403.md": sample,
    DOCS / "reviewing.md": reviewing_sample,
    DOCS / "undo.md": everyday_sample,
    DOCS / "many-tenants.md": many_tenants_sample,
    DOCS / "installing.md": sample,
    **{
        DOCS / f"{name}.md": sample
        for name in (
            "architecture",
            "azure-pipelines",
            "commands",
            "documents",
            "github-actions",
            "pipelines",
            "plans",
            "verifying",
        )
    },
}
"""Pages that are executed, with what makes the folder in which that is done."""


def run(one: Typed, folder: Path) -> str:
    """Type a command into bash; what it prints, errors included, with the answer to a question
    where a terminal would echo it.
    """
    terminal, keyboard = os.openpty()
    answered = ANSWERED.search(one.printed)
    if answered:
        os.write(terminal, b"yes\n")
    try:
        printed = _bash(SET_UP.sub("", one.command), folder, keyboard)
    finally:
        os.close(terminal)
        os.close(keyboard)
    return (
        printed.replace(answered["question"], f"{answered['question']}yes\n", 1)
        if answered
        else printed
    )


def _bash(command: str, folder: Path, keyboard: int) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        # Locks and journals stay out of the home of whoever writes the page.
        env={
            **os.environ,
            "COLUMNS": "100",
            "RECONCILER_STATE_DIR": str(folder.resolve() / ".reconciler" / "state"),
        },
        stdin=keyboard,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def shortened(printed: str, page: str) -> str:
    """What was printed, with the middle left out where the page leaves it out.

    Of the page's pieces the first and the last say how many lines are shown, one between them has
    to stand somewhere in the rest.
    """
    head, *between, tail = page.split(LEFT_OUT) if LEFT_OUT in page else (printed, "")
    lines = printed.splitlines(keepends=True)
    start, stop = head.count("\n"), max(head.count("\n"), len(lines) - tail.count("\n"))
    rest = "".join(lines[start:stop])
    shown = [
        "".join(lines[:start]),
        *(piece for piece in between if piece in rest),
        "".join(lines[stop:]),
    ]
    return LEFT_OUT.join(shown) if LEFT_OUT in page else printed


def lost(printed: str, page: str) -> list[str]:
    """The pieces between `[...]` that are printed no more: what stands there now nobody can tell."""
    _, *between, _ = page.split(LEFT_OUT) if page.count(LEFT_OUT) > 1 else ("", "")
    return [piece for piece in between if piece not in shortened(printed, page)]


class Rewritten(NamedTuple):
    """A page with what is printed now, and the pieces that fell out of it, by their command."""

    page: str
    lost: list[tuple[str, str]]


def rewritten(page: str, folder: Path) -> Rewritten:
    """The page with every block's output replaced by what is printed now."""
    fallen: list[tuple[str, str]] = []

    def block(found: re.Match[str]) -> str:
        lines = ""
        for one in typed(found[1]):
            printed = run(one, folder)
            fallen.extend((one.command, piece) for piece in lost(printed, one.printed))
            lines += f"$ {one.command}\n{shortened(printed, one.printed)}"
        return f"```console\n{lines}```"

    return Rewritten(BLOCK.sub(block, page), fallen)
