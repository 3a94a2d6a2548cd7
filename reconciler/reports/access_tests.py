"""Results of access tests for a person: rows as a plan file has them, as part of other reports."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model.test_results import ResultKind
from reconciler.reports import values
from reconciler.reports.lines import Line, Tone, capped, heading
from reconciler.reports.reasons import reasons

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.plans import Plan
    from reconciler.model.test_results import AccessTestResult

MOST = 50
TITLE = "Access tests"


class Outcome(StrEnum):
    """How an expectation came out. Only what is certain passes."""

    PASSED = "passed"
    FAILED = "FAILED"
    UNDECIDED = "UNDECIDED"
    EXCUSED = "excused"


_TONES = {
    Outcome.PASSED: Tone.ADD,
    Outcome.FAILED: Tone.FAULT,
    Outcome.UNDECIDED: Tone.FAULT,
    Outcome.EXCUSED: Tone.WARNING,
}
_REACHED: Mapping[ResultKind, str] = {
    ResultKind.MAILBOX: "the mailbox",
    ResultKind.USER: "the meetings of",
}


def outcome(row: AccessTestResult) -> Outcome:
    """How a row came out."""
    if row.passed:
        return Outcome.PASSED
    if row.excused:
        return Outcome.EXCUSED
    return Outcome.UNDECIDED if row.verdict == "depends" else Outcome.FAILED


def of_plan(value: Plan) -> Iterator[Line]:
    """What a plan's outcome does not pass, in full, and how many pass."""
    yield from _summed(f"{TITLE} on the outcome", value.tests, value.names)


def of_apply(rows: Sequence[AccessTestResult], names: Mapping[str, str]) -> Iterator[Line]:
    """The same of the tenant that was read after an apply."""
    yield from _summed(f"{TITLE} on the tenant, read again", rows, names)


def of_documents(rows: Sequence[AccessTestResult]) -> Iterator[Line]:
    """What the documents alone do not decide, and how many they do."""
    undecided = [row for row in rows if outcome(row) is Outcome.UNDECIDED]
    if rows:
        held = sum(row.passed for row in rows)
        left = (
            f"{len(undecided)} cannot be decided by the documents alone, `plan` and `test` do it"
            if undecided
            else "all decided"
        )
        yield Line(f"{TITLE}: {held} {'holds' if held == 1 else 'hold'} in any tenant, {left}.")
    yield from capped(undecided, MOST, lambda row: Line(f"    {row.name}: {expectation(row, {})}"))


def count(rows: Sequence[AccessTestResult]) -> str:
    """How many came out how."""
    if not rows:
        return "No access tests: the documents have none."
    found = Counter(map(outcome, rows))
    return (
        ", ".join(
            f"{found[one]} {one.value.lower()}"
            for one in Outcome
            if found[one] or one is Outcome.PASSED
        )
        + "."
    )


def expectation(row: AccessTestResult, names: Mapping[str, str]) -> str:
    """What is expected, as a sentence without an end."""
    subject = row.subject
    reached = f"{_REACHED[subject.kind]} {values.named(subject.id, names)}"
    return f"{values.named(row.application, names)} is {row.expected} {reached}"


def contrast(row: AccessTestResult) -> str:
    """What is expected and what was found."""
    found = "not decided" if row.verdict == "depends" else row.verdict
    return f"expected {row.expected}, found {found}"


def explained(row: AccessTestResult, names: Mapping[str, str]) -> Iterator[Line]:
    """An expectation, how it came out, and the way to its verdict."""
    came_out = outcome(row)
    yield Line(f"    {came_out.value:<9}  {row.name}: {expectation(row, names)}", _TONES[came_out])
    if came_out is not Outcome.PASSED:
        yield Line(f"               {contrast(row)}")
    for reason in reasons(row.why, names):
        yield Line(f"               {reason}")


def _summed(
    title: str, rows: Sequence[AccessTestResult], names: Mapping[str, str]
) -> Iterator[Line]:
    if not rows:
        return
    yield from heading(f"{title}: {count(rows)}")
    for row in rows:
        if not row.passed:
            yield from explained(row, names)
