"""The private folder of a PowerShell process, or of a run, and the removal of those that a kill left
behind.

A note in it says whose it is. The name stays short: a socket of .NET's is in it, and the path of
a socket is limited (unix(7)).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.processes import groups

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "reconciler-"
_NAME: Final = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
_NOTE: Final = ".reconciler-processes"
_LONGEST: Final = 4096


def make_home(cleanup: ExitStack) -> Path:
    """A folder of this user's own, gone when the process is; those of killed processes go first."""
    remove_left(Path(tempfile.gettempdir()))
    home = Path(
        cleanup.enter_context(
            tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        )
    )
    _write(home, _place())
    note(home, os.getpid())
    return home


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """An empty folder for what a run needs while the block lasts; it goes as homes do."""
    with ExitStack() as cleanup:
        folder = make_home(cleanup) / "files"
        folder.mkdir()
        yield folder


def note(home: Path, pid: int) -> None:
    """Note a process that uses a home."""
    _write(home, f"{pid} {groups.started(pid)}")


def remove_left(folder: Path) -> None:
    """Remove the homes whose processes were killed: this user's own, private, and noted as used by
    processes of this machine of which none runs any more. No link is followed.
    """
    try:
        names = [name for name in os.listdir(folder) if _NAME.fullmatch(name)]  # noqa: PTH208
    except OSError:
        return
    for home in (folder / name for name in names):
        if _is_own(home) and _is_left(home):
            shutil.rmtree(home, ignore_errors=True)


def _is_own(home: Path) -> bool:
    try:
        status = home.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    # Windows has neither; the folder for temporary files is the user's own there.
    return os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)


def _is_left(home: Path) -> bool:
    place, *processes = _noted(home)
    return place == _place() and bool(processes) and not any(map(_may_run, processes))


def _may_run(line: str) -> bool:
    pid, _, start = line.partition(" ")
    if not pid.isdecimal() or not start:
        return True
    number = int(pid)
    return groups.started(number) == start or groups.group_runs(number, start)


def _place() -> str:
    """The machine, its boot and the namespace of process ids: an id means nothing elsewhere."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{socket.gethostname()} {groups.SYSTEM.boot()} {namespace}"


_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


def _write(home: Path, line: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK
    try:
        descriptor = os.open(home / _NOTE, flags, 0o600)
    except OSError:
        # A home without a note is never removed by another run.
        return
    with os.fdopen(descriptor, "ab") as note_file:
        note_file.write(line.encode() + b"\n")


def _noted(home: Path) -> list[str]:
    try:
        descriptor = os.open(home / _NOTE, os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return [""]
    with os.fdopen(descriptor, "rb") as note_file:
        return note_file.read(_LONGEST).decode("utf-8", "replace").splitlines() or [""]
