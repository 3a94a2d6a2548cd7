"""What applies changed lately, by their journals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applying.journal import Journal, journal_files
from reconciler.applying.recent import writes_since
from tests.applying.test_journal import HEADER, NOON

if TYPE_CHECKING:
    from pathlib import Path


def _journals(directory: Path) -> list[Path]:
    """Two applies: an hour before noon, and at noon, with a step of each outcome."""
    with Journal.create(directory, HEADER, lambda: NOON - 3600) as lines:
        lines.started(1, 1, "teams.policy/A")
        lines.done(1, seen=False)
        lines.started(2, 1)  # as earlier versions wrote it
        lines.done(2, seen=False)
    with Journal.create(directory, HEADER, lambda: NOON) as lines:
        lines.started(1, 1, "teams.policy/B")
        lines.failed(1, "invalid", "no")
        lines.started(2, 1, "teams.policy/C")
        lines.unknown(2, "no answer")
        lines.started(3, 1, "teams.policy/D")
    return journal_files(directory)


def test_the_latest_stand_first_and_what_failed_is_none(tmp_path: Path) -> None:
    writes = writes_since(_journals(tmp_path), 0.0)
    assert [(write.address, write.at, write.certain, write.step) for write in writes] == [
        ("teams.policy/C", NOON, False, 2),
        ("teams.policy/D", NOON, False, 3),
        ("teams.policy/A", NOON - 3600, True, 1),
    ]
    assert [write.journal.name for write in writes] == ["apply-000002.jsonl"] * 2 + [
        "apply-000001.jsonl"
    ]


def test_what_is_older_is_none(tmp_path: Path) -> None:
    journals = _journals(tmp_path)
    assert [write.address for write in writes_since(journals, NOON)] == [
        "teams.policy/C",
        "teams.policy/D",
    ]
    assert writes_since(journals, NOON + 1) == ()
    assert writes_since((), 0.0) == ()
