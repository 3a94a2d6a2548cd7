"""Documents after validation: shapes are right and references to Application names are client ids.

Users and scopes are still as written; they become ids when a capture's directory is at hand
(`kinds.*.desired`). `None` in an optional field means the document does not say it: unmanaged. A
blank description is `""`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Address, Provider
    from reconciler.model.findings import Position


class AccessRight(StrEnum):
    """What an Exchange policy does with its scope; the values are the service's words
    (MicrosoftDocs New-ApplicationAccessPolicy).
    """

    RESTRICT = "RestrictAccess"
    DENY = "DenyAccess"


class Kind(StrEnum):
    """Kinds of documents."""

    TENANT = "Tenant"
    APPLICATION = "Application"
    TEAMS_POLICY = "TeamsApplicationAccessPolicy"
    EXCHANGE_POLICY = "ExchangeApplicationAccessPolicy"
    ACCESS_TEST = "AccessTest"


class Located(Struct, frozen=True):
    """A text of a document with its position and its JSON path."""

    text: str
    position: Position
    path: str


class Listing(Struct, frozen=True):
    """A list of names, possibly very long: `users` of a document, or the file that `usersFrom`
    names.

    `lines[i]` and `columns[i]` belong to `texts[i]`. `path` is the list's JSON path
    (`$.spec.grants.users`), also for a file.
    """

    texts: tuple[str, ...]
    file: str
    lines: array[int]
    columns: array[int]
    path: str


class UnknownGroups(StrEnum):
    """What a limit makes of groups of unknown size."""

    NAME = "name"
    REFUSE = "refuse"


class Limits(Struct, frozen=True):
    """How much one plan may take away: either number refuses; percentages (0-100) hold from 10
    objects on. And how many people one application may newly reach by it; a group of unknown size
    counts as one, or is refused.
    """

    max_deletes: int = 5
    max_delete_percent: int = 25
    max_removals: int = 100
    max_removal_percent: int = 10
    max_people: int = 100
    unknown_groups: UnknownGroups = UnknownGroups.NAME


class AcceptedObject(Struct, frozen=True):
    """An unmanaged object that is known, and what it was when somebody accepted it.

    `was` has parts by name, as `UnmanagedObject` has them, with ids in lower case. `free`: who
    holds it may change.
    """

    address: Address
    reason: str
    was: Mapping[str, Json]
    free: bool
    position: Position


class TenantDocument(Struct, frozen=True):
    """Who is talked to and what this repository owns.

    `guard_scope` is `spec.exchange.guardScope` as it is written: an address or an object id.
    `connect` names environment variables, never values. `refuses_absent_users`: a listed user whom
    the tenant does not have stops the plan. `accepted`, sorted by address, bears on no plan.
    """

    name: str
    tenant_id: str
    organization: str | None
    prune: tuple[Kind, ...]
    consents: tuple[str, ...]
    limits: Limits
    guard_scope: str | None
    connect: Mapping[str, Json]
    position: Position
    refuses_absent_users: bool = False
    accepted: tuple[AcceptedObject, ...] = ()


class ApplicationDocument(Struct, frozen=True):
    """A name for a client id. `quarantined`: it shall reach nobody."""

    name: str
    application: str
    permissions: tuple[str, ...]
    position: Position
    quarantined: bool = False


class GroupGrant(Struct, frozen=True):
    """A Teams policy granted to a group: its object id or SMTP address (lower-case), its rank from 1,
    a label for people.
    """

    group: str
    rank: int
    label: str | None
    position: Position


class TeamsPolicyDocument(Struct, frozen=True):
    """A Teams policy.

    `applications` are lower-case client ids; `users` holds `users` and `usersFrom`, None if neither
    is present. `moved_from` is the name that the policy has until now. `limited`: it says which
    tenants it is for.
    """

    name: str
    absent: bool
    description: str | None
    applications: tuple[str, ...] | None
    tenant: bool
    groups: tuple[GroupGrant, ...] | None
    users: tuple[Listing, ...] | None
    position: Position
    moved_from: str | None = None
    limited: bool = False


class ExchangePolicyDocument(Struct, frozen=True):
    """One scope and right for one or more applications (lower-case client ids or `*`).

    `right` is None only if absent. `moved_from` is the scope whose policies this one takes the place
    of. `limited`: it says which tenants it is for.
    """

    name: str
    absent: bool
    applications: tuple[str, ...]
    scope: Located
    right: AccessRight | None
    description: str | None
    position: Position
    moved_from: Located | None = None
    limited: bool = False


class Access(StrEnum):
    """What an access test expects: that an application reaches somebody, or that it does not."""

    GRANTED = "granted"
    DENIED = "denied"


class Expectation(Struct, frozen=True):
    """One verdict that must stay true: about a mailbox (`product` is exchange), or the meetings and
    events of a user (teams).

    `application` is a lower-case client id; `subject` is as written: object id, SMTP address or
    user principal name.
    """

    application: str
    product: Provider
    subject: Located
    access: Access


class AccessTestDocument(Struct, frozen=True):
    """What must stay true, whatever anyone edits; expectations sorted by application, product and
    subject.
    """

    name: str
    expectations: tuple[Expectation, ...]
    position: Position


class Documents(Struct, frozen=True):
    """All documents of a run, each tuple sorted by name (ties cannot be: names are unique per
    kind).
    """

    tenant: TenantDocument | None
    applications: tuple[ApplicationDocument, ...]
    teams: tuple[TeamsPolicyDocument, ...]
    exchange: tuple[ExchangePolicyDocument, ...]
    tests: tuple[AccessTestDocument, ...] = ()

    @property
    def quarantined(self) -> frozenset[str]:
        """Client ids, lower-case, of the applications that shall reach nobody."""
        return frozenset(each.application for each in self.applications if each.quarantined)
