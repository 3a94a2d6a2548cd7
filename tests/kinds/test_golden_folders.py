"""Each golden folder: documents and a capture make exactly this plan, and it converges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kinds.golden_folders import EXPECTED, FOLDERS, HERE, folder_id, outcome

# After the policy is gone nothing knows its scope's object id any more, and a document that states
# it absent names a scope that cannot be found.
NOT_RESOLVED_AFTERWARDS = {"exchange/delete-dangling"}

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("folder", FOLDERS, ids=folder_id)
def test_plan(folder: Path, tmp_path: Path) -> None:
    expected = (folder / EXPECTED).read_text(encoding="utf-8")
    assert outcome(folder, tmp_path) == expected, "to accept: python -m tests.kinds --write"


@pytest.mark.parametrize("folder", FOLDERS, ids=folder_id)
def test_what_can_be_applied_converges(folder: Path) -> None:
    """The expected files themselves: no accepted plan may leave something to do."""
    lines = (folder / EXPECTED).read_text(encoding="utf-8").splitlines()
    endings = [line for line in lines if line.startswith(("rehearsed", "applied", "planned again"))]
    assert (
        endings
        in (
            [],
            [
                "rehearsed, exit code: 0",
                "applied, exit code: 0",
                "planned again, exit code: 0, 0 changes, 0 steps",
            ],
        )
        or folder_id(folder) in NOT_RESOLVED_AFTERWARDS
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=folder_id)
def test_what_is_undone_leads_back(folder: Path) -> None:
    """No accepted undo may leave something to undo."""
    lines = (folder / EXPECTED).read_text(encoding="utf-8").splitlines()
    back = [line for line in lines if line.startswith(("undone", "went back"))]
    assert back == (
        ["undone, exit code: 0", "went back, exit code: 0", "undone again, exit code: 0, 0 steps"]
        if (folder / "undo.txt").exists()
        else []
    )


def test_every_folder_says_what_it_shows() -> None:
    for folder in FOLDERS:
        lines = (folder / "README.md").read_text(encoding="utf-8").strip().splitlines()
        assert 2 <= len(lines) <= 7, folder_id(folder)
    inner = {path.parent for path in HERE.glob("*/*/README.md")}
    assert inner == set(FOLDERS), "a folder without a capture is not run"
    assert len(FOLDERS) >= 40
