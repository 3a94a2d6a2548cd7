"""Which Teams policy decides, for those of whom a plan tells: a direct grant before a group's, a
group's before Global.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    GLOBAL,
    TEAMS_TENANT_GRANT,
    TeamsGroupGrantAddress,
    TeamsPolicyAddress,
    TeamsUserGrantAddress,
    name_key,
    parse_address,
)
from reconciler.reports.review.deciding import either
from reconciler.reports.review.effects import applications_of
from reconciler.reports.review.naming import readable
from reconciler.reports.review.value import Name, NameKind, Phrase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.plans import Change, Plan
    from reconciler.reports.review.naming import Naming

_NOT_DIRECT = "a group's policy or Global"
_DIRECT = " (direct)"


class _Moment:
    """The part of the Teams side that a plan tells of, at one moment.

    Attributes:
        lists: The applications of each policy, by its key.
        users: Direct grants, by user; None is none.
        groups: Grants, by group.
    """

    def __init__(self) -> None:
        self.lists: dict[str, frozenset[str]] = {}
        self.users: dict[str, str | None] = {}
        self.groups: dict[str, str] = {}


class TeamsRules:
    """The rules of Teams, before a plan and after it."""

    def __init__(self, plan: Plan, naming: Naming) -> None:
        self._naming = naming
        self._spelled: dict[str, str] = {GLOBAL: "Global"}
        self._moments = (_Moment(), _Moment())
        self._moving: set[str] = set()
        self._read_baseline(plan)
        for change in plan.changes:
            self._read(change)

    def _read_baseline(self, plan: Plan) -> None:
        baseline = plan.baseline.of_teams()
        if baseline is None:
            return
        for moment in self._moments:
            moment.users |= {user.lower(): policy for user, policy in baseline.users.items()}
            moment.groups |= {row.group.lower(): row.policy for row in baseline.groups}
            for key, policy in baseline.policies.items():
                applications = policy.applications if policy is not None else ()
                moment.lists[name_key(key)] = frozenset(map(str.lower, applications))
        for policy in baseline.policies.values():
            if policy is not None:
                self._spelled[name_key(policy.identity)] = policy.identity

    def _read(self, change: Change) -> None:
        if change.address == TEAMS_TENANT_GRANT:
            self._lists(GLOBAL, change)
            return
        match parse_address(change.address):
            case TeamsPolicyAddress(name):
                self._spelled.setdefault(name_key(name), name)
                self._lists(name_key(name), change)
            case TeamsUserGrantAddress(user):
                for moment, policy in zip(self._moments, self._granted(change), strict=True):
                    moment.users[user.lower()] = policy
                    self._moving |= {policy} if policy is not None else set()
            case TeamsGroupGrantAddress(group):
                for moment, policy in zip(self._moments, self._granted(change), strict=True):
                    moment.groups.pop(group.lower(), None)
                    moment.groups |= {group.lower(): policy} if policy is not None else {}
            case _:
                pass

    def _lists(self, key: str, change: Change) -> None:
        for moment, side in zip(self._moments, (change.before, change.after), strict=True):
            moment.lists[key] = frozenset(map(str.lower, applications_of(side)))

    def _granted(self, change: Change) -> tuple[str | None, str | None]:
        """Keys of the policies that somebody has before and after."""
        before, after = (self._policy(side) for side in (change.before, change.after))
        return before, after

    def _policy(self, side: Mapping[str, Json] | None) -> str | None:
        name = (side or {}).get("policy")
        if not isinstance(name, str):
            return None
        self._spelled.setdefault(name_key(name), name)
        return name_key(name)

    def deciding(
        self, application: str, who: tuple[SubjectKind, str], *, after: bool, reached: bool
    ) -> Phrase:
        """What decides it; see `Rules`."""
        kind, name = who
        moment = self._moments[after]
        match kind:
            case SubjectKind.EVERYONE:
                return ("Global",)
            case SubjectKind.POLICY_HOLDERS:
                return (self._name(name_key(name)), _DIRECT)
            case SubjectKind.GROUP_MEMBERS:
                policy = moment.groups.get(name.lower())
                if policy is not None and self._agrees(moment, policy, application, reached):
                    return (self._name(policy), " (of this group)")
            case _:
                direct = moment.users.get(name.lower())
                if direct is not None:
                    return (self._name(direct), _DIRECT)
        return self._not_direct(moment, application, reached=reached)

    def _agrees(self, moment: _Moment, policy: str, application: str, reached: bool) -> bool:  # noqa: FBT001
        """Whether a policy gives what is so; its list may not be told."""
        applications = moment.lists.get(policy)
        return applications is None or (application in applications) is reached

    def _not_direct(self, moment: _Moment, application: str, *, reached: bool) -> Phrase:
        """The policies of groups, or Global, that give what is so."""
        if not moment.lists:
            return (_NOT_DIRECT,)
        giving: list[Phrase] = [
            (self._name(policy), " (of ", self._naming.group(group), ")")
            for group, policy in moment.groups.items()
            if self._agrees(moment, policy, application, reached)
        ]
        if self._agrees(moment, GLOBAL, application, reached):
            giving.append(("Global",))
        return either(giving) if 0 < len(giving) <= _MOST_GIVING else (_NOT_DIRECT,)

    def _name(self, key: str) -> Name:
        return Name(readable(self._spelled.get(key, key)), kind=NameKind.POLICY)

    def kept(self, who: tuple[SubjectKind, str], applications: frozenset[str]) -> Iterable[str]:
        """What a direct grant gives on both sides; see `Rules`."""
        kind, name = who
        match kind:
            case SubjectKind.USER:
                policies = [moment.users.get(name.lower()) for moment in self._moments]
            case SubjectKind.POLICY_HOLDERS if name_key(name) not in self._moving:
                policies = [name_key(name)] * 2
            case _:
                return frozenset()
        return applications.intersection(*self._listed(policies))

    def _listed(self, policies: Iterable[str | None]) -> Iterator[frozenset[str]]:
        for moment, policy in zip(self._moments, policies, strict=True):
            yield moment.lists.get(policy, frozenset()) if policy is not None else frozenset()


_MOST_GIVING = 4
"""Policies of which one decides that are named; of more it is said that there are several."""
