"""Standard streams that are closed, full or whose reader has gone: they must not end a run in any
other way than an `OSError`.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import TextIOBase, TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from typing import TextIO

_OUTPUTS = (("stdout", 1), ("stderr", 2))


class Closed(TextIOBase):
    """Takes the place of a stream that Python did not find: every write fails as one to a closed
    descriptor does.
    """

    def write(self, _: str, /) -> NoReturn:
        """Fail.

        Raises:
            OSError: always.
        """
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def prepare() -> None:
    """Make standard output and standard error streams in any case, which write any letter."""
    for name, number in _OUTPUTS:
        stream = getattr(sys, name)
        if stream is None:
            _reserve(number)
            setattr(sys, name, Closed())
        elif isinstance(stream, TextIOWrapper):
            # A terminal that lacks a letter must not end a run
            stream.reconfigure(errors="backslashreplace")


def give_up(stream: TextIO) -> None:
    """Let go what a stream could not write, and all that follows, or Python tries again when it
    ends and changes the exit code.
    """
    with suppress(OSError, ValueError):
        number = stream.fileno()
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, number)
        os.close(sink)


def finish() -> None:
    """Write what is left, where anybody takes it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            give_up(stream)


def _reserve(number: int) -> None:
    """Occupy a descriptor, or the next file that is opened gets it, and whatever writes to it by
    number writes into that file.
    """
    try:
        os.fstat(number)
    except OSError:
        sink = os.open(os.devnull, os.O_WRONLY)
        if sink != number:
            os.dup2(sink, number)
            os.close(sink)
