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
    from collections.abc import Collection, Iterable

Groups = frozenset[str]


class Clause(NamedTuple):
    """Everyone who is in all groups of `inside` and in none of `outside`; `Clause()` is everyone."""

    inside: Groups = frozenset()
    outside: Groups = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nobody can be in it."""
        return not self.inside.isdisjoint(self.outside)

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
        return audience(ours.meet(theirs) for ours in self.clauses for theirs in other.clauses)

    def __contains__(self, member_of: Collection[str]) -> bool:
        """Whether somebody is in the audience who is in exactly these groups."""
        own = frozenset(member_of)
        return any(
            clause.inside <= own and clause.outside.isdisjoint(own) for clause in self.clauses
        )


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
    waiting = list(clauses)
    while waiting:
        clause = waiting.pop()
        for wider in _merged(clause, clauses):
            if wider not in clauses:
                clauses.add(wider)
                waiting.append(wider)
    return frozenset(
        clause
        for clause in clauses
        if not any(other.covers(clause) for other in clauses if other != clause)
    )


def _merged(clause: Clause, clauses: set[Clause]) -> list[Clause]:
    inner, outer = clause
    merged = [
        Clause(inner, outer - {group})
        for group in outer
        if Clause(inner | {group}, outer - {group}) in clauses
    ]
    merged += [
        Clause(inner - {group}, outer)
        for group in inner
        if Clause(inner - {group}, outer | {group}) in clauses
    ]
    return merged
