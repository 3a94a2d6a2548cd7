"""Exact search: the order of a component's nodes that is safe, then misses fewest pair-steps, then
is first in address order.

A state is the set of nodes that are done, an int of bits. What a state grants is another int: one
bit for each pair of an application and a subject. So safety is `reached & ~(before | after) == 0`,
and what is missing is `before & after & ~reached`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_NODES = 14
"""Nodes of a component that is searched; 2**14 sets of nodes take about a second in the worst case.
"""

_HEAVY = 1 << 96
"""What an exposed pair-step costs beside a missing one, where exposing is allowed: safety outranks
availability.
"""


class Ground(Struct, frozen=True):
    """What is searched.

    Attributes:
        sizes: Steps of each node, in address order of the nodes.
        needs: For each node, the nodes (bits) that come before it.
        reached: What is granted once these nodes are done. Pure; is asked once per set.
        weights: (pairs, how much one of them counts), disjoint.
    """

    sizes: tuple[int, ...]
    needs: tuple[int, ...]
    reached: Callable[[int], int]
    weights: tuple[tuple[int, int], ...]

    @property
    def everything(self) -> int:
        """All nodes."""
        return (1 << len(self.sizes)) - 1


class Found(Struct, frozen=True):
    """An order of node numbers, and what it costs in weighted pair-steps."""

    order: tuple[int, ...]
    cost: int


class Stretch(Struct, frozen=True):
    """Pairs that are missing and pairs that are exposed after each of the steps `first` to `last`,
    counted from 1.
    """

    first: int
    last: int
    missing: int
    exposed: int


def search(ground: Ground, *, exposing: bool = False) -> Found | None:
    """Find the best order; None if no order is safe.

    Args:
        ground: The component.
        exposing: Where no order is safe, take the one that exposes fewest pair-steps.
    """
    searching = _Searching(ground, exposing=False)
    best = searching.free() or searching.cheapest()
    return best or (_Searching(ground, exposing=True).cheapest() if exposing else None)


def along(ground: Ground, order: Sequence[int]) -> Iterator[Stretch]:
    """What is missing and exposed on the way, in stretches of steps.

    Within a class of users some have moved and some have not.
    """
    before, after = ground.reached(0), ground.reached(ground.everything)
    both, either = before & after, before | after
    done, step, last = 0, 0, (0, 0)
    for node in order:
        done |= 1 << node
        reached = ground.reached(done)
        now = (both & ~reached, reached & ~either)
        size = ground.sizes[node]
        if size > 1:
            yield Stretch(step + 1, step + size - 1, last[0] | now[0], last[1] | now[1])
        yield Stretch(step + size, step + size, *now)
        step, last = step + size, now


class _Searching:
    def __init__(self, ground: Ground, *, exposing: bool) -> None:
        self._ground = ground
        self._exposing = exposing
        before, after = ground.reached(0), ground.reached(ground.everything)
        self._both, self._either = before & after, before | after
        self._prices: dict[int, int | None] = {0: 0, ground.everything: 0}
        self._best: dict[int, tuple[int, int] | None] = {ground.everything: (0, -1)}

    def free(self) -> Found | None:
        """The first order, by address, that misses nothing."""
        dead: set[int] = set()
        order: list[int] = []
        return Found(tuple(order), 0) if self._free(0, order, dead) else None

    def _free(self, done: int, order: list[int], dead: set[int]) -> bool:
        if done == self._ground.everything:
            return True
        for node in self._ready(done):
            after = done | 1 << node
            if after in dead or self._price(after) != 0:
                continue
            order.append(node)
            if self._free(after, order, dead):
                return True
            order.pop()
            dead.add(after)
        return False

    def cheapest(self) -> Found | None:
        """The order that costs least; of equal ones the first by address."""
        whole = self._cheapest(0)
        if whole is None:
            return None
        order, done = [], 0
        while done != self._ground.everything:
            step = self._best[done]
            if step is None:  # pragma: no cover  a state on the way has a way
                return None
            order.append(step[1])
            done |= 1 << step[1]
        return Found(tuple(order), whole)

    def _cheapest(self, done: int) -> int | None:
        if done not in self._best:
            self._best[done] = self._choice(done)
        best = self._best[done]
        return None if best is None else best[0]

    def _choice(self, done: int) -> tuple[int, int] | None:
        best: tuple[int, int] | None = None
        here = self._price(done) or 0
        for node in self._ready(done):
            after = done | 1 << node
            there = self._price(after)
            if there is None:
                continue
            remaining = self._cheapest(after)
            if remaining is None:
                continue
            cost = remaining + self._between(here, there, self._ground.sizes[node])
            if best is None or cost < best[0]:
                best = (cost, node)
        return best

    @staticmethod
    def _between(here: int, there: int, size: int) -> int:
        """The sum over the steps of a node: the users of a class move one by one, so their part
        changes evenly.
        """
        return there if size == 1 else (here * (size - 1) + there * (size + 1)) // 2

    def _ready(self, done: int) -> Iterator[int]:
        for node, needs in enumerate(self._ground.needs):
            if not done >> node & 1 and needs & ~done == 0:
                yield node

    def _price(self, done: int) -> int | None:
        """What one step in this state costs; None if it is unsafe."""
        if done not in self._prices:
            self._prices[done] = self._priced(self._ground.reached(done))
        return self._prices[done]

    def _priced(self, reached: int) -> int | None:
        exposed = reached & ~self._either
        if exposed and not self._exposing:
            return None
        missing = self._both & ~reached
        return (self._weight(exposed) * _HEAVY if exposed else 0) + (
            self._weight(missing) if missing else 0
        )

    def _weight(self, pairs: int) -> int:
        return sum(weight * (pairs & mask).bit_count() for mask, weight in self._ground.weights)
