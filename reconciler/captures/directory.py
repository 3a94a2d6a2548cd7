"""The `directory` of a capture -> `Directory`: who is who, under every name.

Display names are for people and may hold anything. Ids, user principal names and addresses are
compared and rendered: they must be fit.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from reconciler.characters import folded
from reconciler.guids import are_guids, guid
from reconciler.kinds.capture_rows import (
    are_decoded,
    are_names,
    by_key,
    guids,
    listed,
    mappings,
    name_fault,
    objects,
    shown,
    text,
)
from reconciler.model.observed import Directory, Group, Recipient, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.kinds.capture_faults import FaultList

_SMTP: Final = "smtp"
_PREFIX: Final = f"{_SMTP}:"


class RecipientRow(Struct, frozen=True, gc=False, rename="camel"):
    """The row of a recipient, as `captures.decoding` makes it of the usual shape: no other property
    of it is looked at.
    """

    id: str
    primary: str
    addresses: list[str]
    is_valid_security_principal: bool
    sid: str | None = None
    display_name: str | None = None
    type: str | None = None
    members: list[str] | None = None


def read(section: Mapping[str, Any], path: str, faults: FaultList) -> Directory:
    """Parse the directory, with faults collected; the result is of use only if there are none."""
    users, by_upn = _users(section, path, faults)
    recipients, by_address = _recipients(section, path, faults)
    return Directory(
        users,
        _groups(section, path, faults),
        recipients,
        _absent(section, path, faults),
        by_upn,
        by_address,
    )


def _users(
    section: Mapping[str, Any], path: str, faults: FaultList
) -> tuple[dict[str, User], dict[str, str]]:
    decoded = section.get("users")
    if are_decoded(decoded, User):
        return _plain_users(decoded) or _judged_users(mappings(decoded), path, faults)
    rows = objects(section, "users", path, faults)
    try:
        values = [User(row["id"], row["upn"], row["displayName"]) for row in rows]
    except KeyError:
        return _judged_users(rows, path, faults)
    return _plain_users(values) or _judged_users(rows, path, faults)


def _plain_users(users_read: Sequence[User]) -> tuple[dict[str, User], dict[str, str]] | None:
    """Users of up to 100,000 rows, column by column; None where a row needs a closer look.

    Says what `_judged_users` says, in a third of the time.
    """
    try:
        ids, upns = [user.id for user in users_read], [user.upn for user in users_read]
        "".join(user.display_name for user in users_read)  # raises for one that is no text
        if not (are_guids(ids) and are_names(upns)):
            return None
    except TypeError:
        return None
    users = dict(zip(ids, users_read, strict=True))
    by_upn = dict(zip(folded(upns), ids, strict=True))
    return (users, by_upn) if len(users) == len(by_upn) == len(users_read) else None


def _judged_users(
    rows: Sequence[Mapping[str, Any]], path: str, faults: FaultList
) -> tuple[dict[str, User], dict[str, str]]:
    users: dict[str, User] = {}
    by_upn: dict[str, str] = {}
    for index, (user, row) in enumerate(
        zip(guids(rows, "id", f"{path}.users", faults), rows, strict=True)
    ):
        upn, name = row.get("upn"), row.get("displayName") or ""
        if not (user and isinstance(upn, str) and isinstance(name, str)):
            if user:
                faults.add(
                    f"{path}.users[{index}]",
                    f"upn {shown(upn)} and displayName {shown(name)} of {user} must be texts: fetch"
                    " again",
                )
            continue
        if flaw := name_fault(upn):
            faults.add(f"{path}.users[{index}].upn", flaw)
        read_user = User(user, upn, name)
        if (
            users.setdefault(user, read_user) != read_user
            or by_upn.setdefault(upn.lower(), user) != user
        ):
            faults.add(
                f"{path}.users[{index}]",
                f"id {user} or upn {shown(upn)} appears twice, for different users: fetch again",
            )
    return users, by_upn


def _groups(section: Mapping[str, Any], path: str, faults: FaultList) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for index, row in enumerate(objects(section, "groups", path, faults)):
        here = f"{path}.groups[{index}]"
        group = _id(row, here, faults)
        if group is None:
            continue
        read_group = Group(
            group, text(row, "displayName", here, faults), _members(row, here, faults)
        )
        if groups.setdefault(group, read_group) != read_group:
            faults.add(here, f"id {group} appears twice, with different content: fetch again")
    return by_key(groups)


def _recipients(
    section: Mapping[str, Any], path: str, faults: FaultList
) -> tuple[dict[str, Recipient], dict[str, str]]:
    decoded = section.get("recipients")
    if are_decoded(decoded, RecipientRow):
        return _plain_recipients(decoded) or _judged_recipients(mappings(decoded), path, faults)
    return _judged_recipients(objects(section, "recipients", path, faults), path, faults)


def _plain_recipients(
    rows: Sequence[RecipientRow],
) -> tuple[dict[str, Recipient], dict[str, str]] | None:
    """Recipients of up to 100,000 rows, column by column; None where a row needs a closer look.

    Says what `_judged_recipients` says, in half the time.
    """
    ids, primaries = [row.id for row in rows], [row.primary for row in rows]
    addresses, members = (
        list(map(_plain_addresses, rows)),
        [_plain_members(row.members) for row in rows],
    )
    every = list(chain.from_iterable(addresses))
    named = [*primaries, *every, *(row.sid for row in rows if row.sid is not None)]
    if not (
        are_guids(ids)
        and are_names(named)
        and "".join(named).isascii()
        and ":" not in "".join(primaries)
    ):
        return None
    if any(inside is not None and not are_guids(list(inside)) for inside in members):
        return None
    recipients = {
        row.id: Recipient(
            row.id,
            row.sid,
            row.primary,
            own_addresses,
            row.display_name or "",
            row.type or "",
            row.is_valid_security_principal,
            inside,
        )
        for row, own_addresses, inside in zip(rows, addresses, members, strict=True)
    }
    by_address = {
        address: recipient
        for recipient, own_addresses in zip(ids, addresses, strict=True)
        for address in own_addresses
    }
    return (
        (by_key(recipients), by_address)
        if len(recipients) == len(rows) and len(by_address) == len(every)
        else None
    )


def _plain_addresses(row: RecipientRow) -> frozenset[str]:
    addresses = {row.primary.lower()}
    for proxy in map(str.lower, row.addresses):
        if proxy.startswith(_PREFIX):
            addresses.add(proxy[len(_PREFIX) :])
        elif ":" not in proxy:
            addresses.add(proxy)
    return frozenset(addresses)


def _plain_members(members: list[str] | None) -> frozenset[str] | None:
    return None if members is None else frozenset(members)


def _judged_recipients(
    rows: Sequence[Mapping[str, Any]], path: str, faults: FaultList
) -> tuple[dict[str, Recipient], dict[str, str]]:
    recipients: dict[str, Recipient] = {}
    by_address: dict[str, str] = {}
    for index, row in enumerate(rows):
        here = f"{path}.recipients[{index}]"
        recipient = _id(row, here, faults)
        if recipient is None:
            continue
        read_recipient = _recipient(recipient, row, here, faults)
        if recipients.setdefault(recipient, read_recipient) != read_recipient:
            faults.add(here, f"id {recipient} appears twice, with different content: fetch again")
        for address in sorted(read_recipient.addresses):
            if by_address.setdefault(address, recipient) != recipient:
                faults.add(
                    f"{here}.addresses",
                    f"{shown(address)} is an address of {by_address[address]} too: whose it is"
                    " cannot be known, correct it in the tenant",
                )
    return by_key(recipients), by_address


def _recipient(recipient: str, row: Mapping[str, Any], path: str, faults: FaultList) -> Recipient:
    principal, sid = row.get("isValidSecurityPrincipal"), row.get("sid")
    if not isinstance(principal, bool):
        faults.add(
            f"{path}.isValidSecurityPrincipal",
            f"{shown(principal)} is neither true nor false: fetch again",
        )
    if not (sid is None or (isinstance(sid, str) and not name_fault(sid))):
        faults.add(f"{path}.sid", f"{shown(sid)} is not a security identifier: fetch again")
    primary = smtp_address(text(row, "primary", path, faults)) or ""
    addresses = _addresses(row, path, faults)
    if not primary:
        faults.add(f"{path}.primary", "is missing, the primary SMTP address: fetch again")
    for address in sorted({primary, *addresses} - {""}):
        if flaw := name_fault(address):
            faults.add(f"{path}.addresses", flaw)
    return Recipient(
        recipient,
        sid or None,
        primary,
        frozenset({primary.lower(), *addresses} - {""}),
        text(row, "displayName", path, faults),
        text(row, "type", path, faults),
        bool(principal),
        _members(row, path, faults),
    )


def smtp_address(proxy: str) -> str | None:
    """An address without the `smtp:` or `SMTP:` of a proxy address; None for proxies of other kinds
    (`X500:`, `SIP:`, `SPO:`).
    """
    kind, colon, address = proxy.partition(":")
    if not colon:
        return proxy
    return address if kind.lower() == _SMTP else None


def _addresses(row: Mapping[str, Any], path: str, faults: FaultList) -> frozenset[str]:
    addresses = set()
    for index, proxy in enumerate(listed(row.get("addresses"), f"{path}.addresses", faults)):
        if not isinstance(proxy, str):
            faults.add(f"{path}.addresses[{index}]", f"{shown(proxy)} is not a string: fetch again")
        elif address := smtp_address(proxy):
            addresses.add(address.lower())
    return frozenset(addresses)


def _members(row: Mapping[str, Any], path: str, faults: FaultList) -> frozenset[str] | None:
    """Object ids of members. Absent or null is unknown, which is not the same as none."""
    if row.get("members") is None:
        return None
    members = set()
    for index, spelled in enumerate(listed(row["members"], f"{path}.members", faults)):
        member = guid(spelled)
        if member is None:
            faults.add(
                f"{path}.members[{index}]",
                f"{shown(spelled)} is not an object id (a GUID): fetch again",
            )
        else:
            members.add(member)
    return frozenset(members)


def _absent(section: Mapping[str, Any], path: str, faults: FaultList) -> frozenset[str]:
    names = listed(section.get("absent"), f"{path}.absent", faults)
    for index, name in enumerate(names):
        if not isinstance(name, str):
            faults.add(f"{path}.absent[{index}]", f"{shown(name)} is not a name: fetch again")
    return frozenset(name.lower() for name in names if isinstance(name, str))


def _id(row: Mapping[str, Any], path: str, faults: FaultList) -> str | None:
    object_id = guid(row.get("id"))
    if object_id is None and row:
        faults.add(
            f"{path}.id", f"{shown(row.get('id'))} is not an object id (a GUID): fetch again"
        )
    return object_id
