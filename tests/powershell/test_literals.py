import re
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import RenderFault, UnfitText
from reconciler.powershell.literals import LARGEST_INTEGER, literal
from reconciler.powershell.reading import read_invocation
from tests.powershell.scanning import NoString, scan, skeleton
from tests.strategies import text as hostile

RUNNER_COMMAND = re.compile(r"##(?:vso)?\[", re.IGNORECASE)
PHYSICAL_LINE_ENDS = re.compile("[\n\r]")


def emitted(value: str) -> str | None:
    try:
        return literal(value)
    except UnfitText:
        return None


def test_each_text_is_written_as_powershell_was_recorded_to_read_it_back(
    literals: list[dict],
) -> None:
    right = {
        (row["value"], row["text"])
        for row in literals
        if row["ok"] and row["rendering"] in {"single", "double"}
    }
    # What a runner takes for a command is written with one more escape than when it was recorded;
    # the last test has it.
    values = {row["value"] for row in literals if not RUNNER_COMMAND.search(row["value"])}
    written = {(value, text) for value in values if (text := emitted(value)) is not None}
    assert len(written) > 2500
    assert not written - right


def test_only_texts_with_an_unfit_character_of_a_refused_class_have_no_literal(
    literals: list[dict],
) -> None:
    for value in {row["value"] for row in literals}:
        if emitted(value) is None:
            assert any(emitted(char) is None for char in value)


def test_the_oracle_reads_every_right_literal_as_powershell_did(literals: list[dict]) -> None:
    for row in literals:
        if row["ok"] and not re.search("[\ud800-\udfff]", row["value"]):
            assert scan(row["text"], 0) == (row["read"], len(row["text"]))


def test_the_oracle_finds_that_a_wrong_literal_ends_early_or_says_something_else(
    literals: list[dict],
) -> None:
    for row in literals:
        if not row["ok"] and row["text"][0] in "'\"":
            try:
                value, end = scan(row["text"], 0)
            except NoString:
                continue
            assert value != row["value"] or end < len(row["text"]) or row["errors"]


@given(hostile.texts)
def test_a_text_is_one_literal_on_one_line_with_nothing_around_it(text: str) -> None:
    written = literal(text)
    assert skeleton(written) == ("''", [text])
    assert PHYSICAL_LINE_ENDS.search(written) is None


@given(hostile.plain_texts.filter(lambda text: not RUNNER_COMMAND.search(text)))
def test_a_plain_text_is_single_quoted_and_otherwise_raw(text: str) -> None:
    assert (
        literal(text)
        == "'" + "".join(char * 2 if char in hostile.SINGLE_QUOTES else char for char in text) + "'"
    )


@given(hostile.texts)
def test_a_text_that_is_not_plain_is_double_quoted_and_shows_every_character(text: str) -> None:
    written = literal(text + "\n")
    assert written.startswith('"')
    assert written.isprintable()
    assert not set(written[1:-1]) & set(
        hostile.SINGLE_QUOTES[1:] + hostile.DOUBLE_QUOTES[1:] + hostile.JOINERS
    )


@given(hostile.refused_texts)
def test_an_unfit_character_is_never_rendered(text: str) -> None:
    with pytest.raises(UnfitText, match=r"character \d+ is U\+[0-9A-F]{4,6}, "):
        literal(text)


def test_the_message_names_the_first_character_that_has_no_escape() -> None:
    with pytest.raises(UnfitText, match=r"character 3 is U\+202E, a bidirectional control"):
        literal("\n\u00a0\u202e\u202d")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "''"),
        (" ", "' '"),
        ("it's", "'it''s'"),
        ("O\u2019Brien", "'O\u2019\u2019Brien'"),
        ("\u2018\u2019\u201a\u201b'", "'\u2018\u2018\u2019\u2019\u201a\u201a\u201b\u201b'''"),
        ("$(x) `n", "'$(x) `n'"),
        ("a\nb", '"a`nb"'),
        ("\t$x`\u2019\u201d\u00a0", '"`t`$x``' + '`u{2019}`u{201D}`u{A0}"'),
        ("M\u00fcller", "'M\u00fcller'"),
        (True, "$true"),
        (False, "$false"),
        (None, "$null"),
        (0, "0"),
        (LARGEST_INTEGER, "999999999999999999"),
        ([], "@()"),
        (["a"], "@('a')"),
        (("a", "b"), "@('a','b')"),
        ({"Add": ["x"]}, "@{Add=@('x')}"),
        ({"Remove": ("y", "z")}, "@{Remove=@('y','z')}"),
        ({"Remove": ["y"], "Add": ["x"]}, "@{Add=@('x');Remove=@('y')}"),
        ({"Add": []}, "@{Add=@()}"),
    ],
)
def test_each_kind_of_value_has_one_literal(value: object, text: str) -> None:
    assert literal(value) == text


def test_an_enumeration_member_is_the_text_it_stands_for() -> None:
    right = StrEnum("right", {"DENY": "Deny'Access"})
    assert literal(right.DENY) == "'Deny''Access'"


@pytest.mark.parametrize(
    "value",
    [
        -1,
        LARGEST_INTEGER + 1,
        1.5,
        b"x",
        {"x"},
        object(),
        [1],
        [None],
        [["a"]],
        [True],
        {},
        {"add": ["x"]},
        {"Add": "x"},
        {"Add": ["x"], "Replace": []},
        {1: []},
    ],
)
def test_what_has_no_literal_is_refused(value: object) -> None:
    with pytest.raises(RenderFault):
        literal(value)


@given(
    st.recursive(
        st.one_of(st.none(), st.floats(), st.binary(), hostile.any_texts),
        lambda inner: st.lists(inner) | st.dictionaries(hostile.any_texts, inner),
    )
)
def test_any_value_has_a_literal_of_one_line_or_is_refused(value: object) -> None:
    try:
        written = literal(value)
    except RenderFault:
        return
    assert PHYSICAL_LINE_ENDS.search(skeleton(written)[0]) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a##[error]b", '"a`u{23}#[error]b"'),
        ("##vso[task.setvariable]$x", '"`u{23}#vso[task.setvariable]`$x"'),
        ("###[x ##VSO[y", '"#`u{23}#[x `u{23}#VSO[y"'),
        ("#[ ## [", "'#[ ## ['"),
    ],
)
def test_what_a_runner_takes_for_a_command_is_never_written_as_one(value, text):
    assert literal(value) == text
    assert (
        read_invocation(
            f"Set-CsApplicationAccessPolicy -Identity:'P' -Description:{text}"
        ).parameters["Description"]
        == value
    )
