"""A report as a value: what is said, in which order and how deep. It is decided once; text and
Markdown are renderings of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from reconciler.reports.lines import SIMULATED, Line, Tone
from reconciler.reports.plans import command_line
from reconciler.reports.wrapping import Layout, cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.reports.review.value import Command, Phrase

_INDENT = 2
"""Columns of a level."""
_APART = "  "
"""Between two columns of a table."""


class Item(Struct, frozen=True):
    """Something that is said. `level`: how deep, from 1. `mark`: what precedes it in text."""

    said: Phrase
    level: int = 1
    tone: Tone = Tone.PLAIN
    mark: str = ""


class StepItem(Struct, frozen=True):
    """A step of a plan, with its exact text."""

    command: Command


AnyItem: TypeAlias = Item | StepItem


class Table(Struct, frozen=True):
    """Rows of cells under the titles of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Phrase, ...], ...]


class Chapter(Struct, frozen=True):
    """What is said under a title: a table, and items below it.

    Attributes:
        title: Words and names.
        items: In their order.
        tone: Of the title.
        table: Stands before the items.
        folded: Whether it is shown only once it is opened, where that can be.
        noun: What an item or a row is, for counts of what is cut: singular and plural.
    """

    title: Phrase
    items: tuple[AnyItem, ...] = ()
    tone: Tone = Tone.HEADING
    table: Table | None = None
    folded: bool = False
    noun: tuple[str, str] = ("line", "lines")


class Outline(Struct, frozen=True, kw_only=True):
    """A whole report.

    Attributes:
        command: The command that it answers.
        simulated: It is about a simulated tenant.
        tenant_id: The tenant's; empty where that is not known.
        headline: What is read first.
        tone: Of the headline.
        details: What is said under the headline.
        chapters: What is said then.
        closing: The last line, which stands for the headline where there is none.
        closing_tone: Of the last line.
    """

    command: str
    simulated: bool
    tenant_id: str = ""
    headline: Phrase = ()
    tone: Tone = Tone.HEADING
    details: tuple[Item, ...] = ()
    chapters: tuple[Chapter, ...]
    closing: Phrase = ()
    closing_tone: Tone = Tone.HEADING


def outline_lines(outline: Outline, layout: Layout | None = None) -> Iterator[Line]:
    """The report as lines for a terminal."""
    chosen = layout or Layout()
    if outline.simulated:
        yield SIMULATED
        if outline.headline:
            yield Line()
    if outline.headline:
        yield from chosen.lines(outline.headline, hanging=_INDENT, tone=outline.tone)
    brief = chosen.briefly()
    for item in outline.details:
        yield from _item_lines(item, brief)
    for chapter in outline.chapters:
        yield from chapter_lines(chapter, brief)
    if outline.closing:
        yield Line()
        yield from brief.lines(outline.closing, hanging=_INDENT, tone=outline.closing_tone)


def chapter_lines(chapter: Chapter, layout: Layout) -> Iterator[Line]:
    """A blank line, the title, and the lines under it."""
    yield Line()
    yield from layout.lines(chapter.title, hanging=_INDENT, tone=chapter.tone)
    if chapter.table is not None:
        yield from _table_lines(chapter.table, layout)
    steps = [item.command.id for item in chapter.items if isinstance(item, StepItem)]
    width = len(str(max(steps, default=0)))
    for item in chapter.items:
        if isinstance(item, StepItem):
            yield command_line(item.command, layout, width)
        else:
            yield from _item_lines(item, layout)


def _item_lines(item: Item, layout: Layout) -> Iterator[Line]:
    mark = f"{item.mark} " if item.mark else ""
    first = f"{' ' * (_INDENT * item.level)}{mark}"
    hanging = _INDENT * (item.level + 1) if len(mark) > 2 * _INDENT else len(first)
    yield from layout.lines(item.said, first, hanging, item.tone)


def _table_lines(table: Table, layout: Layout) -> Iterator[Line]:
    """Cells side by side where the table has room, else one below the other."""
    texts = [[layout.text(cell) for cell in row] for row in table.rows]
    titles = list(table.columns)
    widths = [max(map(cells, column)) for column in zip(titles, *texts, strict=True)]
    if sum(widths) + len(_APART) * len(widths) <= layout.width:
        for row in (titles, *texts):
            padded = (
                text + " " * (width - cells(text)) for text, width in zip(row, widths, strict=True)
            )
            tone = Tone.HEADING if row is titles else Tone.PLAIN
            yield Line(f"{_APART}{_APART.join(padded)}".rstrip(), tone)
        return
    for phrases in table.rows:
        yield from _stacked(table.columns, phrases, layout)


def _stacked(titles: Sequence[str], row: Sequence[Phrase], layout: Layout) -> Iterator[Line]:
    first, *others = row
    yield from layout.lines(first, _APART, 2 * _INDENT)
    for title, cell in zip(titles[1:], others, strict=True):
        if layout.text(cell):
            yield from layout.lines((f"{title}: ", *cell), " " * (2 * _INDENT), 3 * _INDENT)
