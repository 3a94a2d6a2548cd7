"""Lines of a report: text and tone.

A tone becomes a colour only where a terminal is; the text never depends on it.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from reconciler.reports import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Row = TypeVar("Row")


class Tone(Enum):
    """What a line is about."""

    PLAIN = auto()
    HEADING = auto()
    ADD = auto()
    CHANGE = auto()
    REMOVE = auto()
    WARNING = auto()
    FAULT = auto()
    EVERYONE = auto()
    WIDENS = auto()
    MOVES = auto()
    NARROWS = auto()


class Line(Struct, frozen=True):
    """One line, as it was composed: `printed` makes it fit for output."""

    text: str = ""
    tone: Tone = Tone.PLAIN

    def printed(self) -> str:
        """The line as it is printed, without a line end."""
        return terminal.line(self.text)


SIMULATED = Line(
    "SIMULATED TENANT: nothing here comes from or goes to Microsoft 365.", Tone.WARNING
)


def plain_text(lines: Iterable[Line]) -> str:
    """The whole report without colour; every line ends in LF."""
    return "".join(f"{line.printed()}\n" for line in lines)


def paragraph(message: str, indent: str = "", tone: Tone = Tone.PLAIN) -> Iterator[Line]:
    """A message of ours, a line for each of its lines; all but the first are indented, so that no
    text of others in it looks like ours.
    """
    first, *others = message.split("\n")
    yield Line(f"{indent}{first}", tone)
    yield from (Line(f"{indent}  {other}", tone) for other in others)


def heading(title: str) -> Iterator[Line]:
    """A blank line and a title."""
    yield Line()
    yield Line(title, Tone.HEADING)


def capped(rows: Sequence[Row], most: int, line: Callable[[Row], Line]) -> Iterator[Line]:
    """A line for each of at most so many rows, then how many are left out, and where to see them."""
    yield from map(line, rows[:most])
    if len(rows) > most:
        yield Line(f"      ... and {len(rows) - most} more: --format json lists all")


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """`1 policy`, `2 policies`."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"
