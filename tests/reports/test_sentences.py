"""Every code that a plan can hold has words for people."""

from __future__ import annotations

import pytest

from reconciler.model import codes
from reconciler.reports import applies, sentences

TABLES = (
    (codes.ChangeReason, sentences.CHANGES),
    (codes.StepReason, sentences.STEPS),
    (codes.WarningCode, sentences.WARNINGS),
    (codes.RefusalRule, sentences.REFUSALS),
    (codes.Held, sentences.HOLDS),
    (codes.GapReason, sentences.GAPS),
    (codes.Unfound, sentences.UNFOUND),
    (applies.ReadingReason, applies.PURPOSES),
)


@pytest.mark.parametrize(("known", "table"), TABLES, ids=lambda one: getattr(one, "__name__", ""))
def test_every_code_has_its_words(known: type, table: dict) -> None:
    assert set(table) == set(known)
    assert all(
        all(words) if known is not codes.Held and isinstance(words, tuple) else words
        for words in table.values()
    )


def test_a_refusal_and_a_warning_say_what_to_do() -> None:
    assert all(
        said.then
        for said in (
            *sentences.WARNINGS.values(),
            *sentences.REFUSALS.values(),
            *sentences.UNFOUND.values(),
        )
    )


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert sentences.change("new-reason") == sentences.step("new-reason") == "new-reason"
    for said in (
        sentences.warning("{new}"),
        sentences.refusal("{new}"),
        sentences.unfound("{new}"),
        sentences.held("{new}"),
    ):
        assert said.what.format_map({}) == "{new}"
        assert "no words" in said.then
