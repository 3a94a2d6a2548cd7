"""The observed state that a plan's safety rests on, by product, as a plan file has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias, assert_never

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from reconciler.model.addresses import PROVIDERS, Provider
from reconciler.model.documents import AccessRight

GUARD_SCOPE = "guardScope"
"""Key of the empty group that is the scope of guards, beside the applications of an Exchange baseline: no
application is called so.
"""


class StoredTeamsPolicy(Struct, frozen=True):
    """A Teams policy as the service spells it; `identity` is its name."""

    applications: tuple[str, ...]
    description: str
    identity: str


class BaselineGroup(Struct, frozen=True):
    """A group (lower-case id) and the key of the policy granted to it."""

    group: str
    policy: str


class TeamsBaseline(Struct, frozen=True):
    """The part of the Teams side that a plan rests on.

    Attributes:
        groups: All group grants, strongest first.
        others: By policy that is edited or removed, or made and held already, whether users whom no
            step touches hold it.
        policies: By lower-case name; None is a policy that does not exist.
        users: Direct grants of the users whom steps touch; None: no grant.
    """

    groups: tuple[BaselineGroup, ...]
    others: Mapping[str, bool]
    policies: Mapping[str, StoredTeamsPolicy | None]
    users: Mapping[str, str | None]


class StoredExchangePolicy(Struct, frozen=True, rename="camel"):
    """An Exchange policy as it was observed; `scope` and `sid` are the ids of its scope.

    `description` is empty where it is the service's own text, which `stored_description` has.
    """

    access_right: AccessRight
    description: str
    identity: str
    scope: str
    sid: str
    stored_description: str


class GuardScope(Struct, frozen=True):
    """The scope of policies that keep an application out of every mailbox: a mail-enabled security
    group without members.
    """

    id: str
    members: Annotated[tuple[str, ...], Meta(max_length=0)]
    sid: str


ExchangeBaseline: TypeAlias = Mapping[str, tuple[StoredExchangePolicy, ...] | GuardScope]
"""The part of the Exchange side that a plan rests on: every policy of each touched application and
of `*` (of every application, if policies of `*` come or go), by application; and under
`GUARD_SCOPE` the scope of guards, if there are guards.
"""


class Baseline(Struct, frozen=True):
    """A section for each product: None is one without steps, unset one that was not read.

    `opaque`: what was read of objects that are not understood and that bear on the sections, by the
    address that is held for them; unset if there are none. `awaited`: addresses of the policies that
    documents declare and whose scope was looked for and is not there, by that of the application;
    unset if there are none. `quarantined`: client ids, lower-case, of the applications that the
    documents let reach nobody; unset if there are none. With it, the sections have every list and
    every policy that names one of them.
    """

    exchange: ExchangeBaseline | UnsetType | None = UNSET
    teams: TeamsBaseline | UnsetType | None = UNSET
    opaque: Mapping[str, tuple[str, ...]] | UnsetType = UNSET
    awaited: Mapping[str, tuple[str, ...]] | UnsetType = UNSET
    quarantined: tuple[str, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse a scope under the name of an application, and policies under `GUARD_SCOPE`.

        Raises:
            ValueError: while a file is decoded, msgspec says where.
        """
        for name, rows in (self.of_exchange() or {}).items():
            if isinstance(rows, GuardScope) is not (name == GUARD_SCOPE):
                raise ValueError(
                    f"Expected a scope at `{GUARD_SCOPE}` and lists of policies elsewhere"
                )

    def of_exchange(self) -> ExchangeBaseline | None:
        """The Exchange side; None if the plan does not rest on it."""
        return None if isinstance(self.exchange, UnsetType) else self.exchange

    def of_teams(self) -> TeamsBaseline | None:
        """The Teams side; None if the plan does not rest on it."""
        return None if isinstance(self.teams, UnsetType) else self.teams

    def section(self, provider: Provider) -> ExchangeBaseline | TeamsBaseline | None:
        """One product's side; None if the plan does not rest on it."""
        match provider:
            case "teams":
                return self.of_teams()
            case "exchange":
                return self.of_exchange()
            case _:
                assert_never(provider)

    def products(self) -> frozenset[Provider]:
        """The products whose state the plan rests on."""
        return frozenset(name for name in PROVIDERS if self.section(name) is not None)

    def opaque_of(self, provider: Provider) -> Mapping[str, tuple[str, ...]]:
        """What was read of a product's objects that are not understood, by address."""
        texts = {} if isinstance(self.opaque, UnsetType) else self.opaque
        return {name: read for name, read in texts.items() if name.startswith(f"{provider}.")}

    def awaited_of(self, provider: Provider) -> Mapping[str, tuple[str, ...]]:
        """The policies of a product that wait for their scope, by the application's address."""
        rows = {} if isinstance(self.awaited, UnsetType) else self.awaited
        return {name: waiting for name, waiting in rows.items() if name.startswith(f"{provider}.")}

    def shut_out(self) -> frozenset[str]:
        """The applications that shall reach nobody."""
        return frozenset(() if isinstance(self.quarantined, UnsetType) else self.quarantined)

    def with_others(self, other: Baseline) -> Baseline:
        """This baseline with the products that only the other one has."""
        unread = [name for name in PROVIDERS if getattr(self, name) is UNSET]
        opaque = {} if isinstance(self.opaque, UnsetType) else dict(self.opaque)
        awaited = {} if isinstance(self.awaited, UnsetType) else dict(self.awaited)
        for name in unread:
            opaque |= other.opaque_of(name)
            awaited |= other.awaited_of(name)
        sections = {name: getattr(other, name) for name in unread}
        return replace(
            self,
            **sections,
            opaque=opaque or UNSET,
            awaited=awaited or UNSET,
            quarantined=tuple(sorted(self.shut_out() | other.shut_out())) or UNSET,
        )


def stored_policies(section: ExchangeBaseline) -> dict[str, tuple[StoredExchangePolicy, ...]]:
    """The policies of each application."""
    return {name: rows for name, rows in section.items() if not isinstance(rows, GuardScope)}


def with_empty_group(section: Baseline, other: Baseline) -> Baseline:
    """A baseline of one product that has the empty group and the quarantined applications of
    another one.
    """
    group = guard_scope(other.of_exchange() or {})
    policies = section.of_exchange()
    if policies is not None and group is not None:
        section = replace(section, exchange={**policies, GUARD_SCOPE: group})
    return replace(section, quarantined=other.quarantined, opaque=other.opaque)


def guard_scope(section: ExchangeBaseline) -> GuardScope | None:
    """The scope of guards; None if there are no guards."""
    scope = section.get(GUARD_SCOPE)
    return scope if isinstance(scope, GuardScope) else None
