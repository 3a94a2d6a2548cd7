"""The users, grants and recipients of a capture read the slow way: plain JSON, one row after the
other, nothing decoded into types and no column looked at as a whole.

An oracle for the readers of the product: their values, and each fault with its place and words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from reconciler.kinds.capture_rows import name_fault, raw_text, shown

Json: TypeAlias = Any
Tell: TypeAlias = Callable[[str, str], None]
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def rows(value: Json, path: str, tell: Tell) -> list[dict[str, Json] | None]:
    """The rows of a list, None for what is no row, whatever PowerShell made of the list."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if isinstance(value, dict) and "Count" in value and isinstance(value.get("value"), list):
        items = value["value"]
        if len(items) != value["Count"]:
            tell(
                f"{path}.Count",
                f"expected {shown(value['Count'])} items, found {len(items)}: the reading is"
                " incomplete, fetch again",
            )
    for index, item in enumerate(items):
        if not isinstance(item, dict) or not item:
            tell(f"{path}[{index}]", "expected an object with properties: fetch again")
    return [item if isinstance(item, dict) and item else None for item in items]


def identifier(value: Json, path: str, tell: Tell) -> str | None:
    """An object id in lower case."""
    if isinstance(value, str) and _GUID.fullmatch(value):
        return value.lower()
    tell(path, f"{shown(value)} is not an object id (a GUID): fetch again")
    return None


def users(value: Json, path: str, tell: Tell) -> tuple[dict[str, Any], dict[str, str]]:
    """Users as (upn, display name) by id, and ids by user principal name."""
    by_id: dict[str, Any] = {}
    by_upn: dict[str, str] = {}
    found = rows(value, path, tell)
    ids = [
        identifier(row.get("id"), f"{path}[{index}].id", tell) if row else None
        for index, row in enumerate(found)
    ]
    for index, (row, user) in enumerate(zip(found, ids, strict=True)):
        if row is None or user is None:
            continue
        upn, name = row.get("upn"), row.get("displayName") or ""
        if not isinstance(upn, str) or not isinstance(name, str):
            tell(
                f"{path}[{index}]",
                f"upn {shown(upn)} and displayName {shown(name)} of {user} must be strings: fetch"
                " again",
            )
            continue
        clashes = by_id.setdefault(user, (upn, name)) != (upn, name)
        if clashes or by_upn.setdefault(upn.lower(), user) != user:
            tell(
                f"{path}[{index}]",
                f"id {user} or upn {shown(upn)} appears twice, for different users: fetch again",
            )
    named = {user: ("" if name_fault(upn) else upn, name) for user, (upn, name) in by_id.items()}
    return named, {upn: user for upn, user in by_upn.items() if not name_fault(by_id[user][0])}


def grants(value: Json, path: str, tell: Tell, *, holders_only: bool) -> dict[str, str]:
    """Users with the policy that is granted to them, in lower case and without `Tag:`."""
    held: dict[str, set[str]] = {}
    found = rows(value, path, tell)
    ids = [
        identifier(row.get("Identity"), f"{path}[{index}].Identity", tell) if row else None
        for index, row in enumerate(found)
    ]
    for index, (row, user) in enumerate(zip(found, ids, strict=True)):
        if row is None or user is None:
            continue
        here = f"{path}[{index}].ApplicationAccessPolicy"
        name = _granted(row)
        if name is None:
            _tell_nothing_granted(row, here, tell, holders_only=holders_only)
            continue
        held.setdefault(user, set()).add(_policy(name))
    return {
        user: next(iter(keys)) if len(keys) == 1 else _not_understood(sorted(keys))
        for user, keys in held.items()
    }


def _policy(name: Json) -> str:
    """The key of what is granted; what no policy can be called as it was read."""
    if not isinstance(name, str):
        return _not_understood(name)
    bare = name[4:] if name[:4].lower() == "tag:" else name
    if name_fault(bare) or bare.lower() == "global":
        return _not_understood(bare)
    return bare.lower()


def _not_understood(value: Json) -> str:
    return f"NOT UNDERSTOOD: {raw_text(value)}"


def _granted(row: dict[str, Json]) -> Json:
    value = row.get("ApplicationAccessPolicy", row.get("PolicyName"))
    if isinstance(value, dict):
        return value.get("Name", value)
    return None if value == "" else value


def _tell_nothing_granted(
    row: dict[str, Json], path: str, tell: Tell, *, holders_only: bool
) -> None:
    again = "fetch again with -Properties ApplicationAccessPolicy"
    if "ApplicationAccessPolicy" not in row and "PolicyName" not in row:
        tell(path, f"is missing, so the user's policy is unknown: {again}")
    elif holders_only:
        tell(path, f"is empty, but only users with a policy were requested: {again}")


def recipients(value: Json, path: str, tell: Tell) -> tuple[dict[str, Any], dict[str, str]]:
    """Recipients as (sid, primary, addresses, display name, type, principal, members) by id, and
    ids by address.
    """
    by_id: dict[str, Any] = {}
    by_address: dict[str, str] = {}
    for index, row in enumerate(rows(value, path, tell)):
        here = f"{path}[{index}]"
        ident = identifier(row.get("id"), f"{here}.id", tell) if row else None
        if row is None or ident is None:
            continue
        recipient = _recipient(row, here, tell)
        if by_id.setdefault(ident, recipient) != recipient:
            tell(here, f"id {ident} appears twice, with different content: fetch again")
        for address in sorted(recipient[2]):
            if by_address.setdefault(address, ident) != ident:
                tell(
                    f"{here}.addresses",
                    f"{shown(address)} is also an address of {by_address[address]}: correct it in"
                    " the tenant",
                )
    return by_id, by_address


def _recipient(row: dict[str, Json], path: str, tell: Tell) -> tuple[Any, ...]:
    principal, sid = row.get("isValidSecurityPrincipal"), row.get("sid")
    if not isinstance(principal, bool):
        tell(
            f"{path}.isValidSecurityPrincipal",
            f"expected true or false, found {shown(principal)}: fetch again",
        )
    if sid is not None and (not isinstance(sid, str) or name_fault(sid)):
        tell(f"{path}.sid", f"{shown(sid)} is not a security identifier: fetch again")
    primary = _smtp(_text(row, "primary", path, tell))
    addresses = {primary.lower()}
    told = {primary}
    for index, proxy in enumerate(_items(row.get("addresses"), f"{path}.addresses", tell)):
        if isinstance(proxy, str):
            addresses.add(_smtp(proxy).lower())
            told.add(_smtp(proxy).lower())
        else:
            tell(
                f"{path}.addresses[{index}]",
                f"expected a string, found {shown(proxy)}: fetch again",
            )
    if not primary:
        tell(f"{path}.primary", "the primary SMTP address is missing: fetch again")
    for address in sorted(told - {""}):
        if flaw := name_fault(address):
            tell(f"{path}.addresses", flaw)
    texts = (_text(row, "displayName", path, tell), _text(row, "type", path, tell))
    members = None
    if row.get("members") is not None:
        spelled = enumerate(_items(row["members"], f"{path}.members", tell))
        ids = [identifier(member, f"{path}.members[{index}]", tell) for index, member in spelled]
        members = {member for member in ids if member}
    return sid or None, primary, addresses - {""}, *texts, bool(principal), members


def _smtp(proxy: str) -> str:
    kind, colon, address = proxy.partition(":")
    if not colon:
        return proxy
    return address if kind.lower() == "smtp" else ""


def _text(row: dict[str, Json], key: str, path: str, tell: Tell) -> str:
    value = row.get(key)
    if isinstance(value, str):
        return value
    if value is not None:
        tell(f"{path}.{key}", f"expected a string, found {shown(value)}: fetch again")
    return ""


def _items(value: Json, path: str, tell: Tell) -> list[Json]:
    if value is None:
        return []
    if isinstance(value, dict) and "Count" in value and isinstance(value.get("value"), list):
        items: list[Json] = value["value"]
        if len(items) != value["Count"]:
            tell(
                f"{path}.Count",
                f"expected {shown(value['Count'])} items, found {len(items)}: the reading is"
                " incomplete, fetch again",
            )
        return items
    return value if isinstance(value, list) else [value]
