"""What Teams documents declare, as the documents digest covers it."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from reconciler.canonical import rows_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.desired import DesiredTeams, DesiredTeamsPolicy


def desired_rows(desired: DesiredTeams) -> dict[str, Json]:
    """Policies, groups in declared order, digests of the users of each policy."""
    shut = {"quarantined": sorted(desired.quarantined)} if desired.quarantined else {}
    return {
        **shut,
        "groups": [list(row) for row in desired.groups],
        "policies": {key: _policy_row(policy) for key, policy in desired.policies.items()},
        **({"moved": dict(desired.moved)} if desired.moved else {}),
        "tenantGrant": desired.tenant_grant,
        "unresolved": [name.row() for name in desired.unresolved],
        "users": _users_digests(desired.users),
        **_taken_rows(desired),
    }


def _policy_row(policy: DesiredTeamsPolicy) -> Json:
    return {
        "absent": policy.absent,
        "applications": None if policy.applications is None else sorted(policy.applications),
        "description": policy.description,
        "name": policy.name,
        "ownsGroups": policy.owns_groups,
        "ownsUsers": policy.owns_users,
    }


def _taken_rows(desired: DesiredTeams) -> dict[str, Json]:
    taken = {"dropped": sorted(desired.dropped), "unassigned": sorted(desired.unassigned)}
    return {name: list(ids) for name, ids in taken.items() if ids}


def _users_digests(users: Mapping[str, str]) -> Json:
    """Digests of the users of each policy; they come policy by policy, so that sorting each one is
    sorting all.
    """
    listed: dict[str, list[str]] = {}
    for policy, rows in groupby(users.items(), key=itemgetter(1)):
        listed.setdefault(policy, []).extend(map(itemgetter(0), rows))
    return {policy: rows_digest((ids,)) for policy, ids in listed.items()}
