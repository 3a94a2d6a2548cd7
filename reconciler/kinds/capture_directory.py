"""The `directory` of a capture -> `Directory`: who is who, under every name.

Display names are for people and may hold anything. Ids, user principal names and addresses are
compared and rendered: they must be fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import UNSET, Struct, to_builtins
from msgspec.structs import replace

from reconciler.characters import folded
from reconciler.guids import guid, has_guid, object_id
from reconciler.kinds.capture_rows import (
    are_names,
    are_texts,
    as_list,
    by_key,
    name_fault,
    object_ids,
    opaque_key,
    raw_text,
    shown,
    typed,
)
from reconciler.model.observed import Directory, Group, OpaqueRow, Recipient, User

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.kinds.capture_faults import FaultList

_SMTP: Final = "smtp"
_NO_ID: Final = "the id is not an object id (a GUID)"
_NO_DISPLAY_NAME: Final = "the display name is not a string"
_ODD_MEMBER: Final = "a member is not an object id (a GUID), so who the members are is not known"
_Entry = TypeVar("_Entry", User, Group, Recipient)
_Row = TypeVar("_Row", "UserRow", "GroupRow", "RecipientRow")


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
    """Users, groups or recipients who are not understood, by id or by what was read, and the names
    that lead to them.
    """

    def __init__(self) -> None:
        self._flaws: dict[str, dict[str, None]] = {}
        self._texts: dict[str, str] = {}
        self._doubled: dict[str, str] = {}
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

    def add_double(self, key: str, read: Iterable[Any], names: Iterable[str] = ()) -> None:
        """Note an id that was read with more than one content, all that was read of it, and the names
        that not all of it has.
        """
        self._doubled[key] = raw_text(sorted(read, key=raw_text))
        self.add(key, None, "the id appears twice, with different content", names)

    def others(self, name: str, holders: Iterable[str], own: str) -> set[str]:
        """Who has a name beside one of those who do."""
        return {*holders, *self.names.get(name, ())} - {own}

    @property
    def doubled(self) -> Iterable[str]:
        """Ids that were read with more than one content."""
        return self._doubled

    def rows(self) -> dict[str, OpaqueRow]:
        """All of them, sorted."""
        return {
            key: OpaqueRow(self._doubled.get(key, text), "; ".join(sorted(self._flaws[key])))
            for key, text in sorted(self._texts.items())
        }


def parse_directory(section: Mapping[str, Any], path: str, faults: FaultList) -> Directory:
    """Parse the directory, with faults collected; the result is of use only if there are none."""
    odd_users, odd_recipients, odd_groups = _Odd(), _Odd(), _Odd()
    users, by_upn = _users(section, path, faults, odd_users)
    recipients, by_address = _recipients(section, path, faults, odd_recipients)
    unclear: dict[str, set[str]] = {}
    for name, keys in (*odd_users.names.items(), *odd_recipients.names.items()):
        unclear.setdefault(name, set()).update(keys)
    return Directory(
        users,
        _groups(section, path, faults, odd_groups),
        recipients,
        _absent(section, path, faults),
        by_upn,
        by_address,
        odd_users.rows(),
        odd_recipients.rows(),
        {name: tuple(sorted(keys)) for name, keys in sorted(unclear.items())},
        odd_groups=odd_groups.rows(),
        doubled=frozenset((*odd_users.doubled, *odd_recipients.doubled, *odd_groups.doubled)),
    )


def _users(
    section: Mapping[str, Any], path: str, faults: FaultList, odd: _Odd
) -> tuple[dict[str, User], dict[str, str]]:
    """Users by id and ids by user principal name, column by column: there may be 100,000."""
    rows = typed(section, "users", UserRow, path, faults)
    ids, upns = object_ids([row.id for row in rows]), [row.upn for row in rows]
    names = [row.display_name or "" for row in rows]
    if ids is not None and are_texts(names) and are_texts(upns) and are_names(upns):
        users = dict(zip(ids, map(User, ids, upns, names), strict=True))
        by_upn = dict(zip(folded(upns), ids, strict=True))
        if len(users) == len(by_upn) == len(rows) and not has_guid(upns):
            return users, by_upn
    return _users_by_row(rows, odd)


def _identified(rows: Sequence[_Row]) -> Iterator[tuple[int, _Row, str | None]]:
    """Each row with its index and its id in lower case, which is None if it is not an object id;
    without rows that are no objects, which are faults already.
    """
    for index, row in enumerate(rows):
        if row.id is not UNSET:
            yield index, row, object_id(row.id)


def _read_of_user(row: UserRow) -> Mapping[str, Any]:
    return {"id": row.id, "upn": row.upn, "displayName": row.display_name}


def _users_by_row(rows: Sequence[UserRow], odd: _Odd) -> tuple[dict[str, User], dict[str, str]]:
    """The same row by row, where one is odd; two may be the same. Whose principal name is not
    understood, or is another's too, is left without one.
    """
    read: dict[str, dict[User, Any]] = {}
    by_upn: dict[str, dict[str, None]] = {}
    for _, row, user in _identified(rows):
        upn, whole = row.upn, _read_of_user(row)
        if user is None:
            named = [upn.lower()] if isinstance(upn, str) else []
            odd.add(opaque_key(whole), whole, _NO_ID, named)
            continue
        fit = _fit_upn(user, upn, odd)
        if _is_odd_text(row.display_name):
            odd.add(user, whole, _NO_DISPLAY_NAME)
        read.setdefault(user, {})[User(user, fit, _text_or_empty(row.display_name))] = whole
        if fit:
            by_upn.setdefault(fit.lower(), {})[user] = None
    by_id = {
        user: _agreed(doubles, {"upn": "", "display_name": ""}, odd, _differing_upns(doubles))
        for user, doubles in read.items()
    }
    for upn, holders in by_upn.items():
        for user in holders if len(holders) > 1 or upn in odd.names else ():
            if odd.others(upn, holders, user):
                flaw = "the user principal name is also that of another user"
                odd.add(user, by_id[user].upn, flaw, [upn])
                by_id[user] = replace(by_id[user], upn="")
    unclear = odd.names.keys()
    return by_id, {upn: next(iter(users)) for upn, users in by_upn.items() if upn not in unclear}


def _differing_upns(doubles: Iterable[User]) -> Sequence[str]:
    """The principal names of the rows with one id, in lower case, if they differ."""
    upns = {row.upn.lower() for row in doubles}
    return sorted(upns - {""}) if len(upns) > 1 else ()


def _fit_upn(user: str, upn: Any, odd: _Odd) -> str:
    """A user principal name, empty if it is not understood."""
    flaw = _identifying_fault(upn) if isinstance(upn, str) else "is not a string"
    if flaw is None:
        return str(upn)
    odd.add(
        user, upn, f"the user principal name {flaw}", [upn.lower()] if isinstance(upn, str) else []
    )
    return ""


def _groups(
    section: Mapping[str, Any], path: str, faults: FaultList, odd: _Odd
) -> dict[str, Group]:
    """Groups by id; what is not understood of one says nothing about the others."""
    read: dict[str, dict[Group, Any]] = {}
    rows = typed(section, "groups", GroupRow, path, faults)
    for index, row, group in _identified(rows):
        whole = {"id": row.id, "displayName": row.display_name, "members": row.members}
        members = _members(row.members, f"{path}.groups[{index}].members", faults)
        for flaw in (
            _NO_ID if group is None else None,
            _NO_DISPLAY_NAME if _is_odd_text(row.display_name) else None,
            _ODD_MEMBER if members is None and row.members is not None else None,
        ):
            if flaw is not None:
                odd.add(group or opaque_key(whole), whole, flaw)
        if group is not None:
            named = Group(group, _text_or_empty(row.display_name), members)
            read.setdefault(group, {})[named] = whole
    unknown = {"display_name": "", "members": None}
    return by_key({group: _agreed(doubles, unknown, odd) for group, doubles in read.items()})


def _recipients(
    section: Mapping[str, Any], path: str, faults: FaultList, odd: _Odd
) -> tuple[dict[str, Recipient], dict[str, str]]:
    """Recipients by id and ids by address; an address of two leads to neither."""
    read: dict[str, dict[Recipient, RecipientRow]] = {}
    by_address: dict[str, dict[str, None]] = {}
    rows = typed(section, "recipients", RecipientRow, path, faults)
    for index, row, own_id in _identified(rows):
        recipient = _recipient(row, own_id, f"{path}.recipients[{index}]", faults, odd)
        if recipient is None:
            continue
        read.setdefault(recipient.id, {})[recipient] = row
        for address in sorted(recipient.addresses):
            by_address.setdefault(address, {})[recipient.id] = None
    recipients = {
        recipient_id: _recipient_of(doubles, odd) for recipient_id, doubles in read.items()
    }
    for address, holders in by_address.items():
        for recipient_id in holders if len(holders) > 1 or address in odd.names else ():
            if others := odd.others(address, holders, recipient_id):
                flaw = f"{shown(address)} is also an address of {', '.join(sorted(others))}"
                row = min(read[recipient_id].values(), key=_raw_recipient)
                odd.add(recipient_id, _read_of_recipient(row), flaw, [address])
    unclear = odd.names.keys()
    return by_key(recipients), {
        address: next(iter(holders))
        for address, holders in by_address.items()
        if address not in unclear
    }


def _recipient_of(doubles: Mapping[Recipient, RecipientRow], odd: _Odd) -> Recipient:
    """One recipient of the rows with an id; of different ones the addresses that all of them have."""
    in_common = frozenset.intersection(*(row.addresses for row in doubles))
    beyond = frozenset.union(*(row.addresses for row in doubles)) - in_common
    unknown: dict[str, Any] = dict.fromkeys(("sid", "principal", "members"))
    unknown |= {"addresses": in_common, **dict.fromkeys(("primary", "display_name", "type"), "")}
    wholes = {recipient: to_builtins(row) for recipient, row in doubles.items()}
    return _agreed(wholes, unknown, odd, sorted(beyond))


def _agreed(
    doubles: Mapping[_Entry, Any],
    unknown: Mapping[str, Any],
    odd: _Odd,
    names: Iterable[str] = (),
) -> _Entry:
    """What all rows with one id say; `unknown` is what a property is in which they differ.

    Args:
        doubles: The rows, and what was read of each.
        unknown: By name of the property.
        odd: Where an id with different rows is noted.
        names: Names that not all rows have.
    """
    first, *others = doubles
    if not others:
        return first
    odd.add_double(first.id, doubles.values(), names)
    differing = {
        name: value
        for name, value in unknown.items()
        if any(getattr(other, name) != getattr(first, name) for other in others)
    }
    return replace(first, **differing)


def _is_odd_text(value: Any) -> bool:
    """Whether an optional text for people is something other than text."""
    return bool(value) and not isinstance(value, str)


def _text_or_empty(value: Any) -> str:
    """A text for people; empty if it is none."""
    return value if isinstance(value, str) else ""


def _raw_recipient(row: RecipientRow) -> str:
    return raw_text(_read_of_recipient(row))


def _read_of_recipient(row: RecipientRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "primary": row.primary,
        "addresses": row.addresses,
        "displayName": row.display_name,
    }


def _recipient(
    row: RecipientRow, recipient: str | None, path: str, faults: FaultList, odd: _Odd
) -> Recipient | None:
    """A recipient with what is understood of it; None if it cannot be identified."""
    read = _read_of_recipient(row)
    key = recipient or opaque_key(read)
    flaws = dict.fromkeys([] if recipient else [_NO_ID])
    primary, addresses = _addresses(row, path, faults, flaws)
    members = _members(row.members, f"{path}.members", faults)
    for name, value, flaw in _flawed_properties(row, members):
        flaws[flaw] = None
        read[name] = value
    for flaw in flaws:
        odd.add(key, read, flaw, () if recipient else addresses)
    if recipient is None:
        return None
    return Recipient(
        recipient,
        None if _sid_flaw(row.sid) else row.sid or None,
        primary,
        addresses,
        _text_or_empty(row.display_name),
        _text_or_empty(row.type),
        row.is_valid_security_principal
        if isinstance(row.is_valid_security_principal, bool)
        else None,
        members,
    )


def _flawed_properties(
    row: RecipientRow, members: frozenset[str] | None
) -> Iterator[tuple[str, Any, str]]:
    """Properties beside names and addresses that are not understood, as they are spelled, with what
    was read.
    """
    principal, sid_flaw = row.is_valid_security_principal, _sid_flaw(row.sid)
    if not isinstance(principal, bool):
        flaw = f"isValidSecurityPrincipal is neither true nor false: {shown(principal)}"
        yield "isValidSecurityPrincipal", principal, flaw
    if sid_flaw is not None:
        yield "sid", row.sid, sid_flaw
    if _is_odd_text(row.display_name):
        yield "displayName", row.display_name, _NO_DISPLAY_NAME
    if _is_odd_text(row.type):
        yield "type", row.type, f"the type is not a string: {shown(row.type)}"
    if members is None and row.members is not None:
        yield "members", row.members, _ODD_MEMBER


def _sid_flaw(sid: Any) -> str | None:
    """Why a security identifier is not understood, if it is not."""
    if sid is None or (isinstance(sid, str) and not name_fault(sid)):
        return None
    return f"the sid is not a security identifier: {shown(sid)}"


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
    return _identifying_fault(address) if address else None


def _identifying_fault(name: str) -> str | None:
    """Why a name identifies nobody; None if it may: an object id names the object that has it, and
    nobody else by another name.
    """
    return name_fault(name) or (f"is an object id: {shown(name)}" if guid(name) else None)


def smtp_address(proxy: str) -> str | None:
    """An address without the `smtp:` or `SMTP:` of a proxy address; None for proxies of other kinds
    (`X500:`, `SIP:`, `SPO:`).
    """
    kind, colon, address = proxy.partition(":")
    if not colon:
        return proxy
    return address if kind.lower() == _SMTP else None


def _members(value: Any, path: str, faults: FaultList) -> frozenset[str] | None:
    """Object ids of members. Absent or null is unknown, which is not the same as none; so is a list
    with a member that cannot be identified.
    """
    if value is None:
        return None
    members = [object_id(spelled) for spelled in as_list(value, path, faults)]
    ids = frozenset(member for member in members if member is not None)
    return None if None in members else ids


def _absent(section: Mapping[str, Any], path: str, faults: FaultList) -> frozenset[str]:
    names = as_list(section.get("absent"), f"{path}.absent", faults)
    for index, name in enumerate(names):
        if not isinstance(name, str):
            faults.add(
                f"{path}.absent[{index}]", f"expected a name, found {shown(name)}: fetch again"
            )
    return frozenset(name.lower() for name in names if isinstance(name, str))
