"""The Teams service: `*-CsApplicationAccessPolicy` as MicrosoftTeams 6.4.0 and 7.7.0 and their
pages describe it.

Where no public source says what the service does, a comment does, and the answer taken is the
harsher one or can be had by a fault. Rows are replaced, never changed: a capture that was taken
keeps what it saw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from reconciler.guids import object_id
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import as_list, raw_text
from reconciler.kinds.teams.facts import MOST_GROUPS
from reconciler.kinds.teams.groups import group_coverage
from reconciler.kinds.teams.parse import POLICY_TYPE, TEMPLATE, bare_name, granted_name, rank_of
from reconciler.kinds.teams.reading_once import read_once
from reconciler.model.addresses import GLOBAL, name_key
from reconciler.tenants.protocol import Done, Failed, Fault, Outcome
from reconciler.tenants.simulated.service import NamedByRows, Row, ServiceRead, ServiceReading

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.canonical import Json
    from reconciler.tenants.simulated.moment import Moment
    from reconciler.tenants.simulated.people import SimulatedPeople

_ADMINISTRATOR: Final = "aeb7c0e7-2f6d-43ef-bf33-bfbcb93fdc64"
_EMPTY_GLOBAL: Final[Row] = {"Identity": "Global", "AppIds": [], "Description": ""}
_CORRELATION: Final = "00000000-0000-0000-0000-000000000000"


class TeamsService:
    """Policies, group assignments in rank order, and direct grants of one tenant."""

    def __init__(self, section: Row, people: SimulatedPeople) -> None:
        self._people = people
        rows = _rows(section, "policies")
        self._policies: dict[str, Row] = {GLOBAL: _EMPTY_GLOBAL} | {
            _key(row.get("Identity")): row for row in reversed(rows)
        }
        self._policies = {key: self._policies[key] for key in _in_order(rows)}
        self._doubles = [
            row for row in rows if self._policies[_key(row.get("Identity"))] is not row
        ]
        groups = sorted(_rows(section, "groupAssignments"), key=lambda row: rank_of(row) or 0)
        is_order = len({rank_of(row) for row in groups} - {None}) == len(groups)
        self._groups = _ranked(groups) if is_order else groups
        self._users: dict[str, Row] = {
            _holder(row): row for row in _rows(section, "users") if granted_name(row) is not None
        }
        self._holders = Counter(_key(granted_name(row)) for row in self._users.values())

    def section(self) -> dict[str, list[Row]]:
        """The rows as Get cmdlets return them: Global first, groups by rank, users who have a
        direct grant.
        """
        return {
            "policies": [*self._policies.values(), *self._doubles],
            "groupAssignments": list(self._groups),
            "users": list(self._users.values()),
        }

    @property
    def writes(self) -> Mapping[str, Callable[[Moment], Outcome]]:
        """The cmdlets that write."""
        return {
            "New-CsApplicationAccessPolicy": self.new,
            "Set-CsApplicationAccessPolicy": self.set,
            "Grant-CsApplicationAccessPolicy": self.grant,
            "Remove-CsApplicationAccessPolicy": self.remove,
        }

    def read(self, seed: int) -> ServiceReading:  # noqa: ARG002  always answers alike
        """All rows; users by the filter on those who hold a policy."""
        rows = self.section()
        reads = (
            ServiceRead("Get-CsApplicationAccessPolicy", {}, len(rows["policies"])),
            ServiceRead(
                "Get-CsGroupPolicyAssignment",
                {"PolicyType": POLICY_TYPE},
                len(rows["groupAssignments"]),
            ),
            ServiceRead(
                "Get-CsOnlineUser", {"Filter": f"{POLICY_TYPE} -ne $null"}, len(rows["users"])
            ),
        )
        identities = (row.get("Identity") for row in rows["policies"])
        names = [bare_name(name) for name in identities if isinstance(name, str)]
        sections: dict[str, Sequence[Row | str]] = {**rows, **read_once(names)}
        return ServiceReading(sections, reads)

    def effective(self, users: Iterable[str], clock: str) -> Sequence[Row]:
        """Get-CsUserPolicyAssignment of each user, as far as it is known who is in the groups: the
        policy that is granted directly, else that of the strongest group, with all sources.
        """
        known_ids = (self._people.user(name) for name in users)
        return [
            {"user": user, "taken_at": clock, "rows": rows}
            for user in sorted({user for user in known_ids if user is not None})
            if (rows := self.assignment_of(user)) is not None
        ]

    def assignment_of(self, user: str) -> Sequence[Row] | None:
        """The objects of Get-CsUserPolicyAssignment; None if who is in a group is not known."""
        covers = group_coverage(self._people.known)
        sources = []
        for row in self._groups:
            is_member = covers(_group(row)).covers(user)
            if is_member is None:
                return None
            if is_member:
                sources.append(_source("Group", row["PolicyName"], _group(row)))
        direct = self._users.get(user)
        if direct is not None:
            sources.insert(0, _source("Direct", granted_name(direct), None))
        if not sources:
            return []
        policy = sources[0]["PolicyName"]
        return [{"PolicyType": POLICY_TYPE, "PolicyName": policy, "PolicySource": sources}]

    def named(self) -> NamedByRows:
        """Holders of direct grants, and groups that hold one."""
        return NamedByRows(
            users=self._users.keys(),
            groups=tuple(_group(row) for row in self._groups),
        )

    @property
    def holders(self) -> Mapping[str, Row]:
        """Direct grants by the user's object id."""
        return self._users

    @property
    def groups(self) -> Sequence[Row]:
        """Group assignments in rank order."""
        return self._groups

    def new(self, moment: Moment) -> Outcome:
        """New-CsApplicationAccessPolicy.

        The text of the refusal is invented; that names ignore case is inferred from sibling pages.
        """
        name = bare_name(moment.text("Identity"))
        key = name_key(name)
        if key in self._policies or key == TEMPLATE:
            return Failed(Fault.EXISTS, f'[ClientError] : The policy "{name}" already exists')
        self._policies[key] = {
            "Identity": f"Tag:{name}",
            "AppIds": _texts(moment.parameters.get("AppIds")),
            "Description": moment.text("Description"),
        }
        return Done()

    def set(self, moment: Moment) -> Outcome:
        """Set-CsApplicationAccessPolicy."""
        key = _key(moment.text("Identity"))
        row = self._policies.get(key)
        if row is None:
            return _unknown(moment.text("Identity"))
        if "AppIds" in moment.parameters:
            ordinal = moment.quirks.ordinal_removal
            row = {
                **row,
                "AppIds": _edited(_applications(row), moment.parameters["AppIds"], ordinal=ordinal),
            }
        if "Description" in moment.parameters:
            row = {**row, "Description": moment.text("Description")}
        self._policies[key] = row
        return Done()

    def grant(self, moment: Moment) -> Outcome:
        """Grant-CsApplicationAccessPolicy, to one of tenant, group and user."""
        name = moment.text("PolicyName")
        if name and _key(name) not in self._policies:
            return _unknown(name)
        if moment.parameters.get("Global") is True:
            return self._grant_tenant(name)
        if name and _key(name) == GLOBAL:
            return Failed(
                Fault.INVALID,
                f'Policy "{name}" is not a user policy. You can assign only a user policy to a'
                " specific user.",
            )
        return (
            self._grant_group(name, moment)
            if "Group" in moment.parameters
            else self._grant_user(name, moment)
        )

    def remove(self, moment: Moment) -> Outcome:
        """Remove-CsApplicationAccessPolicy.

        Global is emptied and stays, as the pages of sibling policies say.
        """
        name = bare_name(moment.text("Identity"))
        key = name_key(name)
        if key not in self._policies:
            return _unknown(name)
        if key == GLOBAL:
            self._policies[GLOBAL] = _EMPTY_GLOBAL
            return Done()
        if self._holders[key] or any(_key(row["PolicyName"]) == key for row in self._groups):
            return Failed(
                Fault.ASSIGNED,
                f'[ClientError] : The policy "{name}" is currently assigned to one or more users or'
                " groups. Ensure policy is not assigned before removing. Please refer to"
                f" documentation. CorrelationId: {_CORRELATION}",
            )
        del self._policies[key]
        for row in [row for row in self._doubles if _key(row.get("Identity")) == key][:1]:
            self._policies[key] = row
            self._doubles.remove(row)
        return Done()

    def _grant_tenant(self, name: str) -> Outcome:
        """Global takes over the values: later edits of the named policy do not reach it (ten
        sibling pages). No name: the defaults again.
        """
        source = self._policies[_key(name)] if name else _EMPTY_GLOBAL
        self._policies[GLOBAL] = {
            **self._policies[GLOBAL],
            "AppIds": _applications(source),
            "Description": source.get("Description") or "",
        }
        return Done()

    def _grant_user(self, name: str, moment: Moment) -> Outcome:
        """A user has one direct policy at most: a new one replaces it
        (Grant-CsApplicationAccessPolicy page).
        """
        user = self._people.user(moment.text("Identity"))
        if user is None:
            return Failed(
                Fault.NOT_FOUND, f'[ClientError] : User "{moment.text("Identity")}" not found'
            )
        before = self._users.pop(user, None)
        if before is not None:
            self._holders[_key(granted_name(before))] -= 1
        if name:
            row, policy = self._people.user_row(user), self._spelled(name)
            granted = {"Authority": "Tenant", "Name": policy}
            self._users[user] = {
                "Identity": row["id"],
                "UserPrincipalName": row["upn"],
                POLICY_TYPE: granted,
            }
            self._holders[_key(policy)] += 1
        return Done()

    def _grant_group(self, name: str, moment: Moment) -> Outcome:
        """Ranks are dense: what is at the rank and behind it moves down, a rank beyond the end
        is the last (New-CsGroupPolicyAssignment page).

        Taking away what a group does not have is accepted; no source says. In-place re-grants are
        not documented either.
        """
        group = moment.text("Group").lower()
        others = [row for row in self._groups if _group(row) != group]
        if name and len(others) < len(self._groups) and moment.quirks.in_place_regrant_refused:
            return Failed(
                Fault.EXISTS,
                f"[ClientError] : Group {group} already has a policy of type {POLICY_TYPE}"
                " assigned",
            )
        if name and len(others) >= MOST_GROUPS:
            return Failed(
                Fault.INVALID,
                f"[ClientError] : No more than {MOST_GROUPS} groups can have a policy of type"
                f" {POLICY_TYPE}",
            )
        if name:
            place = _rank(moment.parameters.get("Rank")) or len(others) + 1
            others.insert(place - 1, self._assignment(group, self._spelled(name), moment.clock))
        self._groups = _ranked(others)
        return Done()

    def _assignment(self, group: str, policy: str, clock: str) -> Row:
        return {
            "GroupId": group,
            "PolicyType": POLICY_TYPE,
            "PolicyName": policy,
            "CreatedTime": clock,
            "CreatedBy": _ADMINISTRATOR,
        }

    def _spelled(self, name: str) -> str:
        return bare_name(self._policies[_key(name)]["Identity"])


def _source(kind: str, policy: Any, reference: str | None) -> Row:
    """A source of an effective assignment (Get-CsUserPolicyAssignment page)."""
    return {"AssignmentType": kind, "PolicyName": policy, "Reference": reference}


def _unknown(name: str) -> Failed:
    return Failed(Fault.NOT_FOUND, f'[ClientError] : "{name}" not found')


def _key(identity: Any) -> str:
    """What a policy is found by; of what has no text, what was read."""
    is_name = isinstance(identity, str)
    return name_key(bare_name(identity)) if is_name else raw_text(identity)


def _in_order(rows: Iterable[Row]) -> Iterable[str]:
    return dict.fromkeys((GLOBAL, *(_key(row.get("Identity")) for row in rows)))


def _holder(row: Row) -> str:
    """What a user's row is found by; of one without an id, what was read."""
    return object_id(row.get("Identity")) or raw_text(row)


def _group(row: Row) -> str:
    group = row.get("GroupId")
    return group.lower() if isinstance(group, str) else raw_text(group)


def _rows(section: Row, key: str) -> Sequence[Row]:
    return as_list(section.get(key), "", FaultList())


def _ranked(rows: Sequence[Row]) -> list[Row]:
    """Rows with their ranks as `Priority`.

    `Rank`, which a capture may have beside or instead, would go on telling the old one.
    """
    return [
        row if row.get("Priority") == rank and "Rank" not in row else _at(rank, row)
        for rank, row in enumerate(rows, 1)
    ]


def _at(rank: int, row: Row) -> Row:
    return {**{key: value for key, value in row.items() if key != "Rank"}, "Priority": rank}


def _rank(value: Json) -> int | None:
    """The cmdlet's own code asks `if ($Rank)`: 0 is the same as no rank."""
    return value if isinstance(value, int) and value > 0 else None


def _texts(value: Json) -> list[str]:
    return [
        str(item)
        for item in as_list(list(value) if isinstance(value, tuple) else value, "", FaultList())
    ]


def _applications(row: Row) -> list[str]:
    return _texts(row.get("AppIds"))


def _edited(stored: list[str], edit: Json, *, ordinal: bool) -> list[str]:
    """A list after an edit, as PowerShell's PSListModifier does it: removes first, a missing one is
    passed over, adds do not look for doubles.

    A plain list replaces, but an empty one does nothing.
    """
    if not isinstance(edit, Mapping):
        return _texts(edit) or stored
    result = list(stored)
    for gone in _texts(edit.get("Remove")):
        listed = next(
            (
                kept
                for kept in result
                if kept == gone or (not ordinal and kept.lower() == gone.lower())
            ),
            None,
        )
        if listed is not None:
            result.remove(listed)
    return result + _texts(edit.get("Add"))
