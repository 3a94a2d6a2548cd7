"""The Teams side of a simulated tenant that is made from a plan's baseline."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from reconciler.kinds.capture_rows import is_whole
from reconciler.kinds.product import RehearsedPart
from reconciler.kinds.teams.parse import POLICY_TYPE
from reconciler.model.observed import OPAQUE, is_opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.baselines import TeamsBaseline
    from reconciler.model.plans import Step

    Row = dict[str, Any]

NOTHING = RehearsedPart({"policies": [], "groupAssignments": [], "users": []})
"""The side of a tenant that nothing is known of."""


def rehearsed(teams: TeamsBaseline, steps: Sequence[Step]) -> RehearsedPart:
    """Policies, groups and grants as the baseline has them, and everybody who is in it or in a
    step.

    What a baseline does not tell is made up: principal names, display names, and one user for each
    policy that somebody else holds.
    """
    holders = _holders(teams)
    return RehearsedPart(
        _section(teams, holders),
        users=tuple(
            _user(user)
            for user in sorted(holders.keys() | teams.users.keys())
            if not is_opaque(user)
        ),
        groups=tuple(_group(group) for group in sorted(_groups(teams, steps))),
    )


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


def _section(teams: TeamsBaseline, holders: Mapping[str, str]) -> Row:
    stored = {key: policy for key, policy in teams.policies.items() if policy is not None}
    spelled = {key: policy.identity for key, policy in stored.items()}
    return {
        "policies": [
            {
                "Identity": policy.identity,
                "AppIds": [_entry(listed) for listed in policy.applications],
                "Description": policy.description,
            }
            for key, policy in stored.items()
            if not is_opaque(key)
        ],
        "groupAssignments": [
            {
                "GroupId": row.group,
                "PolicyType": POLICY_TYPE,
                "PolicyName": spelled.get(row.policy, row.policy),
                "Priority": rank,
            }
            for rank, row in enumerate(teams.groups, 1)
        ],
        "users": [
            _grant(user, spelled.get(policy, policy)) for user, policy in sorted(holders.items())
        ],
    }


def _grant(user: str, policy: str) -> Row:
    """A user's row; one whose holder is unknown, as it was read."""
    read = _entry(user)
    if isinstance(read, dict):
        return read
    granted = {"Authority": "Tenant", "Name": policy}
    return {"Identity": user, "UserPrincipalName": _user(user)["upn"], POLICY_TYPE: granted}


def _entry(listed: str) -> Any:
    """An entry of a list; one that is not understood as it was read."""
    text = listed.removeprefix(OPAQUE)
    return json.loads(text) if text != listed and is_whole(text) else listed


def _user(user: str) -> Row:
    return {"id": user, "upn": f"{user}@rehearsal.invalid", "displayName": f"User {user}"}


def _group(group: str) -> Row:
    return {"id": group, "displayName": f"Group {group}"}


def _groups(teams: TeamsBaseline, steps: Iterable[Step]) -> set[str]:
    return {row.group for row in teams.groups} | {
        str(step.parameters["Group"]) for step in steps if "Group" in step.parameters
    }
