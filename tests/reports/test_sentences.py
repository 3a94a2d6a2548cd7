"""Every code that a plan can hold has words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.applying.events import ReadingReason
from reconciler.model import codes
from reconciler.reports import progress, sentences
from reconciler.reports.review.composing import review
from tests.reports import samples

if TYPE_CHECKING:
    from pathlib import Path

TABLES = (
    (codes.ChangeReason, sentences.CHANGES),
    (codes.StepReason, sentences.STEPS),
    (codes.WarningCode, sentences.WARNINGS),
    (codes.RefusalRule, sentences.REFUSALS),
    (codes.Held, sentences.HOLDS),
    (codes.GapReason, sentences.GAPS),
    (codes.Unfound, sentences.UNFOUND),
    (ReadingReason, progress.PURPOSES),
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
        assert "cannot describe it" in said.then


@pytest.mark.parametrize(("policies", "said"), [(1, "gets 1 policy of"), (2, "gets 2 policies of")])
def test_what_is_counted_is_singular_or_plural(tmp_path: Path, policies: int, said: str) -> None:
    warning = samples.note(codes.WarningCode.LEGACY_MECHANISM, "exchange", policies=policies)
    made = samples.plan(tmp_path, {"warnings": [warning]})
    (group,) = review(made, samples.DIGESTS).notes
    assert said in "".join(map(str, group.what))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("teams.policy/Meet", "A document with `ensure: absent` removes"),
        ("exchange.application/8ae3fc5c-5742-444e-8a49-249b37b774b7", "No document removes it"),
        ("exchange.application/*", "No document removes it"),
        ("exchange.recipient/2bc1ecb4-10e1-42bc-883b-ce6f212b41e1", ""),
        ('teams.policy/NOT UNDERSTOOD: {"Identity": null}', ""),
    ],
)
def test_of_what_is_not_understood_it_is_said_what_a_document_can_remove(
    tmp_path: Path, address: str, said: str
) -> None:
    row = samples.note(codes.Held.NOT_UNDERSTOOD, address, text="x", why="y")
    (group,) = review(samples.plan(tmp_path, {"held": [row]}), samples.DIGESTS).notes
    told = "".join(map(str, group.then))
    assert told.partition("then plan again.")[2].strip().startswith(said)
    assert bool(said) == ("remove" in told.partition("then plan again.")[2])
