"""The part of a tenant's Teams side that a plan's safety rests on, its baseline, and how each step
changes a snapshot of it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.canonical import digest
from reconciler.kinds.access_bounds import PolicyHolders, bounds
from reconciler.kinds.snapshots import (
    DESCRIPTION_OF,
    OPAQUE_MARK,
    OTHER_HOLDERS_OF,
    ResizedLists,
    opaque_snapshot,
    parameter_ids,
    parameter_text,
)
from reconciler.kinds.teams import access_delta
from reconciler.kinds.teams.effective_policy import EVERY_GROUP, EVERY_POLICY
from reconciler.kinds.teams.holders import differing, staying
from reconciler.model.addresses import (
    GLOBAL,
    TeamsGroupGrantAddress,
    TeamsPolicyAddress,
    TeamsTenantGrantAddress,
    TeamsUserGrantAddress,
    name_key,
    parse_address,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.baselines import BaselineGroup, StoredTeamsPolicy, TeamsBaseline
from reconciler.model.observed import (
    NOTHING_KNOWN,
    OPAQUE,
    GroupAssignment,
    OpaqueRow,
    TeamsPolicy,
    TeamsState,
    is_opaque,
)
from reconciler.model.plans import ListHolders, WidenedList

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.kinds.access_bounds import AccessBounds
    from reconciler.kinds.snapshots import Snapshot, SnapshotValue
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.addresses import Address
    from reconciler.model.plans import ParameterValue, Step

GROUPS = "teams.grant/group:*"
"""Name of the ordered list of all group grants in a snapshot."""

_POLICY = "teams.policy/"
_USER = "teams.grant/user:"


def baseline(observed: TeamsState, target: TeamsTarget) -> TeamsBaseline:
    """What the steps touch, and what a touched user or group can fall through to, with the stored
    spellings.
    """
    keys = (
        _touched(observed, target)
        | {GLOBAL, *observed.unidentified.values()}
        | {assignment.policy for assignment in (*observed.groups, *target.groups)}
    )
    kept = staying(observed, target.users)
    # A policy that is made may have holders already, whose grant leads to nothing until then.
    edited = {
        key
        for key in observed.policies.keys() | (target.policies.keys() & kept)
        if observed.policies.get(key) != target.policies.get(key)
    }
    return TeamsBaseline(
        groups=tuple(
            BaselineGroup(assignment.group, assignment.policy) for assignment in observed.groups
        ),
        others={key: key in kept for key in sorted(edited - {GLOBAL})},
        policies={key: _stored(_policy_of(observed, key)) for key in sorted(keys)},
        users={
            user: observed.users.get(user)
            for user in sorted({*target.users, *observed.unidentified})
        },
    )


def sections(states: Sequence[TeamsState]) -> Iterator[TeamsBaseline]:
    """All policies and group grants of each state, the direct grants that differ between any two,
    and which policies anybody else holds.
    """
    first, *others = (state.users for state in states)
    moving = sorted(
        {user for users in others for user in (*differing(users, first), *(first.keys() - users))}
        | states[0].unidentified.keys()
    )
    kept = staying(states[0], moving)
    keys = {GLOBAL, *kept}
    for state in states:
        keys.update(state.policies, (row.policy for row in state.groups))
        keys.update(state.users[user] for user in moving if user in state.users)
    for state in states:
        yield TeamsBaseline(
            groups=tuple(BaselineGroup(row.group, row.policy) for row in state.groups),
            others={key: key in kept for key in sorted(keys - {GLOBAL})},
            policies={key: _stored(_policy_of(state, key)) for key in sorted(keys)},
            users={user: state.users.get(user) for user in moving},
        )


def opaque(observed: TeamsState) -> dict[str, tuple[str, ...]]:
    """What was read of groups whose place among the others is not understood, and of policies without
    a name.
    """
    ranks = tuple(row.text for row in observed.opaque_ranks)
    nameless = tuple(sorted(key.removeprefix(OPAQUE) for key in observed.nameless))
    texts = {EVERY_GROUP: ranks, EVERY_POLICY: nameless}
    return {address: read for address, read in texts.items() if read}


def resized_lists(before: Snapshot, after: Snapshot) -> ResizedLists:
    """The policies whose list gets longer for somebody who holds them throughout, or shorter. One that
    is made counts where its name is held already. Everyone holds Global, so that none of those who
    lose by it are sealed.
    """
    longer, shorter = set(), set()
    for name, new in after.items():
        if not isinstance(new, frozenset):
            continue
        old = before.get(name)
        if isinstance(old, frozenset):
            if new - old:
                longer.add(name)
            if old - new:
                shorter.add(name)
        elif new and before.get(f"{OTHER_HOLDERS_OF}{name}"):
            longer.add(name)
    return ResizedLists(frozenset(longer), frozenset(shorter - {teams_policy(GLOBAL)}))


def widened(observed: TeamsState, target: TeamsTarget) -> Iterator[WidenedList]:
    """Policies that get applications, with a digest of who holds them; one that is made if somebody
    holds its name already and keeps it.
    """
    present, kept = observed.policies, staying(observed, target.users)
    longer = {
        key: present.get(key, policy).name
        for key, policy in target.policies.items()
        if (
            policy.applications.keys() - present[key].applications.keys()
            if key in present
            else key in kept and policy.applications
        )
    }
    if longer:
        yield from _held_lists(longer, observed.users, observed.groups)


def holders_before(
    section: TeamsBaseline, observed: TeamsState, rows: Iterable[WidenedList | ListHolders]
) -> Iterator[WidenedList | ListHolders]:
    """Who would hold these policies if those whose grants a baseline has held what it says: to be
    compared with what was said when the baseline was read.
    """
    users = {user: key for user, key in observed.users.items() if user not in section.users}
    users |= {user: key for user, key in section.users.items() if key is not None}
    groups = tuple(GroupAssignment(row.group, row.policy) for row in section.groups)
    for kind, digests in ((WidenedList, _held_lists), (ListHolders, _short_lists)):
        addresses = [row.address for row in rows if isinstance(row, kind)]
        names = [address.removeprefix(_POLICY) for address in addresses]
        yield from digests({name_key(name): name for name in names}, users, groups)


def _held_lists(
    names: Mapping[str, str],
    users: Mapping[str, str],
    groups: Sequence[GroupAssignment],
) -> Iterator[WidenedList]:
    """Policies, by key with their names, and who holds them."""
    holders = _by_policy({user: key for user, key in users.items() if key in names})
    for key, name in names.items():
        granted = sorted(row.group for row in groups if row.policy == key)
        yield WidenedList(teams_policy(name), digest([sorted(holders.get(key, ())), granted]))


def narrowed(observed: TeamsState, target: TeamsTarget) -> Iterator[ListHolders]:
    """Policies that lose applications and stay, with a digest of who holds them; everyone holds
    Global, so it has none.
    """
    shorter = {
        key
        for key in (observed.policies.keys() & target.policies.keys()) - {GLOBAL}
        if observed.policies[key].applications.keys() - target.policies[key].applications.keys()
    }
    if shorter:
        names = {key: observed.policies[key].name for key in shorter}
        yield from _short_lists(names, observed.users, observed.groups)


def _short_lists(
    names: Mapping[str, str], users: Mapping[str, str], groups: Sequence[GroupAssignment]
) -> Iterator[ListHolders]:
    """Policies, by key with their names, and who holds them, for who returns to them."""
    granted = {user: key for user, key in users.items() if key in names}
    for key, name in names.items():
        yield ListHolders(teams_policy(name), holders_digest(key, granted, groups))


def holders_digest(key: str, users: Mapping[str, str], groups: Iterable[GroupAssignment]) -> str:
    """SHA-256 of who holds a policy: the users by lower-case ids, sorted, and if groups do, all group
    grants in rank order: who gets a policy by a group depends on the stronger ones.
    """
    rows = [list(row) for row in groups]
    granted = sorted(user for user, policy in users.items() if policy == key)
    return digest([granted, rows if any(policy == key for _, policy in rows) else []])


def _policy_of(observed: TeamsState, key: str) -> TeamsPolicy | None:
    """A policy; what a grant that is not understood gives is unknown."""
    return TeamsPolicy(key, {key: key}, "") if is_opaque(key) else observed.policies.get(key)


def _touched(observed: TeamsState, target: TeamsTarget) -> set[str]:
    keys = observed.policies.keys() | target.policies.keys()
    changed = {key for key in keys if observed.policies.get(key) != target.policies.get(key)}
    granted = {policy for policy in target.users.values() if policy is not None}
    leaving = {observed.users[user] for user in target.users if user in observed.users}
    source = set() if target.tenant_grant is None else {target.tenant_grant}
    listing = {
        key
        for policies in (observed.policies, target.policies)
        for key, policy in policies.items()
        if target.quarantined & policy.applications.keys()
    }
    return changed | granted | leaving | source | listing


def _stored(policy: TeamsPolicy | None) -> StoredTeamsPolicy | None:
    if policy is None:
        return None
    applications = tuple(
        key if is_opaque(key) else policy.applications[key] for key in sorted(policy.applications)
    )
    return StoredTeamsPolicy(applications, policy.description, policy.name)


def starting_snapshot(section: TeamsBaseline) -> Snapshot:
    """The snapshot that a plan file's baseline describes."""
    groups = tuple(GroupAssignment(row.group, row.policy) for row in section.groups)
    snapshot: Snapshot = {GROUPS: groups}
    for key, stored in section.policies.items():
        snapshot |= _policy(
            key,
            None if stored is None else stored.applications,
            None if stored is None else stored.description,
        )
    snapshot |= {teams_user_grant(user): policy for user, policy in section.users.items()}
    return snapshot | {_others(key): is_held for key, is_held in section.others.items()}


def project(
    section: TeamsBaseline, observed: TeamsState, quarantined: frozenset[str] = frozenset()
) -> Snapshot:
    """The same part of a tenant as it is now; a list that nobody expects shows too if it has an
    application that shall be in none.
    """
    snapshot: Snapshot = {GROUPS: observed.groups}
    listing = {
        key
        for key, policy in (observed.policies.items() if quarantined else ())
        if quarantined & policy.applications.keys()
    }
    for key in listing.union(section.policies):
        policy = _policy_of(observed, key)
        snapshot |= _policy(
            key,
            None if policy is None else policy.applications,
            None if policy is None else policy.description,
        )
    snapshot |= {teams_user_grant(user): observed.users.get(user) for user in section.users}
    kept = staying(observed, section.users)
    snapshot |= {_others(key): key in kept for key in section.others}
    return snapshot | opaque_snapshot(opaque(observed))


def effect(snapshot: Snapshot, step: Step) -> Snapshot:
    """What a step changes in a snapshot: only the entries that it touches.

    Raises:
        KeyError, TypeError, ValueError: the step does not follow from the snapshot.
    """
    given = step.parameters
    match step.cmdlet:
        case "New-CsApplicationAccessPolicy":
            return _policy(
                name_key(parameter_text(given["Identity"])),
                parameter_ids(given.get("AppIds", [])),
                parameter_text(given.get("Description", "")),
            )
        case "Set-CsApplicationAccessPolicy":
            return _edited(snapshot, given)
        case "Remove-CsApplicationAccessPolicy":
            return _policy(name_key(parameter_text(given["Identity"])), None, None)
        case "Grant-CsApplicationAccessPolicy":
            return _granted(snapshot, given)
        case _:
            raise ValueError(f"{step.cmdlet} is not a Teams write cmdlet")


def spellings(
    section: TeamsBaseline, steps: Sequence[Step], observed: TeamsState
) -> Mapping[str, str]:
    """Addresses of policies by lower-case key, with the name as the service, or the plan, spells
    it.
    """
    planned = {
        step.address.lower(): str(step.address)
        for step in steps
        if step.address.startswith(_POLICY)
    }
    stored = {
        key: policy.identity for key, policy in section.policies.items() if policy is not None
    }
    here = {key: policy.name for key, policy in observed.policies.items()}
    names = {**observed.spelled, **here, **stored}
    return planned | {teams_policy(key): teams_policy(name) for key, name in names.items()}


def told_state(
    section: TeamsBaseline, steps: Sequence[Step], snapshot: Snapshot
) -> tuple[TeamsState, frozenset[str]]:
    """What a snapshot tells of the Teams side, and the users whose direct grant it tells."""
    spelled = _spelled(section, steps)
    listed = {
        name.removeprefix(_POLICY): value
        for name, value in snapshot.items()
        if name.startswith(_POLICY) and isinstance(value, frozenset)  # the other entries of a
        # policy, its description and whether others hold it, are not lists
    }
    grants = {name.removeprefix(_USER): value for name, value in _of_users(snapshot)}
    policies = {
        key: TeamsPolicy(spelled.get(key, key), dict.fromkeys(applications, ""), "")
        for key, applications in listed.items()
    }
    users = {user: policy for user, policy in grants.items() if isinstance(policy, str)}
    read = snapshot.get(f"{EVERY_GROUP}{OPAQUE_MARK}")
    rows = (
        tuple(OpaqueRow(text, "") for text in sorted(read)) if isinstance(read, frozenset) else ()
    )
    return TeamsState(policies, _groups(snapshot), users, spelled, rows), frozenset(grants)


def access_bounds(
    section: TeamsBaseline, steps: Sequence[Step], before: Snapshot, after: Snapshot
) -> AccessBounds:
    """What a plan's baseline and steps alone say about access."""
    others = frozenset(key for key, by_others in section.others.items() if by_others)
    states = [told_state(section, steps, snapshot)[0] for snapshot in (before, after)]
    # One made-up user represents all whom no step touches.
    was, shall = (
        replace(state, users={**state.users, **{f"{key} (others)": key for key in others}})
        for state in states
    )
    transition = access_delta.transition(was, shall, NOTHING_KNOWN)
    holders = (PolicyHolders(_by_policy(state.users), others) for state in states)
    return bounds(access_delta.delta(transition), *holders)


def _by_policy(users: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    holders: dict[str, set[str]] = defaultdict(set)
    for user, policy in users.items():
        holders[policy].add(user)
    return {policy: frozenset(users) for policy, users in holders.items()}


def shows(address: Address, values: Mapping[str, Json] | None, snapshot: Snapshot) -> bool:
    """Whether a change gives an object the values that a snapshot has."""
    match parse_address(address):
        case TeamsPolicyAddress(name):
            return _shows_policy(name_key(name), values, snapshot)
        case TeamsTenantGrantAddress():
            listed = _applications(snapshot, GLOBAL)
            given = [] if values is None else values.get("applications")
            return sorted(listed) == given and (values is not None or not listed)
        case TeamsUserGrantAddress(user):
            policy = snapshot.get(teams_user_grant(user).lower())
            return policy == (None if values is None else name_key(str(values.get("policy"))))
        case TeamsGroupGrantAddress(group):
            rows = enumerate(_groups(snapshot), 1)
            place = next(((row, rank) for rank, row in rows if row.group == group.lower()), None)
            if place is None or values is None:
                return place is None and values is None
            row, rank = place
            return (name_key(str(values.get("policy"))), values.get("rank")) == (row.policy, rank)
        case _:
            return False


def _shows_policy(key: str, values: Mapping[str, Json] | None, snapshot: Snapshot) -> bool:
    listed = snapshot.get(teams_policy(key))
    if not isinstance(listed, frozenset) or values is None:
        return listed is None and values is None
    described = key == GLOBAL or values.get("description") == snapshot.get(_description(key))
    return values.get("applications") == sorted(listed) and described


def _of_users(snapshot: Snapshot) -> Iterator[tuple[str, SnapshotValue]]:
    return ((name, value) for name, value in snapshot.items() if name.startswith(_USER))


def _spelled(section: TeamsBaseline, steps: Sequence[Step]) -> Mapping[str, str]:
    """Names of policies as the service spells them, or will."""
    stored = {
        key: policy.identity for key, policy in section.policies.items() if policy is not None
    }
    created = (
        parameter_text(step.parameters["Identity"])
        for step in steps
        if step.cmdlet == "New-CsApplicationAccessPolicy"
    )
    return stored | {name_key(name): name for name in created}


def _policy(key: str, applications: Iterable[str] | None, description: str | None) -> Snapshot:
    """A policy in a snapshot.

    Global's description is left out: whether a tenant-wide grant copies it is not documented.
    """
    listed = (
        None
        if applications is None
        else frozenset(each if is_opaque(each) else each.lower() for each in applications)
    )
    address = teams_policy(key)
    return {address: listed} if key == GLOBAL else {address: listed, _description(key): description}


def _description(key: str) -> str:
    return f"{DESCRIPTION_OF}{teams_policy(key)}"


def _others(key: str) -> str:
    return f"{OTHER_HOLDERS_OF}{teams_policy(key)}"


def _edited(snapshot: Snapshot, given: Mapping[str, ParameterValue]) -> Snapshot:
    key = name_key(parameter_text(given["Identity"]))
    edit = given.get("AppIds", {})
    if not isinstance(edit, dict):
        raise TypeError(f"expected `Add` or `Remove`, found {edit!r}")
    kept = _applications(snapshot, key) - parameter_ids(edit.get("Remove", []))
    changed: Snapshot = {teams_policy(key): kept | parameter_ids(edit.get("Add", []))}
    if "Description" in given and key != GLOBAL:
        changed[_description(key)] = parameter_text(given["Description"])
    return changed


def _applications(snapshot: Snapshot, key: str) -> frozenset[str]:
    listed = snapshot[teams_policy(key)]
    if isinstance(listed, frozenset):
        return listed
    raise ValueError(f"{teams_policy(key)} does not exist")


def _groups(snapshot: Snapshot) -> tuple[GroupAssignment, ...]:
    groups = snapshot[GROUPS]
    return groups if isinstance(groups, tuple) else ()


def _granted(snapshot: Snapshot, given: Mapping[str, ParameterValue]) -> Snapshot:
    name = given["PolicyName"]
    policy = None if name is None else name_key(parameter_text(name))
    if "Identity" in given:
        return {teams_user_grant(parameter_text(given["Identity"])): policy}
    if "Group" in given:
        return {GROUPS: _regrouped(_groups(snapshot), given, policy)}
    return {teams_policy(GLOBAL): snapshot[teams_policy(str(policy))]}


def _regrouped(
    groups: tuple[GroupAssignment, ...], given: Mapping[str, ParameterValue], policy: str | None
) -> tuple[GroupAssignment, ...]:
    """A grant puts the group at its rank and pushes the others down; without a policy the group
    leaves and the others close up.
    """
    group = parameter_text(given["Group"])
    others = [assignment for assignment in groups if assignment.group != group]
    if policy is not None:
        rank = given["Rank"]
        if not isinstance(rank, int):
            raise ValueError(f"expected a rank, found {rank!r}")
        others.insert(rank - 1, GroupAssignment(group, policy))
    return tuple(others)
