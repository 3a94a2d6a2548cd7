"""A report as Markdown, of at most so many bytes."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.reports.markdown.cutting import Head, Piece, ReportSection, fitted
from reconciler.reports.markdown.inert import Inert, code, phrase
from reconciler.reports.markdown.limits import MAX_BYTES
from reconciler.reports.outline import Item
from reconciler.reports.wrapping import Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.reports.outline import AnyItem, Chapter, Outline, Table


def outline_markdown(outline: Outline, max_bytes: int = MAX_BYTES, *, ids: bool = False) -> str:
    """The whole report; chapters are cut from the last one on."""
    layout = Layout(ids=ids, advising=False)
    head = Head(
        outline.tenant_id,
        outline.simulated,
        phrase(outline.headline or outline.closing, Layout(ids=ids)),
        tuple(phrase(item.said, layout) for item in outline.details),
        (phrase(outline.closing, layout),) if outline.headline and outline.closing else (),
        Inert("`--format json` has all of it, and a higher `--max-bytes` more."),
        outline.command,
    )
    return fitted(head, list(_sections(outline.chapters, layout)), max_bytes)


def _sections(chapters: Sequence[Chapter], layout: Layout) -> Iterator[ReportSection]:
    """A section of each chapter; titles with nothing under them are together in one."""
    rank = 0
    for bare, own in groupby(chapters, key=_is_bare):
        together = list(own)
        if bare:
            titles = [Piece((f"- {phrase(chapter.title, layout)}",)) for chapter in together]
            yield ReportSection("In short", ("line", "lines"), titles, rank, folded=False)
        else:
            for chapter in together:
                rank += 1
                yield _section(chapter, rank, layout)


def _is_bare(chapter: Chapter) -> bool:
    return not chapter.items and (chapter.table is None or not chapter.table.rows)


def _section(chapter: Chapter, rank: int, layout: Layout) -> ReportSection:
    rows = list(_rows(chapter.table, layout))
    apart = [Piece(("",), objects=0)] if rows and chapter.items else []
    pieces = [*rows, *apart, *_pieces(chapter.items, layout)]
    return ReportSection(
        phrase(chapter.title, layout),
        chapter.noun,
        pieces,
        rank=rank,
        folded=chapter.folded,
    )


def _rows(table: Table | None, layout: Layout) -> Iterator[Piece]:
    if table is None or not table.rows:
        return
    head = (_row(map(Inert, table.columns)), _row([Inert("---")] * len(table.columns)))
    for number, row in enumerate(table.rows):
        text = _row(phrase(cell, layout) for cell in row)
        yield Piece((*head, text) if number == 0 else (text,))


def _row(cells: Iterable[Inert]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _pieces(items: Sequence[AnyItem], layout: Layout) -> Iterator[Piece]:
    """Items with those that are deeper."""
    levels = [item.level for item in items if isinstance(item, Item)]
    least = min(levels, default=1)
    lines: list[str] = []
    for item in items:
        depth = item.level - least if isinstance(item, Item) else 0
        if depth == 0 and lines:
            yield Piece(tuple(lines))
            lines = []
        lines.append(f"{'  ' * depth}- {_said(item, layout)}")
    if lines:
        yield Piece(tuple(lines))


def _said(item: AnyItem, layout: Layout) -> Inert:
    if isinstance(item, Item):
        return phrase(item.said, layout)
    about = phrase(item.command.about, layout)
    return Inert(f"{item.command.id}: {code(item.command.text)} {about}")
