"""Sets of people described by the groups they are in: union, intersection and difference without
knowing anybody.

A *clause* is everyone who is in all of some groups and in none of some others; a *audience* is a union
of clauses. What a rule grants and what it denies are two audiences that together are everyone; so a
difference is an intersection, and nothing has to be complemented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

Groups = frozenset[str]


class Clause(NamedTuple):
    """Everyone who is in all groups of `inside` and in none of `outside`; `Clause()` is everyone."""

    inside: Groups = frozenset()
    outside: Groups = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nobody can be in it."""
        return not self.inside.isdisjoint(self.outside)

    @property
    def shape(self) -> tuple[int, int]:
        """How many groups it names of each kind."""
        return len(self.inside), len(self.outside)

    def covers(self, other: Clause) -> bool:
        """Whether everyone of the other clause is in this one, whoever is in the groups."""
        return self.inside <= other.inside and self.outside <= other.outside

    def meet(self, other: Clause) -> Clause:
        """Everyone who is in both."""
        return Clause(self.inside | other.inside, self.outside | other.outside)


class Audience(Struct, frozen=True):
    """A union of clauses, in its simplest form as far as `_simplified` goes. `Audience()` is nobody."""

    clauses: frozenset[Clause] = frozenset()

    def __or__(self, other: Audience) -> Audience:
        return audience(self.clauses | other.clauses)

    def __and__(self, other: Audience) -> Audience:
        return audience(_met(self.clauses, other.clauses))

    def __contains__(self, member_of: Collection[str]) -> bool:
        """Whether somebody is in the audience who is in exactly these groups."""
        own = frozenset(member_of)
        return any(
            clause.inside <= own and clause.outside.isdisjoint(own) for clause in self.clauses
        )


def _met(ours: Collection[Clause], theirs: Collection[Clause]) -> Iterator[Clause]:
    """What the clauses of two audiences have in common; where one lies within a clause of the other
    side that is it, and not its intersections with all of them.
    """
    our_coverers, their_coverers = _Coverers(ours), _Coverers(theirs)
    across = [clause for clause in theirs if not our_coverers.cover(clause)]
    yield from (clause for clause in theirs if our_coverers.cover(clause))
    for clause in ours:
        if their_coverers.cover(clause):
            yield clause
        else:
            yield from map(clause.meet, across)


class Partition(Struct, frozen=True):
    """Whom an application reaches and whom it does not: two audiences without a common member that
    together are everyone.
    """

    granted: Audience
    denied: Audience

    def __sub__(self, other: Partition) -> Audience:
        """Whom this one reaches and the other one does not."""
        return self.granted & other.denied


def audience(clauses: Iterable[Clause]) -> Audience:
    """The union of clauses, simplified."""
    return Audience(_simplified({clause for clause in clauses if not clause.is_empty}))


def _simplified(clauses: set[Clause]) -> frozenset[Clause]:
    """Merge clauses that differ only in being in or out of one group; drop those that another one
    covers.
    """
    waiting, shapes = list(clauses), {clause.shape for clause in clauses}
    while waiting:
        clause = waiting.pop()
        for wider in _merged(clause, clauses, shapes):
            if wider not in clauses:
                clauses.add(wider)
                shapes.add(wider.shape)
                waiting.append(wider)
    return _uncovered(clauses)


def _merged(
    clause: Clause, clauses: Collection[Clause], shapes: Collection[tuple[int, int]]
) -> list[Clause]:
    """What a clause and another one are together, if they differ in one group only.

    `shapes`: those of all clauses, for most clauses have no such fellow, and many groups.
    """
    inner, outer = clause
    merged: list[Clause] = []
    if (len(inner) + 1, len(outer) - 1) in shapes:
        merged += [
            Clause(inner, outer - {group})
            for group in outer
            if Clause(inner | {group}, outer - {group}) in clauses
        ]
    if (len(inner) - 1, len(outer) + 1) in shapes:
        merged += [
            Clause(inner - {group}, outer)
            for group in inner
            if Clause(inner - {group}, outer | {group}) in clauses
        ]
    return merged


def _uncovered(clauses: Collection[Clause]) -> frozenset[Clause]:
    """The clauses that no other one covers."""
    kept = _Coverers()
    of_length: dict[int, list[Clause]] = {}
    for clause in clauses:
        of_length.setdefault(sum(clause.shape), []).append(clause)
    for _, alike in sorted(of_length.items()):
        for clause in [each for each in alike if not kept.cover(each)]:  # none covers its like
            kept.add(clause)
    return frozenset(kept.clauses)


class _Coverers:
    """Clauses, and which of them may cover another one: those that are found by a group of it."""

    def __init__(self, clauses: Iterable[Clause] = ()) -> None:
        self.clauses: list[Clause] = []
        self._inside: dict[str, list[Clause]] = {}
        self._outside: dict[str, list[Clause]] = {}
        self._everyone = False
        for clause in clauses:
            self.add(clause)

    def add(self, clause: Clause) -> None:
        """Take a clause in, under one of its groups."""
        self.clauses.append(clause)
        if clause.inside:
            self._inside.setdefault(next(iter(clause.inside)), []).append(clause)
        elif clause.outside:
            self._outside.setdefault(next(iter(clause.outside)), []).append(clause)
        else:
            self._everyone = True

    def cover(self, clause: Clause) -> bool:
        """Whether one of them covers a clause, which it may be itself."""
        return self._everyone or any(
            other.covers(clause)
            for by_group, groups in ((self._inside, clause.inside), (self._outside, clause.outside))
            for group in (groups if len(groups) < len(by_group) else by_group.keys() & groups)
            for other in by_group.get(group, ())
        )
