"""`reconciler verify`: whether what an apply changed is accepted, visible and effective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import options, printing, verifying

if TYPE_CHECKING:
    from pathlib import Path


@click.command("verify", cls=options.Reporting, short_help="See whether an apply is in effect.")
@click.argument("plan", type=options.PlanFile(), metavar="[PLAN.json]", required=False)
@options.more_documents
@options.tenant
@options.journal
@options.journals
@click.option(
    "--timeout",
    type=click.IntRange(min=0),
    metavar="MINUTES",
    help=(
        "How long to wait, from now on, until everything is visible and usually enforced; 0: look"
        f" once. Default: {verifying.MINUTES}, and 0 for a simulated tenant, which enforces at once."
    ),
)
@options.ids
@options.formats("text", "markdown", "html", "json")
@options.max_bytes
def command(
    *,
    plan: Path | None,
    more: tuple[Path, ...],
    tenant: str | None,
    journal: Path | None,
    state_dir: Path | None,
    timeout: int | None,
    ids: bool,
    form: str,
    max_bytes: int | None,
) -> int:
    """Check everything that an apply changed: whether the service accepted it, whether the tenant
    shows it, and whether it is in effect, as far as the services tell.

    PLAN.json is the plan that was applied. Without it, the last apply of the tenant is checked
    against the documents. Both services enforce changes late: verify waits, counting from the times
    in the journal, until --timeout. Exchange is asked through its own check
    (Test-ApplicationAccessPolicy); for Teams only the assignment can be seen. Nothing is changed.

    Exit codes: 0 verified; 1 there is no journal, or the tenant could not be read; 3 faults in the
    documents; 5 the plan or journal does not match; 6 the apply stopped half-way; 7 something is
    not visible or not effective, or may not be enforced yet at the deadline.
    """
    options.assert_max_bytes_taken(max_bytes, form)
    asked = verifying.VerifyOptions(plan, more, tenant, journal, state_dir, timeout)
    code, outline = verifying.verify(asked)
    printing.outlined(outline, form, max_bytes, ids=ids)
    return code
