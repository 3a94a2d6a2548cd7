"""Observed state and target -> steps in the fixed order, in which no prefix gives anybody more than before or after.

New; every removal from a list; direct grants and moves; groups (`ranks`: grants and moves up from the strongest, then moves down and losses
from the weakest); unassignments; every addition to a list and the tenant-wide grant; deletions. The order that comes to mind (additions first) is unsafe: do not "simplify" it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.teams import cmdlets
from reconciler.kinds.teams.changes import group_moves, spelled
from reconciler.kinds.teams.ranks import MOST_GROUPS
from reconciler.model.addresses import GLOBAL, TEAMS_TENANT_GRANT, Address, teams_group_grant, teams_policy, teams_user_grant
from reconciler.model.codes import StepReason
from reconciler.model.plans import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import TeamsPolicy, TeamsState


def steps(observed: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    """The steps from the observed state to the target."""
    yield from _creations(observed, target)
    yield from _edits(observed, target)
    yield from _grants(observed, target)
    yield from _groups(observed, target)
    yield from _unassignments(observed, target)
    yield from _additions(observed, target)
    yield from _tenant_grant(observed, target)
    yield from _deletions(observed, target)


def most_groups(observed: TeamsState, target: TeamsTarget) -> int:
    """How many groups hold a policy at once while the steps run: new ones come before dropped ones go."""
    return len({one.group for one in observed.groups} | {one.group for one in target.groups})


def groups_fit(observed: TeamsState, target: TeamsTarget) -> bool:
    """Whether the service's limit of groups is kept at every step."""
    return most_groups(observed, target) <= MOST_GROUPS


def closes_global_early(observed: TeamsState, target: TeamsTarget) -> bool:
    """Whether Global must lose applications before the tenant-wide grant replaces its list.

    Users who are unassigned, and members of a dropped group, fall to Global while it still has its old list. That gives them more than before
    or after exactly if an application that Global shall lose is not in the policy they held.
    """
    leaving = _leaving_global(observed, target)
    if not leaving or target.tenant_grant is None:
        return False
    fallen = {observed.users[user] for user, policy in target.users.items() if policy is None}
    staying = {one.group for one in target.groups}
    fallen |= {one.policy for one in observed.groups if one.group not in staying}
    return any(leaving - _applications(observed, key) for key in fallen)


def _applications(observed: TeamsState, key: str) -> frozenset[str]:
    policy = observed.policies.get(key)
    return frozenset() if policy is None else frozenset(policy.applications)


def _leaving_global(observed: TeamsState, target: TeamsTarget) -> frozenset[str]:
    return frozenset(observed.policies[GLOBAL].applications.keys() - target.policies[GLOBAL].applications.keys())


def _creations(observed: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    for key in sorted(target.policies.keys() - observed.policies.keys()):
        policy = target.policies[key]
        yield Draft(teams_policy(policy.name), cmdlets.new(policy.name, policy.applications, policy.description), StepReason.CREATE_POLICY)


def _edited(observed: TeamsState, target: TeamsTarget) -> Iterator[tuple[Address, TeamsPolicy, TeamsPolicy]]:
    """Policies that are edited in place, Global only if its list is not copied by a grant."""
    for key in sorted(observed.policies.keys() & target.policies.keys()):
        before, after = observed.policies[key], target.policies[key]
        if before != after and not (key == GLOBAL and target.tenant_grant is not None):
            yield teams_policy(before.name), before, after


def _edits(observed: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    """Removals, each with its policy's new description; descriptions that have neither removal nor addition to ride on."""
    for address, before, after in _edited(observed, target):
        removed = [before.applications[key] for key in before.applications.keys() - after.applications.keys()]
        if removed:
            yield Draft(address, cmdlets.edit(before.name, "Remove", removed, _description(before, after)), StepReason.REMOVE_APPLICATIONS)
        elif after.applications.keys() == before.applications.keys():
            yield Draft(address, cmdlets.describe(before.name, after.description), StepReason.DESCRIBE)
    if closes_global_early(observed, target):
        everyone = observed.policies[GLOBAL]
        closed = [everyone.applications[key] for key in _leaving_global(observed, target)]
        temporary = bool(target.policies[GLOBAL].applications.keys() - everyone.applications.keys())
        yield Draft(TEAMS_TENANT_GRANT, cmdlets.edit(everyone.name, "Remove", closed, None), StepReason.CLOSE_GLOBAL_EARLY, temporary)


def _description(before: TeamsPolicy, after: TeamsPolicy) -> str | None:
    return after.description if after.description != before.description else None


def _grants(observed: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    for user in sorted(user for user, policy in target.users.items() if policy is not None):
        policy = spelled(observed, target, str(target.users[user]))
        reason = StepReason.MOVE_USER if user in observed.users else StepReason.GRANT_USER
        yield Draft(teams_user_grant(user), cmdlets.grant_user(user, policy), reason)


def _groups(observed: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    standing = {one.group for one in observed.groups}
    policies = {one.group: one.policy for one in target.groups}
    for one in group_moves(observed, target):
        address = teams_group_grant(one.group)
        if one.rank is None:
            yield Draft(address, cmdlets.drop_group(one.group), StepReason.DROP_GROUP)
        else:
            invocation = cmdlets.grant_group(one.group, spelled(observed, target, policies[one.group]), one.rank)
            yield Draft(address, invocation, StepReason.MOVE_GROUP if one.group in standing else StepReason.GRANT_GROUP)


def _unassignments(_: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    for user in sorted(user for user, policy in target.users.items() if policy is None):
        yield Draft(teams_user_grant(user), cmdlets.grant_user(user, None), StepReason.UNASSIGN_USER)


def _additions(observed: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    for address, before, after in _edited(observed, target):
        added = after.applications.keys() - before.applications.keys()
        if added:
            first = before.applications.keys() <= after.applications.keys()
            described = _description(before, after) if first else None
            yield Draft(address, cmdlets.edit(before.name, "Add", added, described), StepReason.ADD_APPLICATIONS)


def _tenant_grant(observed: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    """Copy the source's final list; not needed if the early removal has already left exactly that list."""
    if target.tenant_grant is None:
        return
    growing = target.policies[GLOBAL].applications.keys() - observed.policies[GLOBAL].applications.keys()
    if growing or not closes_global_early(observed, target):
        name = spelled(observed, target, target.tenant_grant)
        yield Draft(TEAMS_TENANT_GRANT, cmdlets.grant_tenant(name), StepReason.GRANT_TENANT)


def _deletions(observed: TeamsState, target: TeamsTarget) -> Iterator[Draft]:
    for key in sorted(observed.policies.keys() - target.policies.keys()):
        name = observed.policies[key].name
        yield Draft(teams_policy(name), cmdlets.remove(name), StepReason.DELETE_POLICY)
