"""Work that may take long: whoever waits sees that it goes on. Short work says nothing."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from reconciler.cli import printing
from reconciler.reports.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET_SECONDS = 5.0
"""Where no terminal is, at most one line in this time tells that work goes on."""
_UNNOTICED_SECONDS = 1.0
"""On a terminal, work that is done by then shows nothing."""


@contextmanager
def working(task: str, quiet: float = QUIET_SECONDS) -> Iterator[None]:
    """Tell on standard error that work goes on while the block runs, if it lasts: on a terminal by
    something that moves, elsewhere by a line now and then.

    Nothing else may be printed meanwhile. `task`: as `Planning`.
    """
    ended = threading.Event()
    moving = printing.animated(sys.stderr)
    telling = threading.Thread(
        target=_spin if moving else _count, args=(task, ended, quiet), daemon=True
    )
    telling.start()
    try:
        yield
    finally:
        ended.set()
        telling.join()


def _count(task: str, ended: threading.Event, quiet: float) -> None:
    begun = time.monotonic()
    while not ended.wait(quiet):
        printing.notice([Line(f"{task}: {time.monotonic() - begun:.0f} s so far.")])


def _spin(task: str, ended: threading.Event, quiet: float) -> None:
    if ended.wait(min(quiet, _UNNOTICED_SECONDS)):
        return
    from rich.progress import (  # noqa: PLC0415  only on a terminal
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    shown = Progress(*columns, console=printing.console(sys.stderr), transient=True)
    shown.add_task(Line(task).printed())
    with suppress(OSError):  # a terminal that has gone must not end the work
        shown.start()
    ended.wait()
    with suppress(OSError):
        shown.stop()
