"""Repeated lines, many plain list items of one form in a row, taken out of a text before it is
parsed: 100,000 users are 100,000 such lines.

A block of them keeps its first and its last line; the lines between them become blank, so that every
line keeps its number. Both lines have to turn up as items of one list at one column: then the lines
between them, which look the same, are items of that list too. Where they do not (the block was in a
quoted text, in a block scalar, behind a fault), the text is parsed as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

FEWEST: Final = 64
"""The fewest lines of a block: fewer are not worth the effort."""

# What no YAML reader takes for anything but a plain scalar: letters, digits and what occurs in
# object ids and user principal names.
_ITEM: Final = r"[0-9A-Za-z][0-9A-Za-z@._-]*+"
_BLOCK: Final = re.compile(
    rf"^(?P<lead>\ *-\ ){_ITEM}\r?\n(?:(?P=lead){_ITEM}\r?\n){{{FEWEST - 1},}}+", re.MULTILINE
)


class RepeatedLines(Struct, frozen=True):
    """The items of a block, the number of its last line, and the column of its items, both as the parser
    counts them: from 0.
    """

    texts: list[str]
    last: int
    column: int


def thinned(text: str) -> tuple[str, Mapping[int, RepeatedLines]]:
    """A text without the inner lines of its blocks, and the blocks by the number of their first line,
    counted from 0.
    """
    blocks: dict[int, RepeatedLines] = {}
    pieces: list[str] = []
    done = line = 0
    for match in _BLOCK.finditer(text):
        lead, whole = match["lead"], match[0].replace("\r\n", "\n")
        texts = whole[len(lead) : -1].split(f"\n{lead}")
        line += text.count("\n", done, match.start())
        blocks[line] = RepeatedLines(texts, line + len(texts) - 1, len(lead))
        pieces += (
            text[done : match.start()],
            lead,
            texts[0],
            "\n" * (len(texts) - 1),
            lead,
            texts[-1],
            "\n",
        )
        done, line = match.end(), line + len(texts)
    return ("".join((*pieces, text[done:])), blocks) if blocks else (text, blocks)
