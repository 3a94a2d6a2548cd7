"""What an attempt came to: the service's word, and what the tenant shows where that word is not
enough.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias, assert_never

from msgspec import Struct

from reconciler.tenants.protocol import Done, Failed, Fault, Lost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.applying.host import ApplyPatience

NotDone: TypeAlias = Failed | Lost

_PASSING = frozenset({Fault.THROTTLED, Fault.TRANSIENT})


class Shown(Enum):
    """Which state of the plan the tenant shows after an attempt."""

    AFTER = auto()
    BEFORE = auto()
    NEITHER = auto()
    UNREAD = auto()


class Sight(Struct, frozen=True):
    """What a reading after an attempt shows; `moved` are addresses that fit neither state,
    `trouble` is why it could not be read.
    """

    shown: Shown
    moved: tuple[str, ...] = ()
    trouble: str = ""


def passes(outcome: NotDone) -> bool:
    """Say whether the service itself said that another attempt may succeed."""
    return isinstance(outcome, Failed) and outcome.fault in _PASSING


def settled(outcome: NotDone, attempt: int, sight: Sight) -> bool:
    """Say whether a sight tells what became of an attempt, or a later reading could still tell
    otherwise.

    A lost answer, and a refusal of a repeated attempt (it exists already, it is not there any
    more), may come from a write that happened and is not visible yet. A first refusal changed
    nothing, or a reading shows what it changed.
    """
    if isinstance(outcome, Lost) or (attempt > 1 and not passes(outcome)):
        return sight.shown is Shown.AFTER
    return sight.shown in (Shown.AFTER, Shown.BEFORE)


@dataclass(slots=True)
class Retries:
    """How often and after how long a step is tried again: counted per step."""

    patience: ApplyPatience
    _throttled: Iterator[float] = field(init=False)
    _transient: Iterator[float] = field(init=False)
    _lost: Iterator[float] = field(init=False)

    def __post_init__(self) -> None:
        self._throttled, self._transient = (
            iter(self.patience.throttled),
            iter(self.patience.transient),
        )
        # Once, and without a pause: the readings before it have waited.
        self._lost = iter((0.0,))

    def pause(self, outcome: Done | NotDone) -> float | None:
        """Seconds until the next attempt; None when there is none."""
        match outcome:
            case Done():
                return None
            case Lost():
                return next(self._lost, None)
            case Failed(Fault.THROTTLED):
                return next(self._throttled, None)
            case Failed(Fault.TRANSIENT):
                return next(self._transient, None)
            case Failed():
                return None
            case _:
                assert_never(outcome)
