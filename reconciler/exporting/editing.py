"""Edits of files by lines: what is not edited stays as it is, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable


class LineEdit(Struct, frozen=True, order=True):
    """Lines of a file, from 1, and what takes their place; `stop` is behind the last one, so that
    nothing goes where both are the same.
    """

    start: int
    stop: int
    lines: tuple[str, ...] = ()


class TextLines(Struct, frozen=True):
    """The lines of a text without their ends."""

    lines: tuple[str, ...]

    def indent(self, number: int) -> int:
        """Blanks before what a line, from 1, says."""
        line = self.lines[number - 1]
        return len(line) - len(line.lstrip(" "))

    def is_passed_over(self, number: int) -> bool:
        """Whether a line says nothing to a program: it is blank, or a comment."""
        bare = self.lines[number - 1].strip()
        return not bare or bare.startswith("#")

    def block_end(self, first: int, indent: int, last: int) -> int:
        """The line behind a block: what is written deeper than its first line.

        Args:
            first: where it begins.
            indent: blanks before it.
            last: the last line that may belong to it.
        """
        stop = first + 1
        for number in range(first + 1, min(last, len(self.lines)) + 1):
            if self.is_passed_over(number):
                continue
            if self.indent(number) <= indent:
                break
            stop = number + 1
        return stop


def text_lines(text: str) -> TextLines:
    """A text as lines."""
    return TextLines(tuple(line.removesuffix("\r") for line in text.split("\n")))


def in_order(edits: Iterable[LineEdit]) -> list[LineEdit]:
    """Edits from the first line to the last, those of one place as one: what is put before a line
    comes before what takes its place.

    Raises:
        ValueError: two of them concern one line.
    """
    ordered: list[LineEdit] = []
    for edit in sorted(edits, key=lambda each: (each.start, each.stop)):
        if not ordered or edit.start > ordered[-1].start:
            if ordered and edit.start < ordered[-1].stop:
                raise ValueError(f"two edits concern line {edit.start}")
            ordered.append(edit)
            continue
        before = ordered.pop()
        if before.stop > before.start and edit.stop > edit.start:
            raise ValueError(f"two edits concern line {edit.start}")
        ordered.append(LineEdit(edit.start, max(edit.stop, before.stop), before.lines + edit.lines))
    return ordered


def edited(text: str, edits: Iterable[LineEdit]) -> str:
    """A text with edits; what is put in ends as the lines of the text do.

    Raises:
        ValueError: two of them concern one line.
    """
    lines = text.split("\n")
    end = "\r" if "\r\n" in text else ""
    for edit in reversed(in_order(edits)):
        lines[edit.start - 1 : edit.stop - 1] = [f"{line}{end}" for line in edit.lines]
    return "\n".join(lines)


def without_comment(line: str) -> tuple[str, str]:
    """A line of YAML apart from the comment behind it: what is said, and the comment with the blanks
    before it.

    Quotes are minded as far as they are needed: a `#` begins a comment behind a blank only.
    """
    quote = ""
    for place, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and line[place - 1 : place] in ("", " ", "[", "{", ","):
            quote = char
        elif char == "#" and line[place - 1 : place] in ("", " "):
            bare = line[:place].rstrip(" ")
            return bare, line[len(bare) :]
    return line.rstrip(" "), ""
