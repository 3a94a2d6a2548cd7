"""What a transition of the Exchange side changes, by application and scope.

`*` stands for every application without a policy of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.audiences.membership import NOBODY
from reconciler.audiences.rows import People, rows
from reconciler.audiences.subjects import Delta, merged, sizes
from reconciler.kinds.exchange.mailbox_access import ScopeLimits, limits, mailbox_partition
from reconciler.kinds.exchange.scopes import is_mailbox, scope_coverage
from reconciler.model.access_rows import Certainty, Subject, SubjectKind, TenantWideRow
from reconciler.model.addresses import EVERY_APPLICATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.audiences.clauses import Partition
    from reconciler.model.access_rows import AccessRow, SubjectPart
    from reconciler.model.observed import Directory, ExchangeState


def delta(before: ExchangeState, after: ExchangeState, directory: Directory) -> Delta:
    """Which mailboxes applications gain and lose, and which come to reach every mailbox."""
    people = people_of(directory)
    gained: list[AccessRow] = []
    lost: list[AccessRow] = []
    wide: list[TenantWideRow] = []
    for application, was, shall in _changed(before, after):
        doubtful = bool(before.opaque_limits(application))
        old, new = (_partition(limited, doubtful=doubtful) for limited in (was, shall))
        gained += _graded(rows(application, new - old, people), doubtful=doubtful)
        lost += _graded(rows(application, old - new, people), doubtful=doubtful)
        if opens(was, shall, people):
            wide.append(_tenant_wide(application, was, shall, people))
    known_sizes = sizes("gained", gained, _size(people)) | sizes("lost", lost, _size(people))
    return Delta(merged(gained), merged(lost), tuple(wide), known_sizes)


def _partition(limited: ScopeLimits, *, doubtful: bool) -> Partition:
    """Whom an application reaches; one with a policy that is not understood may reach whatever no
    Deny covers.
    """
    return mailbox_partition(limited._replace(restricts={}) if doubtful else limited)


def _graded(told_rows: Iterable[AccessRow], *, doubtful: bool) -> Iterator[AccessRow]:
    """Rows of an application; of one with a policy that is not understood none is certain."""
    for row in told_rows:
        yield replace(row, certainty=Certainty.POSSIBLE) if doubtful else row


def _size(people: People) -> Callable[[SubjectPart], int | None]:
    def size(part: SubjectPart) -> int | None:
        coverage = people.members(part.id)
        return len(coverage.inside) if coverage.closed else None

    return size


def people_of(directory: Directory) -> People:
    """Mailboxes, by the scopes that cover them."""

    def single(scope: str) -> bool:
        recipient = directory.recipients.get(scope)
        return recipient is not None and is_mailbox(recipient)

    return People(scope_coverage(directory), SubjectKind.MAILBOX, "exchange", single)


def opens(was: ScopeLimits, shall: ScopeLimits, people: People) -> bool:
    """Whether the application comes to reach every mailbox.

    That it loses its last Restrict is enough, whatever its Denies: what it reaches then grows with
    the tenant. So is that its last Deny goes, or the last that covers somebody. Whether the old
    scopes still cover anybody makes no difference: a Restrict of a scope that is gone shuts the
    application out of everything, and removing it opens everything.
    """
    if shall.restricts:
        return False
    covering = (
        any(people.members(scope) != NOBODY for scope in limited.denies) for limited in (was, shall)
    )
    return bool(was.restricts or (was.denies and not shall.denies)) or next(covering) > next(
        covering
    )


def _changed(
    before: ExchangeState, after: ExchangeState
) -> Iterator[tuple[str, ScopeLimits, ScopeLimits]]:
    """Applications whose limits differ."""
    old, new = limits(before), limits(after)
    for application in sorted(old.keys() | new.keys() | before.opaque.keys()):
        was, shall = (
            limits_of.get(application, limits_of[EVERY_APPLICATION]) for limits_of in (old, new)
        )
        if was.scopes != shall.scopes:
            yield application, was, shall


def _tenant_wide(
    application: str, was: ScopeLimits, shall: ScopeLimits, people: People
) -> TenantWideRow:
    """The row, and whom it was restricted to, or everyone but whom; a scope that covers nobody is
    named too, for people know it by its name.
    """
    denied = tuple(sorted(people.part(scope) for scope in was.denies))
    restricted = tuple(
        Subject(part.kind, part.id, denied) for part in map(people.part, sorted(was.restricts))
    )
    left = tuple(sorted(people.part(scope) for scope in shall.denies))
    return TenantWideRow(
        application,
        Subject(SubjectKind.EVERYONE, "", left),
        Certainty.CERTAIN,
        "exchange",
        was=restricted or (Subject(SubjectKind.EVERYONE, "", denied),),
    )
