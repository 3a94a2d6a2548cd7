import sys
import unicodedata

import pytest
from hypothesis import given

from reconciler.characters import Unfit, plain, unfit
from tests.strategies import text as hostile

EVERY_CHARACTER = [chr(point) for point in range(sys.maxunicode + 1)]


def test_every_code_point_is_plain_or_refused_with_a_reason() -> None:
    for char in EVERY_CHARACTER:
        flaw = unfit(char)
        assert plain(char) is (flaw is None)
        assert flaw is None or (flaw.index, flaw.code_point, bool(flaw.why)) == (0, ord(char), True)


def test_nothing_without_a_visible_form_is_plain() -> None:
    invisible = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
    assert {
        char for char in EVERY_CHARACTER if plain(char) and unicodedata.category(char) in invisible
    } == {" "}


@pytest.mark.parametrize(
    ("chars", "why"),
    [
        (hostile.CONTROLS, "a control character"),
        (hostile.LINE_BREAKS, "a control character"),
        (hostile.BIDIRECTIONAL, "a bidirectional control"),
        (hostile.INVISIBLE, "invisible"),
        (hostile.JOINERS, "invisible"),
        ("\u2028", "a line separator"),
        ("\u2029", "a paragraph separator"),
        (hostile.SPACES, "a space other than U+0020"),
        (hostile.SURROGATES, "a lone surrogate"),
        (hostile.NONCHARACTERS, "a noncharacter"),
        (hostile.PRIVATE, "a private-use character"),
        (hostile.UNASSIGNED, "an unassigned character"),
        ("\u0600\u06dd\u070f", "a format character"),
    ],
)
def test_each_class_has_its_reason(chars: str, why: str) -> None:
    assert {unfit(char).why for char in chars} == {why}


def test_what_ends_a_line_or_is_blank_in_powershell_is_not_plain(
    classes: dict[str, frozenset[int]],
) -> None:
    for name in ("newline", "ends-line-comment", "whitespace"):
        assert {char for point in classes[name] if plain(char := chr(point))} <= {" "}


def test_no_invisible_character_that_powershell_overlooks_is_plain(
    classes: dict[str, frozenset[int]],
) -> None:
    overlooked = [chr(point) for point in classes["ignored-by-comparison"]]
    assert not any(plain(char) for char in overlooked if unicodedata.category(char)[0] in "CZ")
    assert not any(
        plain(char)
        for char in overlooked
        if char in hostile.INVISIBLE + hostile.JOINERS + hostile.BIDIRECTIONAL
    )


@pytest.mark.parametrize("name", ["single-quote", "double-quote", "dash"])
def test_quotes_and_dashes_are_plain(name: str, classes: dict[str, frozenset[int]]) -> None:
    assert all(plain(chr(point)) for point in classes[name])


@given(hostile.plain_texts)
def test_a_text_of_plain_characters_is_fit(text: str) -> None:
    assert unfit(text) is None


@given(hostile.refused_texts)
def test_the_first_unfit_character_is_found(text: str) -> None:
    flaw = unfit(text)
    assert all(plain(char) for char in text[: flaw.index])
    assert text[flaw.index] == chr(flaw.code_point)
    assert not plain(text[flaw.index])


def test_a_flaw_says_where_and_what() -> None:
    flaw = unfit("ab\u202ec")
    assert flaw == Unfit(2, 0x202E, "a bidirectional control")
    assert str(flaw) == "character 3 is U+202E, a bidirectional control"
