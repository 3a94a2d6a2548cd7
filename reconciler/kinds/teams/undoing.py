"""The Teams side as an applied plan found it, for what the plan touched and what still is as it left it.

Entries of a list are judged one by one: each is in the list or it is not. The list of groups is
judged as a whole, because ranks are positions in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.kinds.snapshots import DESCRIPTION_OF
from reconciler.kinds.teams import states
from reconciler.kinds.undoing import Aftermath, Undoing
from reconciler.model.addresses import (
    GLOBAL,
    Address,
    teams_application,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.codes import Held
from reconciler.model.desired import DesiredTeams, DesiredTeamsPolicy
from reconciler.model.observed import GroupAssignment, TeamsPolicy, TeamsState, is_opaque
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.kinds.snapshots import Snapshot
    from reconciler.kinds.undoing import Holding, Past
    from reconciler.model.baselines import TeamsBaseline
    from reconciler.model.observed import Directory


def undone(
    section: TeamsBaseline,
    past: Past,
    observed: TeamsState,
    directory: Directory,
    holding: Holding,
) -> Undoing[DesiredTeams, TeamsState]:
    """What leads back, and what is left alone.

    Args:
        section: what the plan rested on.
        past: what it did.
        observed: the Teams side now.
        directory: says which users are gone.
        holding: why an object is left alone, None if it is not.
    """
    return _Undoing(section, past, observed, directory, holding).undone()


def earlier_state(section: TeamsBaseline, observed: TeamsState) -> TeamsState:
    """The Teams side now, but for what a plan rested on, which is as it was before the plan."""
    policies = dict(observed.policies)
    for key, stored in section.policies.items():
        if stored is not None:
            policies[key] = TeamsPolicy(
                stored.identity,
                {name if is_opaque(name) else name.lower(): name for name in stored.applications},
                stored.description,
            )
        elif not is_opaque(key):
            policies.pop(key, None)
    users = {user: key for user, key in observed.users.items() if user not in section.users}
    users |= {user: key for user, key in section.users.items() if key is not None}
    groups = tuple(GroupAssignment(row.group, row.policy) for row in section.groups)
    return replace(observed, policies=policies, users=users, groups=groups)


class _Undoing:
    """Collects what leads back, and what is left alone; built once, used once."""

    def __init__(
        self,
        section: TeamsBaseline,
        past: Past,
        observed: TeamsState,
        directory: Directory,
        holding: Holding,
    ) -> None:
        self._section = section
        self._past = past
        self._observed = observed
        self._directory = directory
        self._holding = holding
        self._now: Snapshot = states.project(section, observed)
        self._aside: dict[Address, Note] = {}
        self._names = {
            **observed.spelled,
            **{key: policy.name for key, policy in observed.policies.items()},
            **{key: row.identity for key, row in section.policies.items() if row is not None},
        }

    def undone(self) -> Undoing[DesiredTeams, TeamsState]:
        returning = {key: policy for key in self._section.policies if (policy := self._back(key))}
        staying = self._observed.policies.keys() | returning.keys()
        users = dict(self._users(staying))
        groups = self._groups(staying)
        rows = self._observed.groups if groups is None else groups
        policies = self._without_held(returning, users, rows)
        holders = self._holders(users, rows)
        for key in self._section.policies:
            if key not in returning and (edit := self._edited(key, holders)):
                policies[key] = edit
        for key in self._giving(users, rows) - policies.keys():
            policies[key] = _as_it_is(self._names[key])
        listed = {row.group for row in rows}
        desired = DesiredTeams(
            policies=policies,
            groups=tuple((row.group, row.policy) for row in groups or ()),
            users={user: key for user, key in users.items() if key is not None},
            tenant_grant=None,
            unresolved=(),
            not_looked_for=frozenset(self._not_looked_for(users)),
            unassigned=frozenset(user for user, key in users.items() if key is None),
            dropped=frozenset(
                row.group for row in self._observed.groups if row.group not in listed
            ),
        )
        aside = tuple(self._aside[address] for address in sorted(self._aside))
        return Undoing(desired, earlier_state(self._section, self._observed), aside)

    def _leave(self, address: Address, why: Held) -> None:
        self._aside.setdefault(address, Note(why.value, address, {}))

    def _policy_names(self, key: str) -> list[str]:
        address = teams_policy(key)
        return [address] if key == GLOBAL else [address, f"{DESCRIPTION_OF}{address}"]

    def _listed(self, snapshot: Snapshot, key: str) -> frozenset[str] | None:
        listed = snapshot.get(teams_policy(key))
        return listed if isinstance(listed, frozenset) else None

    def _back(self, key: str) -> DesiredTeamsPolicy | None:
        """A policy that the plan made, to be deleted, or one that it deleted, to be made again."""
        past, now = self._past, self._listed(self._now, key)
        lefts = [self._listed(left, key) for left in past.left]
        made = self._listed(past.before, key) is None
        address = teams_policy(self._names.get(key, key))
        match past.standing(self._policy_names(key), self._now):
            case Aftermath.AS_LEFT if made or now is None:
                if (why := self._holding(address)) is not None:
                    self._leave(address, why)
                    return None
                return (
                    replace(_as_it_is(self._names[key]), absent=True)
                    if made
                    else (self._made_again(key, address))
                )
            case Aftermath.CHANGED_SINCE if made or not any(left is not None for left in lefts):
                self._leave(address, Held.CHANGED_SINCE)
        return None

    def _made_again(self, key: str, address: Address) -> DesiredTeamsPolicy | None:
        """A policy that the plan deleted; nobody else may have been given it meanwhile."""
        stored = self._section.policies[key]
        grants = {user for user, policy in self._observed.users.items() if policy == key}
        granted = any(row.policy == key for row in self._observed.groups)
        if stored is None or granted or grants - self._section.users.keys():
            self._leave(address, Held.OTHER_HOLDERS)
            return None
        listed = frozenset(
            name if is_opaque(name) else name.lower() for name in stored.applications
        )
        if any(map(is_opaque, listed)):
            self._leave(address, Held.RESTS_ON_OPAQUE)
            return None
        listed = self._without_barred(listed)
        return DesiredTeamsPolicy(
            name=stored.identity,
            absent=False,
            description=stored.description,
            applications=listed,
            owns_users=False,
            owns_groups=False,
        )

    def _edited(self, key: str, holders: Mapping[str, str]) -> DesiredTeamsPolicy | None:
        """A policy that was there before and after the plan, as it was in what the plan edited."""
        was, now = self._listed(self._past.before, key), self._listed(self._now, key)
        lefts = [self._listed(left, key) for left in self._past.left]
        present = [left for left in lefts if left is not None]
        if was is None or not present:
            return None
        touched = frozenset().union(*(was ^ left for left in present))
        address = teams_policy(self._names[key])
        if now is None:
            if len(present) == len(lefts) and any(
                map(self._past.is_touched, self._policy_names(key))
            ):
                self._leave(address, Held.CHANGED_SINCE)
            return None
        taken, added = (now - was) & touched, (was - now) & touched
        added = self._without_barred(added)
        if added and key != GLOBAL and holders.get(key) != self._past.holders.get(address):
            self._leave(address, Held.OTHER_HOLDERS)
            added = frozenset()
        listed = (now - taken) | added if taken or added else None
        description = self._description(key)
        if listed is None and description is None:
            return None
        if (why := self._holding(address)) is not None:
            self._leave(address, why)
            return None
        return replace(_as_it_is(self._names[key]), description=description, applications=listed)

    def _without_barred(self, listed: frozenset[str]) -> frozenset[str]:
        """What returns to a list: no quarantined application."""
        for application in listed & self._past.barred:
            self._leave(teams_application(application), Held.SHUT_OUT)
        return listed - self._past.barred

    def _description(self, key: str) -> str | None:
        """The description to return to; None if it stays."""
        name = f"{DESCRIPTION_OF}{teams_policy(key)}"
        was = self._past.before.get(name)
        match self._past.standing([name], self._now):
            case Aftermath.AS_LEFT if isinstance(was, str):
                return was
            case Aftermath.CHANGED_SINCE if self._now.get(name) is not None:
                self._leave(teams_policy(self._names[key]), Held.CHANGED_SINCE)
        return None

    def _users(self, staying: Collection[str]) -> Iterator[tuple[str, str | None]]:
        """Users whose direct grant goes back, and to what."""
        for user, before in self._section.users.items():
            address = teams_user_grant(user)
            match self._past.standing([address], self._now):
                case Aftermath.CHANGED_SINCE:
                    self._leave(address, Held.CHANGED_SINCE)
                case Aftermath.AS_LEFT if before is not None and self._directory.is_gone(user):
                    self._leave(address, Held.SUBJECT_GONE)
                case Aftermath.AS_LEFT if before is not None and before not in staying:
                    self._leave(address, Held.CHANGED_SINCE)
                case Aftermath.AS_LEFT if (why := self._holding(address)) is not None:
                    self._leave(address, why)
                case Aftermath.AS_LEFT:
                    yield user, before

    def _without_held(
        self,
        returning: Mapping[str, DesiredTeamsPolicy],
        users: Mapping[str, str | None],
        groups: tuple[GroupAssignment, ...],
    ) -> dict[str, DesiredTeamsPolicy]:
        """What returns, without deletions of policies that somebody was given since."""
        granted = {key for user, key in self._observed.users.items() if user not in users}
        granted |= {row.policy for row in groups}
        for key, policy in returning.items():
            if policy.absent and key in granted:
                self._leave(teams_policy(policy.name), Held.OTHER_HOLDERS)
        return {
            key: policy
            for key, policy in returning.items()
            if not policy.absent or key not in granted
        }

    def _groups(self, staying: Collection[str]) -> tuple[GroupAssignment, ...] | None:
        """The list of groups to return to; None if it stays."""
        was = tuple(GroupAssignment(row.group, row.policy) for row in self._section.groups)
        standing = self._past.standing([states.GROUPS], self._now)
        if standing in (Aftermath.UNTOUCHED, Aftermath.AS_BEFORE):
            return None
        touched = sorted(_differing(was, self._past.left))
        if why := self._why_not(standing, was, touched, staying):
            for group in touched:
                self._leave(teams_group_grant(group), why)
            return None
        return was

    def _why_not(
        self,
        standing: Aftermath,
        was: tuple[GroupAssignment, ...],
        touched: list[str],
        staying: Collection[str],
    ) -> Held | None:
        """Why the list of groups is left as it is: as a whole."""
        rows = (*was, *self._observed.groups)
        if standing is Aftermath.CHANGED_SINCE or any(row.policy not in staying for row in was):
            return Held.CHANGED_SINCE
        if self._observed.opaque_ranks or any(is_opaque(row.policy) for row in rows):
            return Held.RESTS_ON_OPAQUE
        policies = self._observed.policies
        if any(policies[row.policy].opaque for row in rows if row.policy in policies):
            return Held.RESTS_ON_OPAQUE
        reasons = (self._holding(teams_group_grant(group)) for group in touched)
        return next((why for why in reasons if why is not None), None)

    def _holders(
        self, users: Mapping[str, str | None], groups: tuple[GroupAssignment, ...]
    ) -> Mapping[str, str]:
        """Of the policies whose list may get longer, the digest of who will hold them."""
        longer = {
            key
            for key in self._section.policies
            if (was := self._listed(self._past.before, key)) is not None
            and (now := self._listed(self._now, key)) is not None
            and was - now
        }
        if not longer:
            return {}
        after = {**self._observed.users, **users}
        granted = {user: key for user, key in after.items() if key in longer}
        return {key: states.holders_digest(key, granted, groups) for key in longer}

    def _giving(
        self, users: Mapping[str, str | None], groups: tuple[GroupAssignment, ...]
    ) -> set[str]:
        """Policies that grants are taken from: they are this plan's to take from."""
        present = self._observed.users
        given = {present[user] for user in users if user in present}
        given |= {row.policy for row in set(self._observed.groups) - set(groups)}
        return given & self._observed.policies.keys()

    def _not_looked_for(self, users: Mapping[str, str | None]) -> Iterator[str]:
        directory = self._directory
        for user, key in users.items():
            if key is not None and user not in directory.users and user not in self._observed.users:
                yield user


def _as_it_is(name: str) -> DesiredTeamsPolicy:
    return DesiredTeamsPolicy(
        name=name,
        absent=False,
        description=None,
        applications=None,
        owns_users=False,
        owns_groups=False,
    )


def _differing(was: tuple[GroupAssignment, ...], lefts: tuple[Snapshot, ...]) -> set[str]:
    """Groups whose grant a plan changed; all of them where only their order did."""
    rows: set[GroupAssignment] = set()
    every = set(was)
    for left in lefts:
        after = left.get(states.GROUPS)
        if isinstance(after, tuple):
            rows |= set(after) ^ set(was)
            every |= set(after)
    return {row.group for row in rows or every}
