"""What a Teams transition takes away, opens or leaves: refusals, warnings and what is unmanaged.

Nothing here changes the plan's steps.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.kinds.limits import PERCENTAGE_FROM, Tally, exceeded
from reconciler.kinds.teams.changes import spelled
from reconciler.kinds.teams.facts import MOST_GROUPS
from reconciler.kinds.teams.groups import is_gone
from reconciler.kinds.teams.losses import GRANTS, losses
from reconciler.kinds.teams.renamed import MOST_ABSENT, absent_rows
from reconciler.kinds.teams.steps import groups_fit, most_groups
from reconciler.model.addresses import (
    GLOBAL,
    name_key,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.codes import RefusalRule, WarningCode
from reconciler.model.live_limits import (
    LONGEST_NAME,
    is_confirmed,
    policy_name_limit,
    unqueried,
)
from reconciler.model.observed import is_opaque
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.desired import DesiredTeams
    from reconciler.model.documents import Limits
    from reconciler.model.observed import Directory, TeamsState

POLICIES = "teams.policy"

_PERCENT_ABSENT = 10
"""Of a list, who may be absent before it is taken for a wrong one."""
_MOST_SKIPPED = 20
"""Users whom a line to be typed names; more are not typed."""


def refusals(
    observed: TeamsState,
    target: TeamsTarget,
    desired: DesiredTeams,
    directory: Directory,
    limits: Limits,
) -> Iterator[Note]:
    """Everything about the transition that needs a consent or cannot be done."""
    for address, details in displaced(observed, target, desired):
        yield Note(
            RefusalRule.DISPLACED,
            address,
            {"allow": f"{RefusalRule.DISPLACED}:{address}", **details},
        )
    yield from _new_names(observed, target)
    yield from _many_absent(desired)
    yield from _deletes(observed, target, limits)
    yield from losses(observed, target, directory, limits)
    if not groups_fit(observed, target):
        yield Note(
            RefusalRule.GROUPS_FULL,
            GRANTS,
            {"groups": most_groups(observed, target), "most": MOST_GROUPS},
        )


def _many_absent(desired: DesiredTeams) -> Iterator[Note]:
    """More listed users who are not there than people who leave: more likely a wrong reading, or a
    wrong list.
    """
    names = absent_rows(desired.unresolved)
    absent = Counter(name.policy for name in names)
    listed = Counter(desired.users.values())
    large = [
        name
        for name in absent
        if (total := absent[name] + listed[name_key(name)]) >= PERCENTAGE_FROM
        and absent[name] * 100 > _PERCENT_ABSENT * total
    ]
    if len(names) > MOST_ABSENT:
        details = {"absent": len(names), "listed": len(names) + len(desired.users)}
        yield Note(RefusalRule.MANY_ABSENT, GRANTS, details)
    for name in sorted(large) if len(names) <= MOST_ABSENT else ():
        details = {"absent": absent[name], "listed": absent[name] + listed[name_key(name)]}
        yield Note(RefusalRule.MANY_ABSENT, teams_policy(name), details)


def _new_names(observed: TeamsState, target: TeamsTarget) -> Iterator[Note]:
    """New policies whose holders the live side could not query, or whose name is longer than is
    known to be taken.
    """
    for key in sorted(target.policies.keys() - observed.policies.keys()):
        name = target.policies[key].name
        if limit := policy_name_limit(name):
            details = {"characters": limit.characters}
            yield Note(RefusalRule.NAME_NOT_QUERIED, teams_policy(name), details)
        if len(name) > LONGEST_NAME:
            length = {"length": len(name), "most": LONGEST_NAME}
            yield Note(RefusalRule.NAME_TOO_LONG, teams_policy(name), length)


def displaced(
    observed: TeamsState, target: TeamsTarget, desired: DesiredTeams
) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Policies that no document declares and that grants are taken away from: address, and how many
    users and groups.
    """
    users = Counter(observed.users[user] for user in target.users if user in observed.users)
    after = {assignment.group: assignment.policy for assignment in target.groups}
    groups = Counter(
        assignment.policy
        for assignment in observed.groups
        if after.get(assignment.group) != assignment.policy
    )
    for key in sorted((users.keys() | groups.keys()) - desired.policies.keys()):
        yield (
            teams_policy(spelled(observed, target, key)),
            {"users": users[key], "groups": groups[key]},
        )


def unmanaged(observed: TeamsState, target: TeamsTarget, desired: DesiredTeams) -> Iterator[Note]:
    """What is left alone: undeclared policies, groups under them, and a Global that holds
    applications nobody declares.
    """
    for key in sorted(observed.policies.keys() - desired.policies.keys() - {GLOBAL}):
        policy = observed.policies[key]
        if key in target.policies and target.policies[key] == policy:
            yield Note(
                "unmanaged",
                teams_policy(policy.name),
                {"applications": sorted(policy.applications), "users": observed.holder_counts[key]},
            )
    managed = {group for group, _ in desired.groups}
    owned = {key for key, policy in desired.policies.items() if policy.owns_groups}
    after = {assignment.group: assignment.policy for assignment in target.groups}
    for rank, assignment in enumerate(observed.groups, 1):
        stays = after.get(assignment.group) == assignment.policy
        if stays and assignment.group not in managed and assignment.policy not in owned:
            yield Note(
                "unmanaged",
                teams_group_grant(assignment.group),
                {"policy": spelled(observed, target, assignment.policy), "rank": rank},
            )
    everyone = desired.policies.get(GLOBAL)
    kept = target.policies[GLOBAL].applications.keys() | (
        observed.policies[GLOBAL].applications.keys() - target.quarantined
    )
    listed = sorted(observed.policies[GLOBAL].applications.keys() & kept)
    if (
        listed
        and desired.tenant_grant is None
        and (everyone is None or everyone.applications is None)
    ):
        yield Note(
            "unmanaged", teams_policy(observed.policies[GLOBAL].name), {"applications": listed}
        )


def warnings(
    observed: TeamsState, target: TeamsTarget, desired: DesiredTeams, directory: Directory
) -> Iterator[Note]:
    """What a reviewer should know."""
    for user in sorted(desired.not_looked_for & target.users.keys()):
        yield Note(WarningCode.USER_NOT_LOOKED_FOR, teams_user_grant(user), {"user": user})
    for key in sorted(target.policies.keys() - observed.policies.keys()):
        if not target.policies[key].applications:
            yield Note(WarningCode.NO_APPLICATIONS, teams_policy(target.policies[key].name), {})
    for old in sorted(set(desired.moved.values()) - observed.policies.keys()):
        if not observed.nameless:
            yield Note(WarningCode.MOVED_ON, teams_policy(desired.policies[old].name), {})
    for key in sorted(target.prune_blocked):
        yield Note(WarningCode.PRUNE_BLOCKED, teams_policy(observed.policies[key].name), {})
    yield from _gone_groups(observed, target, directory)
    yield from _dangling(observed)
    yield from _read_once(observed)
    yield from _falls_to_changed_group(observed, target, directory)


def _gone_groups(observed: TeamsState, target: TeamsTarget, directory: Directory) -> Iterator[Note]:
    """Grants of groups that no longer exist: those that stay or come, and those that go."""
    after = {assignment.group: assignment.policy for assignment in target.groups}
    for assignment in observed.groups:
        if is_gone(directory, assignment.group) and assignment.group not in after:
            policy = spelled(observed, target, assignment.policy)
            address = teams_group_grant(assignment.group)
            yield Note(WarningCode.GONE_GROUP_DROPPED, address, {"policy": policy})
    for group, key in sorted(after.items()):
        if is_gone(directory, group):
            policy = spelled(observed, target, key)
            yield Note(WarningCode.GONE_GROUP, teams_group_grant(group), {"policy": policy})


def _dangling(observed: TeamsState) -> Iterator[Note]:
    """Grants of policies that do not exist: they deny, and should be impossible (MicrosoftDocs
    Grant-CsApplicationAccessPolicy).
    """
    grants = observed.holder_counts + Counter(assignment.policy for assignment in observed.groups)
    for key in sorted(grants.keys() - observed.policies.keys()):
        if is_opaque(key):
            continue
        yield Note(
            WarningCode.DANGLING_GRANT,
            teams_policy(observed.spelled.get(key, key)),
            {"grants": grants[key]},
        )


def _read_once(observed: TeamsState) -> Iterator[Note]:
    """Policies whose holders the live side reads in one way only, and whether it can at all."""
    names = [policy.name for key, policy in observed.policies.items() if not is_opaque(key)]
    odd = sorted(unqueried(names))
    for name in odd:
        yield Note(WarningCode.HOLDERS_READ_ONCE, teams_policy(name), {})
    if odd and not is_confirmed(names, observed.holder_counts):
        yield Note(WarningCode.UNREADABLE_LIVE, POLICIES, {"policies": odd})


def _falls_to_changed_group(
    observed: TeamsState, target: TeamsTarget, directory: Directory
) -> Iterator[Note]:
    """Users who are unassigned into a group that the same plan grants or moves: membership can take
    a day to reach them.
    """
    before = set(observed.groups)
    changed = {assignment.group for assignment in target.groups if assignment not in before}
    fallen = {user for user, policy in target.users.items() if policy is None}
    for group in sorted(changed):
        group_read = directory.groups.get(group)
        members = (
            fallen & group_read.members
            if group_read is not None and group_read.members is not None
            else frozenset()
        )
        if members:
            yield Note(
                WarningCode.FALLS_TO_CHANGED_GROUP,
                teams_group_grant(group),
                {"users": sorted(members), **_left_for_later(members)},
            )


def _left_for_later(users: Collection[str]) -> Mapping[str, Json]:
    """What `--skip` takes so that a first plan leaves these users out."""
    few = len(users) <= _MOST_SKIPPED
    return {"skip": [teams_user_grant(user) for user in sorted(users)]} if few else {}


def _deletes(observed: TeamsState, target: TeamsTarget, limits: Limits) -> Iterator[Note]:
    present = observed.policies.keys() - {GLOBAL}
    deleted = len(present - target.policies.keys())
    yield from exceeded(
        POLICIES,
        Tally("policies", "", deleted, len(present)),
        limits.max_deletes,
        limits.max_delete_percent,
    )
