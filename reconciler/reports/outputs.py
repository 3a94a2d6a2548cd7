"""The envelope of a run: its rows, and the whole as JSON text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType, structs, to_builtins

from reconciler.model.outputs import OutputFinding, OutputRule, OutputTest
from reconciler.reports.findings import within_bound
from reconciler.reports.json import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.documents.rules import DocumentRule
    from reconciler.model.findings import Finding, Position
    from reconciler.model.outputs import Output
    from reconciler.model.test_results import AccessTestResult


def output_findings(every_finding: Iterable[Finding]) -> tuple[OutputFinding, ...]:
    """Findings, sorted; no more than `MOST`, and then one that says how many more there are."""
    return tuple(
        OutputFinding(
            column=finding.position.column,
            file=finding.position.file,
            line=finding.position.line,
            message=finding.message,
            path=finding.path,
            rule=finding.rule,
            severity=finding.severity,
            subject=finding.subject,
        )
        for finding in within_bound(sorted(every_finding))
    )


def output_rules(every_rule: Iterable[DocumentRule]) -> tuple[OutputRule, ...]:
    """Rules, sorted by id."""
    return tuple(
        OutputRule(rule.id, rule.title, rule.why)
        for rule in sorted(every_rule, key=lambda rule: rule.id)
    )


def output_tests(
    rows: Sequence[AccessTestResult], positions: Sequence[Position]
) -> tuple[OutputTest, ...]:
    """Results with their places, as far as those are known."""
    missing = len(rows) - len(positions)
    places: list[Position | UnsetType] = [*positions, *([UNSET] * missing)]
    return tuple(
        OutputTest(**structs.asdict(row), position=place)
        for row, place in zip(rows, places, strict=True)
    )


def output_text(output: Output, plan: Iterable[bytes] = ()) -> str:
    """One JSON text with a final LF, keys sorted.

    Args:
        output: the envelope without its plan.
        plan: the plan, as the bytes of its file; it is not decoded for this. Nothing: there is none.
    """
    members: dict[str, Any] = to_builtins(output)
    texts = {
        name: json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for name, value in members.items()
    }
    if encoded := b"".join(plan):
        texts["plan"] = encoded.decode().removesuffix("\n")
    listed = ",".join(f'"{name}":{texts[name]}' for name in sorted(texts))
    return printable(f"{{{listed}}}\n")
