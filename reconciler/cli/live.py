"""A live tenant for the commands: this process's environment, and progress of its readings on
standard error.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from reconciler.cli import printing
from reconciler.cli.working import QUIET_SECONDS
from reconciler.reports.lines import Line, counted
from reconciler.tenants.live import Live, Start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reconciler.model.target_tenant import TargetTenant
    from reconciler.tenants.live import Progress


def open_live(target: TargetTenant, *, writes: bool, reads: Sequence[Path]) -> Live:
    """The target tenant.

    `reads`: what the command reads beside it. No process is started before it is used; whoever
    opened it closes it.
    """
    return Live(target, begin(reads), writes=writes, tell=ReadingProgress())


def begin(reads: Sequence[Path]) -> Start:
    """Starts PowerShell with this process's environment; a person who signs in with a code is shown
    what it prints.

    `reads`: paths of documents, of a plan, from whose repository nothing is started.
    """
    return Start(os.environ, show=lambda line: printing.notice([Line(line)]), reads=tuple(reads))


class ReadingProgress:
    """Says how a reading goes on, seldom: most are done before anybody wonders."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._turn = threading.Lock()

    def __call__(self, progress: Progress) -> None:
        """Say it, unless something was said a moment ago; two products may be read at once."""
        with self._turn:
            if self._clock() - self._last < QUIET_SECONDS:
                return
            self._last = self._clock()
            printing.notice(
                [
                    Line(
                        f"Reading {progress.provider}: {progress.cmdlet},"
                        f" {counted(progress.objects, 'object')} so far."
                    )
                ]
            )
