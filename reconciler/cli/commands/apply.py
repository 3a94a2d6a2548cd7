"""`reconciler apply`: do exactly what a plan says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import executing, options
from reconciler.planning.making import PlanOptions

if TYPE_CHECKING:
    from reconciler.planning.making import GroupChanges


@click.command("apply", short_help="Run the steps of a plan.")
@click.argument(
    "plan",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=False,
    metavar="[PLAN.json]",
)
@click.option(
    "--digest",
    metavar="plan:HEX|content:HEX",
    help="Apply only the plan with this digest, the one that was approved.",
)
@click.option(
    "--auto-approve",
    is_flag=True,
    help=(
        "Do not ask. On a live tenant only with --digest, on a simulated one only if `--tenant"
        " sim:FILE` names it."
    ),
)
@options.tenant
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".reconciler"),
    show_default=True,
    help="Where the lock and the journals of each tenant lie.",
)
@click.option(
    "--path",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Without PLAN.json: the documents. Repeatable; `policies` by default.",
)
@click.option(
    "--settle",
    type=click.IntRange(min=0),
    default=0,
    metavar="MINUTES",
    help=(
        "Wait so long between a step and a removal that relies on it: the services enforce changes"
        " 30 to 60 minutes late."
    ),
)
@options.planning
def command(
    *,
    plan: Path | None,
    digest: str | None,
    auto_approve: bool,
    tenant: str | None,
    state_dir: Path,
    paths: tuple[Path, ...],
    settle: int,
    allow: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    group_changes: GroupChanges,
) -> int:
    """Run the steps of a plan, one after the other, and read the tenant again.

    With PLAN.json: exactly that plan; if the tenant has moved since, nothing is done. A plan that
    stopped part of the way goes on where it is. Without: plan, show the plan, ask, apply that plan.

    Exit codes: 0 done and verified, 1 declined, 3 its outcome fails an access test, 4 refused by a
    guard, 5 tenant moved or plan tampered with, 6 applied in part, 7 applied but not verified, 130
    interrupted.
    """
    chosen = PlanOptions(allow=allow, only=only, skip=skip, group_changes=group_changes)
    executing.refuse_silence(auto=auto_approve, tenant=tenant, digest=digest)
    if plan is not None:
        _refuse_planning(paths, chosen)
        target = executing.from_file(plan, tenant)
    else:
        target = executing.from_documents(paths or options.DEFAULT_PATHS, tenant, chosen)
    executing.match(target, digest)
    executing.approve(target, auto=auto_approve)
    return executing.execute(target, state_dir, settle=settle)


def _refuse_planning(paths: tuple[Path, ...], chosen: PlanOptions) -> None:
    if paths or chosen.allow or chosen.only or chosen.skip or chosen.group_changes != "in-place":
        raise click.UsageError(
            "--path, --allow, --only, --skip and --group-changes make a plan; with PLAN.json the"
            " plan is made already. Give them to `plan --out`."
        )
