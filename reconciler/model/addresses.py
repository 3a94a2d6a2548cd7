"""Addresses: the identity of one object, as text.

Ids are lower-case, names as the service spells them.
"""

from __future__ import annotations

from typing import Literal, NewType, get_args

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
    """The product that an address belongs to."""
    return "teams" if address.startswith("teams.") else "exchange"
