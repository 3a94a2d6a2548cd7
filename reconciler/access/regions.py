"""Sets of people described by the groups they are in: union, intersection and difference without
knowing anybody.

A *term* is everyone who is in all of some groups and in none of some others; a *region* is a union
of terms. What a rule grants and what it denies are two regions that together are everyone; so a
difference is an intersection, and nothing has to be complemented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Groups = frozenset[str]


class Term(NamedTuple):
    """Everyone who is in all groups of `inside` and in none of `outside`; `Term()` is everyone."""

    inside: Groups = frozenset()
    outside: Groups = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nobody can be in it."""
        return not self.inside.isdisjoint(self.outside)

    def covers(self, other: Term) -> bool:
        """Whether everyone of the other term is in this one, whoever is in the groups."""
        return self.inside <= other.inside and self.outside <= other.outside

    def meet(self, other: Term) -> Term:
        """Everyone who is in both."""
        return Term(self.inside | other.inside, self.outside | other.outside)


class Region(Struct, frozen=True):
    """A union of terms, in its simplest form as far as `_simplified` goes. `Region()` is nobody."""

    terms: frozenset[Term] = frozenset()

    def __or__(self, other: Region) -> Region:
        return region(self.terms | other.terms)

    def __and__(self, other: Region) -> Region:
        return region(one.meet(two) for one in self.terms for two in other.terms)

    def __contains__(self, member_of: Collection[str]) -> bool:
        """Whether somebody is in the region who is in exactly these groups."""
        own = frozenset(member_of)
        return any(term.inside <= own and term.outside.isdisjoint(own) for term in self.terms)


class Reach(Struct, frozen=True):
    """Whom an application reaches and whom it does not: two regions without a common member that
    together are everyone.
    """

    granted: Region
    denied: Region

    def __sub__(self, other: Reach) -> Region:
        """Whom this one reaches and the other one does not."""
        return self.granted & other.denied


def region(terms: Iterable[Term]) -> Region:
    """The union of terms, simplified."""
    return Region(_simplified({term for term in terms if not term.is_empty}))


def _simplified(terms: set[Term]) -> frozenset[Term]:
    """Merge terms that differ only in being in or out of one group; drop those that another one
    covers.
    """
    waiting = list(terms)
    while waiting:
        term = waiting.pop()
        for wider in _merged(term, terms):
            if wider not in terms:
                terms.add(wider)
                waiting.append(wider)
    return frozenset(
        term for term in terms if not any(other.covers(term) for other in terms if other != term)
    )


def _merged(term: Term, terms: set[Term]) -> list[Term]:
    inner, outer = term
    found = [
        Term(inner, outer - {group})
        for group in outer
        if Term(inner | {group}, outer - {group}) in terms
    ]
    found += [
        Term(inner - {group}, outer)
        for group in inner
        if Term(inner - {group}, outer | {group}) in terms
    ]
    return found
