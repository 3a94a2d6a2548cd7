"""Canonical JSON and digests: one value, one text, one SHA-256.

Keys in code-point order, no blanks, non-ASCII raw, no floats, UTF-8. A file adds one LF at the end.
That is RFC 8785, as long as no key has a character beyond the basic plane: those the RFC sorts by
UTF-16 code units.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
else:
    Json = Any  # what msgspec, which knows no recursive alias, decodes a field of this type as

# skipkeys and allow_nan stay off: a key that is not text, a NaN or an infinity is a defect of the
# caller.
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


_PLAIN = msgspec.json.Encoder(order="sorted")


def encode(value: object) -> bytes:
    """Encode like `dumps`, in a tenth of the time, what holds JSON values, structs of them, and no
    floats. What it holds is not checked.
    """
    return _PLAIN.encode(value)


def dumps(value: Json) -> bytes:
    """Encode a JSON value canonically, without a final newline.

    Raises:
        TypeError: the value holds something that is not a JSON value.
        UnicodeEncodeError: a string holds a lone surrogate.
    """
    return _ENCODER.encode(value).encode("utf-8")


def digest(value: Json) -> str:
    """SHA-256 of the canonical text, in lower-case hexadecimal."""
    return hashlib.sha256(dumps(value)).hexdigest()


def rows_digest(columns: Sequence[Collection[str]]) -> str:
    """SHA-256 of many rows of texts, whatever their order, given by their columns, which are of one
    length.

    One text with a line for each cell takes a tenth of the time of canonical JSON, which is left
    for rows that hold a line break themselves.
    """
    lines = "\n".join(sorted(_rows(columns)))
    cells = sum(map(len, columns))
    if lines.count("\n") + bool(cells) != cells:
        return digest(sorted(zip(*columns, strict=True)))
    hashed = hashlib.sha256(b"lines\n")
    hashed.update(lines.encode("utf-8"))
    return hashed.hexdigest()


def _rows(columns: Sequence[Collection[str]]) -> Iterable[str]:
    """Each row as one text, which is the cell itself where there is one column."""
    match columns:
        case [column]:
            return column
        case _:
            return map("\n".join, zip(*columns, strict=True))
