"""Reading what `ConvertTo-Json` made of PowerShell objects: lists that may be anything, ids in any
case.
"""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

from msgspec import UNSET, Struct, convert

from reconciler.characters import folded, unfit
from reconciler.guids import EMPTY_GUID, are_guids
from reconciler.model.observed import OPAQUE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.kinds.capture_faults import FaultList

DAMAGED: Final = "\ufffd"
"""What half of a surrogate pair becomes on the way through PowerShell's JSON: a name that holds it
may have been another.
"""
_LONGEST: Final = 80
_LONGEST_RAW: Final = 1000
_Key = TypeVar("_Key", str, tuple[str, str])
_Value = TypeVar("_Value")
_Row = TypeVar("_Row", bound=Struct)


def shown(value: Any) -> str:
    """A value as a message names it: as JSON in ASCII, shortened.

    An object or a list shows its type only.
    """
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    quoted = json.dumps(value)
    return quoted if len(quoted) <= _LONGEST else f"{quoted[:_LONGEST]}…"


def raw_text(value: Any) -> str:
    """What was read, as it is kept of an object that cannot be understood: JSON in ASCII with sorted
    keys. A long one is cut and followed by its SHA-256: equal texts stand for equal values.
    """
    text = json.dumps(value, sort_keys=True)
    if len(text) <= _LONGEST_RAW:
        return text
    return f"{text[:_LONGEST_RAW]}... sha256:{sha256(text.encode()).hexdigest()}"


def opaque_key(value: Any) -> str:
    """A key that is what was read and nothing else."""
    return f"{OPAQUE}{raw_text(value)}"


def is_whole(text: str) -> bool:
    """Whether a raw text is all that was read."""
    return len(text) <= _LONGEST_RAW


def as_list(value: Any, path: str, faults: FaultList) -> Sequence[Any]:
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
                f"expected {shown(value['Count'])} items, found {len(items)}: the reading is"
                " incomplete, fetch again",
            )
        return items
    return (value,)


def objects(
    section: Mapping[str, Any], key: str, path: str, faults: FaultList
) -> Sequence[Mapping[str, Any]]:
    """The rows of `section[key]`.

    One that is not an object is a fault and takes its place as an empty mapping, so that indexes hold.
    """
    rows = as_list(section.get(key), f"{path}.{key}", faults)
    if all(rows) and all(isinstance(row, dict) for row in rows):
        return rows
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or not row:
            faults.add(f"{path}.{key}[{index}]", "expected an object with properties: fetch again")
    return [row if isinstance(row, dict) else {} for row in rows]


def typed(
    section: Mapping[str, Any], key: str, kind: type[_Row], path: str, faults: FaultList
) -> Sequence[_Row]:
    """The rows of `section[key]` as values of one type, whose first property is the id.

    `captures.decoding` may have made them already; a property that is missing is as the type says.
    A row without an id has null for it. One that is not an object is a fault, and its id is `UNSET`.
    """
    rows = section.get(key)
    if isinstance(rows, list) and rows and isinstance(rows[0], kind):
        return rows
    name = kind.__struct_encode_fields__[0]
    return [
        convert({name: None, **row}, kind) if row else kind(UNSET)
        for row in objects(section, key, path, faults)
    ]


def by_key(mapping: dict[_Key, _Value]) -> dict[_Key, _Value]:
    """A mapping in the order of its keys, so that nothing downstream can depend on the order of
    rows.
    """
    return dict(sorted(mapping.items(), key=itemgetter(0)))


def are_texts(values: Sequence[Any]) -> TypeGuard[Sequence[str]]:
    """Whether all of many values are texts."""
    return set(map(type, values)) <= {str}


def object_ids(spelled: Sequence[Any]) -> Sequence[str] | None:
    """Many object ids in lower case; None if one of them is not an object id."""
    if not are_texts(spelled) or EMPTY_GUID in spelled:
        return None
    if are_guids(spelled):
        return spelled
    return lower if are_guids(lower := folded(spelled)) else None


def are_names(texts: Sequence[str]) -> bool:
    """Whether `name_fault` finds nothing in any of the texts."""
    joined = "".join(texts)
    if joined.isascii() and joined.isprintable():
        return all(map(str.strip, texts) if " " in joined else texts)
    return not any(map(name_fault, texts))


def name_fault(text: str) -> str | None:
    """Why a text that the tool will compare, show and render as a name must be refused; None if it
    is fit.
    """
    if text.isascii() and text.isprintable():
        return None if text.strip() else "is blank: correct it in the tenant"
    if DAMAGED in text:
        return f"{shown(text)} contains U+FFFD: it was damaged in transit, or has half a character"
    flaw = unfit(text)
    return (
        None
        if flaw is None
        else (
            f"{shown(text)}: {flaw}; such a name can be mistaken for another: correct it in the"
            " tenant"
        )
    )


def blank_as_empty(value: Any) -> str | None:
    """A description: `""` for null and for blanks only (the services show both as nothing), None if
    it is not a string.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return None
    return value if value.strip() else ""


def text_property(value: Any, path: str, faults: FaultList) -> str:
    """A text property; `""` if it is null or absent, and with a fault if it is something else."""
    if value is None or isinstance(value, str):
        return value or ""
    faults.add(path, f"expected a string, found {shown(value)}: fetch again")
    return ""


def is_time(value: Any) -> bool:
    """Whether a value is a point in time: ISO 8601 with `Z` or an offset."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
