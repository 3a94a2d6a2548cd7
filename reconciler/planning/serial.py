"""Desired state and a plan's parts as JSON values."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from reconciler.canonical import rows_digest
from reconciler.kinds.exchange.changes import POLICY as EXCHANGE_POLICY
from reconciler.kinds.teams.changes import POLICY as TEAMS_POLICY
from reconciler.model.plans import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.desired import (
        DesiredExchange,
        DesiredTeams,
        DesiredTeamsPolicy,
        Unresolved,
    )
    from reconciler.model.documents import TenantDocument
    from reconciler.model.plans import Change, Note, Step


def desired_json(
    tenant: TenantDocument | None, teams: DesiredTeams, exchange: DesiredExchange
) -> Json:
    """The resolved desired state, for the documents digest: no names for people, no positions,
    nothing that depends on an order.
    """
    return {
        "exchange": _exchange(exchange),
        "teams": _teams(teams),
        "tenant": None if tenant is None else _tenant(tenant),
    }


def _tenant(tenant: TenantDocument) -> Json:
    limits = tenant.limits
    return {
        "connect": tenant.connect,
        "consents": sorted(tenant.consents),
        "guardScope": None if tenant.guard_scope is None else tenant.guard_scope.text.lower(),
        "limits": [
            limits.max_deletes,
            limits.max_delete_percent,
            limits.max_removals,
            limits.max_removal_percent,
        ],
        "organization": tenant.organization,
        "prune": sorted(tenant.prune),
        "tenantId": tenant.tenant_id,
    }


def _teams(desired: DesiredTeams) -> Json:
    return {
        "groups": [list(row) for row in desired.groups],
        "policies": {key: _teams_policy(policy) for key, policy in desired.policies.items()},
        "tenantGrant": desired.tenant_grant,
        "unresolved": [_unresolved(one) for one in desired.unresolved],
        "users": _users(desired.users),
    }


def _users(users: Mapping[str, str]) -> Json:
    """Digests of the users of each policy; they come policy by policy, so that sorting each one is
    sorting all.
    """
    listed: dict[str, list[str]] = {}
    for policy, rows in groupby(users.items(), key=itemgetter(1)):
        listed.setdefault(policy, []).extend(map(itemgetter(0), rows))
    return {policy: rows_digest((found,)) for policy, found in listed.items()}


def _teams_policy(policy: DesiredTeamsPolicy) -> Json:
    return {
        "absent": policy.absent,
        "applications": None if policy.applications is None else sorted(policy.applications),
        "description": policy.description,
        "name": policy.name,
        "ownsGroups": policy.owns_groups,
        "ownsUsers": policy.owns_users,
    }


def _exchange(desired: DesiredExchange) -> Json:
    return {
        "absent": [list(key) for key in sorted(desired.absent)],
        "owned": sorted(desired.owned),
        "policies": [
            [*key, desired.policies[key].right.value, desired.policies[key].description]
            for key in sorted(desired.policies)
        ],
        "unresolved": [_unresolved(one) for one in desired.unresolved],
    }


def _unresolved(one: Unresolved) -> Json:
    return [one.address, one.policy, one.reason]


def summary(
    changes: Sequence[Change], unmanaged: Sequence[Note], steps: Sequence[Step]
) -> Mapping[str, int]:
    """The figures of the closing lines: policies and grants by what happens to them.

    A flip destroys and adds.
    """
    counted: Counter[str] = Counter()
    for change in changes:
        what = "policies" if change.kind in {TEAMS_POLICY, EXCHANGE_POLICY} else "grants"
        counted.update(f"{what}_{action}" for action in change.actions)
    figures = {
        f"{what}_{action}": counted[f"{what}_{action}"]
        for what in ("policies", "grants")
        for action in Action
    }
    return {**figures, "steps": len(steps), "unmanaged": len(unmanaged)}
