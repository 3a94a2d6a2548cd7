"""The command line in a folder that holds the sample."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.sample import settle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran, Run


class Typist(io.StringIO):
    """Standard input at which somebody sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return settle(tmp_path)


@pytest.fixture
def type_(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a command with a person at the keyboard, who types `answer`."""

    def command(*arguments: str, answer: str) -> Ran:
        with monkeypatch.context() as patch:
            patch.setattr(io, "StringIO", Typist)
            return run(*arguments, stdin=answer)

    assert sys.stdin is not None
    return command
