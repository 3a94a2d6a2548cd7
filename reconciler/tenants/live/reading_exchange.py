"""Reading the Exchange side: policies, and the recipients that are or shall be scopes, with their
members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.guids import guid
from reconciler.kinds.capture_rows import raw_text
from reconciler.kinds.exchange.parse import IDENTITY
from reconciler.tenants.live import projecting, questions
from reconciler.tenants.live.part import CapturePart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.requests import CaptureRequest
    from reconciler.tenants.live.asking import Ask
    from reconciler.tenants.live.projecting import ProjectedRecipient, Row

_SECURITY_GROUP = "MailUniversalSecurityGroup"


def read_exchange(ask: Ask, request: CaptureRequest) -> CapturePart:
    """Read what is asked for.

    Args:
        ask: Asks the service.
        request: What is wanted; without the product only its recipients are looked up.

    Raises:
        TenantFault: not everything could be read.
    """
    wanted = "exchange" in request.products
    policies = ask(questions.EXCHANGE_POLICIES) if wanted else ()
    section = _section(ask, policies) if wanted else unread()
    scopes = {} if request.rows_only else _scopes(policies)
    lookup = _Found(ask)
    if request.everything and wanted:
        lookup.take(ask(questions.ALL_PRINCIPALS))
    lookup.look_up(request.recipients, scopes)
    lookup.expand()
    lookup.identify(scopes)
    return CapturePart(
        {**section, **ask.warnings()},
        recipients=lookup.rows(),
        absent=frozenset(lookup.absent),
    )


def unread() -> dict[str, Json]:
    """The section of a capture that did not read Exchange."""
    return {"complete": False, "reads": [], "policies": []}


def _section(ask: Ask, policies: Sequence[Row]) -> dict[str, Json]:
    return {
        "complete": True,
        "tenantId": ask.tenant_id,
        "policies": [projecting.kept(row, questions.EXCHANGE_POLICIES.select) for row in policies],
        "reads": ask.reads(),
    }


def _scopes(policies: Iterable[Row]) -> dict[str, str]:
    """Object id and SID of each scope; what has no such Identity the capture's parser refuses."""
    parts = (IDENTITY.fullmatch(str(row["Identity"])) for row in policies)
    return {
        identity["scope"].lower(): identity["sid"] for identity in parts if identity is not None
    }


class _Found:
    """Recipients that were found, by lower-case object id, and names that nobody has."""

    def __init__(self, ask: Ask) -> None:
        self.recipients: dict[str, ProjectedRecipient] = {}
        self.absent: set[str] = set()
        self._doubles: dict[str, Row] = {}
        self._ask = ask
        self._named: list[str] = []

    def take(self, rows: Iterable[Row]) -> list[ProjectedRecipient]:
        """Note everybody in an answer. Of an id that one answer has with two contents, both are kept:
        which one is right is unknown.
        """
        taken = [
            recipient
            for row in rows
            if (recipient := projecting.project_recipient(row)) is not None
        ]
        before = set(self.recipients)
        for recipient in taken:
            first = self.recipients.setdefault(recipient.id, recipient)
            if recipient.id not in before and first.row != recipient.row:
                self._doubles[f"{recipient.id} {raw_text(recipient.row)}"] = recipient.row
        return taken

    def rows(self) -> dict[str, Row]:
        """Rows of a capture: by id, and further ones of an id that has more than one content."""
        rows: dict[str, Row] = {key: recipient.row for key, recipient in self.recipients.items()}
        return rows | self._doubles

    def look_up(self, names: Iterable[str], scopes: Iterable[str]) -> None:
        """Find recipients by any name, and scopes by their ids."""
        wanted = {name.lower() for name in names}
        ids = {name for name in wanted if guid(name)}
        self._by_id(sorted({*ids, *scopes}))
        for address in sorted(wanted - ids):
            self._by_address(address)
        self._named += sorted(name for name in {*ids, *scopes} if name in self.recipients)

    def expand(self) -> None:
        """Read the members of every named group, and of the groups among them; a group is read
        once, so that a circle ends.
        """
        waiting, seen = list(self._named), set[str]()
        while waiting:
            recipient_id = waiting.pop()
            if (
                recipient_id not in seen
                and self.recipients[recipient_id].type in projecting.LISTABLE
            ):
                waiting += self._members(self.recipients[recipient_id])
            seen.add(recipient_id)

    def identify(self, sids: Mapping[str, str]) -> None:
        """Add the SIDs: those that policies tell, and those of named groups that no policy has as
        its scope yet.
        """
        for recipient_id, sid in sids.items():
            if recipient_id in self.recipients:
                self.recipients[recipient_id].row["sid"] = sid
        if self._ask.allows("Get-Group"):
            for recipient_id in sorted(set(self._named) - sids.keys()):
                self._security_id(self.recipients[recipient_id])

    def _by_id(self, ids: Sequence[str]) -> None:
        missing = [object_id for object_id in ids if object_id not in self.recipients]
        for some in _chunks(missing, questions.MOST_IDS):
            self.take(self._ask(questions.recipients(some)))
        self.absent |= {object_id for object_id in missing if object_id not in self.recipients}

    def _by_address(self, address: str) -> None:
        known_holders = self._holders(self.recipients.values(), address)
        holders = known_holders or self._holders(self.take_matching(address), address)
        self._named += holders  # of two, the capture's parser takes the address from both
        if not holders:
            self.absent.add(address)

    def take_matching(self, address: str) -> list[ProjectedRecipient]:
        """Ask for an address and note those who have it; the cmdlet also goes by other names, and
        may list everybody.
        """
        rows = self._ask(questions.recipient(address))
        return self.take(
            row
            for row in rows
            if (recipient := projecting.project_recipient(row)) is not None
            and address in recipient.names
        )

    @staticmethod
    def _holders(recipients: Iterable[ProjectedRecipient], address: str) -> list[str]:
        return sorted({recipient.id for recipient in recipients if address in recipient.names})

    def _members(self, group: ProjectedRecipient) -> list[str]:
        """Note the members of a group, everybody as a recipient too, so that whoever judges knows
        who is not a group; return the groups.
        """
        rows = self._ask(questions.members(group.identity))
        ids = projecting.project_members(rows)
        group.row["members"] = ids
        self.take(rows)
        self._by_id_of_members(ids or ())
        return [
            member
            for member in ids or ()
            if member in self.recipients and self.recipients[member].type in projecting.LISTABLE
        ]

    def _by_id_of_members(self, ids: Sequence[str]) -> None:
        """A member that is not found was not asked for by anybody: it is unknown, not absent."""
        before = set(self.absent)
        self._by_id(ids)
        self.absent = before

    def _security_id(self, recipient: ProjectedRecipient) -> None:
        if recipient.type != _SECURITY_GROUP:
            return
        sids = [
            row["Sid"]
            for row in self._ask(questions.security_id(recipient.identity))
            if isinstance(row.get("Sid"), str)
        ]
        if len(sids) == 1:
            recipient.row["sid"] = sids[0]


def _chunks(ids: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(ids[start : start + size]) for start in range(0, len(ids), size))
