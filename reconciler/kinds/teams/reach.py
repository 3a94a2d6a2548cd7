"""Who is reached by which application while the steps of a component run, for every combination of groups that a user could be in.

A state is the nodes that are done, as bits; what it grants is one int with a bit for each application and each subject. Applications that stand in
the same lists before and after count as one. Subjects are classes of users whose grant changes, and, if the list of groups changes, everyone
without a grant. Where groups decide, a subject stands for one combination of groups: who is in more than three groups is treated as somebody who
is in three of them, the ones that decide before, now and afterwards, and of the groups that no step touches only the first one counts.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from reconciler.kinds.ordering.orders import Pairs
from reconciler.kinds.ordering.search import Ground
from reconciler.kinds.teams.changes import spelled
from reconciler.kinds.teams.lists import GroupList
from reconciler.kinds.teams.nodes import Kind, needs
from reconciler.model.addresses import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.kinds.teams.nodes import Node
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import TeamsState

_KNOWN = 1 << 40
"""How much more a known user counts than one whom nobody knows."""
_TOGETHER = 3
"""Groups of a combination: one that decides before, one that decides now, one that decides afterwards."""


class _Block(NamedTuple):
    """Slots of one subject: a class of users, or (`bit` 0) everyone without a grant. `start` is its first slot, `many` how many it has."""

    bit: int
    node: Node | None
    start: int
    many: int


class _Content(NamedTuple):
    """A policy's list: what stays, what leaves once one of `lose` is done, what comes once one of `gain` is. Bits are applications."""

    staying: int
    leaving: int
    entering: int
    lose: int
    gain: int

    def after(self, done: int) -> int:
        return self.staying | (0 if done & self.lose else self.leaving) | (self.entering if done & self.gain else 0)


class Reach:
    """The access of one component's subjects."""

    def __init__(self, observed: TeamsState, target: TeamsTarget, nodes: Sequence[Node], bystanders: int) -> None:
        """Lay out the bits for these nodes; nothing outside the component bears on them. `bystanders` are known users without a grant."""
        self._bystanders = bystanders
        self._state, self._target, self._nodes = observed, target, nodes
        self.groups = GroupList(observed, target, nodes)
        classes = [(1 << bit, node) for bit, node in enumerate(nodes) if node.users]
        falling = any(None in (node.old, node.new) for _, node in classes)
        self._combinations = _combinations(self.groups) if falling or self.groups.steps else [()]
        self._blocks = self._lay_out(classes)
        policies = self._policies(classes, falling=falling)
        self._alike = _alike(observed, target, policies)
        self._width = max(1, len(self._alike))
        self._contents = {key: self._content(key) for key in policies}
        self._first: dict[int, dict[str, int]] = {}
        self._spread = {block.start: self._ones(block.many) << block.start * self._width for block in self._blocks}

    def ground(self) -> Ground:
        """What an exact search needs."""
        sizes = tuple(node.size for node in self._nodes)
        return Ground(sizes, needs(self._nodes) if len(self._nodes) < _FEW else (), self.reached, tuple(self._weights()))

    def reached(self, done: int) -> int:
        """What is granted once these nodes are done."""
        contents = {key: content.after(done) for key, content in self._contents.items()}
        rest = self._rest(done, contents) if len(self._combinations) > 1 or GLOBAL in contents else 0
        found = 0
        for block in self._blocks:
            policy = None if block.node is None else block.node.new if done & block.bit else block.node.old
            if policy is None:
                found |= rest << block.start * self._width
            else:
                found |= contents[policy] * self._spread[block.start]
        return found

    def rows(self, stretches: Iterable[tuple[int, int, int]]) -> Iterator[Pairs]:
        """Bits of pairs that are so after the steps `first` to `last`, as rows for people.

        Args:
            stretches: (first step, last step, pairs), ascending.
        """
        found = [(first, last, pairs) for first, last, pairs in stretches if pairs]
        for block in self._blocks if found else ():
            for number, applications in enumerate(self._alike.values()):
                steps = [self._steps(found, block.start + slot, number) for slot in range(block.many)]
                for subject, certain, where in self._told(block, steps):
                    yield from (Pairs(application, subject, certain, where) for application in applications)

    def exposed(self, pairs: int) -> set[str]:
        """The applications of some pairs."""
        return {
            application
            for number, applications in enumerate(self._alike.values())
            if any(pairs & self._spread[block.start] << number for block in self._blocks)
            for application in applications
        }

    def _lay_out(self, classes: Sequence[tuple[int, Node]]) -> list[_Block]:
        blocks: list[_Block] = []
        slots = 0
        if self.groups.steps:
            blocks.append(_Block(0, None, 0, len(self._combinations)))
            slots = len(self._combinations)
        for bit, node in classes:
            many = len(self._combinations) if None in (node.old, node.new) else 1
            blocks.append(_Block(bit, node, slots, many))
            slots += many
        return blocks

    def _policies(self, classes: Iterable[tuple[int, Node]], *, falling: bool) -> list[str]:
        held = {policy for _, node in classes for policy in (node.old, node.new) if policy is not None}
        if falling or self.groups.steps:
            held |= {GLOBAL} | {one.policy for one in (*self._state.groups, *self._target.groups)}
        return sorted(held)

    def _content(self, key: str) -> _Content:
        before, after = _lists(self._state, self._target, key)
        staying = leaving = entering = 0
        for number, applications in enumerate(self._alike.values()):
            old, new = applications[0] in before, applications[0] in after
            staying |= (old and new) << number
            leaving |= (old and not new) << number
            entering |= (new and not old) << number
        mine = [(1 << bit, node.kind) for bit, node in enumerate(self._nodes) if node.key == key]
        lose = sum(bit for bit, kind in mine if kind in {Kind.SHRINK, Kind.CLOSE, Kind.COPY})
        gain = sum(bit for bit, kind in mine if kind in {Kind.GROW, Kind.COPY})
        return _Content(staying, leaving, entering, lose, gain)

    def _rest(self, done: int, contents: Mapping[str, int]) -> int:
        return sum(contents[policy] * slots for policy, slots in self._holders(done).items())

    def _holders(self, done: int) -> dict[str, int]:
        """For each policy the combinations of groups that get it: the first group of the list decides, else Global."""
        done &= self.groups.steps
        if done not in self._first:
            self._first[done] = self._decide(self.groups.after(done))
        return self._first[done]

    def _decide(self, rows: Sequence[tuple[str, str]]) -> dict[str, int]:
        place = {group: index for index, (group, _) in enumerate(rows)}
        holders: dict[str, int] = {}
        for slot, combination in enumerate(self._combinations):
            first = min((place[group] for group in combination if group in place), default=None)
            policy = GLOBAL if first is None else rows[first][1]
            holders[policy] = holders.get(policy, 0) | 1 << slot * self._width
        return holders

    def _ones(self, many: int) -> int:
        """A bit for the first application of each of so many slots."""
        return sum(1 << slot * self._width for slot in range(many))

    def _weights(self) -> Iterator[tuple[int, int]]:
        """A known user counts once for each combination; somebody whom nobody knows counts less than any of them, but counts."""
        totals: Counter[int] = Counter()
        for block in self._blocks:
            users = self._bystanders * _KNOWN + 1 if block.node is None else block.node.size * _KNOWN
            each = users * (len(self._combinations) if block.many == 1 else 1)
            for number, applications in enumerate(self._alike.values()):
                totals[each * len(applications)] |= self._spread[block.start] << number
        yield from ((mask, weight) for weight, mask in totals.items())

    def _steps(self, found: Iterable[tuple[int, int, int]], slot: int, number: int) -> tuple[int, ...]:
        bit = 1 << slot * self._width + number
        return tuple(step for first, last, pairs in found if pairs & bit for step in range(first, last + 1))

    def _told(self, block: _Block, steps: list[tuple[int, ...]]) -> Iterator[tuple[Mapping[str, Json], bool, tuple[int, ...]]]:
        """Subjects of a block with the steps that concern them."""
        if block.node is not None:
            where = tuple(sorted(set().union(*steps)))
            if where:
                yield self._class(block.node), all(steps) and self._whole(block.node), where
            return
        told: dict[tuple[str, ...], set[int]] = {}
        for combination, where in zip(self._combinations, steps, strict=True):
            known = set().union(*(told[part] for part in told if set(part) < set(combination)))
            if set(where) - known:
                told[combination] = set(where)
                yield _members(combination), len(combination) < 2, where  # noqa: PLR2004  in one group, or in none

    def _class(self, node: Node) -> Mapping[str, Json]:
        if node.size == 1:
            return {"kind": "user", "id": node.users[0]}
        holding = node.old if node.old is not None else str(node.new)
        return {"kind": "policy-holders", "id": spelled(self._state, self._target, holding)}

    def _whole(self, node: Node) -> bool:
        """Whether a class is one user, or all who hold its policy."""
        if node.size == 1:
            return True
        held = self._state.users.values()
        return node.old is not None and sum(1 for policy in held if policy == node.old) == node.size


_FEW = 64
"""Nodes of a component whose dependencies are worked out; a larger one is never searched."""


def _members(combination: tuple[str, ...]) -> Mapping[str, Json]:
    if not combination:
        return {"kind": "everyone"}
    return {"kind": "group-members", "id": combination[0], **({"and": list(combination[1:])} if len(combination) > 1 else {})}


def _combinations(groups: GroupList) -> list[tuple[str, ...]]:
    """All that can make a difference, smallest first: at most one group that no step touches, because the first of those always wins."""
    stepped, others = groups.stepped, groups.others
    small = [some for size in range(_TOGETHER + 1) for some in itertools.combinations(stepped, size)]
    mixed = [(*some, other) for size in range(_TOGETHER) for some in itertools.combinations(stepped, size) for other in others]
    return sorted((*small, *mixed), key=lambda some: (len(some), some))


def _lists(observed: TeamsState, target: TeamsTarget, key: str) -> tuple[frozenset[str], frozenset[str]]:
    """A policy's applications before and after. One that is made or deleted has the same list as long as anybody can hold it."""
    before, after = observed.policies.get(key), target.policies.get(key)
    old = frozenset() if before is None else frozenset(before.applications)
    new = frozenset() if after is None else frozenset(after.applications)
    return (new if before is None else old), (old if after is None else new)


def _alike(observed: TeamsState, target: TeamsTarget, policies: Iterable[str]) -> dict[tuple[int, int], list[str]]:
    """Applications by where they stand before and after: bits of policies."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for bit, key in enumerate(policies):
        for count, listed in zip((before, after), _lists(observed, target, key), strict=True):
            count.update(dict.fromkeys(listed, 1 << bit))
    alike: dict[tuple[int, int], list[str]] = {}
    for application in sorted(before.keys() | after.keys()):
        alike.setdefault((before[application], after[application]), []).append(application)
    return alike
