"""What an apply needs from outside: the time, a way to wait, somewhere to report progress, and a
person's request to stop.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.applying.events import Event

_SLICE = 1.0
"""A wait asks after so many seconds, again and again, whether to stop."""


class ApplyPatience(Struct, frozen=True):
    """How long an apply waits for a service, in seconds; the defaults are what the services were
    seen to need.

    Attributes:
        lag: How long after a write a reading may not show it (10 to 20 s are usual in Teams;
            Microsoft365DSC re-reads for up to 2 minutes).
        interval: Between two readings while waiting for that.
        recheck: After so long without a reading of its product, a step is preceded by one.
        throttled: Before each further attempt when the service is too busy; their number is the
            number of further attempts. There is no jitter: one write is in flight in the whole run,
            so there is nothing to keep apart.
        transient: The same for faults that pass.
        process: How long to wait for a process of an earlier apply to end by itself.
        ending: How long to wait after ending it.
        unseen: How long after the last line of an apply that cannot be seen from here, and did not
            end by itself, its writes may still run: as long as one write may take, and PowerShell
            to end (`door.timeouts`).
        settle: Between a step and the first one that relies on it and takes something away; a
            person says how long.
        scale: What part of a wait for a service is really waited; the number of readings and
            attempts stays.
    """

    lag: float = 120.0
    interval: float = 10.0
    recheck: float = 300.0
    throttled: tuple[float, ...] = (30.0, 60.0, 120.0, 240.0, 300.0)
    transient: tuple[float, ...] = (5.0, 10.0, 20.0)
    process: float = 120.0
    settle: float = 0.0
    ending: float = 10.0
    unseen: float = 1320.0
    scale: float = 1.0

    def readings(self, age: float) -> int:
        """How many more readings a write of this age (seconds) is worth; a clock that was set back
        counts as no time.
        """
        return math.ceil(max(0.0, self.lag - max(0.0, age)) / self.interval)


class Host(Struct, frozen=True):
    """What one apply needs from outside.

    `clock` gives seconds since 1970. `stop` says whether a person asked to stop; it is called between
    steps and during waits.
    """

    tell: Callable[[Event], None]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    stop: Callable[[], bool]
    patience: ApplyPatience

    def scaled(self, seconds: float) -> float:
        """How many seconds to wait for a service that needs so many."""
        return seconds * self.patience.scale

    def pause(self, seconds: float) -> None:
        """Wait so many seconds, or until a person asks to stop."""
        left = seconds
        while left > 0 and not self.stop():
            self.sleep(min(_SLICE, left))
            left -= _SLICE
