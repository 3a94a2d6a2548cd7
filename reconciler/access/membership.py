"""Who is in a group or scope, as far as a capture's directory knows: surely, surely not, or not
known.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.observed import Directory, Recipient


class Coverage(Struct, frozen=True):
    """Object ids that are surely covered.

    `closed`: nobody else is; otherwise anybody else may be.
    """

    inside: frozenset[str]
    closed: bool

    def covers(self, subject: str) -> bool | None:
        """Whether an object id is covered; None is not known."""
        if subject in self.inside:
            return True
        return False if self.closed else None


NOBODY = Coverage(frozenset(), closed=True)
UNKNOWN = Coverage(frozenset(), closed=False)


def of_groups(directory: Directory) -> Callable[[str], Coverage]:
    """Direct members of the groups that Teams grants to: nested groups do not count (MicrosoftDocs
    Assign policies to users and groups).
    """

    def members(group: str) -> Coverage:
        known = directory.groups.get(group)
        return (
            UNKNOWN
            if known is None or known.members is None
            else Coverage(known.members, closed=True)
        )

    return members


def of_scopes(directory: Directory) -> Callable[[str], Coverage]:
    """Mailboxes that an Exchange scope covers: a mailbox itself, a group's members through nested
    groups (MicrosoftDocs New-ApplicationAccessPolicy).

    A scope that was looked for and is gone covers nobody. A member that the directory does not know
    may be a group.
    """

    @cache
    def covered(scope: str) -> Coverage:
        recipient = directory.recipients.get(scope)
        if recipient is None:
            return NOBODY if scope in directory.absent else UNKNOWN
        return (
            Coverage(frozenset({scope}), closed=True)
            if is_mailbox(recipient)
            else _nested(directory, recipient)
        )

    return covered


def is_mailbox(recipient: Recipient) -> bool:
    """Whether a recipient is one person's, by Exchange's RecipientTypeDetails: `UserMailbox`,
    `MailUser` and their like, not `GroupMailbox`.
    """
    return (
        recipient.members is None
        and recipient.type.endswith(("Mailbox", "User"))
        and recipient.type != "GroupMailbox"
    )


def _nested(directory: Directory, scope: Recipient) -> Coverage:
    inside: set[str] = set()
    closed = True
    seen, waiting = {scope.id}, [scope]
    while waiting:
        group = waiting.pop()
        closed = closed and group.members is not None
        for member in (group.members or frozenset()) - seen:
            seen.add(member)
            recipient = directory.recipients.get(member)
            if recipient is not None and not is_mailbox(recipient):
                waiting.append(recipient)
            else:
                inside.add(member)
                closed = closed and (recipient is not None or member in directory.users)
    return Coverage(frozenset(inside), closed)
