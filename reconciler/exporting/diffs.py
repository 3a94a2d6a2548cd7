"""Edits of files as a patch that `git apply` takes."""

from __future__ import annotations

import difflib
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.exporting.editing import edited, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.exporting.editing import LineEdit

_CONTEXT: Final = 3
_NOWHERE: Final = "/dev/null"
_NO_END: Final = "\\ No newline at end of file\n"


class FileChange(Struct, frozen=True):
    """What becomes of a file.

    Attributes:
        path: Where it is, with `/`, as the patch names it.
        before: Its text; None: it is new.
        edits: What changes of it; of a new file its lines.
        gone: Whether nothing is left of it.
    """

    path: str
    before: str | None
    edits: tuple[LineEdit, ...]
    gone: bool = False

    @property
    def after(self) -> str | None:
        """Its text afterwards; None: it does not exist."""
        if self.gone:
            return None
        if self.before is None:
            return "".join(f"{line}\n" for edit in self.edits for line in edit.lines)
        return edited(self.before, self.edits)


def unified_diff(changes: Sequence[FileChange]) -> str:
    """A patch of all files, in the order of their paths."""
    return "".join(chain.from_iterable(map(_file, sorted(changes, key=lambda each: each.path))))


def _file(change: FileChange) -> Iterator[str]:
    old = _NOWHERE if change.before is None else _quoted(f"a/{change.path}")
    new = _NOWHERE if change.gone else _quoted(f"b/{change.path}")
    yield f"--- {old}\n+++ {new}\n"
    yield from _hunks(change)


def _quoted(path: str) -> str:
    """A path as git writes it: in quotes where it could be read as something else."""
    if not any(char in '"\\' or ord(char) < 0x20 for char in path):  # noqa: PLR2004  a control
        return f"{path}\t" if " " in path else path  # nothing behind a blank is a date then
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\{ord(c):03o}" if ord(c) < 0x20 else c for c in escaped) + '"'  # noqa: PLR2004


def _hunks(change: FileChange) -> Iterator[str]:
    before, after = change.before or "", change.after or ""
    if change.before is None or change.gone or not before.endswith("\n"):
        yield from _plain_hunks(before, after)
        return
    lines = before.removesuffix("\n").split("\n")
    end = "\r" if "\r\n" in before else ""
    shift = 0
    # Of an edit of nothing there would be a hunk of context alone, which git calls corrupt.
    edits = [edit for edit in in_order(change.edits) if edit.lines or edit.stop > edit.start]
    for group in _groups(edits):
        first = max(1, group[0].start - _CONTEXT)
        last = min(len(lines), group[-1].stop - 1 + _CONTEXT)
        hunk, removed, added, number = [], 0, 0, first
        for edit in group:
            hunk += [f" {line}\n" for line in lines[number - 1 : edit.start - 1]]
            hunk += [f"-{line}\n" for line in lines[edit.start - 1 : edit.stop - 1]]
            hunk += [f"+{line}{end}\n" for line in edit.lines]
            removed += edit.stop - edit.start
            added += len(edit.lines)
            number = edit.stop
        hunk += [f" {line}\n" for line in lines[number - 1 : last]]
        count = last - first + 1
        yield _header((first, count), (first + shift, count - removed + added))
        yield from hunk
        shift += added - removed


def _header(old: tuple[int, int], new: tuple[int, int]) -> str:
    """Where a hunk is; a range without lines is given by the line before it."""
    sides = (f"{start - (not count)},{count}" for start, count in (old, new))
    removed, added = sides
    return f"@@ -{removed} +{added} @@\n"


def _groups(edits: Sequence[LineEdit]) -> Iterator[list[LineEdit]]:
    """Edits that are so near to each other that their context meets."""
    group: list[LineEdit] = []
    for edit in edits:
        if group and edit.start - group[-1].stop > 2 * _CONTEXT:
            yield group
            group = []
        group.append(edit)
    if group:
        yield group


def _plain_hunks(before: str, after: str) -> Iterator[str]:
    """The hunks between two texts, one of which may not end in a line end."""
    sides = [text.split("\n") for text in (before, after)]
    old, new = ([*(f"{line}\n" for line in side[:-1]), *side[-1:]] for side in sides)
    rows = difflib.unified_diff(
        [line for line in old if line], [line for line in new if line], n=_CONTEXT
    )
    for row in [*rows][2:]:
        yield row if row.endswith("\n") else f"{row}\n{_NO_END}"
