"""The `directory` of a capture -> `Directory`: who is who, under every name.

Display names are for people and may hold anything. Ids, user principal names and addresses are
compared and rendered: they must be fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.characters import folded
from reconciler.kinds.capture_rows import (
    are_names,
    are_texts,
    as_list,
    by_key,
    name_fault,
    object_id,
    object_ids,
    raw_text,
    shown,
    text_property,
    typed,
)
from reconciler.model.observed import Directory, Group, OpaqueRow, Recipient, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.kinds.capture_faults import FaultList

_SMTP: Final = "smtp"


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


def parse_directory(section: Mapping[str, Any], path: str, faults: FaultList) -> Directory:
    """Parse the directory, with faults collected; the result is of use only if there are none."""
    users, by_upn, opaque = _users(section, path, faults)
    recipients, by_address = _recipients(section, path, faults)
    return Directory(
        users,
        _groups(section, path, faults),
        recipients,
        _absent(section, path, faults),
        by_upn,
        by_address,
        opaque,
    )


def _users(
    section: Mapping[str, Any], path: str, faults: FaultList
) -> tuple[dict[str, User], dict[str, str], dict[str, OpaqueRow]]:
    """Users by id, ids by user principal name, and users whose name is not understood, column by
    column: there may be 100,000.
    """
    rows = typed(section, "users", UserRow, path, faults)
    ids = object_ids([row.id for row in rows], "id", f"{path}.users", faults)
    upns, names = [row.upn for row in rows], [row.display_name or "" for row in rows]
    users = dict(zip(ids, map(User, ids, upns, names), strict=True))
    by_upn = dict(zip(folded(upns), ids, strict=True)) if are_texts(upns) else {}
    are_distinct = len(users) == len(by_upn) == len(rows)
    if not (are_distinct and are_texts(names) and are_names(upns)):
        _tell_users(ids, rows, f"{path}.users", faults)
        return _without_odd_names(users)
    return users, by_upn, {}


def _without_odd_names(
    users: Mapping[str, User],
) -> tuple[dict[str, User], dict[str, str], dict[str, OpaqueRow]]:
    """The same, with users whose principal name cannot be told from another's left without one."""
    opaque = {
        user: OpaqueRow(raw_text(row.upn), f"the user principal name {flaw}")
        for user, row in users.items()
        if (flaw := name_fault(str(row.upn)))
    }
    named = {user: replace(row, upn="") if user in opaque else row for user, row in users.items()}
    by_upn = {str(row.upn).lower(): user for user, row in named.items() if row.upn}
    return named, by_upn, dict(sorted(opaque.items()))


def _tell_users(ids: Sequence[str], rows: Sequence[UserRow], path: str, faults: FaultList) -> None:
    """What is wrong with each of the rows, which may be nothing: two may be the same."""
    names_by_id: dict[str, tuple[str, str]] = {}
    ids_by_upn: dict[str, str] = {}
    for index, (user, row) in enumerate(zip(ids, rows, strict=True)):
        upn, name = row.upn, row.display_name or ""
        if not user:
            continue  # told already
        if not (isinstance(upn, str) and isinstance(name, str)):
            faults.add(
                f"{path}[{index}]",
                f"upn {shown(upn)} and displayName {shown(name)} of {user} must be strings: fetch"
                " again",
            )
            continue
        names = (upn, name)
        if (
            names_by_id.setdefault(user, names) != names
            or ids_by_upn.setdefault(upn.lower(), user) != user
        ):
            faults.add(
                f"{path}[{index}]",
                f"id {user} or upn {shown(upn)} appears twice, for different users: fetch again",
            )


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
    section: Mapping[str, Any], path: str, faults: FaultList
) -> tuple[dict[str, Recipient], dict[str, str]]:
    """Recipients by id and ids by address."""
    recipients: dict[str, Recipient] = {}
    by_address: dict[str, str] = {}
    for index, row in enumerate(typed(section, "recipients", RecipientRow, path, faults)):
        here = f"{path}.recipients[{index}]"
        recipient = _recipient(row, here, faults)
        if recipient is None:
            continue
        if recipients.setdefault(recipient.id, recipient) != recipient:
            faults.add(
                here, f"id {recipient.id} appears twice, with different content: fetch again"
            )
        for address in sorted(recipient.addresses):
            if by_address.setdefault(address, recipient.id) != recipient.id:
                faults.add(
                    f"{here}.addresses",
                    f"{shown(address)} is also an address of {by_address[address]}: correct it in"
                    " the tenant",
                )
    return by_key(recipients), by_address


def _recipient(row: RecipientRow, path: str, faults: FaultList) -> Recipient | None:
    recipient = object_id(row.id, f"{path}.id", faults)
    if not recipient:
        return None
    if not isinstance(row.is_valid_security_principal, bool):
        faults.add(
            f"{path}.isValidSecurityPrincipal",
            f"expected true or false, found {shown(row.is_valid_security_principal)}: fetch again",
        )
    if not (row.sid is None or (isinstance(row.sid, str) and not name_fault(row.sid))):
        faults.add(f"{path}.sid", f"{shown(row.sid)} is not a security identifier: fetch again")
    primary = smtp_address(text_property(row.primary, f"{path}.primary", faults)) or ""
    proxies = _addresses(row.addresses, f"{path}.addresses", faults)
    if not primary:
        faults.add(f"{path}.primary", "the primary SMTP address is missing: fetch again")
    for address in sorted({primary, *proxies} - {""}):
        if flaw := name_fault(address):
            faults.add(f"{path}.addresses", flaw)
    return Recipient(
        recipient,
        row.sid or None,
        primary,
        frozenset({primary.lower(), *proxies} - {""}),
        text_property(row.display_name, f"{path}.displayName", faults),
        text_property(row.type, f"{path}.type", faults),
        bool(row.is_valid_security_principal),
        _members(row.members, f"{path}.members", faults),
    )


def smtp_address(proxy: str) -> str | None:
    """An address without the `smtp:` or `SMTP:` of a proxy address; None for proxies of other kinds
    (`X500:`, `SIP:`, `SPO:`).
    """
    kind, colon, address = proxy.partition(":")
    if not colon:
        return proxy
    return address if kind.lower() == _SMTP else None


def _addresses(value: Any, path: str, faults: FaultList) -> set[str]:
    """Addresses without their case, those of other kinds than SMTP left out."""
    addresses = set()
    for index, proxy in enumerate(as_list(value, path, faults)):
        if not isinstance(proxy, str):
            faults.add(f"{path}[{index}]", f"expected a string, found {shown(proxy)}: fetch again")
        elif address := smtp_address(proxy):
            addresses.add(address.lower())
    return addresses


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
