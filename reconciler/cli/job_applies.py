"""`ci apply`: what was approved, applied as a job of a pipeline, with a record of who and when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.cli import (
    collecting,
    executing,
    job_records,
    loading,
    plan_files,
    printing,
    recording,
    showing,
)
from reconciler.cli.job_plans import leave_plan
from reconciler.cli.jobs import RECORD
from reconciler.cli.made_plans import KeptPlan
from reconciler.errors import ReconcilerError
from reconciler.files import write_atomically
from reconciler.model.outputs import EXIT_NAMES
from reconciler.reports.lines import Tone, counted

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.executing import ApplyOrder, Target
    from reconciler.cli.jobs import Job


class ApplyJob(Struct, frozen=True):
    """What is applied, who approved it, after how many days journals go, and where events are
    written.
    """

    order: ApplyOrder
    approved_by: tuple[str, ...]
    keep_journals: int | None
    events: Path | None


def apply_job(wanted: ApplyJob, job: Job) -> int:
    """Apply, leave what is to be shown, and give the exit code.

    Raises:
        ReconcilerError: as `apply`.
    """
    began = time.time()
    target = None
    code = ReconcilerError.exit_code
    try:
        with recording.recording(wanted.events) as recorder:
            target = executing.target_of(wanted.order)
            _leave(target, wanted.order, job)
            code = executing.carry_out(target, wanted.order, recorder)
    except ReconcilerError as fault:
        code = fault.exit_code
        raise
    finally:
        if (outline := collecting.current().outline) is not None:
            job.shows = {
                "apply": lambda form, limit: printing.outlined(
                    outline, form, limit if form == "markdown" else None
                ),
                **job.shows,
            }
        _keep(wanted, target, began, code, job)
    return code


def _leave(target: Target, order: ApplyOrder, job: Job) -> None:
    """Leave the plan, as a file and as a page."""
    if (file := job.plan_file()) is not None:
        loading.sealed_plan(target.loaded.plan, file)
    kept = KeptPlan(target.loaded, {}, None, showing.how_to_apply(file, order.tenant))
    leave_plan(job, kept, order.view.redact)


def _keep(wanted: ApplyJob, target: Target | None, began: float, code: int, job: Job) -> None:
    """Write the record of the job, and let old journals go. What of that fails is told and no more:
    what was applied is applied.
    """
    try:
        record = _record(wanted, target, began, code, job)
        if not job.options.redacted:
            write_atomically(job.file(RECORD), [job_records.record_text(record)], private=True)
        if target is not None:
            directories = executing.state_directories(target, wanted.order.run)
            job_records.keep_record(directories, record)
            if wanted.keep_journals is not None:
                removed = job_records.clean(directories, wanted.keep_journals)
                printing.say(f"{counted(removed, 'old journal')} deleted.")
    except (ReconcilerError, OSError) as fault:
        printing.say(f"Warning: the record of the job is not complete: {fault}", Tone.WARNING)


def _record(
    wanted: ApplyJob, target: Target | None, began: float, code: int, job: Job
) -> job_records.JobRecord:
    approved = wanted.order.digest or ""
    if wanted.order.approved is not None:
        approved = plan_files.plan_file(wanted.order.approved).content_digest
    return job_records.JobRecord(
        approved=approved,
        approved_by=wanted.approved_by,
        began=job_records.stamp(began),
        content_digest="" if target is None else target.loaded.content_digest,
        ended=job_records.stamp(time.time()),
        exit_code=code,
        exit_name=EXIT_NAMES[code].value,
        origin=job.options.origin,
        plan_digest="" if target is None else target.loaded.digests.digest,
    )
