"""One child process: bytes in and out, and a certain end.

Two threads read for as long as it lives.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, cast

from reconciler.processes.groups import child_identity, end_members, has_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LONGEST_LINE: Final = 256 * 1024 * 1024
_MOST_LINES: Final = 10_000
"""Answer lines that nobody has taken yet; a process that prints more is not read any further."""
_SMALL: Final = 4096
"""Bytes that fit into an empty pipe on every system, so that writing them never waits."""
_JOIN: Final = 5.0
"""Seconds in which what was killed has to be gone."""
_LOOK: Final = 0.02
"""Seconds between two looks at a group whose leader has ended."""


class Broken(Exception):
    """The conversation cannot go on; the text says why, and quotes nothing that came."""


class Printed(Protocol):
    """What takes the bytes that a process prints beside its answers."""

    def feed(self, block: bytes) -> None:
        """Take what the process printed."""
        ...

    def close(self) -> None:
        """The process prints no more."""
        ...


class EndingTimes(Protocol):
    """Seconds that an ending process may take before the next means."""

    @property
    def close(self) -> float:
        """To go by itself, once nothing more is said to it."""
        ...

    @property
    def terminate(self) -> float:
        """To go when it is asked to."""
        ...


def start_process(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    """Start a program in a group and session of its own, with unbuffered pipes.

    Args:
        command: the whole path of a program, and its arguments; no shell reads them.
        environment: all variables that it gets.
        folder: where it runs.

    Raises:
        OSError: it cannot be started.
    """
    # the program is the one that the person named or PATH has
    return subprocess.Popen(  # noqa: S603
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        **_OWN_GROUP,
    )


def write_all(stream: IO[bytes] | None, content: bytes) -> None:
    """Write everything to an unbuffered pipe, which may take a part at a time.

    Raises:
        OSError: nobody reads it any more.
    """
    remaining = memoryview(content)
    while remaining:
        remaining = remaining[_pipe(stream).write(remaining) :]


class Child:
    """A process of its own group and session: Ctrl-C at the terminal does not reach it, and ending
    it ends what it started.

    Attributes:
        identity: Its id and start time, which stay those of its group when it has ended.
        outlived: Something that it started runs on although it was killed (a process that waits for
            a device cannot be).
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Printed
    ) -> None:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._log = log
        self._process = start_process(command, environment, folder)
        self.identity = child_identity(self._process.pid)
        self.outlived = False
        self._readers = tuple(
            threading.Thread(target=each, daemon=True)
            for each in (self._read_answers, self._read_log)
        )
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def spoke(self) -> bool:
        """Whether a line, or the end, has come that nobody has taken."""
        return not self._lines.empty()

    def send(self, line: bytes, seconds: float) -> None:
        """Write one line; a process that does not take it in time is killed.

        Raises:
            Broken: it is gone, or did not take the line.
        """
        impatient = threading.Timer(seconds, self.kill_group) if len(line) > _SMALL else None
        try:
            if impatient:
                impatient.start()
            write_all(self._process.stdin, line)
        except OSError:
            raise Broken("it exited before reading the request") from None
        finally:
            if impatient:
                impatient.cancel()

    def line(self, seconds: float) -> bytes:
        """The next line it prints.

        Raises:
            Broken: none came in time, or it ended.
        """
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise Broken(f"it did not answer within {seconds:g} seconds") from None
        if not line:
            self._lines.put(b"")
            raise Broken("it exited without answering")
        return line

    def end(self, times: EndingTimes) -> None:
        """Let it disconnect and go; make it go when it does not.

        It is gone afterwards, and so is everything that it started.
        """
        with contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        try:
            if not self._ended(times.close):
                _terminate(self._process)
                self._ended(times.terminate)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once, with everything that it started, and leave no zombie.

        Only once: its id may be given away from then on.
        """
        self.kill_group()
        self._process.wait()
        self.outlived = not self._group_ended(time.monotonic() + _JOIN)
        with contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        for reader in self._readers:
            reader.join(_JOIN)
        self._log.close()

    def kill_group(self) -> None:
        """Send the signal that nothing can refuse.

        Not to a group that is empty: its id may have been given away.
        """
        if self._process.returncode is None or has_members(self.pid, self.identity.started):
            kill(self._process, self.identity.started)

    def _ended(self, seconds: float) -> bool:
        """Whether it and all that it started end in time.

        A leader that goes first (a shim) does not cut short the time of the others.
        """
        until = time.monotonic() + seconds
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return self._group_ended(until)

    def _group_ended(self, until: float) -> bool:
        while has_members(self.pid, self.identity.started):
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK)
        return True

    def _read_answers(self) -> None:
        with (
            cast("io.FileIO", self._process.stdout) as raw,
            io.BufferedReader(raw, 256 * 1024) as answers,
        ):
            while self._lines.qsize() < _MOST_LINES and (line := answers.readline(_LONGEST_LINE)):
                self._lines.put(line)
        self._lines.put(b"")

    def _read_log(self) -> None:
        with _pipe(self._process.stderr) as printed:
            while block := printed.read(64 * 1024):
                self._log.feed(block)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:  # pragma: no cover  all three are pipes
        raise Broken("it has no pipe")
    return stream


if sys.platform == "win32":  # pragma: no cover  only Linux runs the tests
    _OWN_GROUP: Final[dict[str, Any]] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}

    def _terminate(process: subprocess.Popen[bytes]) -> None:
        process.terminate()

    def interrupt(process: subprocess.Popen[bytes]) -> None:
        """Ask a process to stop; a group of its own gets no Ctrl-C, so it is ended."""
        process.terminate()

    def kill(process: subprocess.Popen[bytes], start: str) -> None:
        """End a process and what it started."""
        # No `taskkill`: a program of that name in the working directory would be run instead.
        end_members(process.pid, start)
        process.kill()

else:
    _OWN_GROUP: Final[dict[str, Any]] = {"start_new_session": True}

    def _terminate(process: subprocess.Popen[bytes]) -> None:
        _signal(process, signal.SIGTERM)

    def interrupt(process: subprocess.Popen[bytes]) -> None:
        """Ask a process to stop, as Ctrl-C would."""
        process.send_signal(signal.SIGINT)

    def kill(process: subprocess.Popen[bytes], _start: str) -> None:
        """End a process and what it started."""
        _signal(process, signal.SIGKILL)

    def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """To the whole group, which has the process's id and keeps it from being given away as long
        as a member lives.
        """
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # PermissionError: macOS says so of a group of zombies
            os.killpg(process.pid, number)
