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
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO


_SOCKET: Final = frozenset({errno.ENXIO, errno.EOPNOTSUPP})
"""What Linux and macOS say of a socket that is opened."""
_READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


MOST_BYTES: Final = 1 << 30
"""What is read of a file at most, several times the largest plan that is measured: reading much more
ends with the memory of the machine.
"""
_MIB: Final = 1 << 20


class UnfitFile(OSError):
    """A file that is not read, because that may never end.

    `advice`: what to do.
    """

    def __init__(self, number: int, why: str, path: Path, advice: str) -> None:
        super().__init__(number, why, str(path))
        self.advice = advice


def open_regular(path: Path, most: int = MOST_BYTES) -> BinaryIO:
    """Open a file to read it; nothing that may never end or never begin: no device, no pipe.

    Args:
        path: the file.
        most: how many bytes it may have.

    Raises:
        UnfitFile: it is not a regular file, or is longer; names `path`.
        OSError: it cannot be opened; names `path`.
    """
    try:
        # without O_NONBLOCK, a pipe without a writer would be waited for
        descriptor = os.open(path, _READ)
    except OSError as error:
        raise _not_regular(path) if error.errno in _SOCKET else error from error
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= most:
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise _too_long(path, most) if stat.S_ISREG(status.st_mode) else _not_regular(path)


def _not_regular(path: Path) -> UnfitFile:
    advice = "name a regular file; pipes, sockets and devices are not read"
    return UnfitFile(errno.EINVAL, "not a regular file", path, advice)


def _too_long(path: Path, most: int) -> UnfitFile:
    why = f"longer than {most // _MIB} MiB"
    return UnfitFile(errno.EFBIG, why, path, "check that it is the right file")


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a file, as `open_regular` opens it.

    Raises:
        OSError: as `open_regular`, or it cannot be read.
    """
    with open_regular(path, most) as file:
        return file.read()


def real_path(path: Path) -> Path:
    """A path without links; one that leads in a circle or nowhere stays as far as it goes.

    `Path.resolve` raises of a circle what is no OSError, before Python 3.13.
    """
    return Path(os.path.realpath(path))


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
            _replace(_led_to(path), chunks, private=private)
    except OSError as error:
        if error.errno is None:  # not the system's
            raise
        # The system names a temporary file, or none.
        raise OSError(error.errno, error.strerror, str(path)) from error


def _led_to(path: Path) -> Path:
    """What a link leads to, which need not be there yet; any other path as it is.

    Raises:
        OSError: links lead in a circle.
    """
    if not path.is_symlink():
        return path
    led_to = real_path(path)
    if led_to.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return led_to


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
    path = real_path(path) if path.is_symlink() else path  # where `write_atomically` put them
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
