"""What a run found, decided once for every format that a machine reads: how bad, where, by which
rule, in which words, and what helps.

Texts of others are in it as they are: each rendering makes them inert by its own format's means.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.access.rules import EXCUSED, FAILED, UNDECIDED
from reconciler.model.findings import Severity
from reconciler.reports.access_tests import (
    TITLE,
    Outcome,
    contrast,
    expectation,
    outcome_counts,
    reasons,
    row_outcome,
)
from reconciler.reports.findings import MOST, count_line
from reconciler.reports.lines import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.documents.rules import DocumentRule
    from reconciler.model.findings import Finding, Position
    from reconciler.model.test_results import AccessTestResult
    from reconciler.reports.access_tests import Tested


class Level(StrEnum):
    """How bad something is, worst first: an error fails the run, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


_WORST_FIRST = {level: number for number, level in enumerate(Level)}
_OF_SEVERITY = {Severity.ERROR: Level.ERROR, Severity.WARNING: Level.WARNING}
_OF_OUTCOME = {
    Outcome.FAILED: (Level.ERROR, FAILED),
    Outcome.UNDECIDED: (Level.ERROR, UNDECIDED),
    Outcome.EXCUSED: (Level.NOTICE, EXCUSED),
}
STOPPED = "run.stopped"
"""Stands where a rule does, if the run itself failed: `--rules` does not list it."""


class Annotation(Struct, frozen=True):
    """One thing that somebody has to know.

    Attributes:
        level: How bad it is.
        rule: The id of the rule that is broken.
        title: The rule in words, or an empty text.
        message: What is wrong, on one line.
        place: Where it is written; None if that is not known.
        path: The JSON path in the document there, or an empty text.
        advice: Lines that help: why the rule exists, or the way to a verdict.
        identity: What it is about, with nothing in it that moves when other lines do.
    """

    level: Level
    rule: str
    title: str
    message: str
    place: Position | None = None
    path: str = ""
    advice: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()


class Annotated(Struct, frozen=True):
    """Everything that one run found.

    Attributes:
        command: The command, `validate` or `test`.
        ground: What was judged, in words.
        annotations: All of them, worst first, then by place.
        summary: How many there are, or that all is well, in one sentence.
        simulated: It is about a simulated tenant.
        bounded: A text for a person does not have all of them either.
    """

    command: str
    ground: str
    annotations: tuple[Annotation, ...]
    summary: str
    simulated: bool = False
    bounded: bool = False


def of_findings(
    command: str, every_finding: Iterable[Finding], rules: Iterable[DocumentRule], summary: str = ""
) -> Annotated:
    """What is wrong with documents.

    Args:
        command: the command that looked at them.
        every_finding: the faults, in any order.
        rules: the rules that have words for them.
        summary: what to say if there are none.
    """
    by_id = {rule.id: rule for rule in rules}
    ordered = sorted(every_finding)
    return Annotated(
        command,
        "Documents",
        _worst_first(_of_finding(finding, by_id) for finding in ordered),
        count_line(ordered) if ordered else summary,
        bounded=len(ordered) > MOST,
    )


def of_tests(value: Tested) -> Annotated:
    """Every expectation that does not pass."""
    places: Sequence[Position | None] = value.positions or [None] * len(value.rows)
    return Annotated(
        "test",
        f"{TITLE} on {value.ground}",
        _worst_first(
            _of_row(row, place, value.names)
            for row, place in zip(value.rows, places, strict=True)
            if not row.passed
        ),
        outcome_counts(value.rows),
        value.simulated,
    )


def of_failure(command: str, message: str) -> Annotated:
    """A run that ended with an error; `message` may have several lines."""
    first, *others = message.split("\n")
    stopped = Annotation(
        Level.ERROR, STOPPED, "The run failed", first, advice=tuple(others), identity=(command,)
    )
    return Annotated(command, "The run", (stopped,), f"{counted(1, 'error')}: the run failed.")


def combined(command: str, ground: str, parts: Iterable[Annotated]) -> Annotated:
    """Several of one run, worst first."""
    several = tuple(parts)
    return Annotated(
        command,
        ground,
        _worst_first(annotation for part in several for annotation in part.annotations),
        " ".join(part.summary for part in several if part.summary),
        any(part.simulated for part in several),
        any(part.bounded for part in several),
    )


def _worst_first(annotations: Iterable[Annotation]) -> tuple[Annotation, ...]:
    return tuple(sorted(annotations, key=lambda each: _WORST_FIRST[each.level]))


def _of_finding(finding: Finding, rules: Mapping[str, DocumentRule]) -> Annotation:
    rule = rules.get(finding.rule)
    return Annotation(
        _OF_SEVERITY[finding.severity],
        finding.rule,
        "" if rule is None else rule.title,
        finding.message,
        finding.position,
        finding.path,
        () if rule is None else (rule.why,),
        (finding.subject, finding.path, finding.message),
    )


def _of_row(row: AccessTestResult, place: Position | None, names: Mapping[str, str]) -> Annotation:
    level, rule = _OF_OUTCOME[row_outcome(row)]
    subject = row.subject
    return Annotation(
        level,
        rule.id,
        rule.title,
        f"{row.name}: {expectation(row, names)}: {contrast(row)}",
        place,
        advice=tuple(_sentences(row, names)),
        identity=(row.name, row.application, subject.kind, subject.written),
    )


def _sentences(row: AccessTestResult, names: Mapping[str, str]) -> Iterator[str]:
    yield from reasons(row.why, names)
    yield "Change what leads to that, or the test, if it expects too much."
