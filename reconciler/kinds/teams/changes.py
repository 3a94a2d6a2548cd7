"""Observed state and target -> changes, one an object, for reviewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.attributes import attribute_changes, attributes_of_both, object_change
from reconciler.kinds.teams.ranks import moves
from reconciler.model.addresses import (
    GLOBAL,
    TEAMS_TENANT_GRANT,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.codes import ChangeReason
from reconciler.model.plans import Action, ObjectKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.kinds.teams.ranks import Move
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.addresses import Address
    from reconciler.model.observed import GroupAssignment, TeamsPolicy, TeamsState
    from reconciler.model.plans import AttributeChange, Change

POLICY = ObjectKind.TEAMS_POLICY
GRANT = ObjectKind.TEAMS_GRANT


def attributes(change: Change) -> tuple[AttributeChange, ...]:
    """What a change has to say that differs, by its values alone. A tenant-wide grant comes to a list
    that is always there; a user's grant has one attribute, which needs no row of its own.
    """
    before = change.before
    if before is None and change.address == TEAMS_TENANT_GRANT:
        before = {"applications": []}
    if change.kind is ObjectKind.TEAMS_GRANT and before is not None and before.keys() == {"policy"}:
        return ()
    return attributes_of_both(before, change.after)


def changes(observed: TeamsState, target: TeamsTarget) -> Iterator[Change]:
    """All changes of the Teams side, in no particular order."""
    yield from _policies(observed, target)
    yield from _tenant(observed, target)
    yield from _groups(observed, target)
    yield from _users(observed, target)


def spelled(observed: TeamsState, target: TeamsTarget, key: str) -> str:
    """A policy's name as the service spells it, or shall spell it."""
    for policies in (observed.policies, target.policies):
        if key in policies:
            return policies[key].name
    return observed.spelled.get(key, key)


def group_moves(observed: TeamsState, target: TeamsTarget) -> tuple[Move, ...]:
    """The steps that bring the groups into order and give them their policies, in the order they
    run.
    """
    before = {assignment.group: assignment.policy for assignment in observed.groups}
    granted = {
        assignment.group
        for assignment in target.groups
        if before.get(assignment.group) != assignment.policy
    }
    return moves(
        [assignment.group for assignment in observed.groups],
        [assignment.group for assignment in target.groups],
        granted,
        target.declared,
    )


def _content(policy: TeamsPolicy) -> Mapping[str, Json]:
    return {"applications": sorted(policy.applications), "description": policy.description}


def _policies(observed: TeamsState, target: TeamsTarget) -> Iterator[Change]:
    for key in observed.policies.keys() | target.policies.keys():
        before, after = observed.policies.get(key), target.policies.get(key)
        if before != after and not (key == GLOBAL and target.tenant_grant is not None):
            reason = (
                _why(target, key)
                if before is None or after is None
                else _why_edited(before, after, target)
            )
            yield _policy(before, after, _renamed(observed, target, key), reason)


def _why(target: TeamsTarget, key: str) -> ChangeReason:
    """Why a policy comes or goes."""
    if key in target.renamed or key in target.renamed.values():
        return ChangeReason.RENAMED
    if key in target.policies:
        return ChangeReason.DECLARED
    return ChangeReason.PRUNED if key in target.pruned else ChangeReason.STATED_ABSENT


def _renamed(observed: TeamsState, target: TeamsTarget, key: str) -> Address | None:
    """The other of two policies of which one comes and takes the other's place."""
    for new, old in target.renamed.items():
        both = new not in observed.policies and old not in target.policies
        if both and key in {new, old}:
            other = old if key == new else new
            return teams_policy(spelled(observed, target, other))
    return None


def _policy(
    before: TeamsPolicy | None,
    after: TeamsPolicy | None,
    renamed: Address | None,
    reason: ChangeReason,
) -> Change:
    if before is not None and after is not None:
        old, new = _content(before), _content(after)
        return object_change(
            teams_policy(before.name),
            POLICY,
            (Action.UPDATE,),
            reason,
            old,
            new,
            attribute_changes(old, new),
        )
    if before is not None:
        return object_change(
            teams_policy(before.name),
            POLICY,
            (Action.DELETE,),
            reason,
            _content(before),
            None,
            replaces=renamed,
        )
    if after is None:
        raise AssertionError("a policy that does not exist cannot change")
    return object_change(
        teams_policy(after.name),
        POLICY,
        (Action.CREATE,),
        reason,
        None,
        _content(after),
        replaces=renamed,
    )


def _why_edited(before: TeamsPolicy, after: TeamsPolicy, target: TeamsTarget) -> ChangeReason:
    differing = before.applications.keys() ^ after.applications.keys()
    shut_out = bool(differing) and differing <= target.quarantined
    is_all = shut_out and before.description == after.description
    return ChangeReason.QUARANTINED if is_all else ChangeReason.DIFFERS


def _tenant(observed: TeamsState, target: TeamsTarget) -> Iterator[Change]:
    """A tenant-wide grant is a copy of values: what changes is the list that Global holds."""
    if target.tenant_grant is None:
        return
    listed = sorted(observed.policies[GLOBAL].applications)
    before: Mapping[str, Json] | None = {"applications": listed} if listed else None
    after: Mapping[str, Json] = {
        "applications": sorted(target.policies[GLOBAL].applications),
        "policy": spelled(observed, target, target.tenant_grant),
    }
    attributes = attribute_changes(
        {"applications": listed}, {"applications": sorted(target.policies[GLOBAL].applications)}
    )
    action = Action.UPDATE if listed else Action.CREATE
    yield object_change(
        TEAMS_TENANT_GRANT, GRANT, (action,), ChangeReason.TENANT_GRANT, before, after, attributes
    )


def _groups(observed: TeamsState, target: TeamsTarget) -> Iterator[Change]:
    before, after = (
        _standings(observed, target, observed.groups),
        _standings(observed, target, target.groups),
    )
    present = {row.group: row.policy for row in observed.groups}
    along = {
        row.group
        for row in target.groups
        if row.policy in target.renamed and target.renamed[row.policy] == present.get(row.group)
    }
    for move in group_moves(observed, target):
        yield _group(
            teams_group_grant(move.group),
            before.get(move.group),
            after.get(move.group),
            renamed=move.group in along,
        )


def _standings(
    observed: TeamsState, target: TeamsTarget, groups: Sequence[GroupAssignment]
) -> dict[str, dict[str, Json]]:
    return {
        assignment.group: {"policy": spelled(observed, target, assignment.policy), "rank": rank}
        for rank, assignment in enumerate(groups, 1)
    }


def _group(
    address: Address,
    before: Mapping[str, Json] | None,
    after: Mapping[str, Json] | None,
    *,
    renamed: bool,
) -> Change:
    if after is None:
        return object_change(
            address, GRANT, (Action.DELETE,), ChangeReason.NOT_LISTED, before, None
        )
    if before is None:
        return object_change(address, GRANT, (Action.CREATE,), ChangeReason.LISTED, None, after)
    if renamed:
        reason = ChangeReason.RENAMED
    elif before["policy"] == after["policy"]:
        reason = ChangeReason.RANK
    else:
        reason = ChangeReason.LISTED_ELSEWHERE
    return object_change(
        address, GRANT, (Action.UPDATE,), reason, before, after, attribute_changes(before, after)
    )


def _users(observed: TeamsState, target: TeamsTarget) -> Iterator[Change]:
    for user, policy in target.users.items():
        present = observed.users.get(user)
        before: Mapping[str, Json] | None = (
            None if present is None else {"policy": spelled(observed, target, present)}
        )
        after: Mapping[str, Json] | None = (
            None if policy is None else {"policy": spelled(observed, target, policy)}
        )
        if present is None:
            action, reason = Action.CREATE, ChangeReason.LISTED
        elif policy is None:
            action, reason = Action.DELETE, ChangeReason.NOT_LISTED
        else:
            action, reason = Action.UPDATE, ChangeReason.LISTED_ELSEWHERE
            if target.renamed.get(policy) == present:
                reason = ChangeReason.RENAMED
        yield object_change(teams_user_grant(user), GRANT, (action,), reason, before, after)
