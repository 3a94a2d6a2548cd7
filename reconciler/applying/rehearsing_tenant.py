"""A simulated tenant made from nothing but a plan's baseline: enough of one for the plan's own
steps, and for nothing else.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, assert_never

from reconciler.model.addresses import PROVIDERS, ExchangePolicyAddress, parse_address
from reconciler.model.baselines import guard_scope, stored_policies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.baselines import ExchangeBaseline, TeamsBaseline
    from reconciler.model.plans import Plan

    Row = dict[str, Any]

_POLICY_TYPE = "ApplicationAccessPolicy"


def simulated_tenant(plan: Plan) -> Mapping[str, Json]:
    """The content of a simulated tenant's file, in which the plan's baseline is true and its steps
    can be run.

    What a baseline does not tell is made up: principal names, display names, and one user for each
    policy that somebody else holds.
    """
    teams, exchange = plan.baseline.of_teams(), plan.baseline.of_exchange()
    holders = {} if teams is None else _holders(teams)
    users = frozenset() if teams is None else teams.users.keys()
    return {
        "format_version": "1.0",
        "tenant": {
            "tenantId": plan.tenant.tenant_id,
            "organization": plan.tenant.organization,
        },
        "clock": plan.inputs.capture_taken_at,
        **{provider: _section(provider, plan, holders) for provider in PROVIDERS},
        "directory": {
            "users": [_user(user) for user in sorted(holders.keys() | users)],
            "groups": [
                {"id": group, "displayName": f"Group {group}"}
                for group in sorted(_groups(plan, teams))
            ],
            "recipients": list(_recipients(plan, exchange or {})),
        },
    }


def _section(provider: Provider, plan: Plan, holders: Mapping[str, str]) -> Row:
    """A product's part of the file."""
    match provider:
        case "teams":
            teams = plan.baseline.of_teams()
            nothing: Row = {"policies": [], "groupAssignments": [], "users": []}
            return nothing if teams is None else _teams(teams, holders)
        case "exchange":
            return {"policies": list(_policies(plan.baseline.of_exchange() or {}))}
        case _:
            assert_never(provider)


def _holders(teams: TeamsBaseline) -> dict[str, str]:
    """Direct grants: of the users whom steps touch, and of one made-up user for each policy that
    others hold.
    """
    others = {
        str(uuid.uuid5(uuid.NAMESPACE_OID, key)): key
        for key, is_held in teams.others.items()
        if is_held
    }
    return others | {user: policy for user, policy in teams.users.items() if policy is not None}


def _teams(teams: TeamsBaseline, holders: Mapping[str, str]) -> Row:
    stored = {key: policy for key, policy in teams.policies.items() if policy is not None}
    spelled = {key: policy.identity for key, policy in stored.items()}
    return {
        "policies": [
            {
                "Identity": policy.identity,
                "AppIds": list(policy.applications),
                "Description": policy.description,
            }
            for policy in stored.values()
        ],
        "groupAssignments": [
            {
                "GroupId": row.group,
                "PolicyType": _POLICY_TYPE,
                "PolicyName": spelled.get(row.policy, row.policy),
                "Priority": rank,
            }
            for rank, row in enumerate(teams.groups, 1)
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


def _groups(plan: Plan, teams: TeamsBaseline | None) -> set[str]:
    return {row.group for row in (() if teams is None else teams.groups)} | {
        str(step.parameters["Group"]) for step in plan.steps if "Group" in step.parameters
    }


def _policies(exchange: ExchangeBaseline) -> Iterator[Row]:
    for application, policies in stored_policies(exchange).items():
        for policy in policies:
            yield {
                "AccessRight": policy.access_right.value,
                "AppId": application,
                "Description": policy.stored_description,
                "Identity": policy.identity,
                "IsValid": True,
                "ObjectState": "Unchanged",
                "ScopeIdentity": policy.scope,
                "ScopeIdentityRaw": f"{policy.sid};{policy.scope}",
                "ScopeName": policy.scope,
                "ShardType": "All",
            }


def _recipients(plan: Plan, exchange: ExchangeBaseline) -> Iterator[Row]:
    """The scopes of the baseline's policies, of policies that steps create, and of guards, which
    alone is known to be empty.
    """
    sids = {
        policy.scope: policy.sid
        for policies in stored_policies(exchange).values()
        for policy in policies
    }
    guard = guard_scope(exchange)
    names: dict[str, str] = {}
    for step in plan.steps:
        if "PolicyScopeGroupId" in step.parameters:
            policy = parse_address(step.address)
            if isinstance(policy, ExchangePolicyAddress):
                names[policy.scope] = str(step.parameters["PolicyScopeGroupId"])
    if guard is not None:
        sids[guard.id] = guard.sid
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
            **({"members": []} if guard is not None and scope == guard.id else {}),
        }
