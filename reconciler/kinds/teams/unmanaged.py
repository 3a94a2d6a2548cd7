"""Teams policies and grants, and what of them documents leave open."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.canonical import rows_digest
from reconciler.model.addresses import GLOBAL, teams_group_grant, teams_policy, teams_user_grant
from reconciler.model.observed import is_opaque
from reconciler.model.unmanaged import UnmanagedObject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.addresses import Address
    from reconciler.model.desired import DesiredTeams
    from reconciler.model.observed import TeamsState


_USER, _GROUP = teams_user_grant(""), teams_group_grant("")


class _Open(Struct, frozen=True):
    """What of a policy documents leave open; `whole`: no document names it."""

    applications: bool
    users: bool
    groups: bool
    whole: bool = False


class _Apart(Struct, frozen=True):
    """Users and groups whose grants are objects of their own."""

    users: frozenset[str]
    groups: frozenset[str]


def unmanaged_objects(
    state: TeamsState, desired: DesiredTeams, apart: Collection[str] = ()
) -> Iterator[UnmanagedObject]:
    """Every policy with its grants, sorted by its key, also one that only grants name; then those
    grants that are objects of their own.

    Args:
        state: the Teams side.
        desired: what documents declare.
        apart: addresses, in lower case, of grants that are listed separately.
    """
    own = _Apart(_named(apart, _USER), _named(apart, _GROUP))
    groups = _groups(state, own)
    keys = {*state.policies, *state.holder_counts, *(row.policy for row in state.groups)}
    left_open = {key: _left_open(key, desired) for key in keys if not is_opaque(key)}
    users = _users(state, {key for key, way in left_open.items() if way.users}, own)
    for key in sorted(left_open):
        yield _policy(state, key, left_open[key], groups.get(key, ()), users.get(key, ()))
    for user in sorted(own.users & state.users.keys()):
        key = state.users[user]
        is_open = key in left_open and left_open[key].users and user not in desired.users
        yield _grant(teams_user_grant(user), {"policy": _name(state, key)}, is_open=is_open)
    declared = {group for group, _ in desired.groups}
    for rank, row in enumerate(state.groups, 1):
        if row.group in own.groups:
            way = left_open.get(row.policy)
            is_open = way is not None and way.groups and row.group not in declared
            ranked: dict[str, Json] = {"policy": _name(state, row.policy), "rank": rank}
            yield _grant(teams_group_grant(row.group), ranked, is_open=is_open)


def _named(apart: Collection[str], kind: str) -> frozenset[str]:
    return frozenset(text.removeprefix(kind) for text in apart if text.startswith(kind))


def _left_open(key: str, desired: DesiredTeams) -> _Open:
    declared = desired.policies.get(key)
    copied = key == GLOBAL and desired.tenant_grant is not None
    if declared is None:
        return _Open(applications=not copied, users=True, groups=True, whole=key != GLOBAL)
    if declared.absent:
        return _Open(applications=False, users=False, groups=False)
    return _Open(
        applications=declared.applications is None and not copied,
        users=not declared.owns_users,
        groups=not declared.owns_groups,
    )


def _groups(state: TeamsState, own: _Apart) -> Mapping[str, Sequence[Mapping[str, Json]]]:
    """Groups with their ranks, by the key of their policy."""
    groups: dict[str, list[Mapping[str, Json]]] = defaultdict(list)
    for rank, row in enumerate(state.groups, 1):
        if row.group not in own.groups:
            groups[row.policy].append({"group": row.group, "rank": rank})
    return groups


def _users(state: TeamsState, keys: Collection[str], own: _Apart) -> Mapping[str, Sequence[str]]:
    """Direct holders of these policies, by their keys, sorted; there may be 100,000."""
    users: dict[str, list[str]] = defaultdict(list)
    for user, key in state.users.items() if keys else ():
        if key in keys and user not in own.users:
            users[key].append(user)
    return {key: sorted(holders) for key, holders in users.items()}


def _policy(
    state: TeamsState,
    key: str,
    way: _Open,
    groups: Sequence[Mapping[str, Json]],
    users: Sequence[str],
) -> UnmanagedObject:
    stored = state.policies.get(key)
    parts: dict[str, Json] = {}
    if way.applications:
        parts["applications"] = None if stored is None else sorted(stored.applications)
    if way.groups and key != GLOBAL:
        parts["groups"] = [*groups]
    if way.users and key != GLOBAL:
        parts["users"] = {"count": len(users), "digest": rows_digest((users,))}
    holds_something = bool(users or parts.get("groups") or parts.get("applications"))
    is_object = holds_something or (way.whole and stored is not None)
    return UnmanagedObject(teams_policy(_name(state, key)), parts, tuple(users), idle=not is_object)


def _grant(address: Address, parts: Mapping[str, Json], *, is_open: bool) -> UnmanagedObject:
    return UnmanagedObject(address, parts if is_open else {}, idle=not is_open)


def _name(state: TeamsState, key: str) -> str:
    stored = state.policies.get(key)
    return state.spelled.get(key, key) if stored is None else stored.name
