"""`apply --events`: what happens while an apply runs, line by line into a file.

A file that takes no more never stops an apply: that is reported once, and the apply goes on without.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from reconciler.cli import printing
from reconciler.errors import Interrupted, ReconcilerError
from reconciler.reports import events
from reconciler.reports.lines import Tone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied
    from reconciler.model.event_records import EventRecord
    from reconciler.planning.planfile import SealedPlan

_OPENED = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
# A pipe that nobody reads must not be waited for, neither to open it nor to write to it.
_WAY = _OPENED | getattr(os, "O_NONBLOCK", 0)


class Recorder:
    """Writes events into a file, flushed after each; into none if there is no path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._number: int | None = None
        self._steps = 0
        self._trouble = ""
        if path is not None:
            try:
                self._number = os.open(path, _WAY, 0o600)
            except OSError as fault:
                self._break(fault)

    def trouble(self) -> str:
        """What is wrong with the file; empty if nothing is, or if that was asked before."""
        trouble, self._trouble = self._trouble, ""
        return trouble

    def start(self, loaded: SealedPlan, *, simulated: bool) -> None:
        """Write that an apply begins."""
        self._steps = len(loaded.plan.steps)
        self._write(events.start_record(loaded, time.time(), simulated=simulated))

    def record(self, event: Event) -> None:
        """Write an event."""
        if self._number is not None:
            self._write(events.event_record(event, time.time(), self._steps))

    def stop(self, applied: Applied) -> None:
        """Write that the apply ends before its last step, if it does."""
        if not applied.complete:
            self._write(events.stop_record(applied, time.time()))

    def finish(self, code: int, message: str = "") -> None:
        """Write how it ended, and nothing after that."""
        self._write(events.finish_record(code, message, time.time()))
        self._close()

    def _write(self, record: EventRecord) -> None:
        if self._number is None:
            return
        line = printing.encoded(events.event_line(record))
        try:
            if os.write(self._number, line) != len(line):
                raise BlockingIOError(0, "nothing reads it")
        except OSError as fault:
            self._break(fault)

    def _break(self, fault: OSError) -> None:
        self._close()
        self._trouble = (
            f"Warning: --events {self._path}: {fault.strerror}; the apply goes on, and its events are"
            " not written"
        )

    def _close(self) -> None:
        if self._number is not None:
            with suppress(OSError):
                os.close(self._number)
        self._number = None


@contextmanager
def recording(path: Path | None) -> Iterator[Recorder]:
    """A recorder whose last event is how the block ended; the block says so with `finish` unless it
    raises.
    """
    recorder = Recorder(path)
    tell_trouble(recorder)
    try:
        yield recorder
    except ReconcilerError as fault:
        recorder.finish(fault.exit_code, str(fault))
        raise
    except KeyboardInterrupt:
        recorder.finish(Interrupted.exit_code, "interrupted")
        raise
    except Exception as fault:
        recorder.finish(ReconcilerError.exit_code, f"unexpected {type(fault).__name__}: {fault}")
        raise
    finally:
        tell_trouble(recorder)


def tell_trouble(recorder: Recorder) -> None:
    """Say once what is wrong with the file."""
    if trouble := recorder.trouble():
        printing.say(trouble, Tone.WARNING)
