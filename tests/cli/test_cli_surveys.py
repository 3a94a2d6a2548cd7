"""`list`, `reach` and `who` in every format, on one tenant; what people and machines are told is
the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.golden_surveys import FOLDERS, FORMATS, said

if TYPE_CHECKING:
    from pathlib import Path

EVERY = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def test_there_are_some_of_each_command() -> None:
    commands = {
        (folder / "arguments.txt").read_text(encoding="utf-8").split()[0] for folder in FOLDERS
    }
    assert commands == {"list", "reach", "who"}


@EVERY
@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_said_is_as_expected(folder: Path, suffix: str) -> None:
    assert said(folder, suffix) == (folder / f"expected.{suffix}").read_text(encoding="utf-8")


@EVERY
def test_every_policy_that_machines_are_told_of_people_are_told_of_too(folder: Path) -> None:
    envelope = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    text = (folder / "expected.txt").read_text(encoding="utf-8")
    page = (folder / "expected.markdown").read_text(encoding="utf-8")
    policies = envelope.get("inventory", {}).get("policies", ())
    names = {row["name"] for row in policies if row["provider"] == "teams"}
    assert all(name in text and name in page for name in names)
