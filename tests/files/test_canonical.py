"""Canonical JSON: one value, one text, whoever encodes it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import canonical
from tests.thoroughness import samples

LETTERS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from('\x00\x1f\x7f\x80\u2028\u2029\uffff"\\/\b\f\n\r\t<>&\U0001f600'),
    )
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(-(2**70), 2**70), LETTERS),
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(LETTERS, inner)
    ),
)


@given(VALUES)
@settings(max_examples=samples(400))
def test_what_is_encoded_fast_is_what_is_encoded_strictly(value: Any) -> None:
    assert canonical.encode(value) == canonical.dumps(value)


@given(VALUES)
def test_it_is_json_with_sorted_keys_and_without_blanks(value: Any) -> None:
    told = canonical.dumps(value).decode("utf-8")
    assert told == json.dumps(
        json.loads(told), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )


@pytest.mark.parametrize("encode", [canonical.dumps, canonical.encode])
def test_half_a_character_is_no_text(encode: Any) -> None:
    with pytest.raises(UnicodeEncodeError):
        encode(["\ud800"])


ROWS = st.lists(st.tuples(LETTERS, LETTERS), unique=True, max_size=5)


@given(ROWS, ROWS, st.randoms(use_true_random=False))
def test_rows_have_one_digest_in_any_order_and_others_another(
    rows: list[tuple[str, str]], others: list[tuple[str, str]], dice: Any
) -> None:
    def told(some: list[tuple[str, str]]) -> str:
        return canonical.rows_digest([[row[0] for row in some], [row[1] for row in some]])

    shuffled = rows[:]
    dice.shuffle(shuffled)
    assert told(rows) == told(shuffled)
    assert (told(rows) == told(others)) == (set(rows) == set(others))


def test_a_line_break_in_a_cell_moves_nothing_into_another() -> None:
    assert canonical.rows_digest([["a\nb"], ["c"]]) != canonical.rows_digest([["a"], ["b\nc"]])
    assert canonical.rows_digest([["a", "c"], ["b", "d"]]) != canonical.rows_digest(
        [["a\nb", "c"], ["", "d"]]
    )
