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
"""Seconds between two checks, during a wait, whether to stop."""


class ApplyPatience(Struct, frozen=True):
    """How long an apply waits for a service, in seconds. The defaults are what the services were
    observed to need.

    Attributes:
        lag: How long a write may be missing from readings (usually 10 to 20 s in Teams;
            Microsoft365DSC re-reads for up to 2 minutes).
        interval: The pause between two readings while waiting for that.
        recheck: A step is preceded by a reading if the last one of its product is older than this.
        throttled: The pause before each retry when the service is too busy, one for each retry.
            There is no jitter, because only one write is in flight in the whole run.
        transient: The same for transient errors.
        process: How long to wait for a process of an earlier apply to exit by itself.
        ending: How long to wait after killing it.
        unseen: How long writes may still run of an apply that cannot be seen from here and did not
            end by itself, counted from its last line in the journal: as long as one write may
            take, plus the time that PowerShell needs to exit (`door.timeouts`).
        settle: The pause between a step and the first one that relies on it and takes something
            away; set by the user.
        scale: The fraction of each wait for a service that is really waited; the number of readings
            and attempts stays the same.
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
        """How many more readings to make for a write of this age (seconds). If the clock was set
        back, no time has passed.
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
        """The seconds to wait for a service that needs this many."""
        return seconds * self.patience.scale

    def pause(self, seconds: float) -> None:
        """Wait this many seconds, or until the user asks to stop."""
        left = seconds
        while left > 0 and not self.stop():
            self.sleep(min(_SLICE, left))
            left -= _SLICE
