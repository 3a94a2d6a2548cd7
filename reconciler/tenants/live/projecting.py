"""Objects of the service -> rows of a capture: plain properties only, spelled as the service spells
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.guids import object_id
from reconciler.kinds.capture_directory import smtp_address
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import as_list, raw_text
from reconciler.kinds.teams.parse import POLICY_TYPE
from reconciler.tenants.live.lines import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.canonical import Json

Row = Mapping[str, "Json"]

LISTABLE: Final = frozenset(
    {
        "MailUniversalSecurityGroup",
        "MailUniversalDistributionGroup",
        "MailNonUniversalGroup",
        "RoomList",
    }
)
"""Types of groups whose members Get-DistributionGroupMember lists.

Those of a Microsoft 365 group come from elsewhere, those of a dynamic one are

computed: they stay unknown.
"""
_NO_MAILBOX: Final = frozenset({"MailContact", "MailForestContact", "PublicFolder"})
"""Types of members that have no object id and no mailbox to reach."""


class ProjectedRecipient(Struct, frozen=True):
    """A recipient as it was read: its row in the capture, and the name that Exchange itself takes
    for it.
    """

    row: dict[str, Json]
    identity: str

    @property
    def id(self) -> str:
        """Object id in Entra, lower-case."""
        return str(self.row["id"]).lower()

    @property
    def type(self) -> str:
        """RecipientTypeDetails."""
        return str(self.row["type"])

    @property
    def names(self) -> frozenset[str]:
        """Lower-case id and addresses."""
        addresses = as_list(self.row["addresses"], "", FaultList())
        well_formed = (
            smtp_address(str(address)) for address in (self.row["primary"], *addresses) if address
        )
        return frozenset({self.id, *(address.lower() for address in well_formed if address)})


def kept(row: Row, names: Sequence[str]) -> dict[str, Json]:
    """The named properties of an object, those that it has."""
    return {name: row[name] for name in names if name in row and name != ABSENT}


def grant(row: Row) -> dict[str, Json]:
    """A user's direct grant.

    The policy is an object with a name from module 3.0.0 on, a text before.
    """
    read = kept(row, ("Identity", "UserPrincipalName", POLICY_TYPE))
    policy = read.get(POLICY_TYPE)
    if isinstance(policy, Mapping):
        read[POLICY_TYPE] = kept(policy, ("Authority", "Name"))
    return read


def project_user(row: Row) -> dict[str, Json]:
    """A user of the directory."""
    return {
        "id": row["Identity"],
        "upn": row["UserPrincipalName"],
        "displayName": row.get("DisplayName"),
    }


def users_by_key(rows: Sequence[Row]) -> dict[str, Row]:
    """Users of the directory by lower-case id, or by what was read if that is none. Of an id that an
    answer has with two contents, both are kept: which one is right is unknown.
    """
    users: dict[str, Row] = {}
    for row in rows:
        key, user = object_id(row["Identity"]) or raw_text(row), project_user(row)
        users[key if users.get(key, user) == user else f"{key} {raw_text(user)}"] = user
    return users


def is_leaving(row: Row) -> bool:
    """Whether a user is deleted and not yet gone: such a user is listed for 30 days
    (Get-CsOnlineUser page).
    """
    return bool(row.get("SoftDeletionTimestamp"))


def project_recipient(row: Row) -> ProjectedRecipient | None:
    """A recipient of the directory; None for what has no object id in Entra or no address: it is not
    a scope, and nothing reaches it by one.
    """
    own_id, primary = object_id(row.get("ExternalDirectoryObjectId")), row.get("PrimarySmtpAddress")
    if own_id is None or not primary or "IsValidSecurityPrincipal" not in row:
        return None
    content: dict[str, Json] = {
        "id": row["ExternalDirectoryObjectId"],
        "primary": primary,
        "addresses": row.get("EmailAddresses"),
        "displayName": row.get("DisplayName"),
        "type": row["RecipientTypeDetails"],
        "isValidSecurityPrincipal": row["IsValidSecurityPrincipal"],
    }
    identity = row.get("Guid")
    return ProjectedRecipient(
        content, identity if isinstance(identity, str) and identity else own_id
    )


def project_members(rows: Sequence[Row]) -> list[str] | None:
    """Object ids of a group's direct members, sorted; None if one of them may have a mailbox and
    has no id.
    """
    ids = [
        object_id(row.get("ExternalDirectoryObjectId"))
        for row in rows
        if row["RecipientTypeDetails"] not in _NO_MAILBOX
    ]
    known_ids = [each for each in ids if each is not None]
    return sorted(set(known_ids)) if len(known_ids) == len(ids) else None
