"""A simulated tenant made from nothing but a plan's baseline: enough of one for the plan's own
steps, and for nothing else.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from reconciler.model.addresses import EVERY_APPLICATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.plans import Plan

    Row = dict[str, Any]

_GUARD_SCOPE = "guardScope"
_POLICY_TYPE = "ApplicationAccessPolicy"


def tenant(plan: Plan) -> Mapping[str, Json]:
    """The content of a simulated tenant's file, in which the plan's baseline is true and its steps
    can be run.

    What a baseline does not tell is made up: principal names, display names, and one user for each
    policy that somebody else holds.
    """
    baseline: Any = plan.baseline
    teams, exchange = baseline.get("teams"), baseline.get("exchange")
    holders = _holders(teams) if teams else {}
    return {
        "format_version": "1.0",
        "tenant": {"tenantId": plan.tenant_id, "organization": plan.organization},
        "clock": plan.inputs.capture_taken_at,
        "teams": (
            _teams(teams, holders)
            if teams
            else {"policies": [], "groupAssignments": [], "users": []}
        ),
        "exchange": {"policies": list(_policies(exchange)) if exchange else []},
        "directory": {
            "users": [
                _user(user)
                for user in sorted(holders.keys() | (teams or {}).get("users", {}).keys())
            ],
            "groups": [
                {"id": group, "displayName": f"Group {group}"}
                for group in sorted(_groups(plan, teams))
            ],
            "recipients": list(_recipients(plan, exchange or {})),
        },
    }


def _holders(teams: Mapping[str, Any]) -> dict[str, str]:
    """Direct grants: of the users whom steps touch, and of one made-up user for each policy that
    others hold.
    """
    others = {
        str(uuid.uuid5(uuid.NAMESPACE_OID, key)): key
        for key, held in teams["others"].items()
        if held
    }
    return others | {user: policy for user, policy in teams["users"].items() if policy is not None}


def _teams(teams: Mapping[str, Any], holders: Mapping[str, str]) -> Row:
    stored = {key: row for key, row in teams["policies"].items() if row is not None}
    spelled = {key: row["identity"] for key, row in stored.items()}
    return {
        "policies": [
            {
                "Identity": row["identity"],
                "AppIds": row["applications"],
                "Description": row["description"],
            }
            for row in stored.values()
        ],
        "groupAssignments": [
            {
                "GroupId": row["group"],
                "PolicyType": _POLICY_TYPE,
                "PolicyName": spelled.get(row["policy"], row["policy"]),
                "Priority": rank,
            }
            for rank, row in enumerate(teams["groups"], 1)
        ],
        "users": [
            {
                "Identity": user,
                "UserPrincipalName": _user(user)["upn"],
                _POLICY_TYPE: {"Authority": "Tenant", "Name": spelled.get(policy, policy)},
            }
            for user, policy in sorted(holders.items())
        ],
    }


def _user(user: str) -> Row:
    return {"id": user, "upn": f"{user}@rehearsal.invalid", "displayName": f"User {user}"}


def _groups(plan: Plan, teams: Mapping[str, Any] | None) -> set[str]:
    return {row["group"] for row in (teams or {}).get("groups", ())} | {
        str(step.parameters["Group"]) for step in plan.steps if "Group" in step.parameters
    }


def _policies(exchange: Mapping[str, Any]) -> Iterator[Row]:
    for application in exchange.keys() - {_GUARD_SCOPE}:
        for row in exchange[application]:
            yield {
                "AccessRight": row["accessRight"],
                "AppId": EVERY_APPLICATION if application == EVERY_APPLICATION else application,
                "Description": row["storedDescription"],
                "Identity": row["identity"],
                "IsValid": True,
                "ObjectState": "Unchanged",
                "ScopeIdentity": row["scope"],
                "ScopeIdentityRaw": f"{row['sid']};{row['scope']}",
                "ScopeName": row["scope"],
                "ShardType": "All",
            }


def _recipients(plan: Plan, exchange: Mapping[str, Any]) -> Iterator[Row]:
    """The scopes of the baseline's policies, of policies that steps create, and of guards, which
    alone is known to be empty.
    """
    sids = {
        row["scope"]: row["sid"]
        for name, rows in exchange.items()
        if name != _GUARD_SCOPE
        for row in rows
    }
    guard: Mapping[str, Any] = exchange.get(_GUARD_SCOPE) or {}
    names: dict[str, str] = {}
    for step in plan.steps:
        if "PolicyScopeGroupId" in step.parameters:
            names[step.address.rpartition("@")[2]] = str(step.parameters["PolicyScopeGroupId"])
    if guard:
        sids[guard["id"]] = guard["sid"]
    for number, scope in enumerate(sorted(sids.keys() | names.keys()), 1):
        written = names.get(scope, scope)
        primary = written if "@" in written else f"{scope}@rehearsal.invalid"
        yield {
            "id": scope,
            "sid": sids.get(scope, f"S-1-5-21-0-0-0-{number}"),
            "primary": primary,
            "addresses": [primary],
            "displayName": f"Scope {scope}",
            "type": "MailUniversalSecurityGroup",
            "isValidSecurityPrincipal": True,
            **({"members": []} if scope == guard.get("id") else {}),
        }
