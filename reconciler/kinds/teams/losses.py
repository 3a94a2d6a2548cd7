"""Users and groups who lose an application, against the limits: by a grant that is taken away or
moved, or by an edit of the list they hold.

Who gets a first grant of their own, or enters a group that holds a policy, is not counted here:
such a grant is asked for, and warned of.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.kinds.limits import Tally, exceeded
from reconciler.kinds.teams.changes import spelled
from reconciler.model.addresses import GLOBAL, teams_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.documents import Limits
    from reconciler.model.observed import Directory, GroupAssignment, TeamsPolicy, TeamsState
    from reconciler.model.plans import Note

GRANTS = "teams.grant"
_USERS = "users"
_GROUPS = "groups"


def losses(
    observed: TeamsState, target: TeamsTarget, directory: Directory, limits: Limits
) -> Iterator[Note]:
    """Refusals of a transition that takes applications away from more users, in total and per policy
    they held, or from more groups than the limits allow.

    A user whose groups are not known falls to Global, which counts rather more losses than fewer. A
    group whose members are not known counts as one user: it is at least that.
    """
    counting = _Counting(observed, target, directory)
    concerned, losing = counting.users()
    tallies = [
        Tally(_USERS, "", losing.total(), concerned.total()),
        *(
            Tally(_USERS, teams_policy(spelled(observed, target, key)), losing[key], concerned[key])
            for key in sorted(losing)
        ),
        counting.groups(),
    ]
    for tally in tallies:
        yield from exceeded(GRANTS, tally, limits.max_removals, limits.max_removal_percent)


class _Counting:
    """Counts users by the key of the policy that was theirs; who keeps a direct grant is counted by
    policy, never one by one.
    """

    def __init__(self, observed: TeamsState, target: TeamsTarget, directory: Directory) -> None:
        self._observed = observed
        self._target = target
        self._directory = directory
        self._before = _through_groups(observed.groups, directory)
        self._after = _through_groups(target.groups, directory)
        self._granted = {assignment.group: assignment.policy for assignment in target.groups}
        kept = observed.policies.keys() & target.policies.keys()
        self._shortened = {
            key for key in kept if self._lost(observed.policies[key], target.policies[key])
        }

    def users(self) -> tuple[Counter[str], Counter[str]]:
        """How many users each policy concerned, and how many of them lose an application."""
        concerned, losing = self._direct()
        self._in_groups(concerned, losing)
        self._everyone_else(concerned, losing)
        for assignment in self._observed.groups:
            if self._members(assignment.group) is None:
                concerned[assignment.policy] += 1
                losing[assignment.policy] += self._group_loses(assignment)
        return concerned, losing

    def groups(self) -> Tally:
        """How many groups hold a policy, and from how many an application is taken away; those that
        are known to be empty lose nothing.
        """
        populated = [
            assignment
            for assignment in self._observed.groups
            if self._members(assignment.group) != frozenset()
        ]
        return Tally(_GROUPS, "", sum(map(self._group_loses, populated)), len(populated))

    def _members(self, group: str) -> frozenset[str] | None:
        row = self._directory.groups.get(group)
        return None if row is None else row.members

    def _group_loses(self, assignment: GroupAssignment) -> bool:
        return self._loses(assignment.policy, self._granted.get(assignment.group, GLOBAL))

    def _direct(self) -> tuple[Counter[str], Counter[str]]:
        granted, changed = self._observed.users, self._target.users
        concerned = Counter(self._observed.holder_counts)
        losing = Counter(
            granted[user]
            for user in changed
            if user in granted and self._loses(granted[user], self._falls_to(user))
        )
        moved = Counter(granted[user] for user in changed if user in granted)
        for key in self._shortened & concerned.keys():
            losing[key] += concerned[key] - moved[key]
        return concerned, losing

    def _in_groups(self, concerned: Counter[str], losing: Counter[str]) -> None:
        """Members of known groups who have no grant of their own: their group's list is edited, or
        the group is dropped or moved.
        """
        for user, key in self._before.items():
            if user not in self._observed.users and self._target.users.get(user) is None:
                concerned[key] += 1
                losing[key] += self._loses(key, self._after.get(user, GLOBAL))

    def _everyone_else(self, concerned: Counter[str], losing: Counter[str]) -> None:
        """Known users to whom Global applies, before and afterwards, when its list gets shorter."""
        if GLOBAL in self._shortened:
            elsewhere = (
                self._observed.users.keys()
                | self._target.users.keys()
                | self._before.keys()
                | self._after.keys()
            )
            count = len(self._directory.users.keys() - elsewhere)
            concerned[GLOBAL] += count
            losing[GLOBAL] += count

    def _falls_to(self, user: str) -> str:
        return self._target.users[user] or self._after.get(user, GLOBAL)

    def _loses(self, before: str, after: str) -> bool:
        return self._lost(self._observed.policies.get(before), self._target.policies.get(after))

    def _lost(self, before: TeamsPolicy | None, after: TeamsPolicy | None) -> bool:
        """Whether the first policy has an application that the second has not; one that does not
        exist has none. Who is to reach nobody is taken away whatever the limits are.
        """
        kept = after.applications.keys() if after is not None else set()
        return before is not None and bool(
            before.applications.keys() - kept - self._target.quarantined
        )


def _through_groups(groups: Iterable[GroupAssignment], directory: Directory) -> Mapping[str, str]:
    """The policy that each member of a known group has by group: that of the strongest."""
    policies: dict[str, str] = {}
    for assignment in reversed(tuple(groups)):
        group = directory.groups.get(assignment.group)
        if group is not None and group.members is not None:
            policies.update(dict.fromkeys(group.members, assignment.policy))
    return policies
