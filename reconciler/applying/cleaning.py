"""Old journals of a tenant go, never one that an apply may still need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applying.journal import journal_files, read_journal

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.applying.lock import HeldLock


def remove_old_journals(lock: HeldLock, before: float) -> tuple[Path, ...]:
    """Delete journals whose last line is older than a moment.

    The newest one stays, and so does one that its apply did not end, that has a step in it which
    may or may not have happened, or that cannot be read to its end.

    Args:
        lock: the tenant's lock, held: no apply is writing.
        before: seconds since 1970.

    Returns: what was deleted.

    Raises:
        ReconcilerError: a journal cannot be read.
        OSError: one cannot be deleted.
    """
    removed = []
    for path in journal_files(lock.directories.journals)[1:]:
        past = read_journal(path)
        is_open = past.end is None or past.open_step is not None or past.damaged
        if not is_open and (past.last_write or past.began) < before:
            path.unlink(missing_ok=True)
            removed.append(path)
    return tuple(removed)
