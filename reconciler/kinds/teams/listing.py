"""Whose meetings an application reaches, by policy; and the policies of a tenant as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.reached import ReachedPart
from reconciler.kinds.teams.effective_policy import lists, policy_address
from reconciler.kinds.teams.groups import group_coverage
from reconciler.model.access_rows import SubjectKind, SubjectPart
from reconciler.model.addresses import GLOBAL
from reconciler.model.inventories import ListedGroup, ListedPolicy
from reconciler.model.observed import is_opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.audiences.membership import Coverage
    from reconciler.model.desired import DesiredTeams
    from reconciler.model.observed import Directory, GroupAssignment, TeamsState


def reached_by_rule(
    state: TeamsState, directory: Directory, application: str
) -> Iterator[ReachedPart]:
    """Direct holders of each policy that lists the application, members of groups, everyone else."""
    listing = {key for key in state.policies if lists(state, key, application)}
    holders = _holders(state.users, listing)
    for key in sorted(holders):
        ids = tuple(sorted(holders[key]))
        rule = policy_address(state, key)
        yield ReachedPart("teams", SubjectKind.USER, ids, rule, frozenset(ids), certain=True)
    coverage = {row.group: group_coverage(directory)(row.group) for row in state.groups}
    for place, assignment in enumerate(state.groups):
        if assignment.policy in listing:
            stronger = state.groups if state.opaque_ranks else state.groups[:place]
            yield _members(state, assignment, _others(stronger, listing), coverage)
    if GLOBAL in listing:
        others = _others(state.groups, listing)
        yield ReachedPart(
            "teams",
            SubjectKind.EVERYONE,
            (),
            policy_address(state, GLOBAL),
            None,
            certain=all(coverage[group].closed for group in others),
            excepted=_parts(others),
        )


def _holders(users: Mapping[str, str], listing: set[str]) -> Mapping[str, list[str]]:
    holders: dict[str, list[str]] = {}
    for user, key in users.items():
        if key in listing:
            holders.setdefault(key, []).append(user)
    return holders


def _others(groups: Iterable[GroupAssignment], listing: set[str]) -> list[str]:
    """Groups whose policy does not list the application for sure."""
    return [row.group for row in groups if row.policy not in listing]


def _parts(groups: Iterable[str]) -> tuple[SubjectPart, ...]:
    return tuple(SubjectPart(SubjectKind.GROUP_MEMBERS, group) for group in groups)


def _members(
    state: TeamsState,
    assignment: GroupAssignment,
    before: list[str],
    coverage: Mapping[str, Coverage],
) -> ReachedPart:
    """Members of a group who hold nothing directly and are in none of the groups `before`."""
    own = coverage[assignment.group]
    closed = all(coverage[group].closed for group in before)
    surely = own.inside - state.users.keys() if closed else frozenset[str]()
    return ReachedPart(
        "teams",
        SubjectKind.GROUP_MEMBERS,
        (assignment.group,),
        policy_address(state, assignment.policy),
        surely.difference(*(coverage[group].inside for group in before)),
        certain=own.closed and closed,
        excepted=_parts(before),
    )


def listed_applications(state: TeamsState) -> frozenset[str]:
    """Client ids that policies list."""
    listed = (policy.applications for policy in state.policies.values())
    return frozenset(key for keys in listed for key in keys if not is_opaque(key))


def inventory(state: TeamsState, desired: DesiredTeams | None) -> Iterator[ListedPolicy]:
    """Every policy with its grants, sorted by name; those that are held and do not exist, too."""
    users: dict[str, list[str]] = {}
    for user, key in state.users.items():
        users.setdefault(key, []).append(user)
    groups: dict[str, list[ListedGroup]] = {}
    for rank, row in enumerate(state.groups, 1):
        managed = _is_managed_group(row, desired)
        groups.setdefault(row.policy, []).append(ListedGroup(row.group, rank, managed))
    for key in sorted(state.policies.keys() | users.keys() | groups.keys()):
        holders = sorted(users.get(key, ()))
        stored = state.policies.get(key)
        address = policy_address(state, key)
        yield ListedPolicy(
            provider="teams",
            address=address,
            name=address.partition("/")[2],
            managed=_is_managed(key, desired),
            applications=() if stored is None else tuple(sorted(stored.applications)),
            description="" if stored is None else stored.description,
            users=tuple(holders),
            users_managed=_managed_users(key, holders, desired),
            groups=tuple(groups.get(key, ())),
            everyone=key == GLOBAL,
            missing=stored is None,
            understood=not (is_opaque(key) or (stored is not None and stored.opaque)),
        )


def _is_managed(key: str, desired: DesiredTeams | None) -> bool:
    if desired is None:
        return False
    declared = desired.policies.get(key)
    if key == GLOBAL:
        own = declared is not None and declared.applications is not None
        return own or desired.tenant_grant is not None
    return declared is not None


def _is_managed_group(row: GroupAssignment, desired: DesiredTeams | None) -> bool:
    if desired is None:
        return False
    declared = desired.policies.get(row.policy)
    owned = declared is not None and declared.owns_groups
    return owned or any(group == row.group for group, _ in desired.groups)


def _managed_users(key: str, holders: list[str], desired: DesiredTeams | None) -> int:
    if desired is None:
        return 0
    declared = desired.policies.get(key)
    if declared is not None and declared.owns_users:
        return len(holders)
    return sum(user in desired.users for user in holders)
