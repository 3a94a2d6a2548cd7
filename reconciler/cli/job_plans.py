"""`ci plan`: documents validated, planned and tested, and checked against the limits of the merge base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access import declared
from reconciler.access.testing import positions_of
from reconciler.cli import (
    collecting,
    earlier_documents,
    executing,
    loading,
    made_plans,
    printing,
    showing,
)
from reconciler.errors import DocumentFaults, Refused, TamperedPlan
from reconciler.reports import findings
from reconciler.reports.access_tests import Tested
from reconciler.reports.lines import Tone

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.jobs import Job
    from reconciler.cli.loading import Made
    from reconciler.cli.made_plans import KeptPlan
    from reconciler.cli.showing import PlanFormat
    from reconciler.model.observed import Observed
    from reconciler.model.since import Since
    from reconciler.model.test_results import AccessTestResult
    from reconciler.planning.making import PlanOptions
    from reconciler.planning.planfile import SealedPlan


class PlanJob(Struct, frozen=True):
    """What is planned: documents, `--tenant`, options, a commit to compare with, whether people are
    named, hours that the reading may be old, a plan whose approval may cover this one.
    """

    paths: tuple[Path, ...]
    tenant: str | None
    planning: PlanOptions
    since: str | None
    redact: str | None
    max_age: int | None
    approved: Path | None = None


def plan_job(order: PlanJob, job: Job) -> int:
    """Plan, leave what is to be shown, and give the exit code.

    Raises:
        ReconcilerError: any fault of documents, tenant, options or repository; the plan exceeds the
            limits of the merge base.
    """
    earlier = (
        None
        if order.since is None
        else earlier_documents.earlier_documents(order.paths, order.since)
    )
    made = loading.made(order.paths, order.tenant, order.planning)
    compared = (
        None if earlier is None else loading.compared_with_earlier(made, earlier, order.planning)
    )
    view = showing.View(redact=order.redact)
    wanted = made_plans.WantedPlan(
        order.planning, view, job.plan_file(), order.max_age, detailed=True
    )
    kept = made_plans.kept_plan(made, wanted, order.paths, order.tenant, compared)
    leave_plan(job, kept, order.redact)
    kept.show(view)
    contradicting = _contradictions(made)
    collect_tests(made)
    code = showing.exit_code_of_plan(made.plan, detailed=True)
    if code in {Refused.exit_code, DocumentFaults.exit_code}:
        return code
    _assert_within_limits(compared, job)
    if order.approved is not None:
        job.covered = _is_covered(kept.loaded, made.observed, order.approved, order)
    return DocumentFaults.exit_code if contradicting else code


def _is_covered(loaded: SealedPlan, observed: Observed, approved: Path, order: PlanJob) -> bool:
    """Whether the approval of the other plan covers the one that was made; says why not.

    Raises:
        ReconcilerError: the approved plan cannot be read.
    """
    try:
        executing.match_approval(loaded, approved, order.max_age, lambda _: observed)
    except (Refused, TamperedPlan) as fault:
        printing.say(f"The approval does not cover this plan: {fault}", Tone.WARNING)
        return False
    printing.say(f"The approval of {approved} covers this plan.")
    return True


def leave_plan(job: Job, kept: KeptPlan, redact: str | None) -> None:
    """Leave a plan to be shown as a page."""
    page = replace(kept, then="")  # whoever reads it there has no such file

    def show(form: str, limit: int) -> None:
        chosen: PlanFormat = "html" if form == "html" else "markdown"
        size = limit if chosen == "markdown" else None
        page.show(showing.View(chosen, max_bytes=size, redact=redact))

    job.shows["plan"] = show


def _contradictions(made: Made) -> bool:
    """Say what of the access tests the documents alone contradict, and whether anything is."""
    contradicting = tuple(declared.contradictions(declared.judge_declared(made.documents)))
    if contradicting:
        collected = collecting.current()
        collected.findings = (*(collected.findings or ()), *contradicting)
        printing.notice(findings.finding_lines(contradicting))
    return bool(contradicting)


def collect_tests(made: Made) -> None:
    """Collect the results of access tests as the plan that is shown has them, with their places."""
    plan = collecting.current().plan or made.plan
    results = declared.judge_declared(made.documents)
    places = {
        _key(result.row()): place
        for result, place in zip(results, positions_of(results), strict=True)
    }
    placed = [places.get(_key(row)) for row in made.plan.tests]
    collecting.current().tested = Tested(
        "the outcome of the plan",
        plan.tests,
        tuple(place for place in placed if place is not None) if None not in placed else (),
        plan.names,
        plan.inputs.source == "simulated",
        plan.tenant.tenant_id,
    )


def _key(row: AccessTestResult) -> tuple[str, str, str]:
    return row.name, row.application, row.subject.written.lower()


def _assert_within_limits(compared: Since | None, job: Job) -> None:
    """Hold the plan against the limits that the pull request itself may have raised.

    Raises:
        Refused: it exceeds those of the merge base.
    """
    if compared is None or not compared.beyond_limits:
        return
    job.refused = True
    raise Refused(
        f"the plan exceeds the limits of the merge base {compared.commit[:12]}; see above. Raise"
        " the limit in a separate pull request first, or divide the changes"
    )
