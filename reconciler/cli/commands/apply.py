"""`reconciler apply`: do exactly what a plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from reconciler.cli import apply_options, collecting, executing, options, recording, showing

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.apply_options import WantedApply


@click.command("apply", cls=options.Reporting, short_help="Run the steps of a plan.")
@apply_options.apply_options
@click.option(
    "--auto-approve",
    is_flag=True,
    help=(
        "Skip the approval prompt. A live tenant also requires --digest, a simulated one"
        " --tenant sim:FILE."
    ),
)
@options.file_out("--events", "Write events to FILE as they happen, one JSON object per line.")
@options.viewing
@options.formats("text", "markdown", "json", exposed=False)
def command(
    *, wanted: WantedApply, auto_approve: bool, events: Path | None, ids: bool, commands: bool
) -> int:
    """Run the steps of a plan in order, then read the tenant again to verify the result.

    With PLAN.json, exactly that plan is applied; if the tenant has changed since, nothing is
    written. A plan that stopped partway resumes where it stopped. Without PLAN.json, a plan is made
    and shown, and applied once it is approved.

    Exit codes: 0 applied and verified, 1 declined, 3 an access test fails, 4 refused by a guard, 5
    stale or tampered plan, 6 applied in part, 7 applied but not verified, 8 another apply of the
    tenant is running, 130 interrupted.
    """
    form = collecting.current().form
    if form != "text" and not auto_approve:
        raise click.UsageError(f"--format {form} requires --auto-approve: nobody can be asked")
    view = showing.View("markdown" if form == "markdown" else "text", ids=ids, commands=commands)
    order = wanted.order(view, replace(wanted.run, asking=not auto_approve), auto=auto_approve)
    with recording.recording(events) as recorder:
        return executing.carry_out(executing.target_of(order), order, recorder)
