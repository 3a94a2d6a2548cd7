"""The Teams side of a baseline, and what each step does to it: the checker's own reading of both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from reconciler.model.observed import is_opaque
from reconciler.planning.checking.verdicts import Unfollowable, ViolationKind

if TYPE_CHECKING:
    from reconciler.model.baselines import TeamsBaseline
    from reconciler.model.plans import ParameterValue, Step

EVERYONE = "global"
EVERY_POLICY = "teams.policy/*"
"""Held for policies without a name: any new one may be one of them."""
NOTHING: frozenset[str] = frozenset()


class ListChanged(Struct, frozen=True):
    """A policy's list of applications has `gained`; `key` is the policy."""

    key: str
    gained: frozenset[str]


class GrantMoved(Struct, frozen=True):
    """A user's direct grant was `before` and is `after`; None: no grant."""

    user: str
    before: str | None
    after: str | None


class RanksChanged(Struct, frozen=True):
    """Group grants from this place (from 0) on are not what they were."""

    place: int


Effect: TypeAlias = ListChanged | GrantMoved | RanksChanged


class TeamsModel(Struct):
    """What a baseline says, changed step by step. Policies, groups and users by lower-case key.

    `policies`: None is a policy that is not there. `groups`: (group, policy), strongest first.
    `users`: only those whom a step may touch. `others`: whether users whom no step touches hold the
    policy directly; a policy that it does not name may have any holders. `ranked`: whether the order
    of the groups is understood; `named`: whether every policy's name is.
    """

    policies: dict[str, frozenset[str] | None]
    groups: list[tuple[str, str]]
    users: dict[str, str | None]
    others: dict[str, bool]
    ranked: bool = True
    named: bool = True

    @classmethod
    def read(cls, section: TeamsBaseline, opaque: Collection[str] = ()) -> TeamsModel:
        """Read the section of a plan file's baseline.

        Raises:
            Unfollowable: it says of a policy that somebody holds it, and not what is in it.
        """
        policies = {
            key.lower(): None if policy is None else _ids(policy.applications)
            for key, policy in section.policies.items()
        }
        groups = [(row.group.lower(), row.policy.lower()) for row in section.groups]
        users = {
            user.lower(): None if policy is None else policy.lower()
            for user, policy in section.users.items()
        }
        others = {key.lower(): is_held is not False for key, is_held in section.others.items()}
        granted = (
            {policy for _, policy in groups}
            | {policy for policy in users.values() if policy is not None}
            | {EVERYONE}
        )
        if not granted <= policies.keys():
            raise Unfollowable(ViolationKind.UNKNOWN)
        return cls(
            policies,
            groups,
            users,
            others,
            ranked=not {*opaque} - {EVERY_POLICY},
            named=EVERY_POLICY not in opaque,
        )

    def copy(self) -> TeamsModel:
        """An independent copy."""
        return TeamsModel(
            dict(self.policies),
            list(self.groups),
            dict(self.users),
            self.others,
            self.ranked,
            self.named,
        )

    @property
    def unidentified(self) -> tuple[str, ...]:
        """Policies of direct grants whose holder is unknown."""
        rows = self.users.items()
        return tuple(sorted({key for user, key in rows if key is not None and is_opaque(user)}))

    def reach(self, key: str) -> frozenset[str]:
        """The applications of a policy; none if it does not exist."""
        return self.policies.get(key) or NOTHING

    def lists(self, application: str) -> bool:
        """Whether any policy has an application in its list, whoever holds it."""
        return any(application in self.reach(key) for key in self.policies)

    def undoing(self, step: Step) -> Callable[[], None]:
        """A function that undoes a step, to be called directly after it."""
        user = str(step.parameters.get("Identity")).lower()
        if step.cmdlet.startswith("Grant-") and user in self.users:
            before = self.users[user]
            return lambda: self.users.update({user: before})
        policies, groups = dict(self.policies), list(self.groups)

        def undo() -> None:
            self.policies, self.groups = policies, groups

        return undo

    def run(self, step: Step) -> Effect:
        """Do one step; say what it changed.

        Raises:
            Unfollowable: it cannot be done here, or the baseline lacks what it rests on.
        """
        given = step.parameters
        match step.cmdlet:
            case "New-CsApplicationAccessPolicy":
                return self._new(_text(given, "Identity"), _ids(given.get("AppIds", ())))
            case "Set-CsApplicationAccessPolicy":
                return self._set(_text(given, "Identity"), given.get("AppIds"))
            case "Remove-CsApplicationAccessPolicy":
                return self._remove(_text(given, "Identity"))
            case "Grant-CsApplicationAccessPolicy":
                return self._grant(given)
            case _:
                raise Unfollowable(ViolationKind.UNKNOWN)

    def _new(self, key: str, applications: frozenset[str]) -> Effect:
        if self._stored(key) is not None:
            raise Unfollowable(ViolationKind.REFUSED)
        if not self.named:
            raise Unfollowable(ViolationKind.OPAQUE)
        return self._list(key, applications)

    def _set(self, key: str, edit: object) -> Effect:
        stored = self._existing(key)
        if edit is None:
            return ListChanged(key, NOTHING)
        if not isinstance(edit, Mapping) or not edit or edit.keys() - {"Add", "Remove"}:
            raise Unfollowable(ViolationKind.UNKNOWN)
        _assert_understood(stored)
        return self._list(key, (stored - _ids(edit.get("Remove", ()))) | _ids(edit.get("Add", ())))

    def _remove(self, key: str) -> Effect:
        self._existing(key)
        if key == EVERYONE:
            raise Unfollowable(ViolationKind.UNKNOWN)
        if (
            self.others.get(key)
            or key in self.users.values()
            or any(policy == key for _, policy in self.groups)
        ):
            raise Unfollowable(ViolationKind.REFUSED)
        self.policies[key] = None
        return ListChanged(key, NOTHING)

    def _grant(self, given: Mapping[str, ParameterValue]) -> Effect:
        policy = None if given["PolicyName"] is None else _text(given, "PolicyName")
        if policy is not None:
            self._existing(policy)
        if given.get("Global") is True and policy is not None:
            _assert_understood(self.reach(EVERYONE) | self.reach(policy))
            return self._list(EVERYONE, self.reach(policy))
        if policy == EVERYONE:
            raise Unfollowable(ViolationKind.UNKNOWN)
        if "Group" in given:
            return self._grant_group(_text(given, "Group"), policy, given.get("Rank"))
        return self._grant_user(_text(given, "Identity"), policy)

    def _grant_user(self, user: str, policy: str | None) -> Effect:
        if user not in self.users:
            raise Unfollowable(ViolationKind.UNKNOWN)
        if " " in user and is_opaque(user):  # no id has a blank
            raise Unfollowable(ViolationKind.OPAQUE)
        before, self.users[user] = self.users[user], policy
        return GrantMoved(user, before, policy)

    def _grant_group(self, group: str, policy: str | None, rank: object) -> Effect:
        """A rank beyond the end is the last one, and so is none (New-CsGroupPolicyAssignment page);
        others close up or make room.

        Raises:
            Unfollowable: the order of the groups is not understood.
        """
        if not self.ranked:
            raise Unfollowable(ViolationKind.OPAQUE)
        old = next(
            (place for place, row in enumerate(self.groups) if row[0] == group), len(self.groups)
        )
        del self.groups[old : old + 1]
        if policy is None:
            return RanksChanged(old)
        new = (
            min(rank - 1, len(self.groups))
            if isinstance(rank, int) and rank > 0
            else len(self.groups)
        )
        self.groups.insert(new, (group, policy))
        return RanksChanged(min(old, new))

    def _list(self, key: str, applications: frozenset[str]) -> Effect:
        gained = applications - self.reach(key)
        self.policies[key] = applications
        return ListChanged(key, gained)

    def _stored(self, key: str) -> frozenset[str] | None:
        if key not in self.policies:
            raise Unfollowable(ViolationKind.UNKNOWN)
        return self.policies[key]

    def _existing(self, key: str) -> frozenset[str]:
        stored = self._stored(key)
        if stored is None:
            raise Unfollowable(ViolationKind.REFUSED)
        return stored


def _assert_understood(applications: frozenset[str]) -> None:
    """A list is edited, or copied, only if all of it is understood."""
    if any(map(is_opaque, applications)):
        raise Unfollowable(ViolationKind.OPAQUE)


def _text(given: Mapping[str, ParameterValue], name: str) -> str:
    """A name as the service compares names: it ignores case."""
    value = given[name]
    if not isinstance(value, str) or not value:
        raise Unfollowable(ViolationKind.UNKNOWN)
    return value.lower()


def _ids(values: object) -> frozenset[str]:
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise Unfollowable(ViolationKind.UNKNOWN)
    return frozenset(str(value).lower() for value in values)
