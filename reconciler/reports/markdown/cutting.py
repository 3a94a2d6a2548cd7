"""A report that must not be larger than a number of bytes: it is cut between objects, never inside
one, and says what it leaves out.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.reports.lines import SIMULATED, counted
from reconciler.reports.markdown.inert import Inert, fence, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """What stands before and behind the sections, all of it Markdown, and never cut.

    `all_with` says how everything can be seen.
    """

    tenant_id: str
    simulated: bool
    headline: Inert
    lines: tuple[Inert, ...]
    end: tuple[Inert, ...]
    all_with: Inert


class _Printed(Struct, frozen=True):
    """A section as it is printed: its lines, and how many pieces are left out or shown in part."""

    part: ReportSection
    lines: tuple[str, ...]
    left_out: int = 0
    in_part: int = 0
    counted: bool = False

    @property
    def body(self) -> Inert:
        if self.part.language and not self.counted:
            return fence(self.lines, self.part.language)
        return Inert("\n".join(self.lines))


def fitted(head: Head, parts: Sequence[ReportSection], max_bytes: int) -> str:
    """A report as Markdown, of at most so many bytes of UTF-8.

    Args:
        head: what is told in any case.
        parts: the sections, in the order in which they are read.
        max_bytes: the limit, at least LEAST_BYTES.
    """
    whole = _printed(head, [_all_of(part) for part in parts])
    if _size(whole) <= max_bytes:
        return whole
    least = [_least_of(part) for part in parts]
    base = _size(_printed(head, least))
    if base > max_bytes:
        return _counted(head, parts, max_bytes)
    room = max_bytes - base
    while True:
        text = _printed(head, _filled(parts, room))
        excess = _size(text) - max_bytes
        if excess <= 0:
            return text
        room -= excess


def _filled(parts: Sequence[ReportSection], room: int) -> list[_Printed]:
    """Sections with as many whole pieces as there is room for, the most important first."""
    shown = {id(part): _least_of(part) for part in parts}
    for part in sorted(parts, key=lambda part: part.rank):
        whole = 0
        left = room - (0 if shown[id(part)].lines else _FRAME)
        for piece in part.pieces:
            left -= _bytes(piece.full) - _bytes(piece.least)
            if left < 0:
                break
            whole += 1
            room = left
        shown[id(part)] = _least_of(part, whole)
    return [shown[id(part)] for part in parts]


def _all_of(part: ReportSection) -> _Printed:
    return _least_of(part, len(part.pieces))


def _least_of(part: ReportSection, whole: int = 0) -> _Printed:
    """A section with so many of its pieces whole, and of the others what is never cut."""
    pieces = part.pieces[whole:]
    lines = [line for piece in part.pieces[:whole] for line in piece.full]
    lines += [line for piece in pieces for line in piece.least]
    cut = [piece for piece in pieces if piece.least != piece.full]
    return _Printed(
        part,
        tuple(lines),
        left_out=sum(piece.objects for piece in cut if not piece.least),
        in_part=sum(piece.objects for piece in cut if piece.least),
    )


def _counted(head: Head, parts: Sequence[ReportSection], max_bytes: int) -> str:
    """What is never cut counted by application: as many rows of each section as there is room for.

    The rooms of the sections are equal, so that none crowds another out.
    """
    never_cut = [part for part in parts if part.brief is not None]
    empty = [replace(_least_of(part), lines=()) for part in parts]
    room = max_bytes - _size(_printed(head, _told_in_part(empty, {})))
    share = room // max(1, len(never_cut)) - _FRAME
    while True:
        rows = {id(part): _rows_within(part, share) for part in never_cut}
        text = _printed(head, _told_in_part(empty, rows))
        if _size(text) <= max_bytes or share < 0:
            return text
        share = share * 9 // 10 - 1


def _told_in_part(empty: Sequence[_Printed], rows: dict[int, tuple[str, ...]]) -> list[_Printed]:
    return [
        replace(
            shown,
            lines=rows.get(id(shown.part), ()),
            left_out=sum(piece.objects for piece in shown.part.pieces),
            in_part=0,
            counted=True,
        )
        for shown in empty
    ]


def _rows_within(part: ReportSection, room: int) -> tuple[str, ...]:
    """Rows of a section that is counted by application, and how many more applications there are."""
    rows = () if part.brief is None else tuple(part.brief())
    shown: list[str] = []
    for row in rows:
        room -= _bytes((row,))
        if room < 0:
            break
        shown.append(row)
    more = len(rows) - len(shown)
    return (*shown, f"- and {counted(more, 'more row')}") if more else tuple(shown)


def _notice(sections: Sequence[_Printed]) -> Inert:
    """How much is left out, at the top of the report."""
    by_noun: dict[tuple[str, str], list[int]] = {}
    for section in sections:
        counts = by_noun.setdefault(section.part.noun, [0, 0, 0])
        counts[2 if section.counted and section.part.brief else 0] += section.left_out
        counts[1] += section.in_part
    told = [
        f"{counted(number, *noun)}{suffix}"
        for noun, numbers in by_noun.items()
        for number, suffix in zip(
            numbers, ("", " in part", " (counted by application)"), strict=True
        )
        if number
    ]
    return words(", ".join(told))


def _printed(head: Head, sections: Sequence[_Printed]) -> str:
    return _template().render(
        head=head,
        marker=Inert(_NOT_OF_IDS.sub("", head.tenant_id) or "unknown"),
        simulated=Inert(SIMULATED.text),
        notice=_notice(sections),
        sections=[section for section in sections if section.lines],
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
