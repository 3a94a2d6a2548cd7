"""Processes that run side by side, a few at a time, and all end with whoever waits for them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.processes.running import Ended, Unfinished, started_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from reconciler.processes.running import Bounds, StartedRun

_LOOK: Final = 0.2
"""Seconds after which whoever waits looks up, so that Ctrl-C is noticed (Windows wakes nobody)."""
_GRACE: Final = 10.0
"""Seconds in which a process that was asked to stop has to end."""

Outcome: TypeAlias = Ended | Unfinished | OSError
"""How a process ended: by itself, killed, or it could not be started."""


@contextmanager
def side_by_side(
    commands: Sequence[Sequence[str]],
    environment: Mapping[str, str],
    folder: Path,
    bounds: Bounds,
    at_once: int,
) -> Iterator[Iterator[Outcome]]:
    """Run programs side by side; after the block none of them runs.

    Args:
        commands: the whole path of a program, and its arguments, each.
        environment: all variables that each gets.
        folder: where they run.
        bounds: what each may take.
        at_once: how many run at the same time.

    Returns:
        How each ended, in the order of the commands, as soon as it and those before it have.
    """
    runs = _Runs(environment, folder, bounds)
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(runs.outcome, command) for command in commands]
        try:
            yield map(_awaited, futures)
        finally:
            for future in futures:
                future.cancel()
            runs.stop(futures)


def _awaited(future: Future[Outcome]) -> Outcome:
    while not wait((future,), _LOOK).done:
        pass
    return future.result()


class _Runs:
    def __init__(self, environment: Mapping[str, str], folder: Path, bounds: Bounds) -> None:
        self._environment, self._folder, self._bounds = environment, folder, bounds
        self._lock = threading.Lock()
        self._running: set[StartedRun] = set()
        self._stopping = False

    def outcome(self, command: Sequence[str]) -> Outcome:
        """Run one program to its end."""
        try:
            run = self._start(command)
        except OSError as fault:
            return fault
        if run is None:
            return Unfinished("was not started")
        try:
            return run.ended()
        except Unfinished as fault:
            return fault
        finally:
            with self._lock:
                self._running.discard(run)

    def stop(self, futures: Sequence[Future[Outcome]]) -> None:
        """Ask all to stop, and end those that do not."""
        with self._lock:
            self._stopping = True
            running = tuple(self._running)
        for run in running:
            run.interrupt()
        if wait(futures, _GRACE).not_done:
            for run in running:
                run.stop()

    def _start(self, command: Sequence[str]) -> StartedRun | None:
        with self._lock:  # so that `stop` knows each one that was started
            if self._stopping:
                return None
            run = started_run(command, self._environment, self._folder, self._bounds)
            self._running.add(run)
            return run
