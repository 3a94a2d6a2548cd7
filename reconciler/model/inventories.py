"""What a tenant has, managed or not, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.addresses import Address, Provider


class ListedGroup(Struct, frozen=True):
    """A group that holds a policy: object id, rank from 1, whether documents manage that."""

    group: str
    rank: int
    managed: bool


class ListedPolicy(Struct, frozen=True):
    """A policy and its grants.

    Attributes:
        provider: The product.
        address: Its address.
        name: As the service has it; of Exchange the name of its scope.
        managed: Whether documents manage the policy itself.
        applications: Client ids, sorted; of an entry that is not understood what was read.
        right: AccessRight of Exchange; empty for Teams.
        scope: Object id of the scope of Exchange; empty for Teams.
        description: Empty if blank.
        users: Object ids of those who hold it directly, sorted.
        users_managed: How many of those grants documents manage.
        groups: Groups that hold it, by rank.
        everyone: Whether everyone without a grant has it.
        missing: Whether it is held although it does not exist.
        understood: Whether what was read could be understood.
    """

    provider: Provider
    address: Address
    name: str
    managed: bool
    applications: tuple[str, ...] = ()
    right: str = ""
    scope: str = ""
    description: str = ""
    users: tuple[str, ...] = ()
    users_managed: int = 0
    groups: tuple[ListedGroup, ...] = ()
    everyone: bool = False
    missing: bool = False
    understood: bool = True
