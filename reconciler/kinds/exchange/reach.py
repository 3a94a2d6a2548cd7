"""What applications reach while the steps of a component run, for every combination of scopes that
a mailbox could be in.

A state is the nodes that are done, as bits; what it grants is one int with a bit for each
application and each combination. Applications of which the same holds count as one. A mailbox in
more than three scopes is treated as one in three of them: one that grants now, and those that deny,
or grant, before and afterwards. Scopes whose policies stay are told apart only if there are few of
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from reconciler.kinds.exchange.nodes import ExchangeNodeKind, needs
from reconciler.kinds.ordering.combinations import combinations_of, steps_within, unimplied
from reconciler.kinds.ordering.orders import Pairs
from reconciler.kinds.ordering.search import MOST_NODES, Ground
from reconciler.model.access_rows import GapSubject, SubjectKind, SubjectPart
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.documents import AccessRight

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.kinds.exchange.nodes import ExchangeNode
    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.model.observed import ExchangeState

_TOGETHER = 3
_TOLD_APART = 4
"""So many scopes in all are told apart; of more, those whose Restricts stay are one."""
_ELSEWHERE = ""
"""Stands for every scope of a Restrict that stays and that no node is about."""
_FEW = 64


def _together(scopes: int) -> int:
    """How many scopes of a combination are looked at: in components that are not searched, fewer,
    or there would be millions.
    """
    if scopes <= MOST_NODES + 1:
        return _TOGETHER
    return _TOGETHER - 1 if scopes <= _FEW else 1


class _Rule(NamedTuple):
    """A policy of a node, for one application: there or not by whether the node is done.

    `cover` has the combinations within its scope.
    """

    bit: int
    when_done: bool
    right: AccessRight
    cover: int


class _Application(Struct, frozen=True):
    """Applications of which the same holds: combinations that are denied or restricted to by what
    stays, and the nodes' policies.
    """

    names: tuple[str, ...]
    denied: int
    restricted: int
    confined: bool
    rules: tuple[_Rule, ...]
    bits: int


class ExchangeReach:
    """The access of one component's applications."""

    def __init__(
        self, observed: ExchangeState, target: ExchangeTarget, nodes: Sequence[ExchangeNode]
    ) -> None:
        """Lay out the bits for these nodes; nothing outside the component bears on their
        applications.
        """
        self._nodes = nodes
        moving = {node.key for node in nodes}
        self._staying = {
            key: policy.right
            for key, policy in observed.policies.items()
            if key not in target.removed and key not in moving
        }
        self._scopes = self._told_apart(sorted({node.key[1] for node in nodes if not node.guards}))
        self._combinations = combinations_of(self._scopes, _together(len(self._scopes)))
        self._all = (1 << len(self._combinations)) - 1
        self._covers = {
            scope: sum(1 << slot for slot, some in enumerate(self._combinations) if scope in some)
            for scope in self._scopes
        }
        self._applications = self._alike()
        self._known: dict[tuple[int, int], int] = {}

    def ground(self) -> Ground:
        """What an exact search needs."""
        dependencies = needs(self._nodes) if len(self._nodes) < _FEW else ()
        return Ground((1,) * len(self._nodes), dependencies, self.reached, tuple(self._weights()))

    def reached(self, done: int) -> int:
        """What is granted once these nodes are done."""
        pairs = 0
        for index, application in enumerate(self._applications):
            key = (index, done & application.bits)
            if key not in self._known:
                self._known[key] = self._granted(application, done) << index * len(
                    self._combinations
                )
            pairs |= self._known[key]
        return pairs

    def rows(self, stretches: Iterable[tuple[int, int, int]]) -> Iterator[Pairs]:
        """Bits of pairs that are so after the steps `first` to `last`, as rows for people.

        Args:
            stretches: (first step, last step, pairs), ascending.
        """
        spans = [(first, last, pairs) for first, last, pairs in stretches if pairs]
        for index, application in enumerate(self._applications if spans else ()):
            first = index * len(self._combinations)
            steps = (
                (combination, steps_within(spans, 1 << first + slot))
                for slot, combination in enumerate(self._combinations)
            )
            for combination, where in unimplied(steps):
                yield from (
                    # in one scope, or in none
                    Pairs(name, subject, len(combination) < 2, where)  # noqa: PLR2004
                    for name in application.names
                    for subject in self._subjects(name, combination)
                )

    def _told_apart(self, moving: list[str]) -> list[str]:
        staying = {
            scope for application, scope in self._staying if self._concerned(application)
        } - set(moving)
        if len(staying) + len(moving) <= _TOLD_APART:
            return sorted((*moving, *staying))
        restricting = {
            key[1]
            for key, right in self._staying.items()
            if right is AccessRight.RESTRICT and self._concerned(key[0])
        }
        return [_ELSEWHERE, *moving] if restricting - set(moving) else moving

    def _concerned(self, application: str) -> bool:
        """Whether policies of the application bear on what the nodes change."""
        touched = {node.key[0] for node in self._nodes}
        return (
            EVERY_APPLICATION in touched
            or application in touched
            or application == EVERY_APPLICATION
        )

    def _alike(self) -> list[_Application]:
        names = {node.key[0] for node in self._nodes}
        if EVERY_APPLICATION in names:
            names |= {application for application, _ in self._staying}
        alike: dict[_Application, list[str]] = {}
        for name in sorted(names):
            alike.setdefault(self._application(name), []).append(name)
        return [replace(application, names=tuple(same)) for application, same in alike.items()]

    def _application(self, name: str) -> _Application:
        denied = restricted = 0
        confined = False
        for (owner, scope), right in self._staying.items():
            if owner in {name, EVERY_APPLICATION}:
                resolved = scope in self._covers
                if right is AccessRight.DENY:
                    denied |= self._covers[scope] if resolved else 0
                else:
                    confined = True
                    restricted |= self._covers[scope if resolved else _ELSEWHERE]
        rules = tuple(self._rules(name))
        return _Application(
            (), denied, restricted, confined, rules, sum({rule.bit for rule in rules})
        )

    def _rules(self, name: str) -> Iterator[_Rule]:
        opens = {
            node.key: 1 << bit
            for bit, node in enumerate(self._nodes)
            if node.kind is ExchangeNodeKind.OPEN
        }
        for bit, node in enumerate(self._nodes):
            if node.key[0] not in {name, EVERY_APPLICATION}:
                continue
            if node.kind is ExchangeNodeKind.SHUT:
                yield _Rule(1 << bit | opens[node.key], when_done=True, right=node.right, cover=0)
            elif node.kind is not ExchangeNodeKind.OPEN:
                yield _Rule(
                    1 << bit,
                    node.kind is ExchangeNodeKind.CREATE,
                    node.right,
                    self._covers[node.key[1]],
                )

    def _granted(self, application: _Application, done: int) -> int:
        """The documented rules: a Deny that covers, a Restrict that covers, any Restrict at all."""
        denied, restricted, confined = (
            application.denied,
            application.restricted,
            application.confined,
        )
        for bit, when_done, right, cover in application.rules:
            if cover == 0:
                confined = confined or self._shut(bit, done)
            elif bool(done & bit) is when_done:
                if right is AccessRight.DENY:
                    denied |= cover
                else:
                    restricted |= cover
                    confined = True
        return (restricted if confined else self._all) & ~denied

    def _shut(self, bits: int, done: int) -> bool:
        """Whether a guard, given by the bits of its two nodes, is there: made, and not removed."""
        made = done & bits
        return bool(made) and made != bits

    def _weights(self) -> Iterator[tuple[int, int]]:
        for index, application in enumerate(self._applications):
            yield self._all << index * len(self._combinations), len(application.names)

    def _subjects(self, name: str, combination: tuple[str, ...]) -> Iterator[GapSubject]:
        """Everyone but members of any scope that is told apart; members of one, or of several at
        once.
        """
        if not combination:
            excepted = [scope for named in self._scopes for scope in self._spelled(name, named)]
            yield GapSubject(
                SubjectKind.EVERYONE,
                excepted=tuple(SubjectPart(SubjectKind.GROUP_MEMBERS, scope) for scope in excepted),
            )
            return
        first, *others = (self._spelled(name, scope) for scope in combination)
        for scope in first:
            beside = tuple(other for spelled in others for other in spelled)
            yield GapSubject(SubjectKind.GROUP_MEMBERS, scope, together=beside)

    def _spelled(self, name: str, scope: str) -> list[str]:
        if scope != _ELSEWHERE:
            return [scope]
        moving = {node.key[1] for node in self._nodes}
        elsewhere = (
            key[1]
            for key, right in self._staying.items()
            if right is AccessRight.RESTRICT and key[0] in {name, EVERY_APPLICATION}
        )
        return sorted({other for other in elsewhere if other not in moving})
