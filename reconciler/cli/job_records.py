"""The record of a job that applies: who, when, which plan, who approved it. It lies beside the
journals of the tenant, for their owner alone.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, to_builtins

from reconciler.applying.applying import ApplyPatience
from reconciler.applying.cleaning import remove_old_journals
from reconciler.applying.host import Host
from reconciler.applying.lock import hold
from reconciler.errors import LockHeld
from reconciler.files import write_atomically
from reconciler.reports.json import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.applying.state import StateDirectories
    from reconciler.cli.platforms import JobOrigin

_DAY = 86_400


class JobRecord(Struct, frozen=True):
    """A job that applied, or would have.

    Attributes:
        approved: The content digest of the plan that was approved; empty if none was named.
        approved_by: Who approved it, as the job was told.
        began: When, ISO 8601.
        content_digest: That of the plan.
        ended: When, ISO 8601.
        exit_code: How it ended.
        exit_name: The same in a word.
        origin: The job.
        plan_digest: That of the plan.
    """

    approved: str
    approved_by: tuple[str, ...]
    began: str
    content_digest: str
    ended: str
    exit_code: int
    exit_name: str
    origin: JobOrigin
    plan_digest: str


def stamp(seconds: float) -> str:
    """A moment as a record has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def record_text(record: JobRecord) -> bytes:
    """The record as JSON."""
    return json_text(to_builtins(record)).encode("utf-8", "backslashreplace")


def keep_record(directories: StateDirectories, record: JobRecord) -> Path:
    """Write a record beside the journals; gives its file.

    Raises:
        OSError: it cannot be written.
    """
    moment = record.began.replace(":", "").replace("-", "").partition("+")[0]
    path = directories.journals / f"job-{moment}-{secrets.token_hex(4)}.json"
    write_atomically(path, [record_text(record)], private=True)
    return path


def clean(directories: StateDirectories, days: int) -> int:
    """Delete journals that are older; gives how many. While an apply runs, none.

    Raises:
        ReconcilerError, OSError: one cannot be read or deleted.
    """
    host = Host(lambda _event: None, time.time, time.sleep, lambda: False, ApplyPatience())
    try:
        with hold(directories, host) as lock:
            return len(remove_old_journals(lock, time.time() - days * _DAY))
    except LockHeld:
        return 0
