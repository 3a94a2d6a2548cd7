"""Regions -> rows: named sets of subjects, exact where the membership that matters is known,
possible where it is not.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.access.membership import NOBODY
from reconciler.access.subjects import Certainty, Part, Row, Subject, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.access.membership import Coverage
    from reconciler.access.regions import Region, Term


class People(Struct, frozen=True):
    """Whom terms are about: who is in a group, what one person is called, and which groups are
    really one person.

    Attributes:
        members: Who is in a group or scope, by its object id.
        kind: What one person is: a user, a mailbox.
        single: Whether an id of a term is a person's own, not a group's.
    """

    members: Callable[[str], Coverage]
    kind: SubjectKind
    single: Callable[[str], bool]

    def part(self, group: str) -> Part:
        """A group or scope as part of a subject."""
        return Part(self.kind if self.single(group) else SubjectKind.GROUP_MEMBERS, group)

    def subject(self, group: str, outside: frozenset[str]) -> Subject:
        """Everyone in a group and in none of others."""
        return Subject(*self.part(group), tuple(sorted(map(self.part, outside))))


def rows(application: str, region: Region, people: People) -> Iterator[Row]:
    """Rows that together are the region: certain ones lie in it whoever is in the groups, possible
    ones cover the rest.

    If all membership is known, they are exactly the region, and certain.
    """
    possible: dict[str, frozenset[str]] = {}
    for term in sorted(region.terms, key=lambda term: (sorted(term.inside), sorted(term.outside))):
        known = _known(term, people)
        if known == frozenset():
            continue
        outside = _outside(term, people)
        if not term.inside:
            yield Row(
                application,
                Subject(SubjectKind.EVERYONE, "", tuple(sorted(map(people.part, outside)))),
                Certainty.CERTAIN,
            )
        elif len(term.inside) == 1 and not (outside and people.single(*term.inside)):
            (group,) = term.inside
            yield Row(application, people.subject(group, outside), Certainty.CERTAIN)
        elif known is not None and all(
            people.members(group).closed for group in (*term.inside, *outside)
        ):
            yield from _exact(application, term, known, people)
        else:
            base = _base(term, people)
            possible[base] = possible.get(base, outside) & outside
    for base, outside in sorted(possible.items()):
        yield Row(
            application,
            people.subject(base, frozenset() if people.single(base) else outside),
            Certainty.POSSIBLE,
        )


def _known(term: Term, people: People) -> frozenset[str] | None:
    """All who can be in the term, without those who surely are not; None if nobody knows them."""
    closed = [coverage.inside for coverage in map(people.members, term.inside) if coverage.closed]
    if not closed:
        return None
    return reduce(frozenset.intersection, closed).difference(
        *(people.members(group).inside for group in term.outside)
    )


def _outside(term: Term, people: People) -> frozenset[str]:
    """The excepted groups that matter: those that may have a member in common with every group of
    the term.
    """
    return frozenset(
        group
        for group in term.outside
        if all(_may_meet(people, group, other) for other in (*term.inside, group))
    )


def _may_meet(people: People, one: str, two: str) -> bool:
    first, second = people.members(one), people.members(two)
    if NOBODY in {first, second}:
        return False
    return not (first.closed and second.closed and first.inside.isdisjoint(second.inside))


def _base(term: Term, people: People) -> str:
    """The group of the term that says most: the one with the fewest known members, else the first."""

    def size(group: str) -> tuple[bool, int, str]:
        coverage = people.members(group)
        return (not coverage.closed, len(coverage.inside) if coverage.closed else 0, group)

    return min(term.inside, key=size)


def _exact(application: str, term: Term, known: frozenset[str], people: People) -> Iterator[Row]:
    """Known people, one by one; or as a group without some others, where those are fewer."""
    base = _base(term, people)
    rest = people.members(base).inside - known
    if len(rest) < len(known):
        excepted = tuple(Part(people.kind, one) for one in sorted(rest))
        yield Row(application, Subject(*people.part(base), excepted), Certainty.CERTAIN)
    else:
        yield from (Row(application, Subject(people.kind, one), Certainty.CERTAIN) for one in known)
