"""Policies that take another's place, because a document renames them: what of the old one goes along.

A list of users or of groups in the document is the whole truth about both names. Where there is none,
whoever holds the old policy and is listed nowhere goes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.teams.groups import is_gone
from reconciler.model.observed import TeamsPolicy

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.model.desired import DesiredTeams, DesiredTeamsPolicy
    from reconciler.model.observed import Directory, TeamsState


class PolicyRenames(Struct, frozen=True):
    """The renames that documents ask for; `successors` are keys of old policies with the new ones."""

    desired: DesiredTeams
    observed: TeamsState
    successors: Mapping[str, str]

    @classmethod
    def of(cls, desired: DesiredTeams, observed: TeamsState) -> PolicyRenames:
        """Those of some documents for a tenant."""
        return cls(desired, observed, {old: new for new, old in desired.moved.items()})

    def successor(self, policy: str) -> str:
        """The key under which documents speak of a policy."""
        return self.successors.get(policy, policy)

    def old(self, key: str) -> TeamsPolicy | None:
        """The policy whose place a new one takes."""
        return self.observed.policies.get(self.desired.moved.get(key, ""))

    def carries_opaque(self, wanted: DesiredTeamsPolicy, old: TeamsPolicy) -> bool:
        """Whether the new policy would take over what is not understood of the old one."""
        listed = wanted.applications is None and bool(old.opaque)
        return listed or (wanted.description is None and bool(old.odd_description))

    def waiting(self, policies: Collection[str], leaving: Collection[str]) -> set[str]:
        """Old policies that would go although the new one does not come."""
        moved = self.desired.moved
        return {old for new, old in moved.items() if new not in policies and old in leaving}

    def standing(self, policies: Collection[str]) -> dict[str, str]:
        """New policies that there are in the end, with the old ones that there were."""
        return {
            new: old
            for new, old in self.desired.moved.items()
            if old in self.observed.policies and new in policies
        }

    def users_going_along(self) -> dict[str, str]:
        """Holders of old policies whom no document lists, with the new ones."""
        free = {
            old: new
            for old, new in self.successors.items()
            if not self.desired.policies[new].owns_users
        }
        if not free:
            return {}
        listed, present = self.desired.users, self.observed.users
        return {
            user: free[policy]
            for user, policy in present.items()
            if policy in free and user not in listed
        }

    def groups_going_along(self, directory: Directory) -> tuple[dict[str, str], frozenset[str]]:
        """Groups that hold old policies and that no document grants, with the new ones; and those of
        them that no longer exist, to which nothing can be granted.
        """
        declared = {group for group, _ in self.desired.groups}
        along = {
            row.group: new
            for row in self.observed.groups
            if (new := self.successors.get(row.policy)) is not None
            and not self.desired.policies[new].owns_groups
            and row.group not in declared
        }
        return along, frozenset(group for group in along if is_gone(directory, group))


def declared_policy(
    wanted: DesiredTeamsPolicy, present: TeamsPolicy | None, old: TeamsPolicy | None
) -> TeamsPolicy:
    """The policy as it shall be: what is unmanaged keeps its observed value, or that of the policy
    whose place it takes; an id keeps its stored spelling.
    """
    if present is None:
        carried = TeamsPolicy(wanted.name, {}, "") if old is None else old
        ids = carried.applications if wanted.applications is None else wanted.applications
        text = carried.description if wanted.description is None else wanted.description
        return TeamsPolicy(wanted.name, {each: each for each in sorted(ids)}, text)
    applications = present.applications
    if wanted.applications is not None:
        applications = {
            application: applications.get(application, application)
            for application in sorted(wanted.applications)
        }
    if applications.keys() == present.applications.keys():
        applications = present.applications
    description = present.description if wanted.description is None else wanted.description
    return TeamsPolicy(present.name, applications, description)
