"""A report that must not be larger than a number of bytes: it is cut between objects, never inside
one, and says what it leaves out.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.reports.lines import SIMULATED, counted
from reconciler.reports.markdown.inert import Inert, fence, words
from reconciler.reports.markdown.limits import LEAST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jinja2 import Template

_NOT_OF_IDS = re.compile("[^0-9a-f-]")
_FRAME: Final = 200
"""Bytes that a section without rows may grow by with its first one, the row aside."""


class Piece(Struct, frozen=True):
    """One object of a report.

    Attributes:
        full: Its lines.
        least: What is shown of it where there is no room: the lines that are never cut.
        objects: How many objects are cut with it.
    """

    full: tuple[str, ...]
    least: tuple[str, ...] = ()
    objects: int = 1


class ReportSection(Struct, frozen=True):
    """A section of a report.

    Attributes:
        title: Words of ours.
        noun: What a piece is, for counts: singular and plural.
        pieces: Its objects.
        rank: Sections of a lower rank are filled first.
        folded: Whether it is shown only once it is opened.
        language: Of a fence around all lines; empty where the lines are Markdown themselves.
        brief: The objects counted by application, should even what is never cut be too much.
        after: A line at the end, Markdown.
    """

    title: str
    noun: tuple[str, str]
    pieces: Sequence[Piece]
    rank: int = 0
    folded: bool = True
    language: str = ""
    brief: Callable[[], Sequence[str]] | None = None
    after: Inert = Inert()


class Head(Struct, frozen=True):
    """What comes before and after the sections, all of it Markdown, and never cut.

    `all_with` says how everything can be seen. `command` is in the hidden marker, by which a comment
    is found that a later run takes the place of; a plan's has none.
    """

    tenant_id: str
    simulated: bool
    headline: Inert
    lines: tuple[Inert, ...]
    end: tuple[Inert, ...]
    all_with: Inert
    command: str = ""


class _Printed(Struct, frozen=True):
    """A section as it is printed: its lines, and how many objects are left out or shown in part;
    `counted` where rows count its objects.
    """

    section: ReportSection
    lines: tuple[str, ...]
    left_out: int = 0
    in_part: int = 0
    counted: bool = False

    @property
    def body(self) -> Inert:
        if self.section.language and not self.counted:
            return fence(self.lines, self.section.language)
        return Inert("\n".join(self.lines))


def fitted(head: Head, sections: Sequence[ReportSection], max_bytes: int) -> str:
    """A report as Markdown, of at most so many bytes of UTF-8.

    Args:
        head: what is shown in any case.
        sections: in the order in which they are read.
        max_bytes: the limit, at least LEAST_BYTES.
    """
    whole = _rendered(head, [_shown(section, len(section.pieces)) for section in sections])
    if _size(whole) <= max_bytes:
        return whole
    least = _least(head, sections, max_bytes)
    room = max_bytes - _size(_rendered(head, least))
    while True:
        text = _rendered(head, _filled(least, room))
        excess = _size(text) - max_bytes
        if excess <= 0 or room < 0:
            return text
        room -= excess


def _least(head: Head, sections: Sequence[ReportSection], max_bytes: int) -> list[_Printed]:
    """What is never cut of each section; where all of that is too large, the largest ones are
    counted by application.
    """
    least = [_shown(section) for section in sections]
    countable = [place for place, section in enumerate(sections) if section.brief is not None]
    countable.sort(key=lambda place: -_bytes(least[place].lines))
    room = max(0, max_bytes - LEAST_BYTES) // max(1, len(countable))
    for place in countable:
        if _size(_rendered(head, least)) <= max_bytes:
            break
        least[place] = _counted(sections[place], room)
    return least


def _filled(least: Sequence[_Printed], room: int) -> list[_Printed]:
    """Sections with as many whole pieces as there is room for, the most important first."""
    shown = list(least)
    for place in sorted(range(len(least)), key=lambda place: least[place].section.rank):
        printed = least[place]
        if printed.counted:
            continue
        whole = 0
        left = room - (0 if printed.lines else _FRAME)
        for piece in printed.section.pieces:
            left -= _bytes(piece.full) - _bytes(piece.least)
            if left < 0:
                break
            whole += 1
            room = left
        shown[place] = _shown(printed.section, whole)
    return shown


def _shown(section: ReportSection, whole: int = 0) -> _Printed:
    """A section with so many of its pieces whole, and of the others what is never cut."""
    pieces = section.pieces[whole:]
    lines = [line for piece in section.pieces[:whole] for line in piece.full]
    lines += [line for piece in pieces for line in piece.least]
    cut = [piece for piece in pieces if piece.least != piece.full]
    return _Printed(
        section,
        tuple(lines),
        left_out=sum(piece.objects for piece in cut if not piece.least),
        in_part=sum(piece.objects for piece in cut if piece.least),
    )


def _counted(section: ReportSection, room: int) -> _Printed:
    """A section as rows that count its objects, as many as there is room for."""
    rows = () if section.brief is None else tuple(section.brief())
    lines: list[str] = []
    for row in rows:
        room -= _bytes((row,))
        if room < 0:
            break
        lines.append(row)
    if len(lines) < len(rows):
        lines.append(f"- and {counted(len(rows) - len(lines), 'more row')}")
    left_out = sum(piece.objects for piece in section.pieces)
    return _Printed(section, tuple(lines), left_out, counted=True)


def _notice(shown: Iterable[_Printed]) -> Inert:
    """How much is left out, for the top of the report."""
    by_noun: dict[tuple[str, str], Counter[str]] = {}
    for printed in shown:
        tally = by_noun.setdefault(printed.section.noun, Counter())
        tally[" (counted by application)" if printed.counted else ""] += printed.left_out
        tally[" in part"] += printed.in_part
    return words(
        ", ".join(
            f"{counted(number, *noun)}{how}"
            for noun, tally in by_noun.items()
            for how, number in tally.items()
            if number
        )
    )


def _rendered(head: Head, shown: Sequence[_Printed]) -> str:
    return _template().render(
        head=head,
        marker=Inert(
            (f"{head.command}:" if head.command else "")
            + (_NOT_OF_IDS.sub("", head.tenant_id) or "unknown")
        ),
        simulated=Inert(SIMULATED.text),
        notice=_notice(shown),
        sections=[printed for printed in shown if printed.lines],
    )


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))


def _bytes(lines: Sequence[str]) -> int:
    return sum(_size(line) + 1 for line in lines)


def _finalize(value: object) -> str:
    return value if isinstance(value, Inert) else words(str(value))


@cache
def _template() -> Template:
    from jinja2 import (  # noqa: PLC0415
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    environment = Environment(  # noqa: S701  autoescape is HTML's; `finalize` makes texts inert
        loader=PackageLoader("reconciler.reports", "templates"),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.md.j2")
