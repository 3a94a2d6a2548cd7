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


def _told_apart(value: Json) -> str | None:
    """An object id in lower case, if it is one."""
    return value.lower() if isinstance(value, str) and _GUID.fullmatch(value) else None


def users(value: Json, path: str, tell: Tell) -> tuple[dict[str, Any], dict[str, str]]:
    """Users as (upn, display name) by id, and ids by user principal name."""
    by_id: dict[str, Any] = {}
    holders: dict[str, set[str]] = {}
    taken: set[str] = set()
    for index, row in enumerate(rows(value, path, tell)):
        if row is None:
            continue
        user, upn, name = _told_apart(row.get("id")), row.get("upn"), row.get("displayName") or ""
        if not isinstance(name, str):
            who = user or _not_understood(
                {key: row.get(key) for key in ("id", "upn", "displayName")}
            )
            tell(
                f"{path}[{index}]",
                f"displayName {shown(name)} of {who} must be a string: fetch again",
            )
            continue
        is_fit = isinstance(upn, str) and not name_fault(upn)
        if isinstance(upn, str) and not (user and is_fit):
            taken.add(upn.lower())
        if user is None:
            continue
        fit = upn if is_fit else ""
        if by_id.setdefault(user, (fit, name)) != (fit, name):
            tell(
                f"{path}[{index}]", f"id {user} appears twice, with different content: fetch again"
            )
        if fit:
            holders.setdefault(fit.lower(), set()).add(user)
    clear = {
        upn: next(iter(some)) for upn, some in holders.items() if len(some) == 1 > (upn in taken)
    }
    named = {
        user: (upn if upn.lower() in clear else "", name) for user, (upn, name) in by_id.items()
    }
    return named, clear


def grants(value: Json, path: str, tell: Tell, *, holders_only: bool) -> dict[str, str]:
    """Users with the policy that is granted to them, in lower case and without `Tag:`; one whose id
    is none as it was read.
    """
    held: dict[str, set[str]] = {}
    for index, row in enumerate(rows(value, path, tell)):
        if row is None:
            continue
        here = f"{path}[{index}].ApplicationAccessPolicy"
        name = _granted(row)
        if name is None:
            _tell_nothing_granted(row, here, tell, holders_only=holders_only)
            continue
        read = {"Identity": row.get("Identity"), "ApplicationAccessPolicy": name}
        user = _told_apart(row.get("Identity")) or _not_understood(read)
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
    holders: dict[str, set[str | None]] = {}
    for index, row in enumerate(rows(value, path, tell)):
        here = f"{path}[{index}]"
        if row is None:
            continue
        ident = _told_apart(row.get("id"))
        recipient = _recipient(row, here, tell, is_told_apart=ident is not None)
        for address in sorted(recipient[2]):
            holders.setdefault(address, set()).add(ident)
        if ident is not None and by_id.setdefault(ident, recipient) != recipient:
            tell(here, f"id {ident} appears twice, with different content: fetch again")
    clear = {address: next(iter(some)) for address, some in holders.items() if len(some) == 1}
    return by_id, {address: ident for address, ident in clear.items() if ident is not None}


def _recipient(
    row: dict[str, Json], path: str, tell: Tell, *, is_told_apart: bool
) -> tuple[Any, ...]:
    principal, sid = row.get("isValidSecurityPrincipal"), row.get("sid")
    if not isinstance(principal, bool):
        tell(
            f"{path}.isValidSecurityPrincipal",
            f"expected true or false, found {shown(principal)}: fetch again",
        )
    if sid is not None and (not isinstance(sid, str) or name_fault(sid)):
        tell(f"{path}.sid", f"{shown(sid)} is not a security identifier: fetch again")
    primary = _fit(row.get("primary"))
    proxies = [_fit(proxy) for proxy in _items(row.get("addresses"), f"{path}.addresses", tell)]
    addresses = {address.lower() for address in (primary, *proxies)} - {""}
    if not is_told_apart:
        return sid, primary, addresses
    texts = (_text(row, "displayName", path, tell), _text(row, "type", path, tell))
    members = None
    if row.get("members") is not None:
        spelled = enumerate(_items(row["members"], f"{path}.members", tell))
        ids = [identifier(member, f"{path}.members[{index}]", tell) for index, member in spelled]
        members = {member for member in ids if member}
    return sid or None, primary, addresses, *texts, bool(principal), members


def _fit(proxy: Json) -> str:
    """An SMTP address that can be told from others, empty for anything else."""
    address = _smtp(proxy) if isinstance(proxy, str) else ""
    return "" if not address or name_fault(address) or "\ufffd" in address else address


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
