"""Reading the Exchange side: policies, and the recipients that are or shall be scopes, with their
members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.errors import TenantFault
from reconciler.guids import guid
from reconciler.kinds.capture_rows import shown
from reconciler.kinds.exchange.parse import IDENTITY
from reconciler.tenants.live import projecting, questions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.requests import CaptureRequest
    from reconciler.tenants.live.asking import Ask
    from reconciler.tenants.live.projecting import ProjectedRecipient, Row

_SECURITY_GROUP = "MailUniversalSecurityGroup"


class ExchangePart(Struct, frozen=True):
    """What a capture holds of Exchange: its section, recipients of the directory by lower-case id,
    and names looked for in vain.
    """

    section: dict[str, Json]
    recipients: Mapping[str, Row]
    absent: frozenset[str]


def read(ask: Ask, request: CaptureRequest) -> ExchangePart:
    """Read what is asked for.

    Args:
        ask: Asks the service.
        request: What is wanted; without the product only its recipients are looked up.

    Raises:
        TenantFault: not everything could be read, or one name has two recipients.
    """
    wanted = "exchange" in request.products
    policies = (
        projecting.fit(
            ask(questions.EXCHANGE_POLICIES), ("Identity", "ScopeName"), "exchange policy"
        )
        if wanted
        else ()
    )
    section = _section(ask, policies) if wanted else unread()
    scopes = {} if request.rows_only else _scopes(policies)
    found = _Found(ask)
    if request.everything and wanted:
        found.take(ask(questions.ALL_PRINCIPALS))
    found.look_up(request.recipients, scopes)
    found.expand()
    found.identify(scopes)
    return ExchangePart(
        section,
        {one: recipient.row for one, recipient in found.recipients.items()},
        frozenset(found.absent),
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
    return {found["scope"].lower(): found["sid"] for found in parts if found is not None}


class _Found:
    """Recipients that were found, by lower-case object id, and names that nobody has."""

    def __init__(self, ask: Ask) -> None:
        self.recipients: dict[str, ProjectedRecipient] = {}
        self.absent: set[str] = set()
        self._ask = ask
        self._named: list[str] = []

    def take(self, rows: Iterable[Row]) -> list[ProjectedRecipient]:
        """Note everybody in an answer."""
        taken = [one for row in rows if (one := projecting.recipient(row)) is not None]
        projecting.fit([one.row for one in taken], ("primary",), "exchange recipient")
        for one in taken:
            self.recipients.setdefault(one.id, one)
        return taken

    def look_up(self, names: Iterable[str], scopes: Iterable[str]) -> None:
        """Find recipients by any name, and scopes by their ids."""
        wanted = {name.lower() for name in names}
        ids = {one for one in wanted if guid(one)}
        self._by_id(sorted({*ids, *scopes}))
        for address in sorted(wanted - ids):
            self._by_address(address)
        self._named += sorted(one for one in {*ids, *scopes} if one in self.recipients)

    def expand(self) -> None:
        """Read the members of every named group, and of the groups among them; a group is read
        once, so that a circle ends.
        """
        waiting, seen = list(self._named), set[str]()
        while waiting:
            one = waiting.pop()
            if one not in seen and self.recipients[one].type in projecting.LISTABLE:
                waiting += self._members(self.recipients[one])
            seen.add(one)

    def identify(self, known: Mapping[str, str]) -> None:
        """Add the SIDs: those that policies tell, and those of named groups that no policy has as
        its scope yet.
        """
        for one, sid in known.items():
            if one in self.recipients:
                self.recipients[one].row["sid"] = sid
        if self._ask.allows("Get-Group"):
            for one in sorted(set(self._named) - known.keys()):
                self._security_id(self.recipients[one])

    def _by_id(self, ids: Sequence[str]) -> None:
        missing = [one for one in ids if one not in self.recipients]
        for some in _chunks(missing, questions.MOST_IDS):
            self.take(self._ask(questions.recipients(some)))
        self.absent |= {one for one in missing if one not in self.recipients}

    def _by_address(self, address: str) -> None:
        known = self._holders(self.recipients.values(), address)
        found = known or self._holders(self.take_matching(address), address)
        if len(found) > 1:
            raise TenantFault(
                f"exchange: {shown(address)} is an address of {' and of '.join(sorted(found))}:"
                " correct it in the tenant"
            )
        self._named += found
        if not found:
            self.absent.add(address)

    def take_matching(self, address: str) -> list[ProjectedRecipient]:
        """Ask for an address and note those who have it; the cmdlet also goes by other names, and
        may list everybody.
        """
        rows = self._ask(questions.recipient(address))
        return self.take(
            row
            for row in rows
            if (one := projecting.recipient(row)) is not None and address in one.names
        )

    @staticmethod
    def _holders(recipients: Iterable[ProjectedRecipient], address: str) -> list[str]:
        return sorted({one.id for one in recipients if address in one.names})

    def _members(self, group: ProjectedRecipient) -> list[str]:
        """Note the members of a group, everybody as a recipient too, so that whoever judges knows
        who is no group; return the groups.
        """
        rows = self._ask(questions.members(group.identity))
        ids = projecting.members(rows)
        group.row["members"] = ids
        self.take(rows)
        self._by_id_of_members(ids or ())
        return [
            one
            for one in ids or ()
            if one in self.recipients and self.recipients[one].type in projecting.LISTABLE
        ]

    def _by_id_of_members(self, ids: Sequence[str]) -> None:
        """A member that is not found was not asked for by anybody: it is unknown, not absent."""
        before = set(self.absent)
        self._by_id(ids)
        self.absent = before

    def _security_id(self, recipient: ProjectedRecipient) -> None:
        if recipient.type != _SECURITY_GROUP:
            return
        found = [
            row["Sid"]
            for row in self._ask(questions.security_id(recipient.identity))
            if isinstance(row.get("Sid"), str)
        ]
        if len(found) == 1:
            recipient.row["sid"] = found[0]


def _chunks(ids: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(ids[start : start + size]) for start in range(0, len(ids), size))
