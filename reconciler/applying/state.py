"""Where the lock and the journals of a tenant lie: in a directory of the user's own, whatever
folder a command starts in, so that two clones of a repository share them (law 10).

    BASE/KEY/lock                  who applies to the tenant now
    BASE/KEY/apply-NNNNNN.jsonl    a journal of each apply, unless `--state-dir` moves them
    BASE/KEY/journals.json         where else journals of the tenant were put
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from reconciler import canonical
from reconciler.errors import ReconcilerError, UsageFault
from reconciler.files import real_path, write_atomically
from reconciler.guids import GUID

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "RECONCILER_STATE_DIR"
BEFORE: Final = Path(".reconciler")
"""Where earlier versions put them, in the folder that a command was started in."""
_ELSEWHERE = "journals.json"
_PRIVATE = 0o700


class StateDirectories(Struct, frozen=True):
    """The directories of one tenant.

    Attributes:
        lock: The one with the lock, in the user's state directory.
        journals: Where the next journal goes; `lock` unless a person named another place.
        outside: Further places where earlier applies may have left journals. What lies there is
            looked at before it is believed.
    """

    lock: Path
    journals: Path
    outside: tuple[Path, ...] = ()


def base(environment: Mapping[str, str]) -> Path:
    """The user's state directory: RECONCILER_STATE_DIR, else where the system keeps such things.

    Raises:
        UsageFault: it is not absolute, so that two folders would have two.
    """
    named = environment.get(VARIABLE)
    if not named:
        # A run that was given the folder does not need it.
        from platformdirs import user_state_path  # noqa: PLC0415

        path = Path(user_state_path("reconciler", appauthor=False))
    else:
        path = Path(named)
    if not path.is_absolute():
        raise UsageFault(
            f"{VARIABLE} {'is' if named else 'is not set, and the default is'} {path}, which is not"
            " an absolute path: set it to one, so that every apply of this user finds the same lock"
        )
    return path


def live_key(tenant_id: str) -> str:
    """The name of a live tenant's directory.

    Raises:
        ReconcilerError: the id is not a lower-case GUID; anything else could lead elsewhere.
    """
    if not GUID.fullmatch(tenant_id):
        raise ReconcilerError(
            f"the tenant id {tenant_id!r} is not a lower-case GUID; correct `tenantId` and plan again"
        )
    return tenant_id


def simulated_key(file: Path) -> str:
    """The name of a simulated tenant's directory: the same for every way to write its path."""
    path = os.path.normcase(real_path(file))
    return f"simulated-{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}"


def prepared(
    key: str, base_directory: Path, *, tenant_id: str, journals: Path | None = None
) -> StateDirectories:
    """Make the directories of a tenant, for their owner alone.

    Args:
        key: `live_key` or `simulated_key`.
        base_directory: `base`.
        tenant_id: What earlier versions called the directory, a lower-case GUID.
        journals: Where a person wants journals.

    Raises:
        ReconcilerError: one cannot be made, is a link, or is somebody else's.
    """
    lock = private_directory(base_directory / key, VARIABLE)
    here = lock if journals is None else private_directory(journals.absolute() / key, "--state-dir")
    old = BEFORE.absolute() / live_key(tenant_id)
    outside = {*_read_elsewhere(lock), here, old} - {lock}
    return StateDirectories(lock, here, tuple(sorted(outside)))


def existing(
    key: str, base_directory: Path, journals: Path | None = None
) -> tuple[Path, tuple[Path, ...]]:
    """The directory of a tenant in the user's state directory, and others with journals of it, for
    who only reads: nothing is made. Arguments as of `prepared`.

    Raises:
        ReconcilerError: the note that says where they are cannot be read.
    """
    own = base_directory / key
    named = () if journals is None else (journals.absolute() / key,)
    outside = {*_read_elsewhere(own), *named} - {own}
    return own, tuple(sorted(place for place in outside if place.is_dir()))


def remember(directories: StateDirectories) -> None:
    """Note where journals are put outside the user's state directory, before the first one is; the
    caller holds the lock.

    Raises:
        ReconcilerError: it cannot be written.
    """
    places_before = _read_elsewhere(directories.lock)
    if directories.journals == directories.lock or directories.journals in places_before:
        return
    places = sorted(map(str, (*places_before, directories.journals)))
    path = directories.lock / _ELSEWHERE
    try:
        write_atomically(path, (canonical.dumps(list(places)), b"\n"), private=True)
    except (OSError, ValueError) as error:
        raise ReconcilerError(
            f"{path}: cannot be written: {error}; the next apply would not find this one's journal"
        ) from error


def _read_elsewhere(lock: Path) -> tuple[Path, ...]:
    path = lock / _ELSEWHERE
    try:
        places = msgspec.json.decode(path.read_bytes(), type=list[str])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ReconcilerError(
            f"{path}: cannot be read: {error}; it says where journals of earlier applies are:"
            " restore it, or delete it if no apply was killed"
        ) from error
    return tuple(place for place in map(Path, places) if place.is_dir())


def private_directory(path: Path, named_by: str) -> Path:
    """Make a directory, and what is missing above it, that is its owner's alone; one that exists
    already becomes so.

    Args:
        path: Absolute.
        named_by: The option or variable that a message names.

    Raises:
        ReconcilerError: it cannot be made, is a link, or is somebody else's.
    """
    way_out = f"name a directory of your own with {named_by}"
    try:
        _make(path)
        status = path.lstat()
        if is_link(status) or not stat.S_ISDIR(status.st_mode):
            raise ReconcilerError(f"{path}: is not a directory but leads elsewhere; {way_out}")
        if not is_own(status):
            raise ReconcilerError(f"{path}: belongs to another user; {way_out}")
        if sys.platform != "win32" and status.st_mode & ~_PRIVATE & 0o777:
            path.chmod(_PRIVATE)
    except OSError as error:
        raise ReconcilerError(f"{path}: cannot be created: {error.strerror}; {way_out}") from error
    return path


def _make(path: Path) -> None:
    missing = [path]
    while not missing[-1].exists() and not missing[-1].is_symlink():
        missing.append(missing[-1].parent)
    for directory in reversed(missing[:-1]):
        directory.mkdir(mode=_PRIVATE, exist_ok=True)


def is_own(status: os.stat_result) -> bool:
    """Whether a file belongs to this user. Windows does not tell; profiles are private there."""
    if sys.platform == "win32":  # pragma: no cover  Windows only
        return True
    return status.st_uid == os.geteuid()


def is_link(status: os.stat_result) -> bool:
    """Whether the result of `lstat` leads elsewhere: a symbolic link, or on Windows any reparse
    point (a junction).
    """
    reparse = getattr(status, "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_REPARSE_POINT
    return stat.S_ISLNK(status.st_mode) or bool(reparse)
