"""Edits of one document: a value, a key or items of a list, with the comments around them kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.documents.raw_documents import value_at
from reconciler.documents.trees import ListMarks, MapMarks, place_of
from reconciler.exporting.editing import LineEdit, without_comment
from reconciler.exporting.texts import scalar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.documents.trees import Marks, Steps, Tree
    from reconciler.exporting.editing import TextLines

_MOST_FLOW: Final = 100
"""Characters of a list on one line."""
_DIGITS: Final = re.compile(r"[0-9]+")


class NotEditedError(Exception):
    """A place is written in a way that is not edited line by line."""


class EditedDocument(Struct, frozen=True):
    """A document, and the lines of the file that it is in."""

    tree: Tree
    lines: TextLines

    def removed(self) -> LineEdit:
        """Without the whole document."""
        return LineEdit(self.tree.first_line, self.tree.last_line + 1)

    def with_scalar(self, steps: Steps, text: str) -> LineEdit:
        """With another text as a value; the comment behind it stays.

        Raises:
            NotEditedError: the key does not begin its line.
        """
        number, indent = self._key(steps)
        stop = self.lines.block_end(number, indent, self.tree.last_line)
        line = self.lines.lines[number - 1]
        behind = without_comment(line)[1] if stop == number + 1 else ""
        return LineEdit(number, stop, (f"{' ' * indent}{steps[-1]}: {scalar(text)}{behind}",))

    def with_key(self, after: Steps, line: str) -> LineEdit:
        """With a key and its value behind another key of the same map.

        Raises:
            NotEditedError: that key does not begin its line.
        """
        number, indent = self._key(after)
        stop = self.lines.block_end(number, indent, self.tree.last_line)
        return LineEdit(stop, stop, (f"{' ' * indent}{line}",))

    def without_key(self, steps: Steps) -> LineEdit:
        """Without a key and its value.

        Raises:
            NotEditedError: the key does not begin its line.
        """
        number, indent = self._key(steps)
        return LineEdit(number, self._end_of_value(steps, number, indent))

    def with_spec(self, lines: Sequence[str]) -> LineEdit:
        """With another `spec`, its key included.

        Raises:
            NotEditedError: the key does not begin its line.
        """
        number, indent = self._key(("spec",))
        if indent:
            raise NotEditedError
        stop = self._end_of_value(("spec",), number, indent)
        return LineEdit(number, stop, tuple(lines))

    def with_numbers(self, numbers: Mapping[Steps, int]) -> list[LineEdit]:
        """With other numbers as values, of which several may be on a line."""
        by_line: dict[int, list[tuple[int, int]]] = {}
        for steps, number in numbers.items():
            line, column = place_of(self.tree, steps)
            by_line.setdefault(line, []).append((column, number))
        edits = []
        for line, places in by_line.items():
            text = self.lines.lines[line - 1]
            for column, number in sorted(places, reverse=True):
                digits = _DIGITS.match(text, column - 1)
                if digits is None:
                    raise NotEditedError
                text = f"{text[: digits.start()]}{number}{text[digits.end() :]}"
            edits.append(LineEdit(line, line + 1, (text,)))
        return edits

    def with_items(
        self, steps: Steps, gone: Collection[int], added: Sequence[tuple[str, str]]
    ) -> list[LineEdit]:
        """With other items in a list: those that stay keep their place and their comments.

        Args:
            steps: the way to the list.
            gone: indexes of items that go.
            added: items as YAML, each with the comment behind it or an empty text.

        Raises:
            NotEditedError: the list is neither on one line nor has a line for each item.
        """
        items = value_at(self.tree.value, steps)
        number, indent = self._key(steps)
        bare, behind = without_comment(self.lines.lines[number - 1])
        if not isinstance(items, list):
            raise NotEditedError
        key = f"{' ' * indent}{steps[-1]}:"
        if bare == key:
            return self._in_block(steps, gone, added)
        kept = [item for index, item in enumerate(items) if index not in gone]
        stop = self.lines.block_end(number, indent, self.tree.last_line)
        if not (bare.startswith(f"{key} [") and bare.endswith("]") and stop == number + 1):
            raise NotEditedError
        if not all(isinstance(item, str) for item in kept):
            raise NotEditedError
        texts = [*(scalar(str(item)) for item in kept), *(text for text, _ in added)]
        line = f"{key} [{', '.join(texts)}]"
        if len(line) <= _MOST_FLOW or len(texts) <= 1:
            return [LineEdit(number, stop, (f"{line}{behind}",))]
        rows = [*((scalar(str(item)), "") for item in kept), *added]
        listed = (f"{' ' * (indent + 2)}- {_row(*row)}" for row in rows)
        return [LineEdit(number, stop, (f"{key}{behind}", *listed))]

    def _in_block(
        self, steps: Steps, gone: Collection[int], added: Sequence[tuple[str, str]]
    ) -> list[LineEdit]:
        marks = self._marks(steps)
        if not isinstance(marks, ListMarks) or not marks.lines:
            raise NotEditedError
        number, indent = self._key(steps)
        dash = self.lines.indent(marks.lines[0])
        if any(not self._is_item(line, dash) for line in {*marks.lines}) or len(
            {*marks.lines}
        ) < len(marks.lines):
            raise NotEditedError
        last = self.lines.block_end(marks.lines[-1], dash, self.tree.last_line)
        if len(gone) == len(marks.lines) and not added:
            behind = without_comment(self.lines.lines[number - 1])[1]
            line = f"{' ' * indent}{steps[-1]}: []{behind}"
            return [LineEdit(number, last, (line,))]
        edits = [
            LineEdit(line, self.lines.block_end(line, dash, self.tree.last_line))
            for index, line in enumerate(marks.lines)
            if index in gone
        ]
        rows = tuple(f"{' ' * dash}- {_row(*row)}" for row in added)
        return [*edits, *([LineEdit(last, last, rows)] if rows else [])]

    def _is_item(self, number: int, dash: int) -> bool:
        line = self.lines.lines[number - 1]
        return line[:dash].strip() == "" and line[dash : dash + 2] == "- "

    def _key(self, steps: Steps) -> tuple[int, int]:
        """The line of a key, and the blanks before it."""
        marks = self._marks(steps[:-1])
        if not isinstance(marks, MapMarks) or steps[-1] not in marks.keys:
            raise NotEditedError
        number, column = marks.keys[str(steps[-1])]
        if self.lines.lines[number - 1][: column - 1].strip("\ufeff "):
            raise NotEditedError
        return number, column - 1

    def _end_of_value(self, steps: Steps, number: int, indent: int) -> int:
        """The line after a value; the items of a list may be indented as little as their key."""
        marks = self._marks(steps)
        if isinstance(marks, ListMarks) and marks.lines and marks.lines[-1] > number:
            dash = self.lines.indent(marks.lines[-1])
            return self.lines.block_end(marks.lines[-1], dash, self.tree.last_line)
        return self.lines.block_end(number, indent, self.tree.last_line)

    def _marks(self, steps: Steps) -> Marks | None:
        marks = self.tree.marks
        for step in steps:
            marks = None if marks is None else marks.inner.get(step)
        return marks


def _row(text: str, beside: str) -> str:
    return f"{text}   # {beside}" if beside else text
