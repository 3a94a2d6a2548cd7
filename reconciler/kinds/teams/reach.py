"""Who is reached by which application while the steps of a component run, for every combination of
groups that a user could be in.

A state is the nodes that are done, as bits; what it grants is one int with a bit for each
application and each subject. Applications that are in the same lists before and after count as
one. Subjects are classes of users whose grant changes, and, if the list of groups changes, everyone
without a grant. Where groups decide, a subject stands for one combination of groups: who is in more
than three groups is treated as somebody who is in three of them, the ones that decide before, now
and afterwards, and of the groups that no step touches only the first one counts.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.ordering.combinations import (
    Combination,
    combinations_of,
    steps_within,
    unimplied,
)
from reconciler.kinds.ordering.orders import Pairs
from reconciler.kinds.ordering.search import MOST_NODES, Ground, Stretch
from reconciler.kinds.teams.changes import spelled
from reconciler.kinds.teams.lists import GroupList
from reconciler.kinds.teams.nodes import TeamsNodeKind, needs
from reconciler.model.access_rows import GapSubject, SubjectKind
from reconciler.model.addresses import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.kinds.teams.nodes import TeamsNode
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import TeamsState

_KNOWN = 1 << 40
"""How much more a known user counts than an unknown one."""
_TOGETHER = 3
"""Groups of a combination: one that decides before, one that decides now, one that decides
afterwards.
"""


class _Block(Struct, frozen=True):
    """Slots of one subject: a class of users, or (`bit` 0) everyone without a grant.

    `start` is its first slot, `many` how many it has.
    """

    bit: int
    node: TeamsNode | None
    start: int
    many: int


class _Mark(Struct, frozen=True):
    """A node in an order: its bit, what is done after it, its first and last step."""

    bit: int
    done: int
    first: int
    last: int


Way = list[tuple[_Block, list[Stretch]]]
"""For each subject what it misses and what it is exposed to on the way, its slots counted from 0.
"""


class _Content(Struct, frozen=True):
    """A policy's list: what stays, what leaves once one of `lose` is done, what comes once one of
    `gain` is. Bits are applications.
    """

    staying: int
    leaving: int
    entering: int
    lose: int
    gain: int

    @property
    def edits(self) -> int:
        return self.lose | self.gain

    def after(self, done: int) -> int:
        return (
            self.staying
            | (0 if done & self.lose else self.leaving)
            | (self.entering if done & self.gain else 0)
        )


class TeamsReach:
    """The access of one component's subjects."""

    def __init__(
        self,
        observed: TeamsState,
        target: TeamsTarget,
        nodes: Sequence[TeamsNode],
        bystanders: Callable[[], int],
    ) -> None:
        """Lay out the bits for these nodes; nothing outside the component bears on them.

        `bystanders` counts known users without a grant.
        """
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
        self._rests: dict[int, int] = {}
        grouped = {assignment.policy for assignment in (*observed.groups, *target.groups)} | {
            GLOBAL
        }
        self._restless = self.groups.steps | reduce(
            or_, (self._contents[key].edits for key in policies if key in grouped), 0
        )
        self._spread = {
            block.start: self._ones(block.many) << block.start * self._width
            for block in self._blocks
        }

    def ground(self) -> Ground:
        """What an exact search needs."""
        sizes = tuple(node.size for node in self._nodes)
        return Ground(
            sizes,
            needs(self._nodes) if len(self._nodes) < _FEW else (),
            self.reached,
            tuple(self._weights()),
        )

    def reached(self, done: int) -> int:
        """What is granted once these nodes are done."""
        contents = {key: content.after(done) for key, content in self._contents.items()}
        pairs_of_others = (
            self._rest(done, contents) if len(self._combinations) > 1 or GLOBAL in contents else 0
        )
        pairs = 0
        for block in self._blocks:
            policy = None
            if block.node is not None:
                policy = block.node.new if done & block.bit else block.node.old
            if policy is None:
                pairs |= pairs_of_others << block.start * self._width
            else:
                pairs |= contents[policy] * self._spread[block.start]
        return pairs

    def way(self, order: Sequence[int]) -> Way:
        """What each subject misses and is exposed to, in stretches of steps from 1, when the nodes
        run in this order.
        """
        marks: list[_Mark] = []
        done = steps = 0
        for number in order:
            done |= 1 << number
            first, steps = steps + 1, steps + self._nodes[number].size
            marks.append(_Mark(1 << number, done, first, steps))
        return [(block, list(self._along(block, marks, steps))) for block in self._blocks]

    def rows(self, way: Way, pairs_of: Callable[[Stretch], int]) -> Iterator[Pairs]:
        """The missing or the exposed pairs of a way, as rows for people."""
        for block, stretches in way:
            spans = [
                (stretch.first, stretch.last, pairs)
                for stretch in stretches
                if (pairs := pairs_of(stretch))
            ]
            ever = reduce(or_, (pairs for _, _, pairs in spans), 0)
            for number, applications in enumerate(self._alike.values()) if ever else ():
                if ever & self._ones(block.many) << number:
                    bits = (1 << slot * self._width + number for slot in range(block.many))
                    steps = [steps_within(spans, bit) if ever & bit else () for bit in bits]
                    for subject, certain, where in self._told(block, steps):
                        yield from (
                            Pairs(application, subject, certain, where)
                            for application in applications
                        )

    def _along(self, block: _Block, marks: Sequence[_Mark], steps: int) -> Iterator[Stretch]:
        """Only nodes that bear on a subject are looked at: what it reaches stays the same in
        between.
        """
        bearing = self._bearing(block)
        before, after = self._local(block, 0), self._local(block, marks[-1].done)
        events = [mark for mark in marks if mark.bit & bearing]
        last = (0, 0)
        for number, mark in enumerate(events):
            reached = self._local(block, mark.done)
            now = (before & after & ~reached, reached & ~(before | after))
            if mark.bit == block.bit and mark.last > mark.first:
                yield Stretch(mark.first, mark.last - 1, last[0] | now[0], last[1] | now[1])
            until = events[number + 1].first - 1 if number + 1 < len(events) else steps
            yield Stretch(mark.last, until, *now)
            last = now

    def _bearing(self, block: _Block) -> int:
        policies = (None, None) if block.node is None else (block.node.old, block.node.new)
        edits = sum(
            self._contents[policy].edits for policy in set(policies) - {None} if policy is not None
        )
        return block.bit | edits | (self._restless if None in policies else 0)

    def _local(self, block: _Block, done: int) -> int:
        """What one subject reaches, its slots counted from 0."""
        policy = None
        if block.node is not None:
            policy = block.node.new if done & block.bit else block.node.old
        if policy is not None:
            return self._contents[policy].after(done) * self._ones(block.many)
        key = done & self._restless
        if key not in self._rests:
            self._rests[key] = self._rest(
                done,
                {policy_key: content.after(done) for policy_key, content in self._contents.items()},
            )
        return self._rests[key]

    def _lay_out(self, classes: Sequence[tuple[int, TeamsNode]]) -> list[_Block]:
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

    def _policies(self, classes: Iterable[tuple[int, TeamsNode]], *, falling: bool) -> list[str]:
        policies = {
            policy for _, node in classes for policy in (node.old, node.new) if policy is not None
        }
        if falling or self.groups.steps:
            policies |= {GLOBAL} | {
                assignment.policy for assignment in (*self._state.groups, *self._target.groups)
            }
        return sorted(policies)

    def _content(self, key: str) -> _Content:
        before, after = _lists(self._state, self._target, key)
        staying = leaving = entering = 0
        for number, applications in enumerate(self._alike.values()):
            old, new = applications[0] in before, applications[0] in after
            staying |= (old and new) << number
            leaving |= (old and not new) << number
            entering |= (new and not old) << number
        mine = [(1 << bit, node.kind) for bit, node in enumerate(self._nodes) if node.key == key]
        lose = sum(
            bit
            for bit, kind in mine
            if kind in {TeamsNodeKind.SHRINK, TeamsNodeKind.CLOSE, TeamsNodeKind.COPY}
        )
        gain = sum(bit for bit, kind in mine if kind in {TeamsNodeKind.GROW, TeamsNodeKind.COPY})
        return _Content(staying, leaving, entering, lose, gain)

    def _rest(self, done: int, contents: Mapping[str, int]) -> int:
        return sum(contents[policy] * slots for policy, slots in self._holders(done).items())

    def _holders(self, done: int) -> dict[str, int]:
        """For each policy the combinations of groups that get it: the first group of the list
        decides, else Global.
        """
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
        return ((1 << many * self._width) - 1) // ((1 << self._width) - 1)

    def _weights(self) -> Iterator[tuple[int, int]]:
        """A known user counts once for each combination; an unknown one counts less than any
        of them, but counts.
        """
        totals: Counter[int] = Counter()
        for block in self._blocks:
            users = (
                self._bystanders() * _KNOWN + 1 if block.node is None else block.node.size * _KNOWN
            )
            each = users * (len(self._combinations) if block.many == 1 else 1)
            for number, applications in enumerate(self._alike.values()):
                totals[each * len(applications)] |= self._spread[block.start] << number
        yield from ((mask, weight) for weight, mask in totals.items())

    def _told(
        self, block: _Block, steps: list[tuple[int, ...]]
    ) -> Iterator[tuple[GapSubject, bool, tuple[int, ...]]]:
        """Subjects of a block with the steps that concern them."""
        if block.node is not None:
            where = tuple(sorted(set().union(*steps)))
            if where:
                yield self._class(block.node), all(steps) and self._whole(block.node), where
            return
        for combination, where in unimplied(zip(self._combinations, steps, strict=True)):
            # in one group, or in none
            yield _members(combination), len(combination) < 2, where  # noqa: PLR2004

    def _class(self, node: TeamsNode) -> GapSubject:
        if node.size == 1:
            return GapSubject(SubjectKind.USER, node.users[0])
        holding = node.old if node.old is not None else str(node.new)
        return GapSubject(SubjectKind.POLICY_HOLDERS, spelled(self._state, self._target, holding))

    def _whole(self, node: TeamsNode) -> bool:
        """Whether a class is one user, or all who hold its policy."""
        if node.size == 1:
            return True
        return node.old is not None and self._state.holder_counts[node.old] == node.size


_FEW = 64
"""Nodes of a component whose dependencies are worked out; a larger one is never searched."""


def _members(combination: Combination) -> GapSubject:
    if not combination:
        return GapSubject(SubjectKind.EVERYONE)
    return GapSubject(SubjectKind.GROUP_MEMBERS, combination[0], together=combination[1:])


def _combinations(groups: GroupList) -> list[Combination]:
    """All that can make a difference, smallest first: at most one group that no step touches,
    because the first of those always wins.

    Where more groups change than are searched, combinations of three are left out: there would be
    tens of thousands.
    """
    stepped, others = groups.stepped, groups.others
    together = _TOGETHER if len(stepped) <= MOST_NODES else _TOGETHER - 1
    small = combinations_of(stepped, together)
    mixed = [(*some, other) for some in small if len(some) < together for other in others]
    return sorted((*small, *mixed), key=lambda some: (len(some), some))


def _lists(
    observed: TeamsState, target: TeamsTarget, key: str
) -> tuple[frozenset[str], frozenset[str]]:
    """A policy's applications before and after.

    One that is made or deleted has the same list as long as anybody can hold it.
    """
    before, after = observed.policies.get(key), target.policies.get(key)
    old = frozenset() if before is None else frozenset(before.applications)
    new = frozenset() if after is None else frozenset(after.applications)
    return (new if before is None else old), (old if after is None else new)


def _alike(
    observed: TeamsState, target: TeamsTarget, policies: Iterable[str]
) -> dict[tuple[int, int], list[str]]:
    """Applications by the lists they are in before and after: bits of policies."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for bit, key in enumerate(policies):
        for count, listed in zip((before, after), _lists(observed, target, key), strict=True):
            count.update(dict.fromkeys(listed, 1 << bit))
    alike: dict[tuple[int, int], list[str]] = {}
    for application in sorted(before.keys() | after.keys()):
        alike.setdefault((before[application], after[application]), []).append(application)
    return alike
