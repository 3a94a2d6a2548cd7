"""The directory of a simulated tenant: everybody there is, and what a capture may tell of them."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

from reconciler.guids import guid, object_id
from reconciler.kinds import capture_directory
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import as_list, raw_text
from reconciler.model.observed import is_opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.canonical import Json
    from reconciler.model.observed import Recipient
    from reconciler.tenants.protocol import CaptureRequest


class SimulatedPeople:
    """Users, groups and recipients. They never change: no cmdlet of ours writes a directory."""

    def __init__(self, section: Mapping[str, Any], faults: FaultList) -> None:
        self.known = capture_directory.parse_directory(section, "$.directory", faults)
        self._rows = {
            key: _by_id(as_list(section.get(key), "", FaultList()))
            for key in ("users", "groups", "recipients")
        }

    def user(self, name: str) -> str | None:
        """Object id of a user by id or user principal name, in any case."""
        folded = name.lower()
        return folded if folded in self.known.users else self.known.users_by_upn.get(folded)

    def user_row(self, user: str) -> Mapping[str, Any]:
        """The row of a user who exists; of an id that is there twice, one of the rows."""
        return self._rows["users"][user][0]

    def recipient(self, name: str) -> Recipient | None:
        """A recipient by object id or any of its addresses, in any case."""
        folded = name.lower()
        return self.known.recipients.get(self.known.recipients_by_address.get(folded, folded))

    def seen(
        self,
        request: CaptureRequest,
        users: Iterable[str],
        groups: Iterable[str],
        scopes: Iterable[str],
    ) -> dict[str, Json]:
        """The `directory` of a capture: who was asked for and who is in what was read.

        Args:
            request: the names to look for. Each is looked for among users and recipients; it is
                absent if it is not among those it was asked of. So is a group that holds a grant,
                or that is asked for, unless the tenant has no groups at all.
            users: object ids of holders of direct grants.
            groups: object ids of groups that hold a grant; those of the request are added
                to them.
            scopes: object ids of the scopes of policies.
        """
        asked_scopes = (*request.recipients, *scopes)
        holders = {group.lower() for group in (*groups, *request.groups)}
        missing = {group for group in holders if self._is_no_group(group)}
        absent = missing | self._not_found(request.users, asked_scopes)
        if request.everything:
            return {
                **{key: self._listed(key, rows) for key, rows in self._rows.items()},
                "absent": sorted(absent),
            }
        asked = (*request.users, *asked_scopes)
        users_found = {user for name in asked if (user := self.user(name))}
        addressed = {recipient.id for name in asked if (recipient := self.recipient(name))}
        addressed |= self._within(addressed)
        unclear = self._unclear(asked)
        users_found |= unclear
        addressed |= unclear
        unplaced = self._unplaced() if any(map(guid, absent)) else set()
        # Only of a reading that tells groups it is believed that one is not there.
        groups_told = self.known.groups if missing else holders
        return {
            "users": self._listed("users", {*users_found, *users, *unplaced}),
            "groups": self._listed("groups", {*groups_told, *unplaced}),
            "recipients": self._listed("recipients", {*addressed, *unplaced}),
            "absent": sorted(absent),
        }

    def _not_found(self, users: Iterable[str], scopes: Iterable[str]) -> set[str]:
        """Names, in lower case, that lead to nobody for certain."""
        absent = {name.lower() for name in users if self.user(name) is None}
        absent |= {name.lower() for name in scopes if self.recipient(name) is None}
        return absent - self.known.unclear.keys()

    def _unclear(self, names: Iterable[str]) -> set[str]:
        """Rows of whoever has a name that leads to more than one, or to what is not understood."""
        keys = {key for name in names for key in self.known.unclear.get(name.lower(), ())}
        return keys | self._unplaced() if any(map(is_opaque, keys)) else keys

    def _unplaced(self) -> set[str]:
        """Rows that may be of any object: without an id, or with that of another one."""
        rows = chain.from_iterable(self._rows.values())
        return {*self.known.doubled, *(row for row in rows if not object_id(row))}

    def _is_no_group(self, group: str) -> bool:
        groups, recipients = self.known.groups, self.known.recipients
        return bool(groups) and group not in groups and group not in recipients

    def _within(self, recipients: Iterable[str]) -> set[str]:
        """Everybody in these groups and in nested groups: whoever decides who is covered must know
        who is not a group.
        """
        members: set[str] = set()
        waiting = list(recipients)
        while waiting:
            recipient = self.known.recipients.get(waiting.pop())
            inside = (recipient.members if recipient else None) or frozenset()
            waiting += inside - members
            members |= inside
        return members

    def _listed(self, key: str, ids: Iterable[str]) -> list[Mapping[str, Any]]:
        rows = self._rows[key]
        return [row for row_id in sorted(ids) for row in rows.get(row_id, ())]


def _by_id(rows: Iterable[Any]) -> Mapping[str, list[Mapping[str, Any]]]:
    """Rows by their id, or by what they hold if that is none."""
    by_id: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if isinstance(row, dict):
            by_id[object_id(row.get("id")) or raw_text(row)].append(row)
    return by_id
