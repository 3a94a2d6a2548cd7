"""`reconciler ci`: a job of a pipeline in one command."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import (
    apply_options,
    earlier_documents,
    job_applies,
    job_drifts,
    job_plans,
    options,
    platforms,
    showing,
)
from reconciler.cli.jobs import EVENTS, JobOptions, run_job
from reconciler.planning.making import PlanOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.cli.apply_options import WantedApply
    from reconciler.cli.jobs import Job

_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the artefacts of the job; it is created, and those of an earlier job are removed.",
)


def _changes_are(default: str) -> Callable[[options.Command], options.Command]:
    return click.option(
        "--changes-are",
        type=click.Choice(["0", "2"]),
        default=default,
        show_default=True,
        help="Exit code if there are changes and nothing is wrong.",
    )


def _run(
    name: str, out: Path, redact: str | None, changes_are: str, body: Callable[[Job], int]
) -> int:
    origin = platforms.origin(os.environ)
    chosen = JobOptions(name, out, redact is not None, int(changes_are), origin)
    return run_job(chosen, click.get_current_context(), body)


@click.group("ci", short_help="Plan, apply or check for drift in a pipeline's job.")
def command() -> None:
    """Run a job of a pipeline in one command.

    Whatever the outcome, --out has plan, report, findings, test results and JSON as files, and the
    platform (GitHub Actions, Azure Pipelines) gets a summary, the outputs of the step and
    annotations.
    """


@command.command("plan", cls=options.Reporting, short_help="Validate, plan and run access tests.")
@options.documents
@options.tenant
@_OUT
@click.option(
    "--approved",
    type=options.PlanFile(),
    metavar="PLAN.json",
    help="Report whether the approval of this plan covers the new one, as the output `covered`.",
)
@_changes_are("0")
@earlier_documents.since
@options.planning
@options.redact
@options.max_age
@options.text_or_json
def plan_command(
    *,
    paths: tuple[Path, ...],
    tenant: str | None,
    out: Path,
    approved: Path | None,
    changes_are: str,
    since: str | None,
    redact: str | None,
    max_age: int | None,
    **planning: Any,
) -> int:
    """Validate documents, plan them, and run the access tests on the outcome. Nothing is changed.

    With --since the plan must also stay within the limits of the merge base.

    Exit codes: 0 success, 2 changes pending (--changes-are 2), 3 faults in the documents or a
    failing access test, 4 refused by a guard, or by the limits of the merge base.
    """
    if approved is not None and redact is not None:
        raise click.UsageError(
            "--approved and --redact cannot be used together: a redacted plan is not kept"
        )
    planned = PlanOptions(**planning)
    order = job_plans.PlanJob(paths, tenant, planned, since, redact, max_age, approved)
    return _run("plan", out, redact, changes_are, partial(job_plans.plan_job, order))


@command.command("apply", cls=options.Reporting, short_help="Apply what was approved.")
@apply_options.apply_options
@click.option(
    "--approved-by",
    multiple=True,
    metavar="NAME",
    help="Who approved the plan, for the record of the job. Repeatable.",
)
@_OUT
@click.option(
    "--keep-journals",
    type=click.IntRange(min=1),
    metavar="DAYS",
    help="Delete journals older than this whose apply has ended. Default: keep them all.",
)
@options.redact
@options.text_or_json
def apply_command(
    *,
    wanted: WantedApply,
    approved_by: tuple[str, ...],
    out: Path,
    keep_journals: int | None,
    redact: str | None,
) -> int:
    """Apply what was approved: a plan made now from the documents, or PLAN.json. Nobody is asked.

    A record of who applied which plan, when, and who approved it is kept beside the journal.

    Exit codes: those of `apply`.
    """
    order = wanted.order(showing.View(redact=redact), wanted.run, auto=True)
    job = job_applies.ApplyJob(order, approved_by, keep_journals, None if redact else out / EVENTS)
    return _run("apply", out, redact, "0", partial(job_applies.apply_job, job))


@command.command("drift", cls=options.Reporting, short_help="Check for drift.")
@options.documents
@options.tenant
@_OUT
@_changes_are("2")
@options.allow
@options.redact
@options.max_age
@options.text_or_json
def drift_command(
    *,
    paths: tuple[Path, ...],
    tenant: str | None,
    out: Path,
    changes_are: str,
    allow: tuple[str, ...],
    redact: str | None,
    max_age: int | None,
) -> int:
    """Show how a tenant differs from what is known of it. Nothing is changed.

    Exit codes: 0 nothing differs, 1 a part could not be read, 2 the tenant differs
    (--changes-are 0: 0), 3 faults in the documents.
    """
    order = job_drifts.DriftJob(paths, tenant, allow, redact, max_age)
    return _run("drift", out, redact, changes_are, partial(job_drifts.drift_job, order))
