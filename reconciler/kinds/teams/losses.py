"""Known users who lose an application, against the limits: by a grant that is taken away or moved,
or by an edit of the list they hold.

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


def losses(
    observed: TeamsState, target: TeamsTarget, directory: Directory, limits: Limits
) -> Iterator[Note]:
    """Refusals of a transition that takes applications away from more users than the limits allow:
    in total, and per policy they held.

    Unknown membership counts as none: such a user falls to Global, which counts rather more losses
    than fewer.
    """
    concerned, losing = _Counting(observed, target, directory).counted()
    most, percent = limits.max_removals, limits.max_removal_percent
    yield from exceeded(GRANTS, Tally("", losing.total(), concerned.total()), most, percent)
    for key in sorted(losing):
        yield from exceeded(
            GRANTS,
            Tally(teams_policy(spelled(observed, target, key)), losing[key], concerned[key]),
            most,
            percent,
        )


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
        kept = observed.policies.keys() & target.policies.keys()
        self._shortened = {
            key for key in kept if _lost(observed.policies[key], target.policies[key])
        }

    def counted(self) -> tuple[Counter[str], Counter[str]]:
        """How many users each policy concerned, and how many of them lose an application."""
        concerned, losing = self._direct()
        self._in_groups(concerned, losing)
        self._everyone_else(concerned, losing)
        return concerned, losing

    def _direct(self) -> tuple[Counter[str], Counter[str]]:
        granted, changed = self._observed.users, self._target.users
        concerned = Counter(granted.values())
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
        return _lost(self._observed.policies.get(before), self._target.policies.get(after))


def _lost(before: TeamsPolicy | None, after: TeamsPolicy | None) -> bool:
    """Whether the first policy has an application that the second has not; one that does not exist
    has none.
    """
    return before is not None and bool(
        before.applications.keys() - (after.applications.keys() if after is not None else set())
    )


def _through_groups(groups: Iterable[GroupAssignment], directory: Directory) -> Mapping[str, str]:
    """The policy that each member of a known group has by group: that of the strongest."""
    policies: dict[str, str] = {}
    for assignment in reversed(tuple(groups)):
        group = directory.groups.get(assignment.group)
        if group is not None and group.members is not None:
            policies.update(dict.fromkeys(group.members, assignment.policy))
    return policies
