"""Long runs of plain list items, taken out of a text before it is parsed: 100,000 users are 100,000
lines of one form.

A run keeps its first and its last line, the lines between them become blank, so that every line has
the number it had. Both lines have to turn up as items of one list at one column: then the lines
between them, which look the same, are items of that list too. Where they do not (the run stood in a
quoted text, in a block scalar, behind a fault), the text is parsed as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

FEWEST: Final = 64
"""Lines from which on a run is worth it."""

# What no YAML reader takes for anything but a plain scalar: letters, digits and what stands in
# object ids and user principal names.
_ITEM: Final = r"[0-9A-Za-z][0-9A-Za-z@._-]*+"
_RUN: Final = re.compile(
    rf"^(?P<lead>\ *-\ ){_ITEM}\r?\n(?:(?P=lead){_ITEM}\r?\n){{{FEWEST - 1},}}+", re.MULTILINE
)


class RepeatedLines(Struct, frozen=True):
    """Items of a run, the number of its last line, and the column of its items, both as the parser
    counts them: from 0.
    """

    texts: list[str]
    last: int
    column: int


def thinned(text: str) -> tuple[str, Mapping[int, RepeatedLines]]:
    """A text without the inner lines of its runs, and the runs by the number of their first line,
    counted from 0.
    """
    runs: dict[int, RepeatedLines] = {}
    pieces: list[str] = []
    done = line = 0
    for block in _RUN.finditer(text):
        lead, whole = block["lead"], block[0].replace("\r\n", "\n")
        texts = whole[len(lead) : -1].split(f"\n{lead}")
        line += text.count("\n", done, block.start())
        runs[line] = RepeatedLines(texts, line + len(texts) - 1, len(lead))
        pieces += (
            text[done : block.start()],
            lead,
            texts[0],
            "\n" * (len(texts) - 1),
            lead,
            texts[-1],
            "\n",
        )
        done, line = block.end(), line + len(texts)
    return ("".join((*pieces, text[done:])), runs) if runs else (text, runs)
