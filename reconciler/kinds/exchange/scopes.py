"""Mailboxes that an Exchange scope covers, as far as a directory knows its members."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reconciler.audiences.membership import NOBODY, UNKNOWN, Coverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.observed import Directory, Recipient


def scope_coverage(directory: Directory) -> Callable[[str], Coverage]:
    """Mailboxes that an Exchange scope covers: a mailbox itself, a group's members through nested
    groups (MicrosoftDocs New-ApplicationAccessPolicy).

    A scope that is gone covers nobody; one that is there without being a recipient, and a member
    that the directory does not know, may be a group.
    """

    @cache
    def covered(scope: str) -> Coverage:
        recipient = directory.recipients.get(scope)
        if recipient is None:
            return NOBODY if directory.is_gone(scope) else UNKNOWN
        return (
            Coverage(frozenset({scope}), closed=True)
            if is_mailbox(recipient)
            else _nested(directory, recipient)
        )

    return covered


_GOVERNED = frozenset(
    (
        *("UserMailbox", "LegacyMailbox", "LinkedMailbox", "TeamMailbox", "SchedulingMailbox"),
        *("SharedMailbox", "RoomMailbox", "LinkedRoomMailbox", "EquipmentMailbox"),
        *("RemoteUserMailbox", "RemoteSharedMailbox", "RemoteRoomMailbox", "RemoteTeamMailbox"),
        *("RemoteEquipmentMailbox", "MailUser", "GuestMailUser", "User", "LinkedUser"),
    )
)
"""Types of mailboxes (RecipientTypeDetails) of people, rooms and teams. Of any other, such as
`DiscoveryMailbox` or `ArbitrationMailbox`, no source says that policies hold for it; of a
`DiscoveryMailbox` it was reported that they do not (MicrosoftDocs office-docs-powershell issue 9967).
"""
_GROUP_MAILBOX = "GroupMailbox"
"""The mailbox of a Microsoft 365 group: policies do not govern it (MicrosoftDocs
office-docs-powershell issue 4731).
"""


def is_governed(recipient: Recipient) -> bool | None:
    """Whether application access policies hold for a mailbox; None is not known."""
    if recipient.type == _GROUP_MAILBOX:
        return False
    return True if recipient.type in _GOVERNED else None


def has_mailbox(recipient: Recipient) -> bool:
    """Whether a recipient has a mailbox of its own: a person's, or that of a Microsoft 365 group."""
    return is_mailbox(recipient) or recipient.type == _GROUP_MAILBOX


def is_mailbox(recipient: Recipient) -> bool:
    """Whether a recipient is one person's, by Exchange's RecipientTypeDetails: `UserMailbox`,
    `MailUser` and their like, not `GroupMailbox`.
    """
    return (
        recipient.members is None
        and recipient.type.endswith(("Mailbox", "User"))
        and recipient.type != _GROUP_MAILBOX
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
