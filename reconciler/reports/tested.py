"""What a run of access tests says: the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.access_tests import TITLE, Outcome, outcome_counts, row_outcome
from reconciler.reports.lines import Tone
from reconciler.reports.outline import Chapter, Item, Outline
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.notes import judgement
from reconciler.reports.review.value import Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.test_results import AccessTestResult
    from reconciler.reports.access_tests import Tested

_TITLES = {
    Outcome.FAILED: "FAILED",
    Outcome.UNDECIDED: "UNDECIDED, which is not a pass",
    Outcome.EXCUSED: "Excused",
    Outcome.PASSED: "Passed",
}
_TONES = {
    Outcome.PASSED: Tone.ADD,
    Outcome.FAILED: Tone.FAULT,
    Outcome.UNDECIDED: Tone.FAULT,
    Outcome.EXCUSED: Tone.WARNING,
}


def outline_of_tests(tested: Tested) -> Outline:
    """Every expectation with the way to its verdict, and how many passed."""
    naming = _naming(tested.rows, tested.names)
    return Outline(
        command="test",
        simulated=tested.simulated,
        tenant_id=tested.tenant_id,
        headline=(f"{TITLE} on ", Name(tested.ground)),
        chapters=tuple(_chapters(tested.rows, naming)),
        closing=(outcome_counts(tested.rows),),
    )


def _chapters(rows: Sequence[AccessTestResult], naming: Naming) -> Iterator[Chapter]:
    for outcome, title in _TITLES.items():
        own = [row for row in rows if row_outcome(row) is outcome]
        if own:
            yield Chapter(
                (f"{title}: {len(own)}",),
                tuple(item for row in own for item in _items(row, naming)),
                _TONES[outcome],
                folded=outcome not in {Outcome.FAILED, Outcome.UNDECIDED},
                noun=(f"{outcome.lower()} test", f"{outcome.lower()} tests"),
            )


def apply_test_chapter(
    rows: Sequence[AccessTestResult], names: Mapping[str, str]
) -> Chapter | None:
    """Of the tenant that was read after an apply, what does not pass; None without tests."""
    if not rows:
        return None
    naming = _naming(rows, names)
    items = (item for row in rows if not row.passed for item in _items(row, naming))
    return Chapter((f"{TITLE} on the tenant, read again: {outcome_counts(rows)}",), tuple(items))


def _items(row: AccessTestResult, naming: Naming) -> Iterator[Item]:
    """An expectation, how it came out, and the way to its verdict."""
    judged = judgement(row, naming)
    outcome = row_outcome(row)
    yield Item((judged.name, ": ", *judged.expected), 2, _TONES[outcome], f"{outcome.value:<9} ")
    if outcome is not Outcome.PASSED:
        yield Item((judged.contrast,), 3)
    for reason in judged.reasons:
        yield Item(reason, 3)


def _naming(rows: Sequence[AccessTestResult], names: Mapping[str, str]) -> Naming:
    return Naming(names, (row.application for row in rows))
