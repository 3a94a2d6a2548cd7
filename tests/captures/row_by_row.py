"""The users, grants and recipients of a capture read the slow way: plain JSON, one row after the
other, nothing decoded into types and no column looked at as a whole.

An oracle for the readers of the product: their values, and each fault with its place and words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
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


def _told_apart(value: Json) -> str | None:
    """An object id in lower case, if it is one."""
    return value.lower() if isinstance(value, str) and _GUID.fullmatch(value) else None


def users(value: Json, path: str, tell: Tell) -> tuple[dict[str, Any], dict[str, str]]:
    """Users as (upn, display name) by id, and ids by user principal name."""
    read: dict[str, list[tuple[str, str]]] = {}
    holders: dict[str, set[str]] = {}
    taken: set[str] = set()
    for row in rows(value, path, tell):
        if row is None:
            continue
        user, upn = _told_apart(row.get("id")), row.get("upn")
        is_fit = isinstance(upn, str) and not name_fault(upn)
        if isinstance(upn, str) and not (user and is_fit):
            taken.add(upn.lower())
        if user is None:
            continue
        fit = upn if is_fit else ""
        read.setdefault(user, []).append((fit, _text(row, "displayName")))
        if fit:
            holders.setdefault(fit.lower(), set()).add(user)
    for contents in read.values():
        upns = {upn.lower() for upn, _ in contents}
        taken |= upns if len(upns) > 1 else set()
    clear = {
        upn: next(iter(some)) for upn, some in holders.items() if len(some) == 1 > (upn in taken)
    }
    named = {}
    for user, contents in read.items():
        upn, name = (_agreed(column, "") for column in zip(*contents, strict=True))
        named[user] = (upn if upn.lower() in clear else "", name)
    return named, clear


def _agreed(values: Iterable[Any], unknown: Any) -> Any:
    """What all rows with one id say."""
    first, *others = values
    return first if all(other == first for other in others) else unknown


def grants(value: Json, path: str, tell: Tell, *, holders_only: bool) -> dict[str, str]:
    """Users with the policy that is granted to them, in lower case and without `Tag:`; one whose id
    is none as it was read.
    """
    held: dict[str, set[str]] = {}
    read_rows = rows(value, path, tell)
    is_asked = any(row is not None and _granted(row) is not None for row in read_rows)
    for index, row in enumerate(read_rows):
        if row is None:
            continue
        here = f"{path}[{index}].ApplicationAccessPolicy"
        name = _granted(row)
        if is_asked and not {"ApplicationAccessPolicy", "PolicyName"} & row.keys():
            whole = {"Identity": row.get("Identity"), "ApplicationAccessPolicy": None}
            user = _told_apart(row.get("Identity")) or _not_understood(whole)
            held.setdefault(user, set()).add(_not_understood({"Identity": row.get("Identity")}))
            continue
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
    read: dict[str, list[tuple[Any, ...]]] = {}
    holders: dict[str, set[str | None]] = {}
    unclear: set[str] = set()
    for index, row in enumerate(rows(value, path, tell)):
        if row is None:
            continue
        ident = _told_apart(row.get("id"))
        recipient = _recipient(row, f"{path}[{index}]", tell)
        for address in sorted(recipient[2]):
            holders.setdefault(address, set()).add(ident)
        if ident is not None:
            read.setdefault(ident, []).append(recipient)
    by_id: dict[str, Any] = {}
    for ident, contents in read.items():
        sid, primary, addresses, name, kind, principal, members = zip(*contents, strict=True)
        in_common = set.intersection(*addresses)
        unclear |= set.union(*addresses) - in_common
        texts = (_agreed(name, ""), _agreed(kind, ""))
        flags = (_agreed(principal, None), _agreed(members, None))
        by_id[ident] = (_agreed(sid, None), _agreed(primary, ""), in_common, *texts, *flags)
    clear = {
        address: next(iter(some))
        for address, some in holders.items()
        if len(some) == 1 and address not in unclear
    }
    return by_id, {address: ident for address, ident in clear.items() if ident is not None}


def _recipient(row: dict[str, Json], path: str, tell: Tell) -> tuple[Any, ...]:
    principal, sid = row.get("isValidSecurityPrincipal"), row.get("sid")
    primary = _fit(row.get("primary"))
    proxies = [_fit(proxy) for proxy in _items(row.get("addresses"), f"{path}.addresses", tell)]
    addresses = {address.lower() for address in (primary, *proxies)} - {""}
    members = None
    if row.get("members") is not None:
        ids = [_told_apart(member) for member in _items(row["members"], f"{path}.members", tell)]
        members = None if None in ids else {*ids}
    texts = (_text(row, "displayName"), _text(row, "type"))
    is_fit = isinstance(sid, str) and not name_fault(sid)
    flag = principal if isinstance(principal, bool) else None
    return (sid if is_fit else None), primary, addresses, *texts, flag, members


def _fit(proxy: Json) -> str:
    """An SMTP address that can be told from others, empty for anything else."""
    address = _smtp(proxy) if isinstance(proxy, str) else ""
    return "" if not address or name_fault(address) or "\ufffd" in address else address


def _smtp(proxy: str) -> str:
    kind, colon, address = proxy.partition(":")
    if not colon:
        return proxy
    return address if kind.lower() == "smtp" else ""


def _text(row: dict[str, Json], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


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
