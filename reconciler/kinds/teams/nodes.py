"""Observed state and target -> the nodes that are put in order: a policy made or deleted, one half
of a list's edit, a class of users, a group.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.kinds.ordering.components import components
from reconciler.kinds.teams.ranks import stepped
from reconciler.model.addresses import (
    GLOBAL,
    TEAMS_TENANT_GRANT,
    Address,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import TeamsState


class TeamsNodeKind(Enum):
    """What a node does; the values are the places in the fixed order."""

    CREATE = 1
    SHRINK = 2
    CLOSE = 3
    MOVE = 4
    DROP = 5
    REGROUP = 6
    UNASSIGN = 7
    DESCRIBE = 8
    GROW = 9
    COPY = 10
    DELETE = 11


class TeamsNode(Struct, frozen=True):
    """One node.

    `key` is a policy's key or a group's id; `old` and `new` are keys of policies, None for what no
    direct grant decides.

    CLOSE takes applications out of Global before COPY, the tenant-wide grant, replaces its list.
    MOVE and UNASSIGN are a class of users with equal `old` and `new`. DROP and REGROUP are a
    group's steps; with documented group changes a regranted group has both. CREATE has the policy
    whose place it takes as `old`.
    """

    kind: TeamsNodeKind
    address: Address
    key: str = ""
    old: str | None = None
    new: str | None = None
    users: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many steps it has."""
        return len(self.users) or 1

    @property
    def place(self) -> tuple[str, int]:
        """Address order."""
        return (self.address, self.kind.value)


def nodes(observed: TeamsState, target: TeamsTarget, *, regranting: bool) -> list[TeamsNode]:
    """All nodes of a transition in address order, a tenant-wide grant as one COPY.

    Args:
        observed: The tenant.
        target: What it shall be.
        regranting: A group that holds a policy already gets another one, or another rank, by a
            grant in place. Otherwise it loses its policy first: the documented way (MicrosoftDocs
            "Assign policies to users and groups").
    """
    unordered = [
        *_policies(observed, target),
        *_classes(observed, target),
        *_groups(observed, target, regranting=regranting),
    ]
    if target.tenant_grant is not None:
        unordered.append(
            TeamsNode(TeamsNodeKind.COPY, TEAMS_TENANT_GRANT, GLOBAL, new=target.tenant_grant)
        )
    return sorted(unordered, key=lambda node: node.place)


def cut(
    observed: TeamsState, target: TeamsTarget, unordered: Sequence[TeamsNode]
) -> list[list[TeamsNode]]:
    """Connected components.

    Two nodes touch if somebody's access, or the success of a step, can depend on both.
    """
    changing = {node.key for node in unordered if node.kind in _OF_POLICIES}
    grouped = {assignment.policy for assignment in (*observed.groups, *target.groups)} | {GLOBAL}
    falling = any(
        node.kind is TeamsNodeKind.UNASSIGN
        or (node.kind is TeamsNodeKind.MOVE and node.old is None)
        for node in unordered
    )
    regrouped = any(node.kind in _OF_GROUPS for node in unordered)
    shared = changing & grouped if falling or regrouped else set()
    restless = bool(regrouped or shared)
    hubs = [tuple(_hubs(node, changing, shared, restless=restless)) for node in unordered]
    return [[unordered[number] for number in part] for part in components(hubs)]


_REST = None
"""Hub of what decides about everyone without a direct grant: the list of groups, and Global."""
_OF_POLICIES = frozenset(
    {
        TeamsNodeKind.CREATE,
        TeamsNodeKind.SHRINK,
        TeamsNodeKind.GROW,
        TeamsNodeKind.COPY,
        TeamsNodeKind.DELETE,
    }
)
_OF_GROUPS = frozenset({TeamsNodeKind.DROP, TeamsNodeKind.REGROUP})
_OF_USERS = frozenset({TeamsNodeKind.MOVE, TeamsNodeKind.UNASSIGN})


def _hubs(
    node: TeamsNode, changing: set[str], shared: set[str], *, restless: bool
) -> Iterator[Hashable]:
    if node.kind in _OF_POLICIES:
        yield node.key
        if node.key in shared:
            yield _REST
    yield from (key for key in (node.old, node.new) if key in changing)
    if node.kind in _OF_GROUPS or (
        restless and node.kind in _OF_USERS and None in (node.old, node.new)
    ):
        yield _REST


def needs(ordered: Sequence[TeamsNode]) -> tuple[int, ...]:
    """For each node the nodes (bits) that have to come before it, so that the service accepts it
    and the end is right.
    """
    return tuple(
        sum(1 << number for number, other in enumerate(ordered) if _goes_before(other, node))
        for node in ordered
    )


def _goes_before(first: TeamsNode, node: TeamsNode) -> bool:
    if node.users and first.users and (first.old, first.new) == (node.old, node.new):
        # Users of one class are alike: one order of them stands for all
        return first.users < node.users
    if node.kind is TeamsNodeKind.DELETE:
        return first.old == node.key
    if first.kind is TeamsNodeKind.CREATE:
        return node.new == first.key
    if node.kind is TeamsNodeKind.COPY:
        return first.kind is TeamsNodeKind.CLOSE or (
            first.kind in {TeamsNodeKind.SHRINK, TeamsNodeKind.GROW} and first.key == node.new
        )
    return (
        node.kind is TeamsNodeKind.REGROUP
        and first.kind is TeamsNodeKind.DROP
        and first.key == node.key
    )


def _policies(observed: TeamsState, target: TeamsTarget) -> Iterator[TeamsNode]:
    for key in target.policies.keys() - observed.policies.keys():
        # What a new policy takes over is read from the old one, should this plan stop half-way.
        carried = target.renamed.get(key)
        address = teams_policy(target.policies[key].name)
        yield TeamsNode(TeamsNodeKind.CREATE, address, key, old=carried)
    for key in observed.policies.keys() - target.policies.keys():
        yield TeamsNode(TeamsNodeKind.DELETE, teams_policy(observed.policies[key].name), key)
    for key in observed.policies.keys() & target.policies.keys():
        before, after = observed.policies[key], target.policies[key]
        if before != after and not (key == GLOBAL and target.tenant_grant is not None):
            old, new = before.applications.keys(), after.applications.keys()
            kinds = (
                (TeamsNodeKind.SHRINK, old - new),
                (TeamsNodeKind.GROW, new - old),
                (TeamsNodeKind.DESCRIBE, old == new),
            )
            yield from (
                TeamsNode(kind, teams_policy(before.name), key) for kind, wanted in kinds if wanted
            )


def _classes(observed: TeamsState, target: TeamsTarget) -> Iterator[TeamsNode]:
    members: dict[tuple[str | None, str | None], list[str]] = {}
    for user in sorted(target.users):
        members.setdefault((observed.users.get(user), target.users[user]), []).append(user)
    for (old, new), users in members.items():
        kind = TeamsNodeKind.UNASSIGN if new is None else TeamsNodeKind.MOVE
        yield TeamsNode(kind, teams_user_grant(users[0]), old=old, new=new, users=tuple(users))


def _groups(observed: TeamsState, target: TeamsTarget, *, regranting: bool) -> Iterator[TeamsNode]:
    before = {assignment.group: assignment.policy for assignment in observed.groups}
    after = {assignment.group: assignment.policy for assignment in target.groups}
    granted = {group for group, policy in after.items() if before.get(group) != policy}
    for group in stepped(list(before), list(after), granted, target.declared):
        old, new, address = before.get(group), after.get(group), teams_group_grant(group)
        if new is None or (old is not None and not regranting):
            yield TeamsNode(TeamsNodeKind.DROP, address, group, old=old)
        if new is not None:
            yield TeamsNode(
                TeamsNodeKind.REGROUP, address, group, old=old if regranting else None, new=new
            )


def split(part: Sequence[TeamsNode], most: int) -> list[TeamsNode]:
    """The same nodes with classes of users taken apart, the smallest first, as long as there are at
    most so many nodes.

    One user may have to go early and the next one late, where every step counts that somebody
    misses something.
    """
    apart = list(part)
    for node in sorted(
        (node for node in part if node.size > 1), key=lambda node: (node.size, node.place)
    ):
        if len(apart) - 1 + node.size <= most:
            apart.remove(node)
            apart += (
                replace(node, address=teams_user_grant(user), users=(user,)) for user in node.users
            )
    return sorted(apart, key=lambda node: node.place)


def with_early_closing(ordered: Iterable[TeamsNode]) -> list[TeamsNode]:
    """The same nodes with an earlier removal from Global before the tenant-wide grant."""
    early = TeamsNode(TeamsNodeKind.CLOSE, TEAMS_TENANT_GRANT, GLOBAL)
    return sorted((*ordered, early), key=lambda node: node.place)
