"""Repeated lines are taken out before parsing: what is read, its places and its faults are
as without that.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.documents import parsing
from reconciler.documents.parsing import Parsed, c_parser, parse_yaml, pure_parser
from reconciler.documents.repeated_lines import FEWEST, thinned
from tests.thoroughness import samples

ITEMS = st.sampled_from(
    [
        "dc17674c-81d9-4adb-bfb2-8f6a442e4624",
        "ann@contoso.com",
        "a",
        "0",
        "17",
        "true",
        "null",
        "Off",
        "0x1F",
        "a.-_",
        "1-",
    ]
)
ODD = st.sampled_from(
    [
        "",
        "- a b",
        "-",
        "- ",
        "-  a",
        "- 'a'",
        '- "a"',
        "- &a b",
        "- *a",
        "- !!str a",
        "- - a",
        "- a: b",
        "- a:",
        "a: 1",
        "# note",
        "  more",
        "? a",
        "- [a]",
        "- |",
        "- >-",
        "'",
        '"',
        "|",
        "]",
        "---",
        "...",
        "- a # note",
        "- a#b",
        "- ä",
        "- a\u200bb",
        "x",
        "- ~",
        "- a,b",
        "%TAG ! a",
    ]
)
OPENINGS = st.sampled_from(
    [
        "",
        "users:",
        "users: # all",
        "users: |",
        "users: >-",
        "users: some",
        "users: '",
        'users: "',
        "users: [",
        "users: {",
        "a: {b:",
        "- x",
        "- - x",
        "- |",
        "? users",
        "--- |",
        "--- >",
        "users: &x",
        "users: !!seq",
        "users: !!str",
        "'",
        '"',
    ]
)
CLOSINGS = st.sampled_from(
    [
        "",
        "'",
        '"',
        "]",
        "}",
        "more: 1",
        "  more: 1",
        "      more",
        "\n\n",
        "...",
        "---\nb: 1",
        ": x",
        "# end",
        "@",
        "    - b",
    ]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A block of one indentation under something that makes it a list or something else, with a line
    or two of another form perhaps.
    """
    lead = " " * draw(st.integers(0, 4))
    lines = [
        f"{lead}- {draw(ITEMS)}" if draw(st.integers(0, 9)) == 0 else f"{lead}- u{number}"
        for number in range(draw(st.integers(FEWEST - 1, FEWEST + 8)))
    ]
    for odd in draw(
        st.lists(st.tuples(st.integers(0, len(lines)), st.integers(0, 4), ODD), max_size=2)
    ):
        lines.insert(odd[0], f"{lead}{' ' * odd[1]}{odd[2]}" if odd[1] else f"{lead}{odd[2]}")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    parts = (
        draw(OPENINGS),
        *lines,
        draw(CLOSINGS),
        draw(st.sampled_from(["", draw(OPENINGS)])),
        *draw(st.sampled_from([[], lines])),
    )
    return end.join(parts) + draw(st.sampled_from(["", end]))


def without_blocks(text: str, parser: object) -> Parsed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "thinned", lambda whole: (whole, {}))
        return parse_yaml(text, "f", parser)  # type: ignore[arg-type]


@given(texts(), st.sampled_from([c_parser, c_parser, c_parser, pure_parser]))
@example(
    "\n".join(["users:", *(f"- u{number}" for number in range(FEWEST)), "- a", "  b"]), c_parser
)
@example("\n".join(["users: |", *(f" - u{number}" for number in range(FEWEST + 2))]), c_parser)
@settings(max_examples=samples(300), deadline=None)
def test_a_text_is_read_as_if_nothing_were_taken_out(text: str, parser: object) -> None:
    assert parse_yaml(text, "f", parser) == without_blocks(text, parser)  # type: ignore[arg-type]


def document(count: int, end: str = "\n") -> str:
    return end.join(
        [
            "a: 1",
            "users:",
            *(f"  - user{number}@contoso.com" for number in range(count)),
            "b: 2",
            "",
        ]
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_long_list_is_not_parsed_line_by_line(end: str) -> None:
    thin, blocks = thinned(document(1000, end))
    assert thin.count("\n") == 1003
    assert thin.count("user") == 3
    assert [
        (line, block.last, block.column, len(block.texts)) for line, block in blocks.items()
    ] == [(2, 1001, 4, 1000)]
    (tree,) = parse_yaml(document(1000, end), "f").trees
    assert tree.value == {
        "a": 1,
        "users": [f"user{number}@contoso.com" for number in range(1000)],
        "b": 2,
    }
    assert list(tree.marks.inner["users"].lines) == list(range(3, 1003))
    assert set(tree.marks.inner["users"].columns) == {5}
    assert tree.marks.keys["b"] == (1003, 1)


def test_a_short_list_stays() -> None:
    assert thinned(document(FEWEST - 1)) == (document(FEWEST - 1), {})


def test_a_block_is_used() -> None:
    """Or else all of this would be tested and never happen."""
    events = []
    parser = c_parser("")
    kind = type(parser)

    class Counting(kind):  # type: ignore[misc, valid-type]
        def get_event(self) -> object:
            events.append(1)
            return super().get_event()

    assert parse_yaml(document(1000), "f", Counting).trees
    assert len(events) < 25


def test_a_thousand_faults_do_not_look_at_the_rest_a_thousand_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(
        parsing, "thinned", lambda text: (looked.append(len(text)), thinned(text))[1]
    )
    text = (
        "a: [\n" + "".join(f"  - u{number}@contoso.com\n" for number in range(20)) + "---\n"
    ) * 100
    assert len(parse_yaml(text, "f").findings) >= 100
    assert looked == [len(text)]
