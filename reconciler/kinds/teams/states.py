"""The part of a tenant's Teams side that a plan's safety rests on, and how each step changes it:
the baseline.

A *standing* is that part as a flat mapping: what is compared, by a name for people -> its value. So
"equal", "what moved" and "the state after k steps" cost what the steps touch, not what the tenant
holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.kinds.teams.holders import staying
from reconciler.model.addresses import GLOBAL, name_key, teams_policy, teams_user_grant
from reconciler.model.baselines import BaselineGroup, StoredTeamsPolicy, TeamsBaseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.canonical import Json
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import TeamsPolicy, TeamsState
    from reconciler.model.plans import Step

GROUPS = "teams.grant/group:*"
"""Name of the ordered list of all group grants in a standing."""

Standing = dict[str, object]


def baseline(observed: TeamsState, target: TeamsTarget) -> TeamsBaseline:
    """What the steps touch, and what a touched user or group can fall through to, with the stored
    spellings.
    """
    keys = (
        _touched(observed, target)
        | {GLOBAL}
        | {one.policy for one in (*observed.groups, *target.groups)}
    )
    edited = {
        key for key in observed.policies if observed.policies[key] != target.policies.get(key)
    }
    kept = staying(observed.users, target.users)
    return TeamsBaseline(
        groups=tuple(BaselineGroup(one.group, one.policy) for one in observed.groups),
        others={key: key in kept for key in sorted(edited - {GLOBAL})},
        policies={key: _stored(observed.policies.get(key)) for key in sorted(keys)},
        users={user: observed.users.get(user) for user in sorted(target.users)},
    )


def _touched(observed: TeamsState, target: TeamsTarget) -> set[str]:
    keys = observed.policies.keys() | target.policies.keys()
    changed = {key for key in keys if observed.policies.get(key) != target.policies.get(key)}
    granted = {policy for policy in target.users.values() if policy is not None}
    held = {observed.users[user] for user in target.users if user in observed.users}
    source = set() if target.tenant_grant is None else {target.tenant_grant}
    return changed | granted | held | source


def _stored(policy: TeamsPolicy | None) -> StoredTeamsPolicy | None:
    if policy is None:
        return None
    applications = tuple(policy.applications[key] for key in sorted(policy.applications))
    return StoredTeamsPolicy(applications, policy.description, policy.name)


def start(section: TeamsBaseline) -> Standing:
    """The standing that a plan file's baseline describes."""
    standing: Standing = {GROUPS: tuple((row.group, row.policy) for row in section.groups)}
    for key, stored in section.policies.items():
        standing |= _policy(
            key,
            None if stored is None else stored.applications,
            None if stored is None else stored.description,
        )
    standing |= {teams_user_grant(user): policy for user, policy in section.users.items()}
    return standing | {_others(key): held for key, held in section.others.items()}


def project(section: TeamsBaseline, observed: TeamsState) -> Standing:
    """The same part of a tenant as it is now."""
    standing: Standing = {GROUPS: tuple((one.group, one.policy) for one in observed.groups)}
    for key in section.policies:
        policy = observed.policies.get(key)
        standing |= _policy(
            key,
            None if policy is None else policy.applications,
            None if policy is None else policy.description,
        )
    standing |= {teams_user_grant(user): observed.users.get(user) for user in section.users}
    kept = staying(observed.users, section.users)
    return standing | {_others(key): key in kept for key in section.others}


def effect(standing: Standing, step: Step) -> Standing:
    """What a step changes in a standing: only the entries that it touches."""
    given = step.parameters
    match step.cmdlet:
        case "New-CsApplicationAccessPolicy":
            return _policy(
                name_key(str(given["Identity"])),
                _ids(given.get("AppIds", ())),
                str(given.get("Description", "")),
            )
        case "Set-CsApplicationAccessPolicy":
            return _edited(standing, given)
        case "Remove-CsApplicationAccessPolicy":
            return _policy(name_key(str(given["Identity"])), None, None)
        case "Grant-CsApplicationAccessPolicy":
            return _granted(standing, given)
        case _:
            raise ValueError(f"{step.cmdlet} is no Teams step")


def _policy(key: str, applications: Iterable[str] | None, description: str | None) -> Standing:
    """A policy in a standing.

    Global's description is left out: whether a tenant-wide grant copies it is not documented.
    """
    listed = None if applications is None else frozenset(one.lower() for one in applications)
    address = teams_policy(key)
    return {address: listed} if key == GLOBAL else {address: listed, _description(key): description}


def _description(key: str) -> str:
    return f"{teams_policy(key)} (description)"


def _others(key: str) -> str:
    return f"{teams_policy(key)} (held by others)"


def _ids(value: Json) -> list[str]:
    return [str(one) for one in cast("list[str]", value)]


def _edited(standing: Standing, given: Mapping[str, Json]) -> Standing:
    key = name_key(str(given["Identity"]))
    address = teams_policy(key)
    edit = cast("Mapping[str, Json]", given.get("AppIds", {}))
    listed = cast("frozenset[str]", standing[address]) - {
        one.lower() for one in _ids(edit.get("Remove", ()))
    }
    changed: Standing = {address: listed | {one.lower() for one in _ids(edit.get("Add", ()))}}
    if "Description" in given and key != GLOBAL:
        changed[_description(key)] = given["Description"]
    return changed


def _granted(standing: Standing, given: Mapping[str, Json]) -> Standing:
    policy = None if given["PolicyName"] is None else name_key(str(given["PolicyName"]))
    if "Identity" in given:
        return {teams_user_grant(str(given["Identity"])): policy}
    if "Group" in given:
        return {
            GROUPS: _regrouped(cast("tuple[tuple[str, str], ...]", standing[GROUPS]), given, policy)
        }
    return {teams_policy(GLOBAL): standing[teams_policy(str(policy))]}


def _regrouped(
    groups: tuple[tuple[str, str], ...], given: Mapping[str, Json], policy: str | None
) -> tuple[tuple[str, str], ...]:
    """A grant puts the group at its rank and pushes the others down; without a policy the group
    leaves and the others close up.
    """
    others = [row for row in groups if row[0] != given["Group"]]
    if policy is not None:
        others.insert(cast("int", given["Rank"]) - 1, (str(given["Group"]), policy))
    return tuple(others)
