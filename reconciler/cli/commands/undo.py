"""`reconciler undo`: plan the way back from a plan that was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import made_plans, options, plan_files, reverting, sources, undoing
from reconciler.errors import UsageFault

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.made_plans import WantedPlan


@click.command("undo", cls=options.Reporting, short_help="Plan to undo an applied plan.")
@click.argument("undone", type=options.PlanFile(), metavar="PLAN.json")
@options.documents
@options.tenant
@options.journal
@options.journals
@made_plans.plan_options
def command(
    *,
    undone: Path,
    paths: tuple[Path, ...],
    tenant: str | None,
    journal: Path | None,
    state_dir: Path | None,
    wanted: WantedPlan,
) -> int:
    """Plan to undo PLAN.json: what it changed, and nobody changed since, returns to what it was.

    The result is a plan like any other, for `apply`. What somebody changed since is listed and left
    alone. The documents at PATH, `policies` by default, set the limits of the plan; their lines that
    still ask for what is undone are listed. Nothing is changed.

    Exit codes: 0 success, 2 changes pending (--detailed-exitcode), 3 faults in the documents or a
    failing access test, 4 refused by a guard, or PLAN.json was not applied, 5 it was modified.
    """
    out = wanted.out
    if out is not None and out.exists() and out.samefile(undone):
        raise UsageFault(
            f"--out {out}: the plan that is undone would be overwritten: choose another file"
        )
    loaded = plan_files.plan_file(undone)
    source = sources.choose(tenant, sources.target_of_plan(loaded.plan), [undone, *paths])
    applied = undoing.applied_plan(loaded, undone, source, journal, state_dir)
    made = undoing.made_undo(applied, paths, source, wanted.planning)
    code = made_plans.show_made(made, wanted, paths, tenant)
    reverting.tell_commits(made, paths)
    return code
