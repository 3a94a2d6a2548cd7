"""The Teams part of a capture -> `TeamsState`.

Shapes are those of `Get-CsApplicationAccessPolicy`, `Get-CsGroupPolicyAssignment -PolicyType
ApplicationAccessPolicy` and `Get-CsOnlineUser` (MicrosoftTeams 6.4.0 and 7.7.0). What versions and
PowerShell editions are known to print differently is accepted; nothing is guessed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeGuard

from msgspec import UNSET, Struct, UnsetType, convert

from reconciler.guids import guid, object_id
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import (
    DAMAGED,
    are_texts,
    as_list,
    blank_as_empty,
    by_key,
    name_fault,
    object_ids,
    objects,
    opaque_key,
    raw_text,
    shown,
    typed,
)
from reconciler.model.addresses import GLOBAL, name_key
from reconciler.model.observed import (
    OPAQUE,
    GroupAssignment,
    OpaqueRow,
    TeamsPolicy,
    TeamsState,
    is_nameless,
    is_opaque,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

POLICY_TYPE: Final = "ApplicationAccessPolicy"
TEMPLATE: Final = "default"
"""Key of the template instance that some policy types list beside Global (Get-CsTeamsChannelsPolicy
page). It is not a policy of the tenant's.
"""
_TAG: Final = "tag:"
_POLICY: Final = ("AppIds", "Description", "Identity")
_UNTOLD: Final = '{"Identity"'
_TELLING: Final = ("GroupId", "PolicyName", "PolicyType", "Priority", "Rank")
"""The properties of a group's row that are looked at."""


class GrantedPolicy(Struct, frozen=True, gc=False):
    """An object that a user's row has for the policy (module 3.0.0 and newer)."""

    Name: Any = UNSET


Granted: TypeAlias = GrantedPolicy | str | int | float | bool | list[Any] | UnsetType | None


class GrantRow(Struct, frozen=True, gc=False):
    """A user's row: whose it is, and what it says about the direct grant; nothing is judged yet."""

    Identity: Any
    ApplicationAccessPolicy: Granted = UNSET
    PolicyName: Granted = UNSET

    @property
    def granted(self) -> Any:
        """The name of the policy, or what is in its place; None for no grant."""
        granted = self.ApplicationAccessPolicy
        if granted is UNSET:
            granted = self.PolicyName
        if isinstance(granted, GrantedPolicy):
            return {} if granted.Name is UNSET else granted.Name
        return None if granted is UNSET or granted == "" else granted


class TeamsRows(Struct, forbid_unknown_fields=True):
    """The section of a capture whose users are all of the usual shape."""

    users: list[GrantRow]
    complete: Any = UNSET
    tenantId: Any = UNSET  # noqa: N815  as the file spells it
    reads: Any = UNSET
    policies: Any = UNSET
    groupAssignments: Any = UNSET  # noqa: N815
    readOnce: Any = UNSET  # noqa: N815


def parse(section: Mapping[str, Any]) -> TeamsState:
    """Parse the `teams` part of a capture.

    Raises:
        CaptureFault: one line per fault.
    """
    faults = FaultList()
    state = parse_section(section, "$.teams", faults)
    faults.refuse("capture")
    return state


def parse_section(
    section: Mapping[str, Any], path: str, faults: FaultList, *, holders_only: bool = False
) -> TeamsState:
    """Parse like `parse`, with faults collected; the result is of use only if there are none.

    Args:
        section: the `teams` part of a capture.
        path: its JSON path.
        faults: where faults go.
        holders_only: whether `users` were asked for as those who hold a policy: one without
            contradicts the question.
    """
    names = _Names(faults)
    policies = _policies(objects(section, "policies", path, faults), f"{path}.policies", names)
    groups, opaque_ranks = _groups(
        objects(section, "groupAssignments", path, faults), f"{path}.groupAssignments", names
    )
    users = _users(section, path, names, holders_only=holders_only)
    return TeamsState(policies, groups, users, names.spelled(policies), opaque_ranks)


def is_told(name: Any) -> TypeGuard[str]:
    """Whether what was read for the name of a policy is one, as the service has it."""
    return isinstance(name, str) and DAMAGED not in name


def bare_name(identity: str) -> str:
    """A policy's name without the optional `Tag:` of its Identity."""
    return identity[len(_TAG) :] if identity[: len(_TAG)].lower() == _TAG else identity


def granted_name(row: Mapping[str, Any]) -> Any:
    """What a user's row says about the direct grant, as `GrantRow.granted` has it."""
    return convert({"Identity": None, **row}, GrantRow).granted


def told_name(granted: Any) -> str | None:
    """The name of the policy in what a user's row says, without its `Tag:`; None if the row has
    something in its place that cannot be a name.
    """
    name = bare_name(granted) if isinstance(granted, str) else ""
    return None if name_fault(name) else name


class _Names:
    """Policy names as they were spelled, each checked once however many rows have it."""

    def __init__(self, faults: FaultList) -> None:
        self.faults = faults
        self.keys: dict[str, str] = {}
        self._spellings: dict[str, str] = {}
        self._read: Collection[str] | None = None

    def is_fit(self, spelling: str) -> bool:
        """Whether a text can be the name of a policy; it has its key from then on."""
        if spelling not in self.keys and not name_fault(name := bare_name(spelling)):
            key = self.keys[spelling] = name_key(name)
            self._spellings[key] = min(name, self._spellings.get(key, name))
        return spelling in self.keys

    def is_grantable(self, spelling: str) -> bool:
        """Whether a text can be the name of a policy other than Global, and of which is known."""
        if not self.is_fit(spelling) or self.keys[spelling] == GLOBAL:
            return False
        return self._read is None or self.keys[spelling] in self._read

    def key(self, row: Mapping[str, Any]) -> str:
        """Key of a policy, an opaque one if its name is not fit; of all that was read if it has none,
        or one that was damaged on the way, which may be any.
        """
        name = row.get("Identity")
        if not is_told(name):
            return opaque_key(_kept(row))
        return self.keys[name] if self.is_fit(name) else opaque_key(bare_name(name))

    def assert_read(self, policies: Mapping[str, TeamsPolicy]) -> None:
        """From here on only these names can be granted, if a policy was read without its name: what
        another grant names may be that one.
        """
        if any(map(is_nameless, policies)):
            self._read = policies.keys()

    def granted(self, value: Any) -> str:
        """Key of the policy of a grant, an opaque one if it cannot be the name of a policy that
        anybody is granted: nobody can be granted Global.
        """
        if isinstance(value, str) and self.is_grantable(value):
            return self.keys[value]
        return opaque_key(bare_name(value) if isinstance(value, str) else value)

    def spelled(self, policies: Mapping[str, TeamsPolicy]) -> dict[str, str]:
        """Key to spelling: a policy's own, and for one that does not exist the first in code-point
        order.
        """
        spellings = {
            key: policies[key].name if key in policies else name
            for key, name in self._spellings.items()
        }
        spellings[GLOBAL] = policies[GLOBAL].name
        return by_key(spellings)


def _kept(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was read of a policy, as far as it is looked at."""
    return {name: row[name] for name in _POLICY if name in row}


def _policies(
    rows: Sequence[Mapping[str, Any]], path: str, names: _Names
) -> dict[str, TeamsPolicy]:
    read: dict[str, list[tuple[Mapping[str, Any], TeamsPolicy]]] = {}
    for index, row in enumerate(rows):
        identity = row.get("Identity")
        if isinstance(identity, str) and name_key(bare_name(identity)) == TEMPLATE:
            continue
        if row:
            key = names.key(row)
            policy = _policy(_name(key, identity), row, f"{path}[{index}]", names.faults)
            read.setdefault(key, []).append((_kept(row), policy))
    if GLOBAL not in read:
        # A tenant that lists no Global has an empty one, unless its row is one without a name.
        doubtful = {key: key for key in read if is_nameless(key)}
        read[GLOBAL] = [({}, TeamsPolicy("Global", doubtful, ""))]
    policies = by_key({key: _agreed(doubles) for key, doubles in read.items()})
    names.assert_read(policies)
    return policies


def _name(key: str, identity: Any) -> str:
    """A policy's name for people: as the service spells it, or what was read."""
    if key == GLOBAL:
        return "Global"
    return key if is_opaque(key) else bare_name(identity)


def _agreed(doubles: Sequence[tuple[Mapping[str, Any], TeamsPolicy]]) -> TeamsPolicy:
    """The policy of one row; of several of one name what they agree in, and as an entry that is not
    understood what was read.
    """
    in_order = sorted(doubles, key=lambda double: raw_text(double[0]))
    first, *others = (policy for _, policy in in_order)
    if not others:
        return first
    read = [row for row, _ in in_order]
    agreed = {
        application: min(policy.applications[application] for policy in (first, *others))
        for application in first.applications
        if all(application in policy.applications for policy in others)
    }
    return TeamsPolicy(
        min(policy.name for policy in (first, *others)),
        by_key(agreed | {opaque_key(read): raw_text(read)}),
        first.description,
        raw_text(read),
    )


def _policy(name: str, row: Mapping[str, Any], path: str, faults: FaultList) -> TeamsPolicy:
    description = blank_as_empty(row.get("Description"))
    return TeamsPolicy(
        name,
        _applications(row.get("AppIds"), f"{path}.AppIds", faults),
        description or "",
        raw_text(row["Description"]) if description is None else "",
    )


def _applications(value: Any, path: str, faults: FaultList) -> dict[str, str]:
    applications: dict[str, str] = {}
    for spelled in as_list(value, path, faults):
        application = guid(spelled)
        if spelled is None:
            continue  # what PowerShell makes of a list that was not there
        if application is None:
            applications[opaque_key(spelled)] = raw_text(spelled)
        else:
            applications[application] = min(spelled, applications.get(application, spelled))
    return by_key(applications)


class _RankedRow(NamedTuple):
    """A group's row: its rank (0 is not understood), its grant, and what was read."""

    rank: int
    assignment: GroupAssignment
    row: Mapping[str, Any]


def _groups(
    rows: Sequence[Mapping[str, Any]], path: str, names: _Names
) -> tuple[tuple[GroupAssignment, ...], tuple[OpaqueRow, ...]]:
    """Groups in rank order, and rows whose place among the others is not understood."""
    ranked = [
        ranked_row
        for index, row in enumerate(rows)
        if row and (ranked_row := _group(row, f"{path}[{index}]", names)) is not None
    ]
    ranks = Counter(row.rank for row in ranked)
    groups = Counter(row.assignment.group for row in ranked)
    opaque = [
        OpaqueRow(raw_text(row.row), flaw)
        for row in ranked
        if (flaw := _place_flaw(row, ranks[row.rank], groups[row.assignment.group]))
    ]
    order = sorted((row.rank, row.assignment) for row in ranked)
    return tuple(dict.fromkeys(assignment for _, assignment in order)), tuple(sorted(set(opaque)))


def _place_flaw(row: _RankedRow, of_rank: int, of_group: int) -> str | None:
    """Why the place of a group is not understood, if it is not."""
    if is_opaque(row.assignment.group):
        return f"GroupId: {shown(row.row.get('GroupId'))} is not an object id (a GUID)"
    if not row.rank:
        ranks = ", ".join(f"{name} {shown(row.row.get(name))}" for name in ("Priority", "Rank"))
        return f"Priority: expected one rank, an integer from 1, found {ranks}"
    if of_rank > 1:
        return f"Priority: rank {row.rank} appears twice, so the order of the groups is unknown"
    return "GroupId: appears twice, but a group has one policy" if of_group > 1 else None


def _group(row: Mapping[str, Any], path: str, names: _Names) -> _RankedRow | None:
    if row.get("PolicyType", POLICY_TYPE) != POLICY_TYPE:
        names.faults.add(
            f"{path}.PolicyType",
            f"expected {POLICY_TYPE}, found {shown(row['PolicyType'])}: fetch again",
        )
        return None
    kept = {name: row[name] for name in _TELLING if name in row}
    group = object_id(row.get("GroupId")) or opaque_key(row.get("GroupId"))
    assignment = GroupAssignment(group, names.granted(row.get("PolicyName")))
    return _RankedRow(rank_of(row) or 0, assignment, kept)


def rank_of(row: Mapping[str, Any]) -> int | None:
    """The property is `Priority`; `Rank` is what tables print. Both at once must agree."""
    ranks = [row[key] for key in ("Priority", "Rank") if row.get(key) is not None]
    if not ranks or any(
        not isinstance(rank, int) or isinstance(rank, bool) or rank < 1 for rank in ranks
    ):
        return None
    return None if min(ranks) != max(ranks) else int(ranks[0])


def _users(
    section: Mapping[str, Any], path: str, names: _Names, *, holders_only: bool
) -> dict[str, str]:
    """Keys of the policies granted directly, by user, column by column: there may be 100,000."""
    rows = typed(section, "users", GrantRow, path, names.faults)
    here = f"{path}.users"
    ids = _user_ids(rows)
    granted = _granted(rows)
    if are_texts(granted) and all(map(names.is_grantable, set(granted))):
        users = dict(zip(ids, map(names.keys.__getitem__, granted), strict=True))
        if len(users) == len(ids):
            return users
    return _users_by_row(ids, rows, here, names, holders_only=holders_only)


def _user_ids(rows: Sequence[GrantRow]) -> Sequence[str]:
    """The ids of many rows in lower case; what was read of a row without a valid id: its holder is
    unknown. `""` for what is not an object, which was reported already.
    """
    spelled = [row.Identity for row in rows]
    return object_ids(spelled) or [
        object_id(value) or ("" if value is UNSET else opaque_key(_kept_grant(row)))
        for value, row in zip(spelled, rows, strict=True)
    ]


def _kept_grant(row: GrantRow) -> Mapping[str, Any]:
    return {"Identity": row.Identity, POLICY_TYPE: row.granted}


def is_silent(row: Any) -> bool:
    """Whether a user's row, parsed or raw, does not say whether a policy is granted."""
    if isinstance(row, GrantRow):
        return row.ApplicationAccessPolicy is UNSET and row.PolicyName is UNSET
    return isinstance(row, dict) and not row.keys() & {POLICY_TYPE, "PolicyName"}


def is_untold(key: str) -> bool:
    """Whether a grant is what was read of a row that does not say which policy is granted."""
    return is_opaque(key) and key[len(OPAQUE) :].startswith(_UNTOLD)


def _granted(rows: Sequence[GrantRow]) -> Sequence[Any]:
    """What many rows say, of which modules since 3.0.0 make objects with a name."""
    policies = [row.ApplicationAccessPolicy for row in rows]
    named = [policy.Name for policy in policies if isinstance(policy, GrantedPolicy)]
    return named if len(named) == len(rows) else [row.granted for row in rows]


def _users_by_row(
    ids: Sequence[str], rows: Sequence[GrantRow], path: str, names: _Names, *, holders_only: bool
) -> dict[str, str]:
    """The same row by row, where one is odd: two may be the same, and what is granted may not be
    understood, or not told. Where no row tells it, something else was read than was asked for.
    """
    granted: dict[str, set[str]] = {}
    is_asked = any(row.granted is not None for row in rows)
    for index, (user, row) in enumerate(zip(ids, rows, strict=True)):
        if not user:
            continue  # told already
        if row.granted is not None:
            granted.setdefault(user, set()).add(names.granted(row.granted))
        elif is_asked and is_silent(row):
            granted.setdefault(user, set()).add(opaque_key({"Identity": row.Identity}))
        elif flaw := _no_grant_fault(row, holders_only=holders_only):
            names.faults.add(f"{path}[{index}].{POLICY_TYPE}", flaw)
    return {
        user: next(iter(keys)) if len(keys) == 1 else opaque_key(sorted(keys))
        for user, keys in granted.items()
    }


def _no_grant_fault(row: GrantRow, *, holders_only: bool) -> str | None:
    """Why a row without a policy is not one of a user without a grant: the policy was not read."""
    if is_silent(row):
        return (
            "is missing, so the user's policy is unknown: fetch again with -Properties"
            f" {POLICY_TYPE}"
        )
    if holders_only:
        return (
            "is empty, but only users with a policy were requested: fetch again with -Properties"
            f" {POLICY_TYPE}"
        )
    return None
