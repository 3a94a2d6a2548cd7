"""Teams: one policy is effective for a user, and only the applications in it may act on the user's
meetings and events.

The policy granted directly; else that of the strongest group which the user is a direct member of;
else Global. Selection, not union: a policy that lacks an application denies it, whatever the next
one has. No application by default (MicrosoftDocs Grant-CsApplicationAccessPolicy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.clauses import Clause, Partition, audience
from reconciler.audiences.verdicts import Asked, Denied, Depends, Granted, Reason
from reconciler.model.addresses import GLOBAL, teams_group_grant, teams_policy, teams_user_grant
from reconciler.model.observed import is_opaque

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.addresses import Address
    from reconciler.model.observed import TeamsState

NO_APPLICATIONS: frozenset[str] = frozenset()
EVERY_GROUP = teams_group_grant("*")
"""Stands for the order of all group grants."""
EVERY_POLICY = teams_policy("*")
"""Stands for the names of all policies."""


def user_verdict(
    state: TeamsState,
    application: str,
    user: str,
    member: Callable[[str], bool | None],
    *,
    direct_known: bool = True,
) -> Verdict:
    """Whether an application may act on a user's meetings and events.

    Args:
        state: the Teams side; a grant of a policy that does not exist denies.
        application: client id, lower-case.
        user: object id, lower-case.
        member: whether the user is a direct member of a group, by its object id; None is not known.
        direct_known: False if `state.users` is not the whole truth about this user. A grant
            whose holder is unknown may be this user's.
    """
    grant = teams_user_grant(user)
    if user in state.users:
        reasons = [Reason(Asked.DIRECT_GRANT, grant, holds=True)]
        return _decided(state, application, [(state.users[user], reasons)])
    if not direct_known:
        return Depends((Reason(Asked.DIRECT_GRANT, grant, holds=None),), (grant,))
    asked = [Reason(Asked.DIRECT_GRANT, grant, holds=False)]
    options = []
    for row, policy in state.unidentified.items():
        asked = [*asked, Reason(Asked.UNDERSTOOD, teams_user_grant(row), holds=None)]
        options.append((policy, asked))
    if state.opaque_ranks:
        asked.append(Reason(Asked.UNDERSTOOD, EVERY_GROUP, holds=None))
    for assignment in state.groups:
        holds = member(assignment.group)
        asked = [*asked, Reason(Asked.GROUP_GRANT, teams_group_grant(assignment.group), holds)]
        if holds is not False:
            options.append((assignment.policy, asked))
        if holds and not state.opaque_ranks:
            return _decided(state, application, options)
    if any(reason.asked is Asked.GROUP_GRANT and reason.holds for reason in asked):
        return _decided(state, application, options)
    asked = [*asked, Reason(Asked.GLOBAL, policy_address(state, GLOBAL), holds=True)]
    return _decided(state, application, [*options, (GLOBAL, asked)])


def _decided(
    state: TeamsState, application: str, options: list[tuple[str, list[Reason]]]
) -> Verdict:
    """The verdict that all possible policies agree on.

    The last option is what holds if no group of unknown membership has the user.
    """
    listed = {policy: lists(state, policy, application) for policy, _ in options}
    last, asked = options[-1]
    path = (
        *asked,
        *(
            Reason(
                Asked.UNDERSTOOD if holds is None else Asked.LISTED,
                policy_address(state, policy),
                holds,
            )
            for policy, holds in listed.items()
        ),
    )
    if len(set(listed.values())) > 1 or None in listed.values():
        return Depends(path, tuple(reason.address for reason in path if reason.holds is None))
    decided_by = policy_address(state, last)
    return Granted(path, decided_by) if listed[last] else Denied(path, decided_by)


def lists(state: TeamsState, policy: str, application: str) -> bool | None:
    """Whether a policy lists an application; None if an entry that is not understood may be it."""
    listed = applications(state, policy)
    if application in listed:
        return True
    return None if any(map(is_opaque, listed)) else False


def understood(state: TeamsState, policy: str) -> frozenset[str]:
    """Client ids in a policy's list, without the entries that are not understood."""
    return frozenset(key for key in applications(state, policy) if not is_opaque(key))


def applications(state: TeamsState, policy: str) -> frozenset[str]:
    """Keys in a policy's list, none if it does not exist; of a grant that is not understood, what
    it gives is as little understood.
    """
    if is_opaque(policy):
        return frozenset({policy})
    stored = state.policies.get(policy)
    return NO_APPLICATIONS if stored is None else frozenset(stored.applications)


def policy_address(state: TeamsState, policy: str) -> Address:
    """Address of a policy by its key."""
    stored = state.policies.get(policy)
    return teams_policy(stored.name if stored is not None else state.spelled.get(policy, policy))


def fall_through(state: TeamsState, application: str) -> tuple[tuple[tuple[str, bool], ...], bool]:
    """What holds for users without a direct grant: groups, strongest first, with whether theirs
    lists the application, and whether Global does.

    Groups at the end that say what Global says anyway are left out.
    """
    everyone = application in applications(state, GLOBAL)
    groups = [
        (assignment.group, application in applications(state, assignment.policy))
        for assignment in state.groups
    ]
    while groups and groups[-1][1] is everyone:
        groups.pop()
    return tuple(groups), everyone


def user_partition(groups: tuple[tuple[str, bool], ...], *, everyone: bool) -> Partition:
    """The users without a direct grant whom an application reaches, and those whom it does not."""
    clauses: dict[bool, list[Clause]] = {True: [], False: []}
    above: frozenset[str] = frozenset()
    for group, listed in groups:
        clauses[listed].append(Clause(frozenset({group}), above))
        above |= {group}
    clauses[everyone].append(Clause(outside=above))
    return Partition(audience(clauses[True]), audience(clauses[False]))
