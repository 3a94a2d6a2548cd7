"""Faults to inject: what goes wrong between us and a service.

The same seed gives the same faults at the same calls.
"""

from __future__ import annotations

import random
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from reconciler.tenants.protocol import Failed, Fault, Lost

if TYPE_CHECKING:
    from collections.abc import Mapping


class Mishap(StrEnum):
    """What may happen to one write."""

    THROTTLED = "throttled"
    TRANSIENT = "transient"
    DENIED = "denied"
    LOST_BEFORE = "lost-before"
    LOST_AFTER = "lost-after"


REFUSALS: Final[Mapping[Mishap, Failed]] = {
    Mishap.THROTTLED: Failed(
        Fault.THROTTLED, "The remote server returned an error: (429) Too Many Requests."
    ),
    Mishap.TRANSIENT: Failed(
        Fault.TRANSIENT, "The remote server returned an error: (503) Server Unavailable."
    ),
    Mishap.DENIED: Failed(Fault.DENIED, "Access Denied."),
}
"""Mishaps that the service reports and that change nothing."""
NO_ANSWER: Final = Lost("The operation has timed out.")


class Faults(Struct, frozen=True):
    """What goes wrong.

    `throttled`, `transient`, `lost_before` and `lost_after` (the write took effect) are
    probabilities of each write, 0 to 1. `denied` names cmdlets that the account may not run.
    `fail_on` hits one write by its number (from 1, counted over all calls of `run`) or every write
    of one text. `incomplete_captures` are numbers of captures (from 1) that fail. After a write,
    `lag` captures do not show it; `scattered` draws each write's lag from 0 to `lag`, so that later
    writes may show before earlier ones. `in_place_regrant_refused`: a group that holds a policy
    cannot be granted another, or another rank. `ordinal_removal`: a client id is removed from a
    Teams policy only as it is spelled.
    """

    seed: int = 0
    throttled: float = 0.0
    transient: float = 0.0
    lost_before: float = 0.0
    lost_after: float = 0.0
    denied: frozenset[str] = frozenset()
    fail_on: Mapping[int | str, Mishap | Failed] = field(default_factory=dict)
    incomplete_captures: frozenset[int] = frozenset()
    lag: int = 0
    scattered: bool = False
    in_place_regrant_refused: bool = False
    ordinal_removal: bool = False


class Dice:
    """Decides, call by call, what goes wrong.

    Mishaps and lags are drawn apart, so that one kind of fault does not move the other.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        # reproducible on purpose
        self._mishaps = random.Random(f"mishaps {faults.seed}")  # noqa: S311
        self._lags = random.Random(f"lags {faults.seed}")  # noqa: S311  reproducible on purpose
        self._writes = 0

    def mishap(self, cmdlet: str, text: str) -> Mishap | Failed | None:
        """What happens to the next write; None: nothing."""
        self._writes += 1
        drawn = self._drawn(self._mishaps.random())
        if cmdlet in self._faults.denied:
            return Mishap.DENIED
        return self._faults.fail_on.get(self._writes) or self._faults.fail_on.get(text) or drawn

    def lag(self) -> int:
        """How many captures will not show the next write."""
        return (
            self._lags.randint(0, self._faults.lag) if self._faults.scattered else self._faults.lag
        )

    def _drawn(self, chance: float) -> Mishap | None:
        faults = self._faults
        for probability, mishap in (
            (faults.throttled, Mishap.THROTTLED),
            (faults.transient, Mishap.TRANSIENT),
            (faults.lost_before, Mishap.LOST_BEFORE),
            (faults.lost_after, Mishap.LOST_AFTER),
        ):
            if chance < probability:
                return mishap
            chance -= probability
        return None
