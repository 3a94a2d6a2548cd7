"""The figures of a run, under names that stay, for machines: each is counted where every other
report takes it from.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.model import figures
from reconciler.model.findings import Severity
from reconciler.reports.access_tests import Outcome, row_outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.applied import Applied
    from reconciler.model.findings import Finding
    from reconciler.model.plans import Change, Plan
    from reconciler.model.test_results import AccessTestResult


def findings_summary(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many faults there are."""
    counts = Counter(finding.severity for finding in findings)
    return {
        "findings.errors": counts[Severity.ERROR],
        "findings.warnings": counts[Severity.WARNING],
    }


def tests_summary(rows: Sequence[AccessTestResult]) -> Mapping[str, int]:
    """How the expectations came out."""
    counts = Counter(map(row_outcome, rows))
    return {
        "tests.excused": counts[Outcome.EXCUSED],
        "tests.failed": counts[Outcome.FAILED],
        "tests.passed": counts[Outcome.PASSED],
        "tests.total": len(rows),
        "tests.undecided": counts[Outcome.UNDECIDED],
    }


def plan_summary(plan: Plan) -> Mapping[str, int]:
    """What a plan changes, and for how many applications; those only if that is computed.

    `policies` and `grants` count each object once, a replacement as one; `widens` has `everyone`
    among it.
    """
    counted = {
        **_objects(plan.changes),
        "held": len(plan.held),
        "refusals": len(plan.refusals),
        "steps": len(plan.steps),
        "unmanaged": len(plan.unmanaged),
        "unresolved": len(plan.unresolved),
        "warnings": len(plan.warnings),
    }
    if plan.access is None:
        return counted
    access = figures.access_figures(plan.access)
    return {
        **counted,
        "everyone": access.everyone,
        "narrows": access.narrows,
        "widens": access.widens,
    }


def applied_summary(plan: Plan, applied: Applied) -> Mapping[str, int]:
    """What an apply finished, counted as the plan's changes are."""
    objects = _objects(figures.finished_changes(plan, applied))
    done = {**objects, "steps": len(applied.done)}
    return {f"applied.{name}": number for name, number in done.items()}


def _objects(changes: Sequence[Change]) -> Mapping[str, int]:
    grants = figures.object_figures(filter(figures.is_grant, changes))
    policies = figures.object_figures(change for change in changes if not figures.is_grant(change))
    return {
        "grants.added": grants.added,
        "grants.moved": grants.changed + grants.replaced,
        "grants.removed": grants.removed,
        "policies.added": policies.added,
        "policies.changed": policies.changed,
        "policies.removed": policies.removed,
        "policies.renamed": policies.renamed,
        "policies.replaced": policies.replaced,
    }
