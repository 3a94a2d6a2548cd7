"""The lock that keeps a user from applying to the same tenant twice at once (law 10).

Only the operating system's lock on the file counts. It is released when the process that holds it
ends, for whatever reason, so a lock is never stale and never has to be deleted. The content of the
file tells people who holds the lock. It also serves as a warning on a file system that machines
share, where the lock of another machine may not be visible here.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from reconciler import canonical
from reconciler.applying import identity, processes
from reconciler.applying.events import SharedStateDirectory, WaitingForLock
from reconciler.applying.identity import Nearness, ProcessIdentity
from reconciler.applying.mounts import network_type
from reconciler.applying.state import VARIABLE, StateDirectories, is_link, is_own
from reconciler.errors import Interrupted, LockHeld, ReconcilerError

if sys.platform == "win32":  # pragma: no cover  Windows only
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.applying.host import Host
    from reconciler.canonical import Json

_LONGEST = 4096
"""Bytes of the file that are read for the message."""
_LOCKED_BYTE = 1 << 30
"""Windows keeps others from reading what is locked: a byte far behind the text is locked there."""
_POLL, _TELL = 1.0, 30
"""Seconds between two attempts, and attempts between two lines about them."""
_FLAGS = (
    os.O_RDWR
    | os.O_CREAT
    # a link is not followed, a pipe not waited for
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class HeldLock(Struct, frozen=True):
    """A tenant's lock, held until the `with` block of `hold` ends; whoever has one may apply.

    `timeout`: seconds that a person lets an apply wait for another one.
    """

    directories: StateDirectories
    timeout: float = 0.0


class _Holder(Struct, frozen=True):
    """What the file says of who holds it; `since` is ISO 8601."""

    process: ProcessIdentity
    since: str

    def __str__(self) -> str:
        return f"process {self.process.pid} on {self.process.host}, since {self.since},"


class _Busy(Struct, frozen=True):
    """Another apply holds the lock; None if it has not yet written who it is."""

    holder: _Holder | None

    def __str__(self) -> str:
        return str(self.holder) if self.holder else "another process that has just started"


class _Unreleased(Struct, frozen=True):
    """Nobody holds the lock on this machine, but an apply on another one has not released it."""

    holder: _Holder


_Refusal: TypeAlias = _Busy | _Unreleased


@contextmanager
def hold(directories: StateDirectories, host: Host, *, timeout: float = 0.0) -> Iterator[HeldLock]:
    """Hold a tenant's lock for the length of a `with` block.

    Args:
        directories: What `state.prepared` returned.
        host: Time, and a person who may want to stop.
        timeout: Seconds to wait for another apply to end.

    Raises:
        LockHeld: another process, or another apply of this one, holds it. The message says who.
        Interrupted: a person asked to stop while waiting.
        ReconcilerError: the lock file cannot be opened or locked, or is a link.
    """
    path = directories.lock / "lock"
    shared = network_type(directories.lock)
    if shared:
        host.tell(SharedStateDirectory(str(directories.lock), shared))
    descriptor = _wait(path, host, timeout, shared=bool(shared))
    try:
        _write(descriptor, _record(host.clock()))
        try:
            yield HeldLock(directories, timeout)
        finally:
            # The file stays: deleting it would let one process lock the old file and another the
            # new one.
            _write(descriptor, b"")
    finally:
        os.close(descriptor)


def _wait(path: Path, host: Host, timeout: float, *, shared: bool) -> int:
    """Take the lock, trying again until the timeout."""
    left, attempts = timeout, 0
    while isinstance(outcome := _attempt(path, shared=shared), _Busy | _Unreleased):
        if left <= 0:
            raise LockHeld(_refused(outcome, path))
        if attempts % _TELL == 0:
            host.tell(WaitingForLock(_who(outcome), left))
        host.pause(min(_POLL, left))
        if host.stop():
            raise Interrupted("stopped while waiting for another apply; nothing was written")
        left, attempts = left - _POLL, attempts + 1
    return outcome


def _attempt(path: Path, *, shared: bool) -> int | _Refusal:
    """The open file, locked; or why it could not be locked."""
    descriptor = _open(path)
    refusal: _Refusal | None = None
    try:
        refusal = _refusal(descriptor, path, shared=shared)
    except BaseException:
        os.close(descriptor)
        raise
    if refusal is None:
        return descriptor
    os.close(descriptor)
    return refusal


def _refusal(descriptor: int, path: Path, *, shared: bool) -> _Refusal | None:
    _check(descriptor, path)
    locked = _lock(descriptor, path)
    holder, here = _parsed(_content(descriptor)), identity.own()
    if locked and not _stands(descriptor, path):
        raise ReconcilerError(f"{path}: was replaced at this moment; apply again")
    if not locked:
        return _Busy(holder if holder and _may_run(holder.process, here) else None)
    if holder is None:
        return None
    match identity.nearness(holder.process, here):
        case Nearness.HERE | Nearness.OTHER_NAMESPACE:
            return None  # one kernel keeps the locks of both: it would not have given it
        case Nearness.BEFORE_REBOOT:
            return _Unreleased(holder) if shared else None
        case Nearness.OTHER_HOST:
            return _Unreleased(holder)


def _open(path: Path) -> int:
    try:
        if is_link(path.lstat()):
            raise ReconcilerError(
                f"{path}: is a link, which an apply does not follow; remove it and apply again"
            )
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    try:
        return os.open(path, _FLAGS, 0o600)
    except OSError as error:
        raise _unusable(path, f"cannot be opened: {error.strerror}") from error


def _check(descriptor: int, path: Path) -> None:
    """Refuse anything but a regular file with a single name: nothing else is ever locked or
    overwritten.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(path, "is not a regular file")
    if status.st_nlink > 1:
        raise ReconcilerError(
            f"{path}: is another file too (a hard link), which an apply would overwrite; remove it"
            " and apply again"
        )
    if not is_own(status):
        raise _unusable(path, "belongs to another user")


def _stands(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one that another process would open."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _lock(descriptor: int, path: Path) -> bool:
    try:
        _lock_file(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise ReconcilerError(
            f"{path}: the file system cannot lock files: {error.strerror}; name a directory on a"
            f" local disk with {VARIABLE}"
        ) from error
    return True


if sys.platform == "win32":  # pragma: no cover  Windows only

    def _lock_file(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock_file(descriptor: int) -> None:
        # flock, not lockf: it belongs to the opened file, so a second apply in this very process is
        # kept out too, and it does not end when something else of this process opens and closes the
        # file.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _record(now: float) -> bytes:
    own = identity.own()
    since = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    record: dict[str, Json] = {
        "host": own.host,
        "pid": own.pid,
        "started": own.started,
        "namespace": own.namespace,
        "since": since,
    }
    return canonical.dumps(record) + b"\n"


def _write(descriptor: int, content: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, content)


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LONGEST)


def _parsed(content: bytes) -> _Holder | None:
    """Read who holds the lock; None if the file does not say."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("pid"), int):
        return None
    texts = {name: str(record.get(name, "")) for name in ("host", "started", "namespace", "since")}
    since = texts.pop("since")
    return _Holder(ProcessIdentity(pid=record["pid"], **texts), since)


def _may_run(process: ProcessIdentity, here: ProcessIdentity) -> bool:
    """Whether the process in the file may still be running. If not, the file still names an earlier
    holder, because the current one has not written its record yet.
    """
    match identity.nearness(process, here):
        case Nearness.HERE:
            return not process.started or processes.same(process.pid, process.started)
        case Nearness.BEFORE_REBOOT:
            return False
        case Nearness.OTHER_NAMESPACE | Nearness.OTHER_HOST:
            return True


def _who(refusal: _Refusal) -> str:
    return str(refusal if isinstance(refusal, _Busy) else refusal.holder).rstrip(",")


def _refused(refusal: _Refusal, path: Path) -> str:
    if isinstance(refusal, _Busy):
        return (
            f"an apply of this tenant is running: {refusal} holds {path}. Wait until it ends, or"
            " let this one wait with --lock-timeout SECONDS; the lock ends with its process, so do"
            " not delete the file"
        )
    return (
        f"an apply of this tenant may be running: {refusal.holder} took {path} and did not give it"
        " back, and another machine's processes cannot be seen from here. Wait until it ends, or let"
        " this one wait with --lock-timeout SECONDS. If it has certainly ended, because that machine"
        " is gone, remove the file and apply again"
    )


def _unusable(path: Path, why: str) -> ReconcilerError:
    return ReconcilerError(f"{path}: {why}; name a directory of your own with {VARIABLE}")
