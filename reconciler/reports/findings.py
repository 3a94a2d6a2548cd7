"""Findings for a person: one line each, where a click in an editor or a terminal leads to the
place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec.structs import astuple, replace

from reconciler.model.findings import Finding, Severity
from reconciler.reports.lines import Line, Tone, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.documents import Documents


class RuleInfo(Protocol):
    """A rule that documents can break: a stable id, a title, and why it exists."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def title(self) -> str:
        """What is wrong."""
        ...

    @property
    def why(self) -> str:
        """Why that is wrong."""
        ...


MOST = 1000
"""Findings that are printed; more are counted."""
NOT_SHOWN = "not-shown"
"""Stands where a rule does: not a fault of its own, so `--rules` does not list it."""

_NOT_CONCERNED = (
    "None of these errors concerns what is selected: the documents that have them are left out of this"
    " plan."
)

_TONES = {Severity.ERROR: Tone.FAULT, Severity.WARNING: Tone.WARNING}


def finding_lines(unsorted: Iterable[Finding]) -> Iterator[Line]:
    """`file:line:col: $.path: message [rule-id]`, sorted, then how many there are; no more than
    `MOST`, errors first.
    """
    ordered = sorted(unsorted)
    for finding in within_bound(ordered):
        yield Line(str(finding), _TONES[finding.severity])
    yield Line(count_line(ordered), Tone.HEADING)


def passed_over_lines(every_finding: Sequence[Finding]) -> Iterator[Line]:
    """The lines of findings none of which stops the command; an error is a warning here."""
    warnings = [replace(finding, severity=Severity.WARNING) for finding in every_finding]
    yield from finding_lines(warnings)
    if any(finding.severity is Severity.ERROR for finding in every_finding):
        yield Line(_NOT_CONCERNED, Tone.WARNING)


def within_bound(ordered: Sequence[Finding]) -> Sequence[Finding]:
    """The first `MOST` of sorted findings, errors before warnings; where there are more, a last one
    says how many.
    """
    if len(ordered) <= MOST:
        return ordered
    by_severity = sorted(ordered, key=lambda finding: finding.severity is not Severity.ERROR)
    left = by_severity[MOST:]
    message = f"{counted(len(left), 'more finding')} not shown: correct these first"
    return [
        *sorted(by_severity[:MOST]),
        Finding(left[0].position, "$", NOT_SHOWN, message, left[0].severity),
    ]


def validated(
    every_finding: Sequence[Finding], documents: Documents, elsewhere: int = 0
) -> Iterator[Line]:
    """The findings of a validation; without any, how many documents are valid."""
    if every_finding:
        yield from finding_lines(every_finding)
    else:
        yield Line(valid_line(documents, elsewhere), Tone.HEADING)


def valid_line(documents: Documents, elsewhere: int = 0) -> str:
    """How many documents are valid, and how many are for other tenants."""
    parts = astuple(documents)
    count = sum(len(part) if isinstance(part, tuple) else part is not None for part in parts)
    valid = f"{counted(count, 'document is', 'documents are')} valid."
    if not elsewhere:
        return valid
    return (
        f"{valid} {counted(elsewhere, 'more is', 'more are')} for other tenants (`spec.tenants`)."
    )


def rule_lines(every_rule: Iterable[RuleInfo]) -> Iterator[Line]:
    """Every rule: id and title, sorted by id, and why it exists."""
    for rule in sorted(every_rule, key=lambda rule: rule.id):
        yield Line(f"{rule.id}: {rule.title}", Tone.HEADING)
        yield Line(f"    {rule.why}")


def count_line(ordered: Sequence[Finding]) -> str:
    """How many findings there are, in how many files."""
    errors = sum(finding.severity is Severity.ERROR for finding in ordered)
    warnings = len(ordered) - errors
    files = len({finding.position.file for finding in ordered})
    counts = counted(errors, "error") + (f" and {counted(warnings, 'warning')}" if warnings else "")
    return f"{counts} in {counted(files, 'file')}." if ordered else "No findings."
