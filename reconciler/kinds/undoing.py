"""What a plan did to a tenant, and what of it is still in place: what an undo starts from."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.kinds.snapshots import Snapshot
    from reconciler.model.addresses import Address
    from reconciler.model.baselines import Baseline
    from reconciler.model.codes import Held
    from reconciler.model.plans import Note, Step

    Holding = Callable[[Address], Held | None]

DesiredT = TypeVar("DesiredT")
StateT = TypeVar("StateT")


class Aftermath(Enum):
    """How something is now that a plan may have changed."""

    UNTOUCHED = auto()
    AS_BEFORE = auto()
    AS_LEFT = auto()
    CHANGED_SINCE = auto()


class Past(Struct, frozen=True):
    """What a plan did, as far as it was applied.

    Attributes:
        baseline: What the plan rested on.
        steps: All its steps, also those that were not run.
        before: The state of the baseline.
        left: The states in which it may have left the tenant: more than one while it is
            unknown whether a step happened.
        holders: Of policies whose list it made shorter, by lower-case address, the digest of who held
            them (`ListHolders`).
        barred: Quarantined applications: nothing returns to them.
    """

    baseline: Baseline
    steps: tuple[Step, ...]
    before: Snapshot
    left: tuple[Snapshot, ...]
    holders: Mapping[str, str]
    barred: frozenset[str] = frozenset()

    def is_touched(self, name: str) -> bool:
        """Whether the plan may have changed an entry."""
        was = self.before.get(name)
        return any(left.get(name) != was for left in self.left)

    def standing(self, names: Sequence[str], now: Snapshot) -> Aftermath:
        """How entries are now that stand and fall together."""
        if not any(map(self.is_touched, names)):
            return Aftermath.UNTOUCHED
        if all(now.get(name) == self.before.get(name) for name in names):
            return Aftermath.AS_BEFORE
        if any(all(now.get(name) == left.get(name) for name in names) for left in self.left):
            return Aftermath.AS_LEFT
        return Aftermath.CHANGED_SINCE


class Undoing(Struct, Generic[DesiredT, StateT], frozen=True):
    """What an undo wants of a product.

    Attributes:
        desired: What shall be, for what is undone; everything else is left as it is.
        then: The product's state now, but for what the plan rested on, which is as it was before the
            plan: nobody may be reached by the undo whom neither this nor the present reaches.
        aside: What is left alone, and why.
    """

    desired: DesiredT
    then: StateT
    aside: tuple[Note, ...] = ()
