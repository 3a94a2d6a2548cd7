"""Results of access tests as Markdown: what does not pass stands open, the rest is folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.access_tests import Outcome, outcome_counts, row_outcome
from reconciler.reports.markdown.cutting import Head, Piece, ReportSection, fitted
from reconciler.reports.markdown.inert import Inert, code, phrase, shortened, words
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.notes import judgement
from reconciler.reports.wrapping import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.test_results import AccessTestResult
    from reconciler.reports.access_tests import Tested

_TITLES = {
    Outcome.FAILED: "FAILED",
    Outcome.UNDECIDED: "UNDECIDED, which is not a pass",
    Outcome.EXCUSED: "Excused",
    Outcome.PASSED: "Passed",
}


def markdown_of_tests(tested: Tested, max_bytes: int) -> str:
    """A run of access tests, of at most `max_bytes` bytes of UTF-8."""
    head = Head(
        tested.tenant_id,
        tested.simulated,
        words(f"Access tests: {outcome_counts(tested.rows)}"),
        (Inert(f"On {code(shortened(tested.ground))}"),),
        (),
        Inert("`--format json` has all of them."),
        "test",
    )
    return fitted(head, list(_sections(tested)), max_bytes)


def _sections(tested: Tested) -> Iterator[ReportSection]:
    naming = Naming(tested.names)
    for rank, (outcome, title) in enumerate(_TITLES.items()):
        rows = [row for row in tested.rows if row_outcome(row) is outcome]
        if rows:
            yield ReportSection(
                f"{title}: {len(rows)}",
                (f"{outcome.lower()} test", f"{outcome.lower()} tests"),
                [_piece(row, naming) for row in rows],
                rank=rank,
                folded=outcome not in {Outcome.FAILED, Outcome.UNDECIDED},
            )


def _piece(row: AccessTestResult, naming: Naming) -> Piece:
    judged = judgement(row, naming)
    layout = Layout()
    contrast = () if row.passed else (f"  - {words(judged.contrast)}",)
    return Piece(
        (
            f"- {phrase((judged.name, ': ', *judged.expected), layout)}",
            *contrast,
            *(f"  - {phrase(reason, layout)}" for reason in judged.reasons),
        )
    )
