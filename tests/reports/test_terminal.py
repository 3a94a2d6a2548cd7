"""Law 8 on a terminal and in a log: whatever a text holds, it stays one line of visible characters
and commands nothing.
"""

from __future__ import annotations

import json as stdlib_json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.characters import unfit
from reconciler.reports import json, terminal
from reconciler.reports.lines import Line, plain_text

hostile = st.lists(
    st.sampled_from(
        [
            "\x1b[31m",
            "\n",
            "\r",
            "\u2028",
            "\u202e",
            "\u200b",
            "::error::",
            "##[error]",
            "##VSO[task.x]",
            "\\u{",
            "\\",
            "\t",
            " ",
            "ü",
            "\ud800",
            "😀",
        ]
    )
    | st.text(max_size=3),
    max_size=8,
).map("".join)


def _commands(line: str) -> bool:
    """What GitHub's and Azure's runners take for a command."""
    return line.lstrip().startswith("::") or "##[" in line or "##vso[" in line.lower()


@given(hostile)
@example("  ::error::x")
@example("\u3000::error::x")
@example("###[x]")
@example("##\u200b[x]")
def test_a_line_is_one_visible_line_and_no_command(value: str) -> None:
    shown = terminal.line(value)
    assert unfit(shown) is None
    assert not _commands(shown)
    assert plain_text([Line(value)]) == shown + "\n"


@given(hostile, hostile)
def test_two_texts_never_look_alike(one: str, other: str) -> None:
    assert (terminal.visible(one) == terminal.visible(other)) == (one == other)


@pytest.mark.parametrize(
    "plain", ["", "teams.policy/Test-policy", "Zoë's “policy” – 方針 😀", "a::b ##x", "C:\\path"]
)
def test_plain_text_stays_as_it_is(plain: str) -> None:
    assert terminal.line(plain) == plain


def test_escapes_name_the_code_point() -> None:
    assert terminal.visible("a\x1bb\U000e0041") == "a\\u{1B}b\\u{E0041}"
    assert terminal.visible("\\u{1B}") == "\\u{5C}u{1B}"


@given(st.dictionaries(hostile, hostile))
def test_json_that_is_printed_is_visible_commands_nothing_and_means_the_same(
    value: dict[str, str],
) -> None:
    printed = json.printable(stdlib_json.dumps(value, ensure_ascii=False) + "\n")
    head, end = printed[:-1], printed[-1]
    assert end == "\n"
    assert unfit(head) is None
    assert not _commands(head)
    assert stdlib_json.loads(printed) == stdlib_json.loads(stdlib_json.dumps(value))


def test_printed_json_without_such_characters_is_the_same_bytes() -> None:
    assert json.printable('{"a":"Zoë"}\n') == '{"a":"Zoë"}\n'
    assert json.printable("\u200b") == "\\u200b"
    assert re.fullmatch(r"\\ud83[0-9a-f]\\u[0-9a-f]{4}", json.printable("\U0001fffe")), (
        "a noncharacter beyond the first plane"
    )
