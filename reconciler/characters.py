"""Which characters a text may hold, decided once for documents, tenants and PowerShell.

A *plain* character may be written raw in a single-quoted PowerShell literal: it is visible, or U+0020.
Everything else is *unfit* in a name: what cannot be seen, changes the direction of reading, ends a
line somewhere, or has no meaning that two systems agree on (CVE-2021-42574; PowerShell 7.6.5,
observed: its operators and its parameter binder overlook zero-width characters).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

_BIDIRECTIONAL: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Unicode's Default_Ignorable_Code_Point, the interlinear anchors, and the blank braille pattern.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200d\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
# 32 in a row, and the last two of every plane.
_NONCHARACTERS: Final = frozenset(
    (
        *range(0xFDD0, 0xFDF0),
        *(plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)),
    )
)

_CATEGORIES: Final = {
    "Cc": "a control character",
    "Cf": "a format character",
    "Cs": "a lone surrogate",
    "Co": "a private-use character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
    "Zs": "a space other than U+0020",
}


class Unfit(Struct, frozen=True):
    """The first character of a text that is refused: its index (code points, from 0), its code
    point, and why in words.
    """

    index: int
    code_point: int
    why: str

    def __str__(self) -> str:
        return f"character {self.index + 1} is U+{self.code_point:04X}, {self.why}"


def unfit(text: str) -> Unfit | None:
    """Find the first character that a name may not hold; None if all are plain.

    Which code points are assigned is Unicode's as the running Python knows it: an older one refuses
    more, and never reads differently.
    """
    # isprintable is False for every category of `_CATEGORIES`, True for U+0020: only the invisible
    # letters and marks are left to look for.
    if text.isprintable() and (text.isascii() or not _INVISIBLE.search(text)):
        return None
    return next(
        Unfit(index, ord(char), why) for index, char in enumerate(text) if (why := _why(char))
    )


def has_surrogate(text: str) -> bool:
    """Whether a text holds half of a surrogate pair, so that it cannot be written as UTF-8."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def folded(texts: Sequence[str]) -> Sequence[str]:
    """Many texts in lower case; the very same ones if they are so already, whose hashes are known
    then.
    """
    joined = "".join(texts)
    return texts if joined == joined.lower() else [text.lower() for text in texts]


def plain(char: str) -> bool:
    """Whether one character may be written raw in a single-quoted literal (quotes doubled)."""
    return char.isprintable() and not _INVISIBLE.match(char)


def _why(char: str) -> str | None:
    if _BIDIRECTIONAL.match(char):
        return "a bidirectional control"
    if _INVISIBLE.match(char):
        return "invisible"
    if ord(char) in _NONCHARACTERS:
        return "a noncharacter"
    return None if char == " " else _CATEGORIES.get(unicodedata.category(char))
