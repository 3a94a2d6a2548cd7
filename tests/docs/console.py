"""The console blocks of a Markdown page, run for real in a copy of the repository's sample.

A block is a fence marked `console`: lines that begin with `$ ` are typed, the lines after them are what must be printed. All blocks of a page run in
order, in one folder, as somebody would who reads from top to bottom. An expected line that ends in `: yes` is a question and its answer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
QUESTION = re.compile(r"^(?P<question>.*: )yes$", re.MULTILINE)
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
    """A copy of what the page talks about. The environment of this test run stands where the page's own would."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return folder


def run(one: Typed, folder: Path) -> str:
    """Type a command into bash; what it prints, errors included, with the answer to a question where a terminal would echo it."""
    terminal, keyboard = os.openpty()
    question = QUESTION.search(one.printed)
    if question:
        os.write(terminal, b"yes\n")
    try:
        command = SET_UP.sub("", one.command)
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, stdin=keyboard, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    finally:
        os.close(terminal)
        os.close(keyboard)
    return done.stdout.replace(question["question"], f"{question['question']}yes\n", 1) if question else done.stdout


def rewritten(page: str, folder: Path) -> str:
    """The page with every block's output replaced by what is printed now."""

    def block(found: re.Match[str]) -> str:
        lines = "".join(f"$ {one.command}\n{run(one, folder)}" for one in typed(found[1]))
        return f"```console\n{lines}```"

    return BLOCK.sub(block, page)
