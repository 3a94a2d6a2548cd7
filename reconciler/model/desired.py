"""What the documents say a tenant shall have, with every name resolved to an id as far as the
directory goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.addresses import Address, Provider
    from reconciler.model.documents import AccessRight
    from reconciler.model.observed import ExchangeKey


class Unresolved(Struct, frozen=True):
    """A name that nothing resolves: a change without a step.

    `reason` is a code (`user-absent`, `scope-unknown`, ...).
    """

    address: Address
    text: str
    reason: str
    policy: str
    """Name of the Teams policy as it is declared, or address of the Exchange application, that the
    name is in.
    """
    may_be: tuple[str, ...] = ()
    """Object ids of holders whom no document lists: one of them may be who is meant, under a new
    name.
    """
    recipient_type: str = ""
    """Exchange's type of a recipient that cannot be a scope."""

    whole: Address | None = None
    """What it is a part of, if that cannot be planned without the name."""

    left_out: bool = False
    """Whether the plan goes on without it: what rests on it is held."""

    @property
    def held_with(self) -> Address:
        """What has to be left out of a plan for it to be made without the name."""
        return self.address if self.whole is None else self.whole

    def row(self) -> list[str]:
        """What the documents digest covers of it."""
        return [self.address, self.policy, self.reason]


class DesiredTeamsPolicy(Struct, frozen=True):
    """A declared policy.

    None: unmanaged. `owns_users`, `owns_groups`: the documents are the whole truth about these
    grants of it.
    """

    name: str
    absent: bool
    description: str | None
    applications: frozenset[str] | None
    owns_users: bool
    owns_groups: bool


class DesiredTeams(Struct, frozen=True):
    """The Teams side.

    Policies by `name_key`; `groups` (id, policy key) in declared rank order; `users` id to policy
    key.

    `Global` is among the policies if a document of that name says anything. `tenant_grant`: key of
    the policy whose values Global shall copy, None if there is no such grant. `not_looked_for`:
    user ids that are used although the capture's directory never looked for them. `moved`: keys of
    policies that take another's place, with the other's, which is among the policies as absent.
    `quarantined`: applications that shall be in no list. `unassigned` users and
    `dropped` groups lose their grant whatever it is, by object id: an undo wants that.
    """

    policies: Mapping[str, DesiredTeamsPolicy]
    groups: tuple[tuple[str, str], ...]
    users: Mapping[str, str]
    tenant_grant: str | None
    unresolved: tuple[Unresolved, ...]
    not_looked_for: frozenset[str]
    moved: Mapping[str, str] = field(default_factory=dict)
    quarantined: frozenset[str] = frozenset()
    unassigned: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()


class DesiredExchangePolicy(Struct, frozen=True):
    """A declared Exchange policy: `description` None is unmanaged, `""` is blank.

    `scope_text` is what is rendered for people.
    """

    application: str
    scope: str
    right: AccessRight
    description: str | None
    scope_text: str


class DesiredExchange(Struct, frozen=True):
    """The Exchange side.

    `owned` applications: the documents are the whole truth about them. `absent`: keys stated as
    deleted. `moves`: keys that documents have take another's place, with the other, whether it is there
    or not: what documents say does not change while a plan is carried out. `moved`: those of which it
    is. `moved_on`: addresses that a `movedFrom` names and where no policy is. `awaited`: policies
    whose scope was looked for and is not there, as addresses by application: what the application
    shall reach is not known without them. `quarantined`: applications that shall reach no mailbox,
    whatever else is declared.
    """

    owned: frozenset[str]
    policies: Mapping[ExchangeKey, DesiredExchangePolicy]
    absent: frozenset[ExchangeKey]
    unresolved: tuple[Unresolved, ...]
    awaited: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    moved: Mapping[ExchangeKey, ExchangeKey] = field(default_factory=dict)
    moves: Mapping[ExchangeKey, ExchangeKey] = field(default_factory=dict)
    moved_on: tuple[Address, ...] = ()
    quarantined: frozenset[str] = frozenset()


class DesiredState(Protocol):
    """What the documents say of one product; each product has a type of its own."""

    @property
    def unresolved(self) -> tuple[Unresolved, ...]:
        """Names in its documents that nothing resolves."""


Desired: TypeAlias = "Mapping[Provider, DesiredState]"
"""Desired state by product."""
