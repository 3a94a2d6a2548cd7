"""An apply while it runs: what is shown of it, and the wish to stop it."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Protocol

from reconciler.applying.events import (
    CheckingPlan,
    PlanLocated,
    ReadingTenant,
    StepDone,
    StepStarted,
)
from reconciler.cli import printing
from reconciler.cli.working import QUIET_SECONDS
from reconciler.reports import progress
from reconciler.reports.lines import Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import FrameType

    from rich.progress import Progress, TaskID

    from reconciler.applying.events import Event
    from reconciler.cli.recording import Recorder
    from reconciler.reports.lines import Line

_BAR_WIDTH = 16
_MANY_STEPS = 5000
"""Checking fewer takes no time that anybody notices."""
_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
_SIGNALS = tuple(
    number for number in (signal.SIGINT, signal.SIGTERM, _HANGUP) if number is not None
)
_FINISHING = (
    b"\nFinishing the step in flight, then stopping. Once more: stop at once, and leave its outcome"
    b" unknown.\n"
)


class Show(Protocol):
    """Shows an event of an apply."""

    def __call__(self, event: Event) -> None:
        """Show it."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal to a question for a while."""
        ...


@contextmanager
def event_display(steps: int, recorder: Recorder) -> Iterator[Display]:
    """What shows the events of an apply of so many steps: a bar on a terminal, now and then a line
    elsewhere; all of them are recorded.
    """
    with ExitStack() as stack:
        show: Show = (
            stack.enter_context(_bar(steps)) if printing.animated(sys.stderr) else Plain(steps)
        )

        yield Display(show, recorder)


class Display:
    """Records events, and shows them as long as somebody listens."""

    def __init__(self, show: Show, recorder: Recorder) -> None:
        self._show, self._recorder = show, recorder

    def __call__(self, event: Event) -> None:
        """Record and show an event."""
        self._recorder.record(event)
        if trouble := self._recorder.trouble():
            with self.paused():
                printing.say(trouble, Tone.WARNING)
        with suppress(
            OSError
        ):  # nobody listens any more: that must not stop an apply between two steps
            self._show(event)

    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal to a question for a while."""
        return self._show.paused()


class Plain:
    """One line for an event; while steps go well, not more than one in `QUIET_SECONDS`. What does
    not go well is always told.
    """

    def __init__(self, steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._steps, self._clock = steps, clock
        self._last = -QUIET_SECONDS
        self._first: tuple[float, int] | None = None

    def __call__(self, event: Event) -> None:
        """Print the event, unless it is one of many that go well."""
        match event:
            case StepStarted(attempt=1):
                return
            case CheckingPlan(steps=steps) if steps < _MANY_STEPS:
                return
            case StepDone(step=step) if step.id < self._steps:
                if self._clock() - self._last < QUIET_SECONDS:
                    return
            case _:
                pass
        self._last = self._clock()
        printing.notice([progress.progress_line(event, self._steps)])
        if isinstance(event, StepDone):
            printing.notice(self._pace(event.step.id))

    def paused(self) -> AbstractContextManager[None]:
        """There is nothing on the terminal that moves."""
        return nullcontext()

    def _pace(self, done: int) -> Iterator[Line]:
        """How fast the steps go since the first line about one, and how long the rest takes at that
        pace.
        """
        if self._first is None:
            self._first = self._last, done
        (begun, already), left = self._first, self._steps - done
        if left and done > already:
            yield progress.pace_line(done - already, self._last - begun, left)


@contextmanager
def _bar(steps: int) -> Iterator[Show]:
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column  # noqa: PLC0415

    columns = (
        # what is cut on a narrow terminal is the name of the step
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width=_BAR_WIDTH),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=printing.console(sys.stderr), transient=True, expand=True)
    task = bar.add_task("Applying", total=steps)
    with suppress(OSError):
        bar.start()
    try:
        yield Bar(bar, task, steps)
    finally:
        with suppress(OSError):  # a terminal that has gone must not take the outcome with it
            bar.stop()


class Bar:
    """A bar that fills, with lines above it for what does not go well."""

    def __init__(self, bar: Progress, task: TaskID, steps: int) -> None:
        self._bar, self._task, self._steps = bar, task, steps

    def __call__(self, event: Event) -> None:
        """Move the bar, or print a line above it."""
        line = progress.progress_line(event, self._steps)
        match event:
            case PlanLocated(already=already):
                self._bar.update(self._task, completed=already)
            case StepDone(step=step):
                self._bar.update(self._task, completed=step.id)
            case StepStarted() | ReadingTenant() | CheckingPlan():
                self._bar.update(self._task, description=line.printed())
            case _:
                printing.coloured([line], self._bar.console)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bar off the terminal."""
        with suppress(OSError):
            self._bar.stop()
        try:
            yield
        finally:
            with suppress(OSError):
                self._bar.start()


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Take the first Ctrl-C (or SIGTERM, or the end of the terminal) as the wish to stop after the
    step in flight; a second one ends the run at once.

    A terminal that goes may say so several times, which is one wish; and nobody's wish at all if
    `nohup` was asked to see to that.
    """
    wishes: list[int] = []

    def wish(number: int, _frame: FrameType | None) -> None:
        if wishes and number == _HANGUP:
            return
        if wishes:
            raise KeyboardInterrupt
        wishes.append(number)
        with suppress(OSError):
            # Not through a stream: the signal may have come in the middle of a print
            os.write(2, _FINISHING)

    ignored = {number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_IGN}
    before = {number: signal.signal(number, wish) for number in _SIGNALS if number not in ignored}
    try:
        yield lambda: bool(wishes)
    finally:
        for number, former in before.items():
            signal.signal(number, former)
