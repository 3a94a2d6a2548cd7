"""What a tenant has and documents leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Address

FREE_PARTS = frozenset(("groups", "users"))
"""Parts of a policy that are about who holds it."""


class UnmanagedObject(Struct, frozen=True):
    """An object of a tenant, and what of it no document declares.

    Attributes:
        address: Its address, with names as the service spells them.
        parts: What of it is open, by name: of a Teams policy `applications` (client ids, sorted;
            None if only grants name the policy), `groups` (`group` and `rank`, the strongest first)
            and `users` (`count`, and a `digest` of their ids); of a grant `policy`, and of a
            group's `rank`; of an Exchange policy `accessRight` and `sid`. Empty: documents declare
            it.
        users: The users of `users`, by object id.
        idle: Documents declare it, and what they leave open is empty.
    """

    address: Address
    parts: Mapping[str, Json]
    users: tuple[str, ...] = ()
    idle: bool = False
