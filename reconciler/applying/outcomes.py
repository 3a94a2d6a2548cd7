"""The outcome of an attempt: the service's answer, and what the tenant shows if the answer is not
enough.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from reconciler.tenants.protocol import Failed, Fault, Lost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.applying.host import ApplyPatience

NotDone: TypeAlias = Failed | Lost

_PASSING = frozenset({Fault.THROTTLED, Fault.TRANSIENT})
_AFTER_LOST = (0.0,)
"""A lost answer is followed by one more attempt, without a pause: the readings before it have
waited.
"""


_FOR_GOOD = frozenset(
    {
        Fault.NOT_FOUND,
        Fault.EXISTS,
        Fault.ASSIGNED,
        Fault.SCOPE_INVALID,
        Fault.STORE_FULL,
        Fault.DENIED,
        Fault.INVALID,
    }
)
MOST_ALIKE = 3
"""So many refusals of one kind, and no step done in between, are not about single steps: a role
has expired, or the service takes nothing of the kind.
"""


class ShownState(Enum):
    """Which state of the plan the tenant shows after an attempt."""

    AFTER = auto()
    BEFORE = auto()
    NEITHER = auto()
    UNREAD = auto()


class OutcomeReading(Struct, frozen=True):
    """What a reading after an attempt shows; `moved` says what fits neither state,
    `trouble` is why it could not be read.
    """

    shown: ShownState
    moved: tuple[str, ...] = ()
    trouble: str = ""


def passes(outcome: NotDone) -> bool:
    """Say whether the service itself said that a retry may succeed."""
    return isinstance(outcome, Failed) and outcome.fault in _PASSING


class OutcomeKind(Enum):
    """What an attempt without success means for the rest of the run."""

    REFUSED = auto()
    """The service refuses the step for good, and a reading shows that it changed nothing."""
    PASSING = auto()
    """The service says that another attempt may succeed."""
    UNKNOWN = auto()
    """Nobody knows whether it happened, or whether it still will."""
    NOT_UNDERSTOOD = auto()
    """The answer has no known meaning, or the text was not taken for what it is."""


def kind_of(outcome: NotDone, retries: Retries, reading: OutcomeReading) -> OutcomeKind:
    """What the last attempt of a step means, by its answer, the attempts before it and what a
    reading shows afterwards.
    """
    if isinstance(outcome, Lost):
        return OutcomeKind.UNKNOWN
    if passes(outcome):
        return OutcomeKind.PASSING
    if outcome.fault not in _FOR_GOOD:
        return OutcomeKind.NOT_UNDERSTOOD
    if retries.lost or reading.shown is not ShownState.BEFORE:
        return OutcomeKind.UNKNOWN
    return OutcomeKind.REFUSED


def too_many_alike(faults: Sequence[Fault]) -> bool:
    """Say whether the most recent refusals, with no success in between, are too many of the same
    kind.
    """
    last = faults[-MOST_ALIKE:]
    return len(last) == MOST_ALIKE and len(set(last)) == 1


def settled(outcome: NotDone, attempt: int, reading: OutcomeReading) -> bool:
    """Say whether a reading tells what became of an attempt, or a later one could still tell
    otherwise.

    A lost answer, and a refusal of a repeated attempt (it exists already, it is not there any
    more), may come from a write that happened and is not visible yet. A first refusal changed
    nothing, or a reading shows what it changed.
    """
    if isinstance(outcome, Lost) or (attempt > 1 and not passes(outcome)):
        return reading.shown is ShownState.AFTER
    return reading.shown in (ShownState.AFTER, ShownState.BEFORE)


class Retries(Struct, frozen=True):
    """How many further attempts one step has had, by what made them necessary."""

    throttled: int = 0
    transient: int = 0
    lost: int = 0

    def pause(self, outcome: NotDone, patience: ApplyPatience) -> float | None:
        """Seconds until the next attempt; None when there is none."""
        match outcome:
            case Lost():
                return _at(_AFTER_LOST, self.lost)
            case Failed(Fault.THROTTLED):
                return _at(patience.throttled, self.throttled)
            case Failed(Fault.TRANSIENT):
                return _at(patience.transient, self.transient)
            case Failed():
                return None
            case _:
                assert_never(outcome)

    def counted(self, outcome: NotDone) -> Retries:
        """The same counts with one more retry for this outcome."""
        match outcome:
            case Lost():
                return replace(self, lost=self.lost + 1)
            case Failed(Fault.THROTTLED):
                return replace(self, throttled=self.throttled + 1)
            case Failed(Fault.TRANSIENT):
                return replace(self, transient=self.transient + 1)
            case Failed():
                return self
            case _:
                assert_never(outcome)


def _at(pauses: tuple[float, ...], index: int) -> float | None:
    return pauses[index] if index < len(pauses) else None
