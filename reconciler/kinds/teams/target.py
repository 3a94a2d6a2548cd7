"""Desired and observed -> the state that the Teams side shall end in, with what is held kept at its
observed value.
"""

from __future__ import annotations

from itertools import filterfalse
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.guids import GUID
from reconciler.kinds.teams import opaque, quarantine
from reconciler.kinds.teams.effective_policy import EVERY_GROUP, applications, policy_address
from reconciler.kinds.teams.entries import ListEntries
from reconciler.kinds.teams.holders import differing, staying
from reconciler.kinds.teams.policy_renames import PolicyRenames, declared_policy
from reconciler.kinds.teams.ranks import final_order
from reconciler.kinds.teams.renamed import MayBeRenamed, absent_rows, names_group
from reconciler.model.addresses import (
    GLOBAL,
    TEAMS_TENANT_GRANT,
    name_key,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.codes import REMOVED, Held
from reconciler.model.observed import (
    NOTHING_KNOWN,
    GroupAssignment,
    TeamsPolicy,
    TeamsState,
    is_opaque,
)
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.model.addresses import Address
    from reconciler.model.desired import DesiredTeams
    from reconciler.model.observed import Directory

    Holding = Callable[[Address], Held | None]


class TeamsTarget(Struct, frozen=True):
    """The end state of the Teams side.

    `policies` and `groups` are whole; `users` has only those whose direct grant changes, None
    unassigns. `declared` are the managed groups in declared order. `tenant_grant` is the key of the
    policy that Global is to be copied from when its list has to change that way.
    """

    policies: Mapping[str, TeamsPolicy]
    groups: tuple[GroupAssignment, ...]
    users: Mapping[str, str | None]
    declared: tuple[str, ...]
    tenant_grant: str | None
    pruned: frozenset[str]
    prune_blocked: frozenset[str]
    held: tuple[Note, ...]
    consented: tuple[str, ...] = ()
    """Consents by which grants are taken away."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Keys of policies that take another's place, with the other's; that one goes unless it, or a
    grant of it, is held.
    """
    quarantined: frozenset[str] = frozenset()
    """Applications that are taken out of every list."""


def state_reached(observed: TeamsState, target: TeamsTarget) -> TeamsState:
    """The Teams side once the target is reached, as if it had been read; what does not change is shared."""
    users = dict(observed.users)
    for user, policy in target.users.items():
        if policy is None:
            users.pop(user, None)
        else:
            users[user] = policy
    spelled = {**observed.spelled, **{key: policy.name for key, policy in target.policies.items()}}
    return replace(
        observed, policies=target.policies, groups=target.groups, users=users, spelled=spelled
    )


def target(
    desired: DesiredTeams,
    observed: TeamsState,
    *,
    prune: bool,
    holding: Holding,
    directory: Directory = NOTHING_KNOWN,
    consents: frozenset[str] = frozenset(),
) -> TeamsTarget:
    """Compute the end state.

    Args:
        desired: resolved documents.
        observed: the tenant.
        prune: undeclared policies that hold no grant afterwards are deleted.
        holding: why an address is held at its observed value, None if it is not.
        directory: says which users have a name that is not understood, and who may be somebody
            listed, renamed.
        consents: those that were given, in lower case.
    """
    return _Aiming(desired, observed, directory, holding, consents).aim(prune=prune)


class _Aiming:
    """Collects what is held while the target is built; built once, used once."""

    def __init__(
        self,
        desired: DesiredTeams,
        observed: TeamsState,
        directory: Directory,
        holding: Holding,
        consents: frozenset[str],
    ) -> None:
        self._desired = desired
        self._directory = directory
        self._observed = observed
        self._holding = holding
        self._held: dict[Address, Note] = {}
        self._entries = ListEntries(desired.quarantined, holding)
        self._may_be_listed = self._name_held()
        self._may_be_group = self._group_name_held()
        self._absent_groups = {
            name_key(name.policy)
            for name in desired.unresolved
            if name.left_out and names_group(name)
        }
        self._absent_users = MayBeRenamed(absent_rows(desired.unresolved), directory)
        self._renames = PolicyRenames.of(desired, observed)
        self._consents = consents
        self._consented: list[str] = []
        self._policies: dict[str, TeamsPolicy] = dict(observed.policies)
        self._has_opaque = bool(directory.opaque) or opaque.has_opaque(observed)
        self._opaque: dict[Address, Note] = {}
        self._shall = observed
        """What the Teams side shall be, as far as it is built."""

    def aim(self, *, prune: bool) -> TeamsTarget:
        leaving = self._declare()
        self._policies |= self._entries.shut_out(self._policies, self._policies.keys() - {GLOBAL})
        declared, groups = self._groups()
        self._shall = replace(self._observed, policies=self._policies, groups=groups)
        users = self._users()
        tenant_grant = self._tenant_grant()
        self._policies |= self._entries.shut_out(self._policies, (GLOBAL,))
        leaving |= (pruned := self._undeclared() if prune else set())
        stuck = leaving & self._holders(users, groups) if leaving else leaving
        for key in leaving - stuck:
            del self._policies[key]
        for key in stuck - pruned:
            self._hold_leaving(key)
        return TeamsTarget(
            policies=self._policies,
            groups=groups,
            users=users,
            declared=declared,
            tenant_grant=tenant_grant,
            pruned=frozenset(pruned - stuck),
            prune_blocked=frozenset(pruned & stuck),
            held=(
                *(self._held[address] for address in sorted(self._held)),
                *opaque.opaque_notes(self._observed, self._policies, self._directory),
                *self._opaque.values(),
                *quarantine.still_open(self._policies, self._desired.quarantined, self._holding),
            ),
            consented=tuple(sorted(self._consented)),
            renamed=self._renames.standing(self._policies),
            quarantined=self._desired.quarantined,
        )

    def _hold_leaving(self, key: str) -> None:
        """Keep a policy that shall go and that somebody holds."""
        address = teams_policy(self._observed.policies[key].name)
        unidentified = self._observed.unidentified
        rows = [teams_user_grant(user) for user in unidentified if unidentified[user] == key]
        if rows:
            self._rests(address, rows)
        else:
            self._hold(address, Held.GRANT_HELD)

    def _rests(self, address: Address, on: Iterable[Address]) -> bool:
        """Hold an object because of what is not understood."""
        self._opaque[address] = opaque.resting(address, on)
        return True

    def _hold(self, address: Address, why: Held) -> None:
        self._held[address] = Note(why.value, address, {})

    def _is_held(self, address: Address) -> bool:
        why = self._holding(address)
        if why is not None:
            self._hold(address, why)
        return why is not None

    def _declare(self) -> set[str]:
        """Put every declared policy into the target; return the keys that are stated absent."""
        leaving: set[str] = set()
        for key, wanted in self._desired.policies.items():
            present = self._observed.policies.get(key)
            if present is None and self._observed.nameless:
                # It may be the one that was read without a name.
                self._rests(teams_policy(wanted.name), self._nameless())
                continue
            if wanted.absent and present is None:
                continue
            old = self._renames.old(key) if present is None else None
            if old is not None and self._renames.carries_opaque(wanted, old):
                self._rests(teams_policy(wanted.name), [teams_policy(old.name)])
                continue
            now = None if wanted.absent else declared_policy(wanted, present, old)
            now = None if now is None else self._entries.kept(present, now)
            if now is not None and present is not None and self._has_opaque:
                now = self._understood(key, present, now, described=wanted.description is not None)
            if now is not None and present is not None and self._keeps_somebody(key, present, now):
                self._hold(teams_policy(present.name), Held.GRANT_HELD)
                now = replace(now, applications=present.applications)
            address = teams_policy(present.name if present else wanted.name)
            if now != present and self._goes(key, address, present, now):
                leaving.add(key)
        waiting = self._renames.waiting(self._policies, leaving)
        for key in waiting:
            self._hold(teams_policy(self._observed.policies[key].name), Held.SUCCESSOR_HELD)
        return leaving - waiting

    def _goes(
        self, key: str, address: Address, present: TeamsPolicy | None, now: TeamsPolicy | None
    ) -> bool:
        """Put a policy that differs into the target, as far as it is not held; say whether it is to
        go.
        """
        if present is not None and now is not None:
            self._policies[key] = self._entries.chosen(address, present, now)
        if self._policies.get(key) != now and not self._is_held(address):
            if now is None:
                return True
            self._policies[key] = now
        return False

    def _nameless(self) -> Iterator[Address]:
        return (teams_policy(self._observed.policies[key].name) for key in self._observed.nameless)

    def _understood(
        self, key: str, present: TeamsPolicy, now: TeamsPolicy, *, described: bool
    ) -> TeamsPolicy:
        """A declared policy without what rests on something that is not understood: an entry of its
        list, its description (if it is `described`), or who it is that would newly have an
        application.
        """
        address = teams_policy(present.name)
        on = [address] if present.opaque - now.applications.keys() else []
        if now.applications.keys() - present.applications.keys():
            on += opaque.keepers(self._observed, self._desired, self._directory, key)
        if on:
            self._rests(address, on)
            now = replace(now, applications=present.applications)
        if present.odd_description and described:
            self._rests(address, {*on, address})
            now = replace(now, description=present.description)
        return replace(now, odd_description=present.odd_description)

    def _undeclared(self) -> set[str]:
        keys = (
            key
            for key in self._observed.policies
            if key not in self._desired.policies and key != GLOBAL and not is_opaque(key)
        )
        return {
            key
            for key in keys
            if not self._is_held(teams_policy(self._observed.policies[key].name))
        }

    def _users(self) -> dict[str, str | None]:
        wanted, present = self._desired.users, self._observed.users
        if along := self._renames.users_going_along():
            wanted = {**along, **wanted}
        changed = ((user, wanted[user]) for user in differing(wanted, present))
        changes: dict[str, str | None] = {
            user: policy for user, policy in changed if not self._user_held(user, policy)
        }
        owned = self._owned_users()
        for user in sorted(filterfalse(wanted.__contains__, present)):
            leaves = present[user] in owned or user in self._desired.unassigned
            if leaves and not self._user_held(user, None):
                changes[user] = None
        return changes

    def _may_be_renamed(self, user: str) -> bool:
        """Whether a grant is kept because its holder may be somebody who is listed under a name that
        the tenant does not have; a consent says that it is not so.
        """
        address = teams_user_grant(user)
        policy = self._renames.successor(self._observed.users[user])
        names = self._absent_users.names_of(user, policy)
        if not names or is_opaque(user):
            return False
        consent = f"{REMOVED}:{address}"
        if consent in self._consents:
            self._consented.append(consent)
            return False
        details = {"allow": consent, "may be": sorted(names)}
        self._held[address] = Note(Held.REVOCATION, address, details)
        return True

    def _keeps_somebody(self, key: str, present: TeamsPolicy, now: TeamsPolicy) -> bool:
        """Whether a list would grow for somebody whom no document lists, and who keeps the policy
        because a listed name may be that person's, renamed.
        """
        if key not in self._owned_users() or now.applications.keys() <= present.applications.keys():
            return False
        return any(
            policy == key
            and user not in self._desired.users
            and self._absent_users.names_of(user, key)
            and f"{REMOVED}:{teams_user_grant(user)}" not in self._consents
            for user, policy in (self._observed.users.items() if self._absent_users else ())
        )

    def _owned_users(self) -> set[str]:
        return {key for key, policy in self._desired.policies.items() if policy.owns_users}

    def _user_held(self, user: str, policy: str | None) -> bool:
        address = teams_user_grant(user)
        if self._is_held(address):
            return True
        if policy is not None and policy not in self._policies:
            self._hold(address, Held.POLICY_HELD)
            return True
        if policy is None and self._may_be_listed:
            self._hold(address, Held.MAY_BE_LISTED)
            return True
        if policy is None and self._may_be_renamed(user):
            return True
        return self._has_opaque and self._user_rests(user, policy)

    def _user_rests(self, user: str, policy: str | None) -> bool:
        """Whether a grant rests on what is not understood: the one that is there, or what the user
        would newly have.
        """
        present, address = self._observed.users.get(user), teams_user_grant(user)
        is_odd = is_opaque(user) or (present is not None and is_opaque(present))
        if is_odd or user in self._directory.opaque:
            return self._rests(address, [address])
        if present is None and policy is not None and self._observed.unidentified:
            rows = opaque.may_take_from(self._observed, self._policies, self._owned_users(), policy)
            if rows:
                return self._rests(address, map(teams_user_grant, rows))
        gain = opaque.user_gain(self._shall, present, policy)
        return bool(gain) and self._rests(address, map(self._address, gain))

    def _address(self, policy: str) -> Address:
        return policy_address(self._shall, policy)

    def _name_held(self) -> bool:
        """Whether a user principal name that nobody resolves is held. Whoever is behind it may have
        been renamed, and be any holder whom no document lists under the new name: taking a grant
        away could be wrong. An object id never changes.
        """
        return any(
            self._holding(name.address)
            for name in self._desired.unresolved
            if not GUID.fullmatch(name.text) and not names_group(name)
        )

    def _group_name_held(self) -> bool:
        """Whether an address of a group that nobody resolves is held: any group may be behind it, so
        that none can be dropped.
        """
        return any(
            self._holding(name.address) for name in self._desired.unresolved if names_group(name)
        )

    def _groups(self) -> tuple[tuple[str, ...], tuple[GroupAssignment, ...]]:
        """The groups that are managed, and all of them as they shall be; they stay as they are where
        that rests on what is not understood.
        """
        declared, groups = self._declared_groups()
        if not self._has_opaque:
            return declared, groups
        observed = self._observed
        on = [EVERY_GROUP] if observed.opaque_ranks else []
        if not on and opaque.opaque_for_groups(observed, groups, self._policies):
            on = [self._address(key) for key in self._opaque_policies()]
        if not on:
            return declared, groups
        differing = {*groups} ^ {*observed.groups}
        moved = declared if len(declared) > 1 else ()
        for group in sorted({row.group for row in differing} | {*moved}):
            if not is_opaque(group):
                self._rests(teams_group_grant(group), on)
        return (), observed.groups

    def _opaque_policies(self) -> Iterator[str]:
        """Policies that groups or everyone have, with something that is not understood."""
        keys = {GLOBAL, *(row.policy for row in self._observed.groups)}
        return (
            key for key in sorted(keys) if any(map(is_opaque, applications(self._observed, key)))
        )

    def _declared_groups(self) -> tuple[tuple[str, ...], tuple[GroupAssignment, ...]]:
        present = {assignment.group: assignment.policy for assignment in self._observed.groups}
        wanted = {
            group: policy
            for group, policy in self._desired.groups
            if not self._group_held(group, policy, present.get(group))
        }
        owned = {key for key, policy in self._desired.policies.items() if policy.owns_groups}
        declared = {group for group, _ in self._desired.groups}
        leaving = {group for group, policy in present.items() if policy in owned}
        leaving = (leaving | self._desired.dropped) - declared
        dropped = {group for group in leaving if not self._drop_held(group)}
        along = self._groups_going_along(present)
        order = final_order(
            [assignment.group for assignment in self._observed.groups], list(wanted), dropped
        )
        return tuple(wanted), tuple(
            GroupAssignment(group, wanted.get(group) or along.get(group) or present[group])
            for group in order
        )

    def _groups_going_along(self, present: Mapping[str, str]) -> dict[str, str]:
        """Groups that get a policy under its new name, at their place among the others."""
        along, gone = self._renames.groups_going_along(self._directory)
        for group in gone:
            self._hold(teams_group_grant(group), Held.GROUP_GONE)
        return {
            group: policy
            for group, policy in along.items()
            if group not in gone and not self._group_held(group, policy, present[group])
        }

    def _drop_held(self, group: str) -> bool:
        address = teams_group_grant(group)
        if self._is_held(address):
            return True
        present = {row.group: row.policy for row in self._observed.groups}
        policy = self._renames.successor(present[group])
        may_be = self._may_be_group or policy in self._absent_groups
        if may_be:
            self._hold(address, Held.GROUP_HELD)
        return may_be

    def _group_held(self, group: str, policy: str, present: str | None) -> bool:
        address = teams_group_grant(group)
        if present == policy:
            return self._holding(address) is not None
        if self._is_held(address):
            return True
        if policy not in self._policies:
            self._hold(address, Held.POLICY_HELD)
            return True
        if present is not None and is_opaque(present):
            return self._rests(address, [address])
        entries = self._policies[policy].opaque
        had = applications(self._observed, present) if present is not None else frozenset()
        return bool(entries - had) and self._rests(address, [self._address(policy)])

    def _tenant_grant(self) -> str | None:
        """Copy the granted policy's list into Global; None when Global has it already, or is
        not managed by a grant.
        """
        key = self._desired.tenant_grant
        if key is None:
            return None
        if key not in self._policies:
            self._hold(TEAMS_TENANT_GRANT, Held.POLICY_HELD)
            return None
        everyone = self._policies[GLOBAL]
        listed = {
            application: everyone.applications.get(application, application)
            for application in self._policies[key].applications
        }
        if listed.keys() == everyone.applications.keys() or self._is_held(TEAMS_TENANT_GRANT):
            return None
        if self._entries.forbid_copy(self._policies[key], everyone):
            self._hold(TEAMS_TENANT_GRANT, Held.POLICY_HELD)
            return None
        if on := [each for each in (key, GLOBAL) if self._policies[each].opaque]:
            self._rests(TEAMS_TENANT_GRANT, map(self._address, on))
            return None
        self._policies[GLOBAL] = replace(everyone, applications=listed)
        return key

    def _holders(
        self, users: Mapping[str, str | None], groups: tuple[GroupAssignment, ...]
    ) -> set[str]:
        """Keys of the policies that some grant names in the end."""
        kept = staying(self._observed, users)
        granted = {policy for policy in users.values() if policy is not None}
        return granted.union(kept, (assignment.policy for assignment in groups))
