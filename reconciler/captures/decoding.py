"""The bytes of a capture file -> its content, where the rows of users, groups and recipients, of
which there may be 100,000, are values at once.

Only a file whose every part has the usual shape is decoded so. Any other is decoded as plain JSON,
of which the readers of the rows make the same values. Nothing is judged here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from reconciler.kinds.capture_directory import (
    GroupRow,
    RecipientRow,
    UserRow,
)
from reconciler.kinds.products import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Directory(Struct, forbid_unknown_fields=True):
    users: list[UserRow]
    groups: list[GroupRow] | UnsetType = UNSET
    recipients: list[RecipientRow] | UnsetType = UNSET
    absent: Any = UNSET


_FIELDS: Final = ("format_version", "tool", "simulated", "tenant", "taken_at")


@cache
def _decoder() -> msgspec.json.Decoder[Struct]:
    """Sections that have a type must be there: without, nothing would be decoded the short way."""
    typed = {name: product.section_rows for name, product in PRODUCTS.items()}
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("directory", _Directory),
        *((name, rows) for name, rows in typed.items() if rows is not None),
        *((name, Any, UNSET) for name, rows in typed.items() if rows is None),
        *((name, Any, UNSET) for name in _FIELDS),
    ]
    return msgspec.json.Decoder(msgspec.defstruct("_Capture", fields, forbid_unknown_fields=True))


def decode_capture(data: bytes) -> Mapping[str, Any] | None:
    """The content of a capture file with typed rows; None for a file of another shape."""
    try:
        if not data.isascii():
            # In properties that nobody looks at, the decoder lets broken bytes pass: such a file is
            # damaged.
            data.decode("utf-8")
        capture = _decoder().decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return {
        name: _given(part) if isinstance(part, Struct) else part
        for name, part in _given(capture).items()
    }


def _given(part: Struct) -> dict[str, Any]:
    return {
        name: value
        for name in part.__struct_fields__
        if (value := getattr(part, name)) is not UNSET
    }


def is_decoded(raw: Mapping[str, Any]) -> bool:
    """Whether all texts of a capture are known to be Unicode: a typed row of a user says that
    `decode_capture` made it, which takes no lone surrogate.
    """
    users = (raw.get("directory") or {}).get("users")
    return isinstance(users, list) and bool(users) and isinstance(users[0], UserRow)
