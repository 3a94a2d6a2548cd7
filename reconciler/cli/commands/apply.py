"""`reconciler apply`: do exactly what a plan says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import collecting, executing, options, recording, showing
from reconciler.planning.making import PlanOptions

if TYPE_CHECKING:
    from reconciler.planning.making import GroupChanges


@click.command("apply", cls=options.Reporting, short_help="Run the steps of a plan.")
@click.argument(
    "plan",
    type=options.PlanFile(),
    required=False,
    metavar="[PLAN.json]",
)
@click.option(
    "--digest",
    metavar="plan:HEX|content:HEX",
    help="Apply only if the plan has this digest, the one that was approved.",
)
@click.option(
    "--approved",
    type=options.PlanFile(),
    metavar="PLAN.json",
    help=(
        "Apply only what the approval of this plan covers: the same plan, or what is left of it."
        " Says what differs."
    ),
)
@click.option(
    "--auto-approve",
    is_flag=True,
    help=(
        "Skip the approval prompt. A live tenant also requires --digest, a simulated one"
        " --tenant sim:FILE."
    ),
)
@options.tenant
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help=(
        "Directory for the journals of each tenant. Default: the user's state directory"
        " (RECONCILER_STATE_DIR), which has the lock in any case."
    ),
)
@click.option(
    "--lock-timeout",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another apply of the tenant to end before giving up (exit code 8).",
)
@click.option(
    "--path",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Documents to plan from if PLAN.json is omitted. Repeatable; default: `policies`.",
)
@click.option(
    "--settle",
    type=click.IntRange(min=0),
    default=0,
    metavar="MINUTES",
    help=(
        "Minutes to wait between a step and a removal that relies on it: the services take 30 to"
        " 60 minutes to enforce a change."
    ),
)
@click.option(
    "--keep-going",
    is_flag=True,
    help=(
        "Carry out what does not depend on a step that the service refuses for good. Such an apply"
        " ends with exit code 6, and its plan cannot be resumed. Without it a terminal is asked."
    ),
)
@options.file_out("--events", "Write what happens to FILE, one JSON object a line, as it happens.")
@options.max_age
@options.viewing
@options.planning
@options.formats("text", "markdown", "json", exposed=False)
def command(
    *,
    plan: Path | None,
    digest: str | None,
    approved: Path | None,
    auto_approve: bool,
    tenant: str | None,
    state_dir: Path | None,
    lock_timeout: int,
    paths: tuple[Path, ...],
    settle: int,
    keep_going: bool,
    events: Path | None,
    max_age: int | None,
    ids: bool,
    commands: bool,
    allow: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    group_changes: GroupChanges,
) -> int:
    """Run the steps of a plan in order, then read the tenant again to verify the result.

    With PLAN.json, exactly that plan is applied; if the tenant has changed since, nothing is
    written. A plan that stopped partway resumes where it stopped. Without PLAN.json, a plan is made
    and shown, and applied once it is approved.

    Exit codes: 0 applied and verified, 1 declined, 3 an access test fails, 4 refused by a guard, 5
    stale or tampered plan, 6 applied in part, 7 applied but not verified, 8 another apply of the
    tenant is running, 130 interrupted.
    """
    chosen = PlanOptions(allow=allow, only=only, skip=skip, group_changes=group_changes)
    form = collecting.current().form
    if form != "text" and not auto_approve:
        raise click.UsageError(f"--format {form} requires --auto-approve: nobody can be asked")
    if plan is not None:
        _refuse_planning(paths, chosen)
    order = executing.ApplyOrder(
        plan=plan,
        paths=paths or options.DEFAULT_PATHS,
        tenant=tenant,
        planning=chosen,
        digest=digest,
        approved=approved,
        max_age=max_age,
        auto=auto_approve,
        view=showing.View("markdown" if form == "markdown" else "text", ids=ids, commands=commands),
        run=executing.ApplyOptions(
            journals=state_dir,
            settle=settle,
            lock_timeout=lock_timeout,
            keep_going=keep_going,
            asking=not auto_approve,
        ),
    )
    with recording.recording(events) as recorder:
        return executing.carry_out(executing.target_of(order), order, recorder)


def _refuse_planning(paths: tuple[Path, ...], chosen: PlanOptions) -> None:
    if paths or chosen.allow or chosen.only or chosen.skip or chosen.group_changes != "in-place":
        raise click.UsageError(
            "--path, --allow, --only, --skip and --group-changes cannot be used with PLAN.json;"
            " pass them to `plan --out` instead."
        )
