"""What a tenant has: made only from a capture that is provably complete (law 1).

Keys ignore case; beside them is what the service spelled, because a Teams Remove and an
Exchange Identity use that.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct, field

from reconciler.model.addresses import EVERY_APPLICATION

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.model.addresses import Address, Provider
    from reconciler.model.documents import AccessRight

Origin: TypeAlias = Literal["live", "capture", "simulated"]
"""Where an observed state came from."""


OPAQUE: Final = "NOT UNDERSTOOD: "
"""How the key of an application, a policy or a group begins that is only what was read: no id has
such letters, and no key of a policy's name has capitals.
"""


def is_opaque(key: str) -> bool:
    """Whether a key, in any case, is only what was read of something that is not understood."""
    return key[: len(OPAQUE)].upper() == OPAQUE


def is_nameless(key: str) -> bool:
    """Whether the key of a policy is what was read of one without a name: the whole object, where an
    odd name is a text.
    """
    return is_opaque(key) and key[len(OPAQUE) : len(OPAQUE) + 1] != '"'


class OpaqueRow(Struct, frozen=True, order=True):
    """An object that was read and cannot be understood.

    `text` is what was read, as JSON in ASCII; `why` says what of it is not understood. Nothing is
    known of it but that it is there, and that equal texts are the same.
    """

    text: str
    why: str


class User(Struct, frozen=True, gc=False, rename={"display_name": "displayName"}):
    """A user of the directory: object id (lower-case), user principal name, display name (may be
    empty). Named as a capture names it.
    """

    id: str
    upn: str
    display_name: str = ""


class Group(Struct, frozen=True):
    """A group that Teams may grant to.

    `members`: user object ids, direct members only; None is unknown.
    """

    id: str
    display_name: str
    members: frozenset[str] | None


class Recipient(Struct, frozen=True):
    """A recipient of Exchange.

    `addresses` are lower-case and include the primary one; `members` of a group, None is unknown.

    `principal` is IsValidSecurityPrincipal: only such a recipient can be a scope (MicrosoftDocs
    New-ApplicationAccessPolicy); None is not known.
    """

    id: str
    sid: str | None
    primary: str
    addresses: frozenset[str]
    display_name: str
    type: str
    principal: bool | None
    members: frozenset[str] | None


class EffectiveAnswer(Struct, frozen=True):
    """What a user's effective assignment proves of memberships (`kinds.teams.effective`).

    Attributes:
        taken_at: When it was read, as the capture says.
        members: Groups, by object id, of which the user surely is a direct member, or surely not;
            only those of which the directory does not know it.
        doubt: Why nothing is taken from it; empty if something is.
        contradicts: The doubt is that it does not agree with the grants that were read.
    """

    taken_at: str
    members: Mapping[str, bool]
    doubt: str = ""
    contradicts: bool = False


class Directory(Struct, frozen=True):
    """What a capture knows of users, groups and recipients, by lower-case id, with indexes by every
    other name.

    `absent` has the lower-case names that were looked for and are not there. What is in neither was
    not looked for. `opaque`: users whose principal name is not understood; they have none here.
    `odd_recipients`: recipients of whom not everything is understood; of their addresses they have
    here only those that are. Both by id, or by what was read if that is none. `unclear` has the
    lower-case names that lead to them, or to more than one, and so to nobody: keys of either.
    `effective`: what is known of single users beside the groups, by user; it answers questions and
    access tests and nothing else.
    `odd_groups`: groups, likewise. `doubled`: ids that were read with more than one content; what of
    it differs is unknown here.
    """

    users: Mapping[str, User]
    groups: Mapping[str, Group]
    recipients: Mapping[str, Recipient]
    absent: frozenset[str]
    users_by_upn: Mapping[str, str]
    recipients_by_address: Mapping[str, str]
    opaque: Mapping[str, OpaqueRow] = field(default_factory=dict)
    odd_recipients: Mapping[str, OpaqueRow] = field(default_factory=dict)
    unclear: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    effective: Mapping[str, EffectiveAnswer] = field(default_factory=dict)
    odd_groups: Mapping[str, OpaqueRow] = field(default_factory=dict)
    doubled: frozenset[str] = frozenset()

    def two_meanings(self, name: str) -> tuple[str, str] | None:
        """The user whose principal name a lower-case name is, and another recipient who has it as an
        address: a name that is both identifies neither; or two who have the same one. None if it is
        not.
        """
        unclear = [key for key in self.unclear.get(name, ()) if not is_opaque(key)]
        if len(unclear) > 1:
            return unclear[0], unclear[1]
        user, recipient = self.users_by_upn.get(name), self.recipients_by_address.get(name)
        if user is None or recipient is None or user == recipient:
            return None
        return user, recipient

    def is_missing(self, object_id: str) -> bool:
        """Whether an object was looked for by its id and was not found. One that is absent as a
        recipient and known as something else, such as a group without an address, is there.
        """
        lists = (self.users, self.groups, self.recipients)
        return object_id in self.absent and not any(object_id in rows for rows in lists)

    def is_gone(self, object_id: str) -> bool:
        """Whether an object is known not to be in the tenant: it was not found, and none of what was
        read may be it.
        """
        return self.is_missing(object_id) and not self.has_unplaced

    @property
    def has_unplaced(self) -> bool:
        """Whether something was read that may be any object: its id is none, or is that of two."""
        odd = (self.opaque, self.odd_recipients, self.odd_groups)
        return bool(self.doubled) or any(is_opaque(key) for rows in odd for key in rows)


NOTHING_KNOWN = Directory({}, {}, {}, frozenset(), {}, {})
"""A directory in which nothing was looked for."""


class TeamsPolicy(Struct, frozen=True):
    """A Teams policy: name without `Tag:`, client ids by lower-case id with the stored spelling,
    description (`""` if blank). Entries of the list that are not understood have opaque keys;
    `odd_description` is what was read in place of a description that is not a string.
    """

    name: str
    applications: Mapping[str, str]
    description: str
    odd_description: str = ""

    @property
    def opaque(self) -> frozenset[str]:
        """The entries of its list that are not understood."""
        return frozenset(filter(is_opaque, self.applications))


class GroupAssignment(NamedTuple):
    """A group (lower-case id) and the key of the policy granted to it."""

    group: str
    policy: str


class State(Struct, frozen=True):
    """The state of one product; each product has a type of its own."""


class TeamsState(State, frozen=True, dict=True):
    """The Teams side of a tenant.

    `policies` by `name_key`, `global` always among them. `groups` in rank order, strongest first.
    `users` maps a user's id to the key of the policy granted directly; who is not in it has none. A
    key may name a policy that does not exist (dangling): `spelled` has its name. An opaque key is a
    grant that is not understood; an opaque user is a grant whose holder is unknown.

    `opaque_ranks`: rows of groups whose place among the others is not understood; the order of
    `groups` means nothing then.
    """

    policies: Mapping[str, TeamsPolicy]
    groups: tuple[GroupAssignment, ...]
    users: Mapping[str, str]
    spelled: Mapping[str, str]
    opaque_ranks: tuple[OpaqueRow, ...] = ()

    @cached_property
    def nameless(self) -> tuple[str, ...]:
        """Keys of policies that were read without a name: any name that no other has may be theirs."""
        return tuple(filter(is_nameless, self.policies))

    @cached_property
    def unidentified(self) -> Mapping[str, str]:
        """Direct grants whose holder is unknown: any user without another one's.

        100,000 users are looked at as one text first: an opaque key has blanks, an id has none.
        """
        if " " not in "".join(self.users):
            return {}
        return {user: key for user, key in self.users.items() if is_opaque(user)}

    @cached_property
    def holder_counts(self) -> Counter[str]:
        """How many users hold each policy directly, by its key: counted once, not to be changed."""
        return Counter(self.users.values())


class ExchangePolicy(Struct, frozen=True):
    """An Exchange policy; its natural key is (application, scope), both lower-case: the service
    puts both into the Identity.

    `description` is `""` when blank or when it is the text that the service writes by itself;
    `stored_description` is what was read.
    """

    application: str
    scope: str
    sid: str
    right: AccessRight
    description: str
    stored_description: str
    identity: str
    scope_name: str


ExchangeKey = tuple[str, str]
"""(application, scope object id), both lower-case."""


class ExchangeState(State, frozen=True):
    """The Exchange side of a tenant, policies by natural key.

    `opaque` has the policies that cannot be understood, by the application that they limit; under
    `*` those of `*`, and those that may be of any application. `awaited`, of a state that documents
    lead to: addresses of the policies that they declare and whose scope is not there, by
    application.
    """

    policies: Mapping[ExchangeKey, ExchangePolicy]
    opaque: Mapping[str, tuple[OpaqueRow, ...]] = field(default_factory=dict)
    awaited: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)

    def opaque_limits(self, application: str) -> tuple[str, ...]:
        """Keys of `opaque` whose policies may limit an application: its own and `*`."""
        return limiting(self.opaque, application)

    def opaque_under(self, owner: str) -> tuple[str, ...]:
        """Keys of `opaque` that a change of an owner's policies rests on."""
        return resting_on(self.opaque, owner)


def limiting(owners: Collection[str], application: str) -> tuple[str, ...]:
    """Those owners of policies whose policies limit an application: it itself and `*`."""
    return tuple(owner for owner in sorted({application, EVERY_APPLICATION}) if owner in owners)


def resting_on(owners: Collection[str], owner: str) -> tuple[str, ...]:
    """Those owners of policies that a change of one owner's policies bears on, or that bear on it:
    what changes for `*` changes for every application.
    """
    return tuple(sorted(owners)) if owner == EVERY_APPLICATION else limiting(owners, owner)


_State = TypeVar("_State", bound=State)


class ReadWarning(NamedTuple):
    """What a service said while it was read, not known to be harmless: quoted as JSON."""

    provider: Provider
    cmdlet: str
    text: str


class Observed(Struct, frozen=True):
    """A reading of a tenant.

    `states` has the products that were read completely. `digest` is the capture digest (hex), empty
    if nobody asked for it. `warnings` were consented to. `faulty` says what is wrong with the reading
    of a product that nobody needed.
    """

    tenant_id: str
    organization: str
    taken_at: str
    source: Origin
    states: Mapping[Provider, State]
    directory: Directory
    digest: str
    warnings: tuple[ReadWarning, ...] = ()
    faulty: Mapping[Provider, str] = field(default_factory=dict)

    def state(self, kind: type[_State]) -> _State | None:
        """The state of the product whose type this is; None if it was not read completely."""
        states = (state for state in self.states.values() if isinstance(state, kind))
        return next(states, None)
