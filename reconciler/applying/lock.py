"""One apply of a tenant at a time on this machine (law 10).

The operating system's lock on the file is the truth: it ends with the process that holds it,
however that ends, so there is no stale lock and nobody ever has to delete one. What is written in
the file only tells people who holds it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler import canonical
from reconciler.applying import processes
from reconciler.errors import LockHeld, ReconcilerError
from reconciler.guids import GUID

if sys.platform == "win32":  # pragma: no cover  Windows only
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LONGEST = 4096
"""Bytes of the file that are read for the message."""
_LOCKED_BYTE = 1 << 30
"""Windows keeps others from reading what is locked: a byte far behind the text is locked there."""


def tenant_directory(state_dir: Path, tenant_id: str) -> Path:
    """Make the directory that holds a tenant's lock and journals.

    Args:
        state_dir: Usually `.reconciler`.
        tenant_id: A GUID in lower case; anything else could lead out of `state_dir`.

    Raises:
        ReconcilerError: the id is not a lower-case GUID, or the directory cannot be made.
    """
    if not GUID.fullmatch(tenant_id):
        raise ReconcilerError(
            f"the tenant id {tenant_id!r} is not a lower-case GUID; correct `tenantId` and plan again"
        )
    directory = state_dir / tenant_id
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReconcilerError(
            f"{directory}: cannot be created: {error.strerror}; name a writable directory with"
            " --state-dir"
        ) from error
    return directory


@contextmanager
def hold(directory: Path, *, since: str) -> Iterator[None]:
    """Hold a tenant's lock for the length of a `with` block.

    Args:
        directory: What `tenant_directory` returned.
        since: The time to tell others, ISO 8601.

    Raises:
        LockHeld: another process, or another apply of this one, holds it. The message says who.
        ReconcilerError: the lock file cannot be opened or locked.
    """
    path = directory / "lock"
    descriptor = _open(path)
    try:
        if not _taken(descriptor, path):
            raise LockHeld(_held_by(_content(descriptor), path))
        _write(descriptor, _holder(since))
        try:
            yield
        finally:
            # The file stays: deleting it would let one process lock the old file and another the
            # new one.
            _write(descriptor, b"")
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as error:
        raise ReconcilerError(
            f"{path}: cannot be opened: {error.strerror}; name a writable directory with"
            " --state-dir"
        ) from error


def _taken(descriptor: int, path: Path) -> bool:
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise ReconcilerError(
            f"{path}: the file system cannot lock files: {error.strerror}; name a directory on a"
            " local disk with --state-dir"
        ) from error
    return True


if sys.platform == "win32":  # pragma: no cover  Windows only

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        # flock, not lockf: it belongs to the opened file, so a second apply in this very process is
        # kept out too, and it does not end when something else of this process opens and closes the
        # file.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(since: str) -> bytes:
    pid = os.getpid()
    return (
        canonical.dumps(
            {
                "host": socket.gethostname(),
                "pid": pid,
                "since": since,
                "started": processes.started(pid),
            }
        )
        + b"\n"
    )


def _write(descriptor: int, content: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, content)


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LONGEST)


def _held_by(content: bytes, path: Path) -> str:
    holder = _parsed(content)
    who = _described(holder) if holder else "another process that has just started"
    return (
        f"an apply of this tenant is running: {who} holds {path}. Wait until it ends and apply"
        " again; the lock ends with its process, so do not delete the file"
    )


def _parsed(content: bytes) -> Mapping[str, object] | None:
    """Read who holds the lock; None when the holder has not written it yet, so that what stands
    there is an earlier holder's.
    """
    try:
        holder = json.loads(content)
    except ValueError:
        return None
    if not isinstance(holder, dict) or not isinstance(holder.get("pid"), int):
        return None
    here = holder.get("host") == socket.gethostname() and holder.get("started")
    return None if here and not processes.same(holder["pid"], str(holder["started"])) else holder


def _described(holder: Mapping[str, object]) -> str:
    return f"process {holder['pid']} on {holder.get('host')!s}, since {holder.get('since')!s},"
