"""Target -> the nodes that are put in order: a policy that comes, a policy that goes; a flip is
both. And guards around flips.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.ordering.components import components
from reconciler.model.addresses import EVERY_APPLICATION, exchange_policy
from reconciler.model.codes import ChangeReason
from reconciler.model.documents import AccessRight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.model.observed import ExchangeKey


class ExchangeNodeKind(Enum):
    """What a node does, in the order of the nodes of one address."""

    SHUT = 0
    REMOVE = 1
    CREATE = 2
    OPEN = 3


class ExchangeNode(Struct, frozen=True):
    """One node, one step.

    SHUT and OPEN make and remove the guard of an application; their scope is empty. `left_guard`:
    it removes a guard that an earlier plan left behind. `shuts_out`: it restricts a quarantined
    application to nobody.
    """

    kind: ExchangeNodeKind
    key: ExchangeKey
    right: AccessRight
    flip: bool = False
    left_guard: bool = False
    shuts_out: bool = False

    @property
    def guards(self) -> bool:
        """Whether it is about a guard."""
        return self.kind in {ExchangeNodeKind.SHUT, ExchangeNodeKind.OPEN}

    @property
    def place(self) -> tuple[bool, str, int]:
        """Address order, but guards that were left behind last: of orders that are equally good the
        search takes the first, and until its end a guard is of use.
        """
        return (self.left_guard, exchange_policy(*self.key), self.kind.value)


def nodes(target: ExchangeTarget) -> list[ExchangeNode]:
    """All nodes of a transition in their order."""
    flipped = target.flipped
    created = (
        ExchangeNode(
            ExchangeNodeKind.CREATE,
            key,
            creation.right,
            key in flipped,
            shuts_out=key in target.shut,
        )
        for key, creation in target.created.items()
    )
    removed = (
        ExchangeNode(
            ExchangeNodeKind.REMOVE,
            key,
            policy.right,
            key in flipped,
            target.why_removed.get(key) is ChangeReason.LEFT_GUARD,
        )
        for key, policy in target.removed.items()
    )
    return sorted((*created, *removed), key=lambda node: node.place)


def cut(ordered: Sequence[ExchangeNode]) -> list[list[ExchangeNode]]:
    """Connected components: an application's nodes; all of them if `*`, which counts for every
    application, is among them.
    """
    together = any(node.key[0] == EVERY_APPLICATION for node in ordered)
    hubs = [(EVERY_APPLICATION if together else node.key[0],) for node in ordered]
    return [[ordered[number] for number in part] for part in components(hubs)]


def guarded(part: Sequence[ExchangeNode], applications: Iterable[str]) -> list[ExchangeNode]:
    """The same nodes with guards for these applications (`*` is one)."""
    shut = [
        ExchangeNode(kind, (application, ""), AccessRight.RESTRICT)
        for application in applications
        for kind in (ExchangeNodeKind.SHUT, ExchangeNodeKind.OPEN)
    ]
    return sorted((*part, *shut), key=lambda node: node.place)


def needs(ordered: Sequence[ExchangeNode]) -> tuple[int, ...]:
    """For each node the nodes (bits) that have to come before it: a flip's removal; a guard before
    the flips, and its end after them; before all else of a quarantined application what shuts it out.
    """
    return tuple(
        sum(1 << number for number, other in enumerate(ordered) if _goes_before(other, node))
        for node in ordered
    )


def _goes_before(first: ExchangeNode, node: ExchangeNode) -> bool:
    if first.shuts_out or node.shuts_out:
        return first.shuts_out and not node.shuts_out and first.key[0] == node.key[0]
    if first.kind is ExchangeNodeKind.SHUT:
        return (node.flip and _concerns(first, node)) or (
            node.kind is ExchangeNodeKind.OPEN and node.key == first.key
        )
    if node.kind is ExchangeNodeKind.OPEN:
        return first.flip and _concerns(node, first)
    return (
        first.kind is ExchangeNodeKind.REMOVE
        and node.kind is ExchangeNodeKind.CREATE
        and first.key == node.key
    )


def _concerns(guard: ExchangeNode, flip: ExchangeNode) -> bool:
    return guard.key[0] == EVERY_APPLICATION or flip.key[0] in {guard.key[0], EVERY_APPLICATION}
