"""Addresses: the identity of one object, as text.

Ids are lower-case, names as the service spells them.
"""

from __future__ import annotations

from typing import Final, Literal, NewType, TypeAlias, get_args

from msgspec import Struct

Address = NewType("Address", str)
Provider = Literal["teams", "exchange"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)
"""All products, in the order in which lists name them; the steps of Exchange come first."""

TEAMS_TENANT_GRANT = Address("teams.grant/tenant")
EVERY_APPLICATION = "*"
"""The application id of an Exchange policy that holds for every application."""
GLOBAL = "global"
"""Key of the Teams policy that holds for everyone without a grant; the service spells it `Global`.
"""


def name_key(name: str) -> str:
    """The form under which the services take two policy names for one: they ignore case
    (MicrosoftDocs Get-CsGroupPolicyAssignment prints one name in two spellings).
    """
    return name.lower()


def teams_policy(name: str) -> Address:
    """Address of a Teams policy by the name that the service spells."""
    return Address(f"teams.policy/{name}")


def teams_user_grant(user: str) -> Address:
    """Address of the direct grant of a user: object id, or the text of a document that nothing
    resolves.
    """
    return Address(f"teams.grant/user:{user}")


def teams_group_grant(group: str) -> Address:
    """Address of the grant of a group by its object id."""
    return Address(f"teams.grant/group:{group}")


def teams_application(application: str) -> Address:
    """Address of an application on the Teams side, by its client id."""
    return Address(f"teams.application/{application}")


def exchange_application(application: str) -> Address:
    """Address of an application on the Exchange side, by its client id or `*`."""
    return Address(f"exchange.application/{application}")


def exchange_policy(application: str, scope: str) -> Address:
    """Address of an Exchange policy: client id or `*`, and the scope's object id or the text
    nothing resolves.
    """
    return Address(f"exchange.policy/{application}@{scope}")


def provider_of(address: Address) -> Provider:
    """The product that an address belongs to: what is before its first dot.

    Raises:
        ValueError: no product has that name.
    """
    name = address.partition(".")[0]
    for provider in PROVIDERS:
        if provider == name:
            return provider
    raise ValueError(f"unknown product in the address {address}")


def application_address(provider: Provider, application: str) -> Address:
    """An application on the side of one product, by its client id, or `*` where a product has it."""
    return Address(f"{provider}.application/{application}")


class TeamsPolicyAddress(Struct, frozen=True):
    """A Teams policy, by its name."""

    name: str


class TeamsUserGrantAddress(Struct, frozen=True):
    """The direct grant of a user: object id, or the text of a document that nothing resolves."""

    user: str


class TeamsGroupGrantAddress(Struct, frozen=True):
    """The grant of a group, by its object id."""

    group: str


class TeamsTenantGrantAddress(Struct, frozen=True):
    """What holds for everyone who has no other grant."""


class TeamsApplicationAddress(Struct, frozen=True):
    """An application on the Teams side, by its client id."""

    application: str


class ExchangeApplicationAddress(Struct, frozen=True):
    """An application on the Exchange side, by its client id or `*`."""

    application: str


class ExchangePolicyAddress(Struct, frozen=True):
    """An Exchange policy: client id or `*`, and the scope's object id or the text nothing
    resolves.
    """

    application: str
    scope: str


ParsedAddress: TypeAlias = (
    TeamsPolicyAddress
    | TeamsUserGrantAddress
    | TeamsGroupGrantAddress
    | TeamsTenantGrantAddress
    | TeamsApplicationAddress
    | ExchangeApplicationAddress
    | ExchangePolicyAddress
)

_EXCHANGE_POLICY: Final = "exchange.policy/"
_BY_PREFIX: Final = (
    ("teams.policy/", TeamsPolicyAddress),
    ("teams.grant/user:", TeamsUserGrantAddress),
    ("teams.grant/group:", TeamsGroupGrantAddress),
    ("teams.application/", TeamsApplicationAddress),
    ("exchange.application/", ExchangeApplicationAddress),
)
"""What is left behind the prefix is the only field; an Exchange policy has two."""


def parse_address(address: str) -> ParsedAddress | None:
    """Take an address apart; None if it is not an address of any kind.

    Ids and names are returned as they are spelled: a caller that compares them gives `address` in
    lower case.
    """
    if address == TEAMS_TENANT_GRANT:
        return TeamsTenantGrantAddress()
    if address.startswith(_EXCHANGE_POLICY):
        # An application id holds no `@`; the text of a scope that nothing resolves may.
        application, at, scope = address.removeprefix(_EXCHANGE_POLICY).partition("@")
        return ExchangePolicyAddress(application, scope) if at else None
    for prefix, kind in _BY_PREFIX:
        if address.startswith(prefix):
            return kind(address.removeprefix(prefix))
    return None
