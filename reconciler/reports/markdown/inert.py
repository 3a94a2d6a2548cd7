"""Text of others in Markdown: it must stay text (law 7), and readable.

GitHub and Azure DevOps look for mentions, references to issues and commits, and bare links in the
text that Markdown has become, so that a backslash or an entity before `@` or `#` does not stop
them; inside code they look for nothing (https://github.github.com/gfm/#code-spans, GitHub's
mention filter leaves out `pre` and `code`). So a name is a code span or a line of a fence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.reports.review.value import Name
from reconciler.reports.terminal import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.reports.review.value import Phrase
    from reconciler.reports.wrapping import Layout

LONGEST = 200
"""Characters of one text of others; the rest is cut."""
_LEAST_FENCE = 3
_TICKS = re.compile("`+")
# a word of ours that Markdown and the sites leave alone
_PLAIN_WORD = re.compile(r"""[A-Za-z0-9.,;:()'"/%…-]+|->""")
_READ_AS_MORE = re.compile(
    r"""://|\bwww\.|\bGH-\d|:(?!\d\d:)[\w+-]+:|\b[0-9a-f]{7,40}\b|^[(]?:.""", re.IGNORECASE
)
_STARTS_BLOCK = re.compile(r"(?:\d+[.)]|[-+=]+|->)$")


class Inert(str):
    """Markdown that is complete as it is; anything else is made inert where it is printed."""

    __slots__ = ()


def shortened(text: str) -> str:
    """A text of others that is not longer than can be read, where an invisible character takes
    several.
    """
    if len(text) <= LONGEST and len(line(text)) <= LONGEST:
        return text
    length = 0
    for index, char in enumerate(text):
        length += len(line(char))
        if length >= LONGEST:
            return f"{text[:index]}…"
    return text


def code(text: str) -> Inert:
    """Any text as a code span, in more back-ticks than there are in it."""
    shown = line(text) or '""'
    ticks = "`" * (_longest_run(shown) + 1)
    # a reader takes one blank off each end, but not where there is nothing else
    edges = shown[0] + shown[-1]
    pad = " " if shown.strip(" ") and ("`" in edges or " " in edges) else ""
    return Inert(f"{ticks}{pad}{shown}{pad}{ticks}")


def words(text: str) -> Inert:
    """Words of ours; each that Markdown or a site could take for more is a code span, and what
    is between back-ticks is one.
    """
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return _words(text)
    return _joined(
        code(piece) if index % 2 else _words(piece) for index, piece in enumerate(pieces)
    )


def _words(text: str) -> Inert:
    return Inert(" ".join(_word(word) for word in text.split(" ")))


def _word(word: str) -> str:
    if not word or (_PLAIN_WORD.fullmatch(word) and not _READ_AS_MORE.search(word)):
        return word
    return code(word)


def phrase(pieces: Phrase, layout: Layout) -> Inert:
    """A phrase as the text of a paragraph or of an item: it begins no block of its own."""
    text = _joined(
        words(piece) if isinstance(piece, str) else code(shortened(layout.name(piece)))
        for piece in _with_whole_code(pieces, layout)
    ).strip()
    first, blank, others = text.partition(" ")
    if _STARTS_BLOCK.match(first):
        return Inert(f"{code(first)}{blank}{others}")
    return Inert(text)


def _with_whole_code(pieces: Phrase, layout: Layout) -> Iterator[str | Name]:
    """A phrase in which no name is between two back-ticks: there it is part of our words."""
    pending = ""
    for piece in pieces:
        if isinstance(piece, str):
            pending += piece
        elif pending.count("`") % 2:
            pending += shortened(layout.name(piece)).replace("`", "'")
        else:
            yield from (pending, piece)
            pending = ""
    yield pending


def with_short_names(pieces: Phrase) -> Phrase:
    """A phrase whose names are not longer than can be read."""
    return tuple(
        replace(piece, text=shortened(piece.text), id=shortened(piece.id))
        if isinstance(piece, Name)
        else piece
        for piece in pieces
    )


def fence(lines: Iterable[str], language: str) -> Inert:
    """Lines of any text in a fence that none of them can close."""
    shown = [line(text) for text in lines]
    longest = max(map(_longest_run, shown), default=0)
    ticks = "`" * max(_LEAST_FENCE, longest + 1)
    return Inert("\n".join((f"{ticks}{language}", *shown, ticks)))


def _longest_run(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)


def _joined(pieces: Iterable[str]) -> Inert:
    """Pieces one after the other; two code spans that would touch get a blank between them."""
    text = ""
    for piece in pieces:
        text += f" {piece}" if text.endswith("`") and piece.startswith("`") else piece
    return Inert(text)
