"""Teams invocations as data.

Documented forms only: lists change by separate Add and Remove edits (MicrosoftDocs
Set-CsApplicationAccessPolicy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.product import Ties
from reconciler.model.addresses import (
    GLOBAL,
    TEAMS_TENANT_GRANT,
    name_key,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.plans import Invocation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.canonical import Json
    from reconciler.model.plans import Step


_GROUPS = frozenset({"group grants"})


def new(name: str, applications: Iterable[str], description: str) -> Invocation:
    """Create a policy with its final content.

    An empty list is left out: `@()` would not say more than nothing.
    """
    parameters: dict[str, Json] = {"Identity": name}
    if listed := sorted(applications):
        parameters["AppIds"] = listed
    if description:
        parameters["Description"] = description
    return Invocation("New-CsApplicationAccessPolicy", parameters)


def edit(name: str, verb: str, applications: Iterable[str], description: str | None) -> Invocation:
    """Add to or remove from a policy's list (`verb` is `Add` or `Remove`), and describe it with the
    same call if given.

    Identity is never left out: without it the module rewrites Global.
    """
    parameters: dict[str, Json] = {"Identity": name, "AppIds": {verb: sorted(applications)}}
    if description is not None:
        parameters["Description"] = description
    return Invocation("Set-CsApplicationAccessPolicy", parameters)


def describe(name: str, description: str) -> Invocation:
    """Change a policy's description alone."""
    return Invocation(
        "Set-CsApplicationAccessPolicy", {"Identity": name, "Description": description}
    )


def grant_user(user: str, policy: str | None) -> Invocation:
    """Grant a policy to a user directly; None unassigns."""
    return Invocation("Grant-CsApplicationAccessPolicy", {"Identity": user, "PolicyName": policy})


def grant_group(group: str, policy: str, rank: int) -> Invocation:
    """Grant a policy to a group at a rank from 1 (0 would be dropped by the module)."""
    return Invocation(
        "Grant-CsApplicationAccessPolicy", {"Group": group, "PolicyName": policy, "Rank": rank}
    )


def drop_group(group: str) -> Invocation:
    """Take the policy away from a group."""
    return Invocation("Grant-CsApplicationAccessPolicy", {"Group": group, "PolicyName": None})


def grant_tenant(policy: str) -> Invocation:
    """Copy a policy's values into Global."""
    return Invocation("Grant-CsApplicationAccessPolicy", {"Global": True, "PolicyName": policy})


def remove(name: str) -> Invocation:
    """Delete a policy that nobody holds any more."""
    return Invocation("Remove-CsApplicationAccessPolicy", {"Identity": name})


def ties(step: Step) -> Ties:
    """What a step leaves in place, and what it must find there."""
    given = step.parameters
    if "Group" in given:
        return Ties(_GROUPS, _GROUPS)
    if "Global" in given:
        source = teams_policy(name_key(str(given["PolicyName"])))
        return Ties(frozenset(), frozenset({source, teams_policy(GLOBAL)}))
    if step.cmdlet.startswith("Grant-"):
        return Ties(frozenset(), frozenset())
    return Ties(frozenset({teams_policy(name_key(str(given["Identity"])))}), frozenset())


def written_addresses(step: Step) -> set[str]:
    """The addresses, in lower case, that a step may have by its parameters."""
    given = step.parameters
    if not step.cmdlet.startswith("Grant-"):
        name = str(given["Identity"]).lower()
        tenant = {str(TEAMS_TENANT_GRANT)} if name == GLOBAL else set()
        return {teams_policy(name), *tenant}
    if "Global" in given:
        return {TEAMS_TENANT_GRANT}
    if "Identity" in given:
        return {teams_user_grant(str(given["Identity"])).lower()}
    return {teams_group_grant(str(given["Group"])).lower()}
