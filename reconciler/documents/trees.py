"""YAML by events: plain values beside the positions of every key, value and list item.

The subset is small on purpose. Plain scalars are typed by four words and one number form,
everything else is text; anchors, aliases, tags, merge keys and duplicate keys are refused. Long
lists become one Python list and two arrays.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from msgspec import Struct, field

from reconciler.characters import unfit
from reconciler.documents import rules
from reconciler.documents.input_files import unfit_message
from reconciler.guids import are_guids
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.repeated_lines import RepeatedLines

Place: TypeAlias = tuple[int, int]
Steps: TypeAlias = "tuple[str | int, ...]"
"""The way from the root of a document to one of its values: keys and list indexes."""

DEEPEST = 32
"""Levels of nesting that are read; the deepest document of any kind has 6."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_LONGEST_INTEGER = 4000  # Python refuses to read numbers of more than 4300 digits
_WORDS: Mapping[str, Json] = {"": None, "null": None, "true": True, "false": False}
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_STANDARD_TAG = "tag:yaml.org,2002:"

_SCALAR, _ALIAS = yaml.ScalarEvent, yaml.AliasEvent
_LIST, _LIST_END = yaml.SequenceStartEvent, yaml.SequenceEndEvent
_MAP, _MAP_END = yaml.MappingStartEvent, yaml.MappingEndEvent


class MapMarks(Struct, frozen=True):
    """Where a map starts, and the places of its keys, of its values, and of what the containers
    among them hold.
    """

    place: Place
    keys: dict[str, Place] = field(default_factory=dict)
    values: dict[str, Place] = field(default_factory=dict)
    inner: dict[str | int, Marks] = field(default_factory=dict)


class ListMarks(Struct, frozen=True):
    """Where a list starts, one line and one column per item, and the marks of the containers among
    the items.
    """

    place: Place
    lines: array[int] = field(default_factory=lambda: array("L"))
    columns: array[int] = field(default_factory=lambda: array("L"))
    inner: dict[str | int, Marks] = field(default_factory=dict)


Marks: TypeAlias = MapMarks | ListMarks


class Tree(Struct, frozen=True):
    """One YAML document: its value, the marks of a container, its own place and the lines that
    belong to it.
    """

    value: Json
    marks: Marks | None
    place: Place
    first_line: int
    last_line: int


def json_path(steps: Sequence[str | int]) -> str:
    """Spell a way into a document: `$.spec.applications[2]`, `$['odd key']`."""
    return "$" + "".join(map(_spell, steps))


def place_of(tree: Tree, steps: Sequence[str | int], *, key: bool = False) -> Place:
    """Find where a value is, or, with `key`, where its key is.

    A missing value has the place of its container.
    """
    place, marks = tree.place, tree.marks
    for depth, step in enumerate(steps):
        last = depth == len(steps) - 1
        place = _step(marks, step, place, key=key and last)
        marks = None if marks is None else marks.inner.get(step)
    return place


def typed_scalar(text: str) -> Json:
    """Type a plain scalar: four words and integers, everything else is text (`Off`, `010`, `1.5`,
    dates).
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) < _LONGEST_INTEGER:
        return int(text)
    return text


def _spell(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_KEY.fullmatch(step) else f"[{step!r}]"


def _step(marks: Marks | None, step: str | int, otherwise: Place, *, key: bool) -> Place:
    if isinstance(marks, MapMarks) and isinstance(step, str):
        return (marks.keys if key else marks.values).get(step, otherwise)
    if isinstance(marks, ListMarks) and isinstance(step, int) and step < len(marks.lines):
        return marks.lines[step], marks.columns[step]
    return otherwise


def _is_simple(event: Any) -> bool:
    """Whether nothing has to be looked at but the value: a plain scalar of ASCII letters on one
    line.
    """
    if type(event) is not _SCALAR or not event.implicit[0] or event.anchor is not None:
        return False
    value: str = event.value
    return value.isascii() and "\n" not in value


def _is_item(event: Any, block: RepeatedLines, line: int, text: str) -> bool:
    """Whether the parser sees an item of a block as a plain item at its place."""
    place = (event.start_mark.line, event.start_mark.column)
    return _is_simple(event) and event.value == text and place == (line, block.column)


class TooDeepError(Exception):
    """Nesting that no document of ours has; reading goes on with the next document."""

    def __init__(self, place: Place) -> None:
        super().__init__("too deep")
        self.place = place


class MisplacedLinesError(Exception):
    """Lines that looked like list items are something else in their place: the text has to be parsed
    as it is.
    """


class TreeReader:
    """Turns the events of one stream into trees, collecting what is refused on the way."""

    def __init__(
        self, text: str, file: str, skipped: int, blocks: Mapping[int, RepeatedLines] | None = None
    ) -> None:
        """Get ready.

        Args:
            text: what will be parsed, for the exact place of a refused character.
            file: name for findings.
            skipped: lines of the file before `text`.
            blocks: list items that were taken out of `text`, by the line of `text` that each block
                begins on.
        """
        self.findings: list[Finding] = []
        self.blocks = dict(blocks or {})
        """Blocks that no list contains yet."""
        self._get: Callable[[], Any] = lambda: None
        self._text = text
        self._file = file
        self._first = skipped + 1
        self._steps: list[str | int] = []

    def trees(self, parser: Any) -> Iterator[Tree]:
        """Read document after document from a fresh parser of PyYAML.

        Raises:
            yaml.YAMLError: the text stops being YAML.
            TooDeepError: a document nests deeper than `DEEPEST`.
            MisplacedLinesError: a block is not part of a list.
        """
        self._get = parser.get_event
        while (event := self._get()) is not None:
            if isinstance(event, yaml.DocumentStartEvent):
                yield self._document(event)

    def _document(self, start: Any) -> Tree:
        self._steps = []
        opening = self._get()
        value, marks = self._value(opening)
        end = self._get().end_mark
        # An end that is not written is where the next document starts
        last = end.line if end.column else end.line - 1
        first = start.start_mark.line
        return Tree(
            value, marks, self._place(opening), first + self._first, max(first, last) + self._first
        )

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return mark.line + self._first, mark.column + 1

    def _value(self, event: Any) -> tuple[Json, Marks | None]:
        if type(event) is _ALIAS:
            self._refuse(
                event,
                rules.ALIAS,
                f"alias `*{event.anchor}` is not allowed: write the value itself, or refer to"
                " an Application by name",
            )
            return None, None
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if type(event) is _SCALAR:
            return self._scalar(event), None
        if len(self._steps) >= DEEPEST:
            raise TooDeepError(self._place(event))
        return self._map(event) if type(event) is _MAP else self._list(event)

    def _scalar(self, event: Any) -> Json:
        value: str = event.value
        if not value.isascii() or event.style == '"':
            self._check_characters(event)
        if "\n" in value:
            self._refuse(
                event,
                rules.LINE_BREAK,
                "a value must be a single line: remove the line break, or fold the text with `>-`",
            )
        return typed_scalar(value) if event.implicit[0] else value

    def _list(self, opening: Any) -> tuple[list[Json], ListMarks]:
        """Read a list."""
        items: list[Json] = []
        marks = ListMarks(self._place(opening))
        add, add_line, add_column = items.append, marks.lines.append, marks.columns.append
        get, first, blocks = self._get, self._first, self.blocks
        while type(event := get()) is not _LIST_END:
            mark = event.start_mark
            if blocks and mark.line in blocks:
                self._add_block(event, items, marks)
                continue
            add_line(mark.line + first)
            add_column(mark.column + 1)
            if _is_simple(event):
                add(typed_scalar(event.value))
            else:
                add(self._item(event, len(items), marks))
        return items, marks

    def _add_block(self, opening: Any, items: list[Json], marks: ListMarks) -> None:
        """Add a whole block, if what the parser sees of it is its first and its last item."""
        start = opening.start_mark.line
        block = self.blocks.pop(start)
        closing = self._get()
        if not (
            _is_item(opening, block, start, block.texts[0])
            and _is_item(closing, block, block.last, block.texts[-1])
        ):
            raise MisplacedLinesError
        items += block.texts if are_guids(block.texts) else map(typed_scalar, block.texts)
        marks.lines.extend(range(start + self._first, start + self._first + len(block.texts)))
        marks.columns.extend(array("L", [block.column + 1]) * len(block.texts))

    def _item(self, event: Any, index: int, marks: ListMarks) -> Json:
        self._steps.append(index)
        value, inner = self._value(event)
        self._steps.pop()
        if inner is not None:
            marks.inner[index] = inner
        return value

    def _map(self, opening: Any) -> tuple[dict[str, Json], MapMarks]:
        entries: dict[str, Json] = {}
        marks = MapMarks(self._place(opening))
        while type(event := self._get()) is not _MAP_END:
            key = self._key(event)
            opening_of_value = self._get()
            self._steps.append(str(getattr(event, "value", "?")))
            value, inner = self._value(opening_of_value)
            self._steps.pop()
            if key is None or self._is_second(key, event, marks):
                continue
            entries[key] = value
            marks.keys[key], marks.values[key] = self._place(event), self._place(opening_of_value)
            if inner is not None:
                marks.inner[key] = inner
        return entries, marks

    def _key(self, event: Any) -> str | None:
        """Read a key.

        Keys are text, whatever they look like; None for what cannot be one and is reported.
        """
        if type(event) is not _SCALAR:
            self._steps.append("?")
            self._value(event)
            self._steps.pop()
            if type(event) is not _ALIAS:
                self._refuse(event, rules.KEY, "a key must be a string: replace the list or map")
            return None
        if event.value == "<<" and event.implicit[0]:
            self._refuse(
                event, rules.MERGE_KEY, "merge key `<<` is not allowed: write the keys out"
            )
            return None
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if not event.value.isascii() or event.style == '"':
            self._check_characters(event)
        return str(event.value)

    def _is_second(self, key: str, event: Any, marks: MapMarks) -> bool:
        if key not in marks.keys:
            return False
        self._refuse(
            event,
            rules.DUPLICATE_KEY,
            f"duplicate key `{key}`, first on line {marks.keys[key][0]}: keep one",
            key,
        )
        return True

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(
                event,
                rules.ANCHOR,
                f"anchor `&{event.anchor}` is not allowed: remove it, and share values by"
                " Application names and usersFrom",
            )
        if event.tag is not None:
            self._refuse(
                event,
                rules.TAG,
                f"tag `{event.tag.replace(_STANDARD_TAG, '!!')}` is not allowed: remove"
                " it, and quote the value if it must be a string",
            )

    def _check_characters(self, event: Any) -> None:
        flaw = unfit(event.value.replace("\n", ""))
        if flaw:
            position = Position(self._file, *self._place_of_character(chr(flaw.code_point), event))
            self.findings.append(
                Finding(
                    position, json_path(self._steps), rules.UNFIT_CHARACTER.id, unfit_message(flaw)
                )
            )

    def _place_of_character(self, char: str, event: Any) -> Place:
        """Where the character itself is, if it is written raw; else where its scalar starts."""
        start, end = event.start_mark.index, event.end_mark.index
        index = self._text.find(char, start, end)
        if index < 0:
            return self._place(event)
        line_end = self._text.rfind("\n", start, index)  # not before it: lines may be long
        bol = line_end + 1 if line_end >= 0 else start - event.start_mark.column
        return (
            self._text.count("\n", start, index) + event.start_mark.line + self._first,
            index - bol + 1,
        )

    def _refuse(self, event: Any, rule: rules.DocumentRule, message: str, *below: str) -> None:
        position = Position(self._file, *self._place(event))
        self.findings.append(Finding(position, json_path([*self._steps, *below]), rule.id, message))
