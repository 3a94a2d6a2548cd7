"""Access tests for the commands that run them: on documents, a plan, a tenant, and on the tenant
after an apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access import declared, testing
from reconciler.captures import reading
from reconciler.cli import annotating, collecting, loading, plan_files, printing, sources
from reconciler.errors import AccessTestFailed, CaptureFault, TenantFault
from reconciler.kinds.read_warnings import tolerated
from reconciler.model.plans import PlanTenant
from reconciler.planning.making import PlanOptions
from reconciler.planning.requests import consented_warnings
from reconciler.planning.testing import is_suspended, names_in_results
from reconciler.reports import access_tests, annotated, junit
from reconciler.reports.access_tests import Outcome, row_outcome
from reconciler.reports.lines import Tone
from reconciler.reports.outline import Chapter, Item
from reconciler.reports.review.value import Name
from reconciler.reports.tested import apply_test_chapter, outline_of_tests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from reconciler.access.testing import Result
    from reconciler.model.documents import Documents
    from reconciler.model.plans import Plan
    from reconciler.model.test_results import AccessTestResult
    from reconciler.reports.access_tests import Tested
    from reconciler.tenants.protocol import Tenant


def on_documents(paths: Sequence[Path]) -> Tested:
    """Run the tests of documents on the documents alone."""
    wanted = loading.documents(paths, PlanOptions())
    names = {application.application: application.name for application in wanted.applications}
    return replace(
        _test_run(
            "the documents alone",
            declared.judge_declared(wanted),
            names,
            wanted.quarantined,
            simulated=False,
        ),
        tenant_id=_tenant_id(wanted),
    )


def on_plan(file: Path) -> Tested:
    """What a plan says of the tests that it was made with."""
    plan = plan_files.plan_file(file).plan
    return access_tests.Tested(
        f"the outcome of {file}",
        plan.tests,
        (),
        plan.names,
        plan.inputs.source == "simulated",
        plan.tenant.tenant_id,
    )


def on_tenant(paths: Sequence[Path], tenant: str | None) -> Tested:
    """Run the tests of documents on a tenant as it is. Without a test no tenant is asked."""
    wanted = loading.documents(paths, PlanOptions())
    expected = testing.expectations_of(wanted.tests)
    if not expected:
        return access_tests.Tested(
            "no tenant", (), (), {}, simulated=False, tenant_id=_tenant_id(wanted)
        )
    tenant_id = _tenant_id(wanted) or None
    request = replace(
        testing.request_for_expectations(expected), tolerated=consented_warnings(wanted)
    )
    observed = sources.observe_source(
        sources.choose(tenant, sources.target_of_documents(wanted), paths), request, tenant_id
    )
    collecting.current().tenant = PlanTenant(observed.tenant_id, observed.organization)
    results = testing.judge_observed(expected, observed)
    ground = f"tenant {observed.organization} ({observed.tenant_id}), read {observed.taken_at}"
    return replace(
        _test_run(
            ground,
            results,
            names_in_results(wanted, observed, results),
            wanted.quarantined,
            simulated=observed.source == "simulated",
        ),
        tenant_id=observed.tenant_id,
    )


def _tenant_id(documents: Documents) -> str:
    """The tenant that documents are for; empty if they do not say."""
    return "" if documents.tenant is None else documents.tenant.tenant_id


def _test_run(
    ground: str,
    results: Sequence[Result],
    names: dict[str, str],
    quarantined: frozenset[str],
    *,
    simulated: bool,
) -> Tested:
    rows = tuple(
        result.row(excused=not result.passed and is_suspended(result.expected, quarantined))
        for result in results
    )
    return access_tests.Tested(ground, rows, testing.positions_of(results), names, simulated)


def show_tests(value: Tested, form: str, max_bytes: int | None = None) -> None:
    """Print a run in the format that was asked for; Markdown of at most so many bytes."""
    collecting.current().tested = value
    if form == "markdown":
        printing.outline_markdown_page(outline_of_tests(value), max_bytes)
    elif form == "junit":
        printing.raw(junit.tests_junit(value))
    elif machine := annotating.chosen_format(form):
        annotating.annotate(annotated.of_tests(value), machine)
    else:
        printing.outline(outline_of_tests(value))


def exit_code_of_tests(value: Tested) -> int:
    """Success if nothing blocks."""
    return AccessTestFailed.exit_code if _standing_in_the_way(value.rows) else 0


def _standing_in_the_way(rows: Iterable[AccessTestResult]) -> bool:
    return any(row_outcome(row) in {Outcome.FAILED, Outcome.UNDECIDED} for row in rows)


class Verified(Struct, frozen=True):
    """What the tests of a plan say of the tenant after its apply: a chapter of the report, what is
    wrong, empty if nothing is, and the results.
    """

    chapter: Chapter | None
    trouble: str
    rows: tuple[AccessTestResult, ...] = ()


def after_apply(plan: Plan, tenant: Tenant) -> Verified:
    """Run a plan's tests on the tenant, read again.

    A reading that fails leaves them undecided, which is not a pass.
    """
    if not plan.tests:
        return Verified(None, "")
    try:
        rows = _again(plan, tenant)
    except (CaptureFault, TenantFault) as fault:
        failed = Chapter(
            ("Access tests: not run, because the tenant could not be read:",),
            tuple(Item((Name(line),), 2, Tone.FAULT) for line in str(fault).split("\n")),
            Tone.FAULT,
        )
        return Verified(
            failed,
            "everything was applied, but the access tests could not be run: run `reconciler test`",
        )
    chapter = apply_test_chapter(rows, plan.names)
    failing = (
        "everything was applied, but an access test fails, see above: change the documents, then"
        " plan and apply again"
    )
    return Verified(chapter, failing if _standing_in_the_way(rows) else "", rows)


def _again(plan: Plan, tenant: Tenant) -> tuple[AccessTestResult, ...]:
    expected = testing.of_rows(plan.tests)
    excused = {
        (expectation, row.verdict)
        for expectation, row in zip(expected, plan.tests, strict=True)
        if row.excused
    }
    request = testing.request_for_expectations(expected)
    observed = reading.parse_capture(
        tenant.capture(request),
        source=tenant.source,
        tenant_id=plan.tenant.tenant_id,
        needs=request.products,
        tolerated=tolerated(plan.consents),
    )
    results = testing.judge_observed(expected, observed)
    return tuple(
        result.row(excused=(result.expected, result.verdict) in excused and not result.passed)
        for result in results
    )
