"""Columns of a CSV file of users, by its header: as this tool writes it, as Excel does, and as the
services export it.
"""

from __future__ import annotations

import csv
import re
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SEPARATORS: Final = (",", ";", "\t")
"""Excel writes `;` where the comma is the decimal separator, and tabs as "Unicode Text"."""
BLANKS: Final = " \t"
SEPARATOR_NAMES: Final[Mapping[str, str]] = {",": "commas", ";": "semicolons", "\t": "tabs"}

_CELLS: Final = {
    ",": re.compile(r'"(?:[^"]|"")*"|[^,]*'),
    ";": re.compile(r'"(?:[^"]|"")*"|[^;]*'),
    "\t": re.compile(r'"(?:[^"]|"")*"|[^\t]*'),
}


class ColumnKind(IntEnum):
    """What a column says of a user, the surest first: an id never changes, a principal name may, and
    a mail address need not be one.
    """

    ID = 0
    USER = 1
    UPN = 2
    MAIL = 3


_KINDS: Final = {
    "id": ColumnKind.ID,
    "objectid": ColumnKind.ID,
    "object id": ColumnKind.ID,
    "externaldirectoryobjectid": ColumnKind.ID,
    "user": ColumnKind.USER,
    "userprincipalname": ColumnKind.UPN,
    "user principal name": ColumnKind.UPN,
    "upn": ColumnKind.UPN,
    "mail": ColumnKind.MAIL,
    "email": ColumnKind.MAIL,
    "e-mail": ColumnKind.MAIL,
}
"""Headers in lower case: ours, those of Microsoft Graph and the Entra portal's downloads, of
`Get-CsOnlineUser` and of `Get-EXORecipient`.
"""
_LABELS: Final = frozenset(("label", "name", "displayname", "display name"))
"""Columns for people, which are meant to be there."""


class Columns(Struct, frozen=True):
    """A header that was understood.

    Attributes:
        separator: What separates values.
        width: How many values a row has.
        index: Which of them says the user.
        name: The header of that column.
        ignored: Headers of columns that nothing is read from and that are not labels.
        label: The first column for people, if there is one.
    """

    separator: str
    width: int
    index: int
    name: str
    ignored: tuple[str, ...]
    label: int | None = None

    @property
    def takes_ids(self) -> bool:
        """Whether the column may say a user by object id."""
        return _KINDS[self.name.lower()] in (ColumnKind.ID, ColumnKind.USER)


class TwoColumns(Struct, frozen=True):
    """A header of which two columns say the same: their names."""

    first: str
    second: str


def columns_of(header: str) -> Columns | TwoColumns | None:
    """Understand the first line of a CSV file; None if no column of it says who is meant."""
    readings = [(separator, values_of(header, separator)) for separator in SEPARATORS]
    likely = [
        (separator, [value.strip(BLANKS) for value in values])
        for separator, values in readings
        if values is not None and any(_kind(value) is not None for value in values)
    ]
    if not likely:
        return None
    return _chosen(*max(likely, key=lambda reading: len(reading[1])))


def values_of(line: str, separator: str) -> list[str] | None:
    """The values of a line; None if a quote is not closed on it."""
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], strict=True, delimiter=separator))
    except csv.Error:
        return None


def place_of_value(line: str, separator: str, index: int) -> int:
    """The column, from 1, at which a value of a line begins."""
    if '"' not in line:
        return len(line) - len(line.split(separator, index)[index]) + 1
    place, cells = 0, _CELLS[separator]
    for _ in range(index):
        cell = cells.match(line, place)
        place = (cell.end() if cell else place) + 1
    return place + 1


def _kind(value: str) -> ColumnKind | None:
    return _KINDS.get(value.strip(BLANKS).lower())


def _chosen(separator: str, names: Sequence[str]) -> Columns | TwoColumns:
    by_kind: dict[ColumnKind, int] = {}
    for index, name in enumerate(names):
        kind = _kind(name)
        if kind is None:
            continue
        if kind in by_kind:
            return TwoColumns(names[by_kind[kind]], name)
        by_kind[kind] = index
    index = by_kind[min(by_kind)]
    labels = [place for place, name in enumerate(names) if name.lower() in _LABELS]
    ignored = tuple(
        name for place, name in enumerate(names) if place != index and name and place not in labels
    )
    label = labels[0] if labels else None
    return Columns(separator, len(names), index, names[index], ignored, label)
