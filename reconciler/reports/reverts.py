"""Commits that brought lines of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.reports.lines import Line, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.outputs import OutputRevert

_SHOWN: Final = 12
"""Digits of a commit that a person is shown."""
_MOST: Final = 5
"""Places of a commit that are named."""


def revert_lines(reverts: Sequence[OutputRevert]) -> Iterator[Line]:
    """What to revert beside an undo."""
    yield Line(
        "What still asks for what is undone came with these commits (of a file: the last one that"
        " changed it):",
        Tone.WARNING,
    )
    for row in reverts:
        more = len(row.lines) - _MOST
        also = f" and {more} more" if more > 0 else ""
        yield Line(f"  {row.commit[:_SHOWN]}  {', '.join(row.lines[:_MOST])}{also}")
