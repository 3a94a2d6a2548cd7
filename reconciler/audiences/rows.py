"""Regions -> rows: named sets of subjects, exact where the membership that matters is known,
possible where it is not.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.audiences.membership import NOBODY
from reconciler.model.access_rows import AccessRow, Certainty, Subject, SubjectKind, SubjectPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.audiences.clauses import Audience, Clause
    from reconciler.audiences.membership import Coverage
    from reconciler.model.addresses import Provider


class People(Struct, frozen=True):
    """Whom clauses are about: who is in a group, what one person is called, and which groups are
    really one person.

    Attributes:
        members: Who is in a group or scope, by its object id.
        kind: What one person is: a user, a mailbox.
        provider: The product that reaches them.
        single: Whether an id of a clause is a person's own, not a group's.
    """

    members: Callable[[str], Coverage]
    kind: SubjectKind
    provider: Provider
    single: Callable[[str], bool]

    def part(self, group: str) -> SubjectPart:
        """A group or scope as part of a subject."""
        return SubjectPart(self.kind if self.single(group) else SubjectKind.GROUP_MEMBERS, group)

    def subject(self, group: str, outside: frozenset[str]) -> Subject:
        """Everyone in a group and in none of others."""
        part = self.part(group)
        return Subject(part.kind, part.id, tuple(sorted(map(self.part, outside))))

    def row(self, application: str, subject: Subject, certainty: Certainty) -> AccessRow:
        """What an application reaches of them."""
        return AccessRow(application, subject, certainty, self.provider)


def rows(application: str, audience: Audience, people: People) -> Iterator[AccessRow]:
    """Rows that together are the audience: certain ones are in it whoever is in the groups, possible
    ones cover the rest.

    If all membership is known, they are exactly the audience, and certain.
    """
    possible: dict[str, frozenset[str]] = {}
    for clause in sorted(
        audience.clauses, key=lambda clause: (sorted(clause.inside), sorted(clause.outside))
    ):
        members = _known(clause, people)
        if members == frozenset():
            continue
        outside = _outside(clause, people)
        if not clause.inside:
            yield people.row(
                application,
                Subject(SubjectKind.EVERYONE, "", tuple(sorted(map(people.part, outside)))),
                Certainty.CERTAIN,
            )
        elif len(clause.inside) == 1 and not (outside and people.single(*clause.inside)):
            (group,) = clause.inside
            yield people.row(application, people.subject(group, outside), Certainty.CERTAIN)
        elif members is not None and all(
            people.members(group).closed for group in (*clause.inside, *outside)
        ):
            yield from _exact(application, clause, members, people)
        else:
            base = _base(clause, people)
            possible[base] = possible.get(base, outside) & outside
    for base, outside in sorted(possible.items()):
        yield people.row(
            application,
            people.subject(base, frozenset() if people.single(base) else outside),
            Certainty.POSSIBLE,
        )


def _known(clause: Clause, people: People) -> frozenset[str] | None:
    """All who can be in the clause, without those who surely are not; None if they are unknown."""
    closed = [coverage.inside for coverage in map(people.members, clause.inside) if coverage.closed]
    if not closed:
        return None
    return reduce(frozenset.intersection, closed).difference(
        *(people.members(group).inside for group in clause.outside)
    )


def _outside(clause: Clause, people: People) -> frozenset[str]:
    """The excepted groups that matter: those that may have a member in common with every group of
    the clause.
    """
    return frozenset(
        group
        for group in clause.outside
        if all(_may_meet(people, group, other) for other in (*clause.inside, group))
    )


def _may_meet(people: People, left: str, right: str) -> bool:
    first, second = people.members(left), people.members(right)
    if NOBODY in {first, second}:
        return False
    return not (first.closed and second.closed and first.inside.isdisjoint(second.inside))


def _base(clause: Clause, people: People) -> str:
    """The group of the clause that says most: the one with the fewest known members, else the first."""

    def size(group: str) -> tuple[bool, int, str]:
        coverage = people.members(group)
        return (not coverage.closed, len(coverage.inside) if coverage.closed else 0, group)

    return min(clause.inside, key=size)


def _exact(
    application: str, clause: Clause, exact: frozenset[str], people: People
) -> Iterator[AccessRow]:
    """Known people, one by one; or as a group without some others, where those are fewer."""
    base = _base(clause, people)
    outside = people.members(base).inside - exact
    if len(outside) < len(exact):
        excepted = tuple(SubjectPart(people.kind, subject) for subject in sorted(outside))
        part = people.part(base)
        yield people.row(application, Subject(part.kind, part.id, excepted), Certainty.CERTAIN)
    else:
        yield from (
            people.row(application, Subject(people.kind, subject), Certainty.CERTAIN)
            for subject in exact
        )
