"""What baseline and steps of a plan alone say about access, whoever is in which group: the least
that its rows have to say, and the most that they may.

With memberships known, a plan says more exactly whom a change concerns. What it says then lies
between these bounds, so that rows which were taken out of a plan file, or put in, are noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from reconciler.model.access_rows import Certainty, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.audiences.subjects import Delta
    from reconciler.model.access_rows import AccessRow


class Reached(NamedTuple):
    """An application and whom it reaches: one user, one group or scope, others who hold a policy,
    or everyone.
    """

    application: str
    kind: SubjectKind
    id: str


class PolicyHolders(Struct, frozen=True):
    """Who holds a policy directly, by its lower-case name: the users whom steps touch, and whether
    anybody else does.
    """

    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    others: frozenset[str] = frozenset()


NO_HOLDERS = PolicyHolders()


class RowBounds(Struct, frozen=True):
    """Bounds of the rows of one direction: what they must name, and the applications that they may.

    `holders`: as they are where the access is had, after the transition or before it.
    """

    least: frozenset[Reached]
    most: frozenset[str]
    holders: PolicyHolders

    def missing(self, rows: Iterable[AccessRow]) -> frozenset[Reached]:
        """What rows must name and do not."""
        return self.least.difference(*(reached(row, self.holders) for row in rows))

    def excess(self, rows: Iterable[AccessRow]) -> frozenset[str]:
        """Applications that rows name and nothing changes for."""
        return frozenset(row.application for row in rows) - self.most


class AccessBounds(Struct, frozen=True):
    """Bounds of a product's access delta; `tenant_wide` are the applications that come to reach
    everyone, whoever is in the groups.
    """

    gained: RowBounds
    lost: RowBounds
    tenant_wide: frozenset[str]


def bounds(
    delta: Delta, before: PolicyHolders = NO_HOLDERS, after: PolicyHolders = NO_HOLDERS
) -> AccessBounds:
    """The bounds that a delta gives which was computed with no membership known."""
    return AccessBounds(
        _row_bounds(delta.gained, after),
        _row_bounds(delta.lost, before),
        frozenset(row.application for row in delta.tenant_wide),
    )


def _row_bounds(rows: tuple[AccessRow, ...], holders: PolicyHolders) -> RowBounds:
    certain = (row for row in rows if row.certainty is Certainty.CERTAIN)
    return RowBounds(
        frozenset(entry for row in certain for entry in reached(row, holders)),
        frozenset(row.application for row in rows),
        holders,
    )


def reached(row: AccessRow, holders: PolicyHolders) -> Iterator[Reached]:
    """What a row names, one by one: it may name users singly, or together as those who hold a
    policy; a mailbox may be known as one, or as any other scope.
    """
    subject = row.subject
    if subject.kind is not SubjectKind.POLICY_HOLDERS:
        scope = subject.kind is SubjectKind.MAILBOX
        kind = SubjectKind.GROUP_MEMBERS if scope else subject.kind
        yield Reached(row.application, kind, subject.id)
        return
    policy = subject.id.lower()
    excepted = {part.id for part in subject.excepted}
    for user in holders.touched.get(policy, frozenset()) - excepted:
        yield Reached(row.application, SubjectKind.USER, user)
    if policy in holders.others:
        yield Reached(row.application, SubjectKind.POLICY_HOLDERS, policy)
