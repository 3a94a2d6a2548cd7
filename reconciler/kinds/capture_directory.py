"""The `directory` of a capture -> `Directory`: who is who, under every name.

Display names are for people and may hold anything. Ids, user principal names and addresses are
compared and rendered: they must be fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from reconciler.characters import folded
from reconciler.guids import guid
from reconciler.kinds.capture_rows import (
    are_names,
    are_texts,
    as_list,
    by_key,
    name_fault,
    object_id,
    object_ids,
    opaque_key,
    raw_text,
    shown,
    text_property,
    typed,
)
from reconciler.model.observed import Directory, Group, OpaqueRow, Recipient, User, is_opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.kinds.capture_faults import FaultList

_SMTP: Final = "smtp"
_DAMAGED: Final = "\ufffd"
"""What half of a surrogate pair becomes on the way through PowerShell's JSON."""


class UserRow(Struct, frozen=True, gc=False, rename="camel"):
    """A row of `users`: what is looked at, and nothing is judged yet."""

    id: Any
    upn: Any = None
    display_name: Any = None


class GroupRow(Struct, frozen=True, rename="camel"):
    """A row of `groups`, likewise."""

    id: Any
    display_name: Any = None
    members: Any = None


class RecipientRow(Struct, frozen=True, rename="camel"):
    """A row of `recipients`, likewise."""

    id: Any
    primary: Any = None
    addresses: Any = None
    is_valid_security_principal: Any = None
    sid: Any = None
    display_name: Any = None
    type: Any = None
    members: Any = None


class _Odd:
    """Users or recipients who are not understood, by id or by what was read, and the names that
    lead to them.
    """

    def __init__(self) -> None:
        self._flaws: dict[str, dict[str, None]] = {}
        self._texts: dict[str, str] = {}
        self.names: dict[str, set[str]] = {}

    def add(self, key: str, read: Any, flaw: str, names: Iterable[str] = ()) -> None:
        """Note what was read of somebody, what of it is not understood, and names that it takes from
        everybody.
        """
        text = raw_text(read)
        self._texts[key] = min(text, self._texts.get(key, text))
        self._flaws.setdefault(key, {})[flaw] = None
        for name in names:
            self.names.setdefault(name, set()).add(key)

    def rows(self) -> dict[str, OpaqueRow]:
        """All of them, sorted."""
        return {
            key: OpaqueRow(text, "; ".join(sorted(self._flaws[key])))
            for key, text in sorted(self._texts.items())
        }


def parse_directory(section: Mapping[str, Any], path: str, faults: FaultList) -> Directory:
    """Parse the directory, with faults collected; the result is of use only if there are none."""
    odd_users, odd_recipients = _Odd(), _Odd()
    users, by_upn = _users(section, path, faults, odd_users)
    recipients, by_address = _recipients(section, path, faults, odd_recipients)
    unclear: dict[str, set[str]] = {}
    for name, keys in (*odd_users.names.items(), *odd_recipients.names.items()):
        unclear.setdefault(name, set()).update(keys)
    return Directory(
        users,
        _groups(section, path, faults),
        recipients,
        _absent(section, path, faults),
        by_upn,
        by_address,
        odd_users.rows(),
        odd_recipients.rows(),
        {name: tuple(sorted(keys)) for name, keys in sorted(unclear.items())},
    )


def _users(
    section: Mapping[str, Any], path: str, faults: FaultList, odd: _Odd
) -> tuple[dict[str, User], dict[str, str]]:
    """Users by id and ids by user principal name, column by column: there may be 100,000."""
    rows = typed(section, "users", UserRow, path, faults)
    ids = object_ids([row.id for row in rows])
    if ids is None:
        return _users_by_row(_ids_by_row(rows), rows, f"{path}.users", faults, odd)
    upns, names = [row.upn for row in rows], [row.display_name or "" for row in rows]
    users = dict(zip(ids, map(User, ids, upns, names), strict=True))
    by_upn = dict(zip(folded(upns), ids, strict=True)) if are_texts(upns) else {}
    are_distinct = len(users) == len(by_upn) == len(rows)
    if are_distinct and are_texts(names) and are_names(upns):
        return users, by_upn
    return _users_by_row(ids, rows, f"{path}.users", faults, odd)


def _ids_by_row(rows: Sequence[UserRow]) -> Sequence[str]:
    """Ids of users in lower case; what was read of one whose id is none; `""` for what is no
    object.
    """
    return [
        guid(row.id) or ("" if row.id is UNSET else opaque_key(_read_of_user(row))) for row in rows
    ]


def _read_of_user(row: UserRow) -> Mapping[str, Any]:
    return {"id": row.id, "upn": row.upn, "displayName": row.display_name}


def _users_by_row(
    ids: Sequence[str], rows: Sequence[UserRow], path: str, faults: FaultList, odd: _Odd
) -> tuple[dict[str, User], dict[str, str]]:
    """The same row by row, where one is odd; two may be the same. Whose principal name is not
    understood, or is another's too, is left without one.
    """
    by_id: dict[str, User] = {}
    by_upn: dict[str, dict[str, None]] = {}
    for index, (user, row) in enumerate(zip(ids, rows, strict=True)):
        upn, name = row.upn, row.display_name or ""
        if not user:
            continue  # told already
        if not isinstance(name, str):
            faults.add(
                f"{path}[{index}]",
                f"displayName {shown(name)} of {user} must be a string: fetch again",
            )
            continue
        if is_opaque(user):
            named = [upn.lower()] if isinstance(upn, str) else []
            odd.add(user, _read_of_user(row), "the id is not an object id (a GUID)", named)
            continue
        fit = _fit_upn(user, upn, odd)
        if by_id.setdefault(user, User(user, fit, name)) != User(user, fit, name):
            faults.add(
                f"{path}[{index}]", f"id {user} appears twice, with different content: fetch again"
            )
        if fit:
            by_upn.setdefault(fit.lower(), {})[user] = None
    for upn, holders in by_upn.items():
        for user in holders if len(holders) > 1 or upn in odd.names else ():
            flaw = "the user principal name is also that of another user"
            odd.add(user, by_id[user].upn, flaw, [upn])
            by_id[user] = replace(by_id[user], upn="")
    unclear = odd.names.keys()
    return by_id, {upn: next(iter(users)) for upn, users in by_upn.items() if upn not in unclear}


def _fit_upn(user: str, upn: Any, odd: _Odd) -> str:
    """A user principal name, empty if it is not understood."""
    flaw = name_fault(upn) if isinstance(upn, str) else "is not a string"
    if flaw is None:
        return str(upn)
    odd.add(
        user, upn, f"the user principal name {flaw}", [upn.lower()] if isinstance(upn, str) else []
    )
    return ""


def _groups(section: Mapping[str, Any], path: str, faults: FaultList) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for index, row in enumerate(typed(section, "groups", GroupRow, path, faults)):
        here = f"{path}.groups[{index}]"
        ident = object_id(row.id, f"{here}.id", faults)
        if not ident:
            continue
        name = text_property(row.display_name, f"{here}.displayName", faults)
        group = Group(ident, name, _members(row.members, f"{here}.members", faults))
        if groups.setdefault(ident, group) != group:
            faults.add(here, f"id {ident} appears twice, with different content: fetch again")
    return by_key(groups)


def _recipients(
    section: Mapping[str, Any], path: str, faults: FaultList, odd: _Odd
) -> tuple[dict[str, Recipient], dict[str, str]]:
    """Recipients by id and ids by address; an address of two leads to neither."""
    recipients: dict[str, Recipient] = {}
    read: dict[str, Any] = {}
    by_address: dict[str, dict[str, None]] = {}
    for index, row in enumerate(typed(section, "recipients", RecipientRow, path, faults)):
        here = f"{path}.recipients[{index}]"
        if row.id is UNSET:
            continue  # told already
        recipient = _recipient(row, here, faults, odd)
        if recipient is None:
            continue
        if recipients.setdefault(recipient.id, recipient) != recipient:
            faults.add(
                here, f"id {recipient.id} appears twice, with different content: fetch again"
            )
        read[recipient.id] = _read_of_recipient(row)
        for address in sorted(recipient.addresses):
            by_address.setdefault(address, {})[recipient.id] = None
    for address, holders in by_address.items():
        for recipient_id in holders if len(holders) > 1 or address in odd.names else ():
            others = ", ".join(
                sorted({*holders, *odd.names.get(address, ())} - {recipient_id}, key=str)
            )
            flaw = f"{shown(address)} is also an address of {others}"
            odd.add(recipient_id, read[recipient_id], flaw, [address])
    unclear = odd.names.keys()
    return by_key(recipients), {
        address: next(iter(holders))
        for address, holders in by_address.items()
        if address not in unclear
    }


def _read_of_recipient(row: RecipientRow) -> Mapping[str, Any]:
    return {
        "id": row.id,
        "primary": row.primary,
        "addresses": row.addresses,
        "displayName": row.display_name,
    }


def _recipient(row: RecipientRow, path: str, faults: FaultList, odd: _Odd) -> Recipient | None:
    """A recipient with those of its addresses that are understood; None if nobody knows who it is."""
    if not isinstance(row.is_valid_security_principal, bool):
        faults.add(
            f"{path}.isValidSecurityPrincipal",
            f"expected true or false, found {shown(row.is_valid_security_principal)}: fetch again",
        )
    if not (row.sid is None or (isinstance(row.sid, str) and not name_fault(row.sid))):
        faults.add(f"{path}.sid", f"{shown(row.sid)} is not a security identifier: fetch again")
    recipient, read = guid(row.id), _read_of_recipient(row)
    key = recipient or opaque_key(read)
    flaws = dict.fromkeys([] if recipient else ["the id is not an object id (a GUID)"])
    primary, addresses = _addresses(row, path, faults, flaws)
    for flaw in flaws:
        odd.add(key, read, flaw, () if recipient else addresses)
    if recipient is None:
        return None
    return Recipient(
        recipient,
        row.sid or None,
        primary,
        addresses,
        text_property(row.display_name, f"{path}.displayName", faults),
        text_property(row.type, f"{path}.type", faults),
        bool(row.is_valid_security_principal),
        _members(row.members, f"{path}.members", faults),
    )


def _addresses(
    row: RecipientRow, path: str, faults: FaultList, flaws: dict[str, None]
) -> tuple[str, frozenset[str]]:
    """The primary address, empty if it is not understood, and all addresses without their case that
    are. Those of other kinds than SMTP are left out.
    """
    primary, addresses = "", set()
    spelled = as_list(row.addresses, f"{path}.addresses", faults)
    for place, proxy in enumerate([row.primary or "", *spelled]):
        flaw = _address_flaw(proxy)
        if flaw is not None:
            flaws[f"{'an address' if place else 'the primary SMTP address'} {flaw}"] = None
        elif address := smtp_address(proxy):
            primary = primary if place else address
            addresses.add(address.lower())
        elif place == 0:
            flaws["the primary SMTP address is missing"] = None
    return primary, frozenset(addresses)


def _address_flaw(proxy: Any) -> str | None:
    """Why an address cannot be told from others, if it is one of SMTP."""
    if not isinstance(proxy, str):
        return f"is not a string: {shown(proxy)}"
    address = smtp_address(proxy)
    if address and _DAMAGED in address:
        return f"{shown(address)} contains U+FFFD: it was damaged in transit"
    return name_fault(address) if address else None


def smtp_address(proxy: str) -> str | None:
    """An address without the `smtp:` or `SMTP:` of a proxy address; None for proxies of other kinds
    (`X500:`, `SIP:`, `SPO:`).
    """
    kind, colon, address = proxy.partition(":")
    if not colon:
        return proxy
    return address if kind.lower() == _SMTP else None


def _members(value: Any, path: str, faults: FaultList) -> frozenset[str] | None:
    """Object ids of members. Absent or null is unknown, which is not the same as none."""
    if value is None:
        return None
    members = [
        object_id(spelled, f"{path}[{index}]", faults)
        for index, spelled in enumerate(as_list(value, path, faults))
    ]
    return frozenset(members) - {""}


def _absent(section: Mapping[str, Any], path: str, faults: FaultList) -> frozenset[str]:
    names = as_list(section.get("absent"), f"{path}.absent", faults)
    for index, name in enumerate(names):
        if not isinstance(name, str):
            faults.add(
                f"{path}.absent[{index}]", f"expected a name, found {shown(name)}: fetch again"
            )
    return frozenset(name.lower() for name in names if isinstance(name, str))
