"""Reading what `ConvertTo-Json` made of PowerShell objects: lists that may be anything, ids in any
case.
"""

from __future__ import annotations

import json
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

from msgspec import Struct, to_builtins

from reconciler.characters import unfit
from reconciler.guids import are_guids, guid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.kinds.capture_faults import FaultList

_LONGEST: Final = 80
_Key = TypeVar("_Key", str, tuple[str, str])
_Value = TypeVar("_Value")
_Row = TypeVar("_Row", bound=Struct)


def guids(
    rows: Sequence[Mapping[str, Any]], key: str, path: str, faults: FaultList
) -> Sequence[str]:
    """The ids of many rows in lower case, `""` and a fault where one is no GUID."""
    try:
        spelled = [row[key] for row in rows]
        if are_guids(spelled):
            return spelled
        folded = "\n".join(spelled).lower().split("\n")
        if len(folded) == len(rows) and are_guids(folded):
            return folded
    except (KeyError, TypeError):
        pass
    return [_guid(row, key, f"{path}[{index}].{key}", faults) for index, row in enumerate(rows)]


def _guid(row: Mapping[str, Any], key: str, path: str, faults: FaultList) -> str:
    object_id = guid(row.get(key))
    if object_id is None and row:  # an empty row was told already
        faults.add(path, f"{shown(row.get(key))} is not an object id (a GUID): fetch again")
    return object_id or ""


def shown(value: Any) -> str:
    """A value as a message names it: as JSON in ASCII, shortened.

    An object or a list shows its type only.
    """
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    quoted = json.dumps(value)
    return quoted if len(quoted) <= _LONGEST else f"{quoted[:_LONGEST]}…"


def listed(value: Any, path: str, faults: FaultList) -> Sequence[Any]:
    """A list, whatever PowerShell made of it: nothing, one item alone, or `{"value": [...],
    "Count": n}` (Windows PowerShell 5.1).
    """
    if value is None:
        return ()
    if isinstance(value, list):
        return value
    if (
        isinstance(value, dict)
        and isinstance(items := value.get("value"), list)
        and "Count" in value
    ):
        if value["Count"] != len(items):
            faults.add(
                f"{path}.Count",
                f"says {shown(value['Count'])}, but there are {len(items)} items: the reading is"
                " cut, fetch again",
            )
        return items
    return (value,)


def objects(
    section: Mapping[str, Any], key: str, path: str, faults: FaultList
) -> Sequence[Mapping[str, Any]]:
    """The rows of `section[key]`.

    One that is no object is a fault and takes its place as an empty mapping, so that indexes hold.
    """
    rows = listed(section.get(key), f"{path}.{key}", faults)
    if all(rows) and all(isinstance(row, dict) for row in rows):
        return rows
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or not row:
            faults.add(f"{path}.{key}[{index}]", "is not an object with properties: fetch again")
    return [row if isinstance(row, dict) else {} for row in rows]


def are_decoded(rows: Any, kind: type[_Row]) -> TypeGuard[list[_Row]]:
    """Whether rows are values already, as `captures.decoding` makes them."""
    return isinstance(rows, list) and bool(rows) and type(rows[0]) is kind


def mappings(rows: Sequence[Struct]) -> Sequence[Mapping[str, Any]]:
    """Decoded rows as a capture file has them, without what was not looked at."""
    mapped: list[Mapping[str, Any]] = to_builtins(rows)
    return mapped


def by_key(mapping: dict[_Key, _Value]) -> dict[_Key, _Value]:
    """A mapping in the order of its keys, so that nothing downstream can depend on the order of
    rows.
    """
    return dict(sorted(mapping.items(), key=itemgetter(0)))


def are_names(texts: Sequence[str]) -> bool:
    """Whether `name_fault` finds nothing in any of the texts.

    Raises:
        TypeError: one is no text.
    """
    joined = "".join(texts)
    if joined.isascii() and joined.isprintable():
        return all(map(str.strip, texts))
    return not any(map(name_fault, texts))


def name_fault(text: str) -> str | None:
    """Why a text that the tool will compare, show and render as a name must be refused; None if it
    is fit.
    """
    if text.isascii() and text.isprintable():
        return None if text.strip() else "is blank: correct it in the tenant"
    flaw = unfit(text)
    return (
        None
        if flaw is None
        else (
            f"{shown(text)}: {flaw}; such a name cannot be told from others by eye: correct it in"
            " the tenant"
        )
    )


def blank_as_empty(value: Any) -> str | None:
    """A description: `""` for null and for blanks only (the services show both as nothing), None if
    it is no text.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return None
    return value if value.strip() else ""


def text(row: Mapping[str, Any], key: str, path: str, faults: FaultList) -> str:
    """A text property; `""` if it is null or absent, and with a fault if it is something else."""
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    faults.add(f"{path}.{key}", f"{shown(value)} is not a string: fetch again")
    return ""


def is_time(value: Any) -> bool:
    """Whether a value is a point in time: ISO 8601 with `Z` or an offset."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
