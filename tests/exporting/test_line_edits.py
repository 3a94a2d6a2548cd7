"""One item more or less in a list, as one line: it reads back as exactly that, or it is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.documents.parsing import parse_yaml
from reconciler.exporting.line_edits import applied, with_item, with_row, without_item

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = ("spec", "list")
WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True)
ITEMS = st.lists(
    st.one_of(
        WORDS, WORDS.map(lambda word: f"'{word} it''s'"), WORDS.map(lambda word: f'"{word}]"')
    ),
    max_size=5,
    unique=True,
)
STYLES = st.sampled_from(["block", "deep", "flow", "spaced", "lines"])
ENDS = st.sampled_from(["\n", "\r\n"])


def _written(items: Sequence[str], style: str, remark: str) -> list[str]:
    if not items or style == "flow":
        return [f"  list: [{', '.join(items)}]{remark}"]
    if style == "spaced":
        return [f"  list: [ {' ,  '.join(items)} ]{remark}"]
    if style == "lines":
        return [
            "  list: [",
            *(f"    {item}{',' if item != items[-1] else ''}" for item in items),
            "  ]",
        ]
    blanks = "  " if style == "block" else "      "
    return ["  list:", *(f"{blanks}- {item}{remark}" for item in items)]


def _file(items: Sequence[str], style: str, remark: str, end: str) -> tuple[str, int]:
    lines = ["a: b", "---", "# head", "kind: K", "spec:", *_written(items, style, remark)]
    return end.join((*lines, "  other: [x, y]", "---", "c: d", "")), 4


def _values(text: str) -> list[object]:
    parsed = parse_yaml(text, "f")
    assert parsed.findings == []
    return [tree.value for tree in parsed.trees]


def _list(text: str) -> list[object]:
    value = _values(text)[1]
    assert isinstance(value, dict)
    spec = value["spec"]
    assert isinstance(spec, dict)
    assert isinstance(spec["list"], list)
    return spec["list"]


REMARKS = st.sampled_from(["", "   # why, [so]"])


@given(items=ITEMS, style=STYLES, remark=REMARKS, end=ENDS, new=WORDS)
def test_an_item_more(items: list[str], style: str, remark: str, end: str, new: str) -> None:
    text, line = _file(items, style, remark, end)
    edit = with_item(text, line, STEPS, new, "label")
    assert edit is not None
    changed = applied(text, edit)
    assert _list(changed) == [*_list(text), new]
    before, after = _values(text), _values(changed)
    assert (before[0], before[2]) == (after[0], after[2])
    lines = len(text.split("\n")), len(changed.split("\n"))
    assert lines[1] - lines[0] == (edit.before is None)
    assert changed.count("\r\n") == changed.count("\n") * (end == "\r\n")


@given(items=ITEMS.filter(len), style=STYLES, remark=REMARKS, end=ENDS, data=st.data())
def test_an_item_less(
    items: list[str], style: str, remark: str, end: str, data: st.DataObject
) -> None:
    text, line = _file(items, style, remark, end)
    index = data.draw(st.integers(0, len(items) - 1))
    edit = without_item(text, line, STEPS, index)
    if edit is None:  # the only item of a list of lines: the list would become null
        assert len(items) == 1 or style == "lines"
        return
    changed = applied(text, edit)
    old = _list(text)
    assert _list(changed) == [*old[:index], *old[index + 1 :]]


@pytest.mark.parametrize("steps", [("spec",), ("spec", "none"), ("kind",), ("spec", "list", "x")])
def test_what_is_no_list_has_no_change(steps: tuple[str, ...]) -> None:
    text, line = _file(["a"], "flow", "", "\n")
    assert with_item(text, line, steps, "b") is None
    assert without_item(text, line, steps, 0) is None
    assert with_item(text, 99, STEPS, "b") is None
    assert without_item(text, line, STEPS, 1) is None


def test_an_item_that_would_be_something_else_is_none() -> None:
    text, line = _file(["a"], "flow", "", "\n")
    for item in ("b, c", "b]", "{b: c}", "true", "1", "# b"):
        assert with_item(text, line, STEPS, item) is None


@pytest.mark.parametrize(
    ("text", "line"), [("user\na\n", 2), ("user\na", 2), ("user\na\n\n\n", 2), ("user\r\na\r\n", 2)]
)
def test_a_row_stands_behind_the_last_one(text: str, line: int) -> None:
    edit = with_row(text, "b")
    assert (edit.line, edit.before, edit.after) == (line, None, "b")
    rows = applied(text, edit).replace("\r\n", "\n").rstrip("\n").split("\n")
    assert [row for row in rows if row] == ["user", "a", "b"]
