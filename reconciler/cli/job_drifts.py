"""`ci drift`: how a tenant differs, as a job of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.cli import drifting, printing

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.jobs import Job


class DriftJob(Struct, frozen=True):
    """What is compared: documents, `--tenant`, consents, whether people are named, hours that the
    reading may be old.
    """

    paths: tuple[Path, ...]
    tenant: str | None
    allow: tuple[str, ...]
    redact: str | None
    max_age: int | None


def drift_job(order: DriftJob, job: Job) -> int:
    """Compare, leave what is to be shown, and give the exit code.

    Raises:
        ReconcilerError: any fault of the documents, the tenant or the options.
    """
    out = job.plan_file()
    shown = drifting.shown_drift(
        order.paths,
        order.tenant,
        drifting.DriftOptions(order.allow),
        redact=order.redact,
        max_age=order.max_age,
        files=() if out is None else (out,),
    )
    job.found = shown.report.annotated

    def show(form: str, limit: int) -> None:
        printing.outlined(shown.report.outline, form, limit if form == "markdown" else None)

    job.shows["drift"] = show
    printing.outline(shown.report.outline)
    return shown.exit_code
