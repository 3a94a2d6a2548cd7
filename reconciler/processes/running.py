"""A process that is run to its end, in bounded time and with bounded output."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from reconciler.processes.child import interrupt, kill, start_process, write_all
from reconciler.processes.groups import child_identity

if TYPE_CHECKING:
    import io
    import subprocess
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_BLOCK: Final = 256 * 1024
_MOST_COMPLAINTS: Final = 64 * 1024
"""Bytes that are kept of what a process says on standard error."""
_JOIN: Final = 5.0
"""Seconds in which the pipes of a process that has ended have to end too."""


class Bounds(NamedTuple):
    """What a process may take: seconds until it is killed, and bytes that it may print."""

    seconds: float
    most_bytes: int


class Ended(NamedTuple):
    """A process that ended by itself: its exit code, what it printed, what it complained of."""

    code: int
    printed: bytes
    complaints: bytes


class Unfinished(Exception):
    """A process that was killed; the text says why, as what follows its name."""


def run_to_end(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    bounds: Bounds,
    request: bytes = b"",
) -> Ended:
    """Run a program to its end.

    Args:
        command: the whole path of a program, and its arguments; no shell reads them.
        environment: all variables that it gets.
        folder: where it runs.
        bounds: what it may take.
        request: what it reads on standard input.

    Raises:
        OSError: it cannot be started.
        Unfinished: it took longer, or printed more, than it may.
    """
    return started_run(command, environment, folder, bounds).ended(request)


def started_run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, bounds: Bounds
) -> StartedRun:
    """Start a program; the caller waits until it has `ended`. Arguments as of `run_to_end`.

    Raises:
        OSError: it cannot be started.
    """
    return StartedRun(start_process(command, environment, folder), bounds)


class StartedRun:
    """A process that runs, and is gone once `ended` has returned or raised."""

    def __init__(self, process: subprocess.Popen[bytes], bounds: Bounds) -> None:
        self._process, self._bounds = process, bounds
        self._started = child_identity(process.pid).started
        self._why = ""
        self._complaints = bytearray()

    def ended(self, request: bytes = b"") -> Ended:
        """Wait for its end; once only.

        Raises:
            Unfinished: it took longer, or printed more, than it may.
        """
        clock = threading.Timer(self._bounds.seconds, self._late)
        others = (
            threading.Thread(target=self._say, args=(request,), daemon=True),
            threading.Thread(target=self._complain, daemon=True),
        )
        for thread in (clock, *others):
            thread.start()
        try:
            printed = b"".join(self._printed())
            code = self._process.wait()
        finally:
            clock.cancel()
            self._kill()
            for thread in others:
                thread.join(_JOIN)
        if self._why:
            raise Unfinished(self._why)
        return Ended(code, printed, bytes(self._complaints))

    def interrupt(self) -> None:
        """Ask it to stop, as Ctrl-C would; Windows can only end it."""
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                interrupt(self._process)

    def stop(self) -> None:
        """End it at once, with everything of its group."""
        self._stop("was stopped")

    def _late(self) -> None:
        self._stop(f"did not end within {self._bounds.seconds:g} seconds")

    def _stop(self, why: str) -> None:
        self._why = self._why or why
        self._kill()

    def _kill(self) -> None:
        # Not `poll`: what it started may hold the pipes when it has ended itself. As long as nobody
        # has waited for it, its id is that of its group.
        if self._process.returncode is None:
            kill(self._process, self._started)
            self._process.wait()

    def _printed(self) -> Iterator[bytes]:
        left = self._bounds.most_bytes
        with cast("io.FileIO", self._process.stdout) as raw:
            while left >= 0 and (block := raw.read(_BLOCK)):
                left -= len(block)
                yield block
        if left < 0:
            self._stop(f"printed more than {self._bounds.most_bytes} bytes")

    def _say(self, request: bytes) -> None:
        with contextlib.suppress(OSError), cast("io.FileIO", self._process.stdin) as pipe:
            write_all(pipe, request)

    def _complain(self) -> None:
        with contextlib.suppress(OSError), cast("io.FileIO", self._process.stderr) as raw:
            while block := raw.read(_BLOCK):
                self._complaints += block[: _MOST_COMPLAINTS - len(self._complaints)]
