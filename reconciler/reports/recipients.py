"""Types of Exchange's recipients (RecipientTypeDetails) in words, and what to name as a scope
instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PUT: Final = "Put it into a mail-enabled security group and name that group as the scope"
_MEMBERS: Final = (
    "Create a mail-enabled security group, put the members into it and name that group as the scope"
)
_ROOMS: Final = (
    "Create a mail-enabled security group, put the rooms into it and name that group as the scope"
)

_WORDS: Final[Mapping[str, str]] = {
    "UserMailbox": "a user mailbox without an account",
    "SharedMailbox": "a shared mailbox",
    "RoomMailbox": "a room mailbox",
    "EquipmentMailbox": "an equipment mailbox",
    "SchedulingMailbox": "a booking mailbox",
    "TeamMailbox": "a site mailbox",
    "DiscoveryMailbox": "a discovery mailbox",
    "PublicFolder": "a mail-enabled public folder",
    "PublicFolderMailbox": "a public folder mailbox",
    "MailUniversalDistributionGroup": "a distribution list",
    "MailNonUniversalGroup": "a distribution list",
    "DynamicDistributionGroup": "a dynamic distribution list",
    "GroupMailbox": "a Microsoft 365 group",
    "RoomList": "a room list",
    "MailUniversalSecurityGroup": "a mail-enabled security group",
    "MailContact": "a mail contact",
    "MailUser": "a mail user without an account",
    "GuestMailUser": "a guest",
}

_INSTEAD: Final[Mapping[str, str]] = {
    "MailUniversalDistributionGroup": _MEMBERS,
    "MailNonUniversalGroup": _MEMBERS,
    "DynamicDistributionGroup": _MEMBERS,
    "GroupMailbox": (
        f"{_MEMBERS} (application access policies do not govern the group's own mailbox)"
    ),
    "RoomList": _ROOMS,
    "MailUniversalSecurityGroup": (
        "Exchange does not take it for a security principal: look into the group, or name another"
        " mail-enabled security group as the scope"
    ),
    "MailContact": "It has no mailbox here: name a mail-enabled security group as the scope",
    "PublicFolder": "Policies do not take public folders: name a mail-enabled security group as the scope",
    "PublicFolderMailbox": (
        "Policies do not take public folders: name a mail-enabled security group as the scope"
    ),
    "DiscoveryMailbox": (
        "No source says that policies cover such a mailbox: name a mail-enabled security group of"
        " the people concerned as the scope"
    ),
}


def recipient_words(recipient_type: str) -> str:
    """What a recipient is: `a shared mailbox`."""
    if not recipient_type:
        return "of a type that the capture does not have"
    return _WORDS.get(recipient_type, f"of the type {recipient_type}")


def scope_instead(recipient_type: str) -> str:
    """What to name as a scope instead of a recipient that cannot be one."""
    is_single = recipient_type.endswith(("Mailbox", "User"))
    default = _PUT if is_single else "Name a mail-enabled security group as the scope"
    return _INSTEAD.get(recipient_type, default)
