"""Writing a file so that a kill at any instant leaves the old content or the new one, never
something between (law 10).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO


_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read it; nothing that may never end or never begin: no device, no pipe.

    Raises:
        OSError: it cannot be opened, or is not a regular file; names `path`.
    """
    descriptor = os.open(
        path, _READ
    )  # without O_NONBLOCK, a pipe without a writer would be waited for
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "not a regular file", str(path))


def read_regular(path: Path) -> bytes:
    """The content of a file, as `open_regular` opens it.

    Raises:
        OSError: as `open_regular`, or it cannot be read.
    """
    with open_regular(path) as file:
        return file.read()


LEFT_FOR = 3600
"""Age in seconds from which a temporary file is nobody's: no write takes so long."""


def write_atomically(path: Path, chunks: Iterable[bytes], *, private: bool = False) -> None:
    """Write chunks to a temporary file beside `path`, flush it to the disk, and put it in place.

    A link stays a link: what it leads to is replaced. A device or a pipe (`/dev/stdout`) is written
    into, for there is nothing to replace. The permissions are those of the old file; of a new one
    what the process gives, or the owner's alone if it is `private`.

    Raises:
        OSError: the directory cannot be written, or the disk is full; it names `path`, which is as
            it was.
    """
    try:
        if _is_stream(path):
            with path.open("wb") as stream:
                stream.writelines(chunks)
        else:
            _replace(path.resolve() if path.is_symlink() else path, chunks, private=private)
    except OSError as error:
        if error.errno is None:  # not the system's
            raise
        # The system names a temporary file, or none.
        raise OSError(error.errno, error.strerror, str(path)) from error


def _replace(path: Path, chunks: Iterable[bytes], *, private: bool) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_mode(path, private=private))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sweep(path: Path) -> None:
    """Remove what writers of this file who were killed left beside it.

    Younger ones stay: they may be those of a writer who lives.
    """
    path = path.resolve() if path.is_symlink() else path  # where `write_atomically` put them
    # As `write_atomically` names them
    left = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}\.tmp")
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if (
                left.fullmatch(entry.name)
                and entry.stat(follow_symlinks=False).st_mtime < time.time() - LEFT_FOR
            ):
                Path(entry.path).unlink(missing_ok=True)


def _is_stream(path: Path) -> bool:
    """Whether there is something that is written into, never replaced; `/dev/stdout` is, even when
    it leads to a file.
    """
    return path.exists() and (not path.is_file() or path.absolute().parent == Path("/dev"))


def _mode(path: Path, *, private: bool) -> int:
    if path.exists():
        return path.stat().st_mode & 0o777
    if private:
        return 0o600
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def sync_directory(path: Path) -> None:
    """Flush a directory's entries, so that a rename or a new file outlives a power cut; not every
    system can.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
