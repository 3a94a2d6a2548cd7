"""Old journals go by age, never one that an apply may still need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applying.cleaning import remove_old_journals
from reconciler.applying.journal import ApplyEnd, Journal, journal_files
from tests.applying.locked import hold
from tests.applying.test_journal import HEADER, NOON, written

if TYPE_CHECKING:
    from pathlib import Path


def _closed(directory: Path, moment: float = NOON) -> Path:
    """A journal of an apply that did all of its one step."""
    with Journal.create(directory, HEADER, lambda: moment) as lines:
        lines.started(1, 1, "teams.policy/A")
        lines.done(1, seen=True)
        lines.ended(ApplyEnd.CONVERGED)
    return lines.path


def _cut_off(directory: Path) -> Path:
    """A journal of an apply that was killed between two steps."""
    with Journal.create(directory, HEADER, lambda: NOON) as lines:
        lines.started(1, 1, "teams.policy/A")
        lines.done(1, seen=True)
    return lines.path


def _damaged(directory: Path) -> Path:
    path = _closed(directory)
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((first, b"{]\n", *others)))
    return path


def test_only_old_journals_of_applies_that_are_over_go(tmp_path: Path) -> None:
    old = [_closed(tmp_path), _closed(tmp_path)]
    kept = [written(tmp_path), _cut_off(tmp_path), _damaged(tmp_path)]
    kept.append(_closed(tmp_path, NOON + 100))
    kept.append(_closed(tmp_path))  # the newest one
    with hold(tmp_path) as lock:
        assert sorted(remove_old_journals(lock, NOON + 50)) == sorted(old)
        assert sorted(journal_files(tmp_path)) == sorted(kept)
        assert remove_old_journals(lock, NOON + 50) == ()


def test_the_next_journal_has_the_next_number(tmp_path: Path) -> None:
    paths = [_closed(tmp_path), _closed(tmp_path)]
    with hold(tmp_path) as lock:
        remove_old_journals(lock, NOON + 50)
    assert _closed(tmp_path).name > paths[-1].name


def test_of_no_journal_none_goes(tmp_path: Path) -> None:
    with hold(tmp_path) as lock:
        assert remove_old_journals(lock, NOON) == ()
