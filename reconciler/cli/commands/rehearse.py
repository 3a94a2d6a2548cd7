"""`reconciler rehearse`: a plan, tried on copies of a simulated tenant while things go wrong."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.applying import rehearsing
from reconciler.cli import collecting, options, plan_files, printing, showing
from reconciler.cli.working import working
from reconciler.errors import NotVerified
from reconciler.powershell.door.homes import temporary_folder
from reconciler.reports import rehearsal


@click.command("rehearse", cls=options.Reporting, short_help="Try a plan on a simulated tenant.")
@click.argument("plan", type=options.PlanFile())
@click.option(
    "--tenant",
    metavar="sim:FILE",
    help=(
        "Rehearse on copies of this simulated tenant; FILE is never written. Default: a tenant"
        " made from the plan's baseline."
    ),
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    help=(
        "Maximum number of steps to disturb. Default: all of a short plan, a sample of a long one."
    ),
)
@options.formats("text", "markdown", "json")
@options.max_bytes
def command(
    *, plan: Path, tenant: str | None, most: int | None, form: str, max_bytes: int | None
) -> int:
    """Run a plan on copies of a simulated tenant: undisturbed, stopped after each step, with each
    answer lost before and after its effect.

    Reports where each run ends, who lacks access meanwhile, and whether applying the same plan
    again converges. No real tenant is read or written.

    Exit codes: 0 every run ends as expected, 4 refused by a guard or unsafe, 5 the tenant matches
    no state of the plan, 7 a run does not end as expected.
    """
    options.assert_max_bytes_taken(max_bytes, form)
    original = _original(tenant)
    loaded = plan_files.plan_file(plan)
    showing.collect_plan(loaded, shown=False)
    with temporary_folder() as folder, working("Rehearsing"):
        value = rehearsing.rehearse(loaded, folder, original=original, most=most)
    where = "a tenant made from the plan's baseline" if original is None else str(original)
    collecting.add_part("rehearsal", rehearsal.rehearsal_answer(value, where=where))
    printing.outlined(rehearsal.rehearsal_outline(loaded.plan, value, where=where), form, max_bytes)
    return 0 if value.passed else NotVerified.exit_code


def _original(tenant: str | None) -> Path | None:
    """The file of `sim:FILE`."""
    if tenant is None:
        return None
    file = Path(tenant.removeprefix("sim:"))
    if not tenant.startswith("sim:") or not file.is_file():
        raise click.UsageError(
            f"--tenant {tenant}: `rehearse` requires `sim:FILE`, where FILE is a simulated"
            " tenant; omit --tenant to use the plan's baseline"
        )
    return file
