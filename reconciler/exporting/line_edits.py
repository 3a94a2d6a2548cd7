"""An item more or less in a list of a document, as the change of one line that a person can type:
`document_edits` may write a list again, this leaves every other item of the line as it is typed.

A change that does not read back as exactly that item more or less is none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents.parsing import parse_yaml
from reconciler.documents.trees import ListMarks
from reconciler.exporting.editing import LineEdit, edited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.canonical import Json
    from reconciler.documents.trees import Tree

_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*+"|\'(?:[^\']|\'\')*+\'|[^,\]}#]++')
"""An item in brackets, without what follows it; a plain one may end in blanks."""
_COMMA_AFTER = re.compile(r"[ ]?,[ ]*+")


class ItemEdit(Struct, frozen=True):
    """The change of one line, counted from 1.

    Attributes:
        line: The line; what is new without `before` is put behind it.
        before: The line as it is; None if it stays.
        after: The line as it will be; None if it goes.
    """

    line: int
    before: str | None
    after: str | None

    @property
    def lines(self) -> LineEdit:
        """The same as an edit of lines."""
        start = self.line + 1 if self.before is None else self.line
        return LineEdit(start, self.line + 1, () if self.after is None else (self.after,))


def applied(text: str, edit: ItemEdit) -> str:
    """The text of a file once a line is changed."""
    return edited(text, (edit.lines,))


def with_item(
    text: str, line: int, steps: Sequence[str], item: str, remark: str = ""
) -> ItemEdit | None:
    """The change that adds an item at the end of a list.

    Args:
        text: the whole file, without faults.
        line: a line of the document.
        steps: keys that lead to the list.
        item: the item as it is written.
        remark: a comment for the line, where the item has one of its own.
    """
    place = _list_at(text, line, steps)
    if place is None:
        return None
    marks, value = place
    edit = _behind(text.split("\n"), marks, item, remark)
    wanted = [*value, item.strip("'\"")]
    return edit if edit is not None and _reads(text, edit, line, steps, wanted) else None


def without_item(text: str, line: int, steps: Sequence[str], index: int) -> ItemEdit | None:
    """The change that takes an item out of a list; arguments as of `with_item`."""
    place = _list_at(text, line, steps)
    if place is None or index >= len(place[0].lines):
        return None
    marks, value = place
    number, column = marks.lines[index], marks.columns[index] - 1
    whole = text.split("\n")[number - 1].removesuffix("\r")
    before = whole[:column]
    gone = None if before.strip() == "-" else _cut(whole, column)
    wanted = [*value[:index], *value[index + 1 :]]
    edit = ItemEdit(number, whole, gone)
    return edit if _reads(text, edit, line, steps, wanted) else None


def with_row(text: str, row: str) -> ItemEdit:
    """The change that adds a row at the end of a file of rows."""
    last = len(text.rstrip().split("\n"))
    return ItemEdit(last, None, row)


def _behind(lines: Sequence[str], marks: ListMarks, item: str, remark: str) -> ItemEdit | None:
    if not marks.lines:
        number, column = marks.place
        whole = lines[number - 1].removesuffix("\r")
        opened = whole[:column]
        return ItemEdit(number, whole, f"{opened}{item}{whole[column:]}")
    number, column = marks.lines[-1], marks.columns[-1] - 1
    whole = lines[number - 1].removesuffix("\r")
    if whole[:column].strip() == "-":
        return ItemEdit(number, None, f"{whole[:column]}{item}{f'   # {remark}' if remark else ''}")
    last = _SCALAR.match(whole, column)
    if last is None:
        return None
    end = column + len(last[0].rstrip())
    return ItemEdit(number, whole, f"{whole[:end]}, {item}{whole[end:]}")


def _cut(whole: str, column: int) -> str | None:
    """A line without the item in brackets that begins at a column, and without one comma."""
    item = _SCALAR.match(whole, column)
    if item is None:
        return None
    end = column + len(item[0].rstrip())
    comma = _COMMA_AFTER.match(whole, end)
    if comma is not None:
        return whole[:column] + whole[comma.end() :]
    return whole[:column].rstrip().removesuffix(",") + whole[end:]


def _tree_at(text: str, line: int) -> Tree | None:
    trees = parse_yaml(text, "").trees
    return next((tree for tree in trees if tree.first_line <= line <= tree.last_line), None)


def _list_at(text: str, line: int, steps: Sequence[str]) -> tuple[ListMarks, list[Json]] | None:
    tree = _tree_at(text, line)
    if tree is None:
        return None
    marks, value = tree.marks, tree.value
    for step in steps:
        if marks is None or not isinstance(value, dict) or step not in value:
            return None
        marks, value = marks.inner.get(step), value[step]
    if not isinstance(marks, ListMarks) or not isinstance(value, list):
        return None
    return marks, value


def _reads(
    text: str, edit: ItemEdit, line: int, steps: Sequence[str], wanted: Sequence[Json]
) -> bool:
    """Whether the changed file says what is wanted in this list, and the same in everything else."""
    changed = parse_yaml(applied(text, edit), "")
    if changed.findings:
        return False
    before, after = parse_yaml(text, "").trees, changed.trees
    touched = [
        index for index, tree in enumerate(before) if tree.first_line <= line <= tree.last_line
    ]
    if len(before) != len(after) or len(touched) != 1:
        return False
    expected = [tree.value for tree in before]
    expected[touched[0]] = _replaced(expected[touched[0]], steps, wanted)
    return [tree.value for tree in after] == expected


def _replaced(value: Json, steps: Sequence[str], wanted: Sequence[Json]) -> Json:
    if not steps:
        return list(wanted)
    assert isinstance(value, dict)  # noqa: S101  narrows: `_list_at` has walked it
    return {**value, steps[0]: _replaced(value[steps[0]], steps[1:], wanted)}
