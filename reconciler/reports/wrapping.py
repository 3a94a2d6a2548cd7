"""Phrases as lines of at most so many columns, broken between our words and never inside a name."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from reconciler.guids import guid
from reconciler.reports import terminal
from reconciler.reports.lines import Line, Tone
from reconciler.reports.review.value import Name, NameKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.reports.review.value import Phrase

NO_TERMINAL = 100
"""Columns where there is no terminal."""
NO_BREAK = "\u00a0"
"""A blank in our words at which no line is broken; it is shown as any other."""
_WIDE = frozenset("WF")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Layout:
    """How phrases are laid out: columns, whether every id is shown beside its name, and whether an
    application without a name says what to do about it.
    """

    def __init__(
        self, width: int = NO_TERMINAL, *, ids: bool = False, advising: bool = True
    ) -> None:
        self.width = width
        self.ids = ids
        self.advising = advising

    def briefly(self) -> Layout:
        """The same without advice, for what was advised on before."""
        return Layout(self.width, ids=self.ids, advising=False)

    def name(self, name: Name) -> str:
        """A name as it is shown: with its id where it has none, shares it, or all are asked for."""
        if name.missing:
            return self._unnamed(name)
        if name.id and (self.ids or name.ambiguous):
            return f"{name.text} ({name.id})"
        return name.text

    def _unnamed(self, name: Name) -> str:
        if self.ids or name.kind is not NameKind.APPLICATION:
            return name.id
        if guid(name.id) is None:
            return name.text  # an entry that is not understood, as it was read
        short = f"{name.short}…" if name.short else name.id
        return f"{short} (no name: add an Application)" if self.advising else short

    def text(self, phrase: Phrase) -> str:
        """A phrase on one line."""
        return "".join(
            self.name(piece) if isinstance(piece, Name) else piece.replace(NO_BREAK, " ")
            for piece in phrase
        )

    def lines(
        self, phrase: Phrase, first: str = "", hanging: int | None = None, tone: Tone = Tone.PLAIN
    ) -> Iterator[Line]:
        """A phrase on as many lines as it needs.

        Args:
            phrase: what is said.
            first: what precedes it on the first line.
            hanging: columns that the other lines are indented by; None is as far as `first` goes.
            tone: of all lines.
        """
        used = cells(first)
        indent = " " * (used if hanging is None else hanging)
        current: list[str] = []
        for word in self._words(phrase):
            width = cells(word)
            if current and used + 1 + width > self.width:
                yield Line((first + " ".join(current)).rstrip(), tone)
                first, used, current = indent, len(indent), []
            used += width + (1 if current else 0)
            current.append(word)
        yield Line((first + " ".join(current)).rstrip(), tone)

    def _words(self, phrase: Phrase) -> Iterator[str]:
        """What is never broken: a name with whatever of our words sticks to it."""
        current = ""
        for piece in phrase:
            if isinstance(piece, Name):
                current += self.name(piece)
                continue
            glued, *others = piece.split(" ")
            current += glued.replace(NO_BREAK, " ")
            for word in others:
                yield current
                current = word.replace(NO_BREAK, " ")
        yield current


def cells(text: str) -> int:
    """The columns that a text takes in a terminal."""
    shown = terminal.line(text)
    if shown.isascii():
        return len(shown)
    return len(shown) + sum(map(_beyond_one, _NOT_ASCII.findall(shown)))


def _beyond_one(char: str) -> int:
    """How many columns more than one a character takes."""
    if unicodedata.combining(char):
        return -1
    return 1 if unicodedata.east_asian_width(char) in _WIDE else 0


def enumerated(phrases: Iterable[Phrase], most: int | None = None) -> Phrase:
    """Phrases with commas between them; of more than `most` the others are counted."""
    every = list(phrases)
    shown = every if most is None or len(every) <= most else every[:most]
    joined: list[str | Name] = []
    for phrase in shown:
        joined += [", "] if joined else []
        joined += phrase
    more = len(every) - len(shown)
    return (*joined, f" and {more} more") if more else tuple(joined)


def enumerated_names(values: Iterable[Name], most: int | None = None) -> Phrase:
    """Names with commas between them; of more than `most` the others are counted."""
    return enumerated(((value,) for value in values), most)
