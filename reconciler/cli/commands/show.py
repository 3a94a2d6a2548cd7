"""`reconciler show`: a saved plan, in any format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import ages, collecting, options, plan_files, printing, showing
from reconciler.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cli.showing import PlanFormat
    from reconciler.model.addresses import Provider


@click.command("show", cls=options.Reporting, short_help="Show a saved plan.")
@click.argument("plan", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.formats(*showing.PLAN_FORMATS)
@options.product
@options.max_age
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="PLAN.json",
    help="Show what an approval of that plan does not cover of this one, instead of the plan.",
)
@options.file_out(
    "--out", "Write to FILE in UTF-8, whatever the terminal's encoding, and print nothing."
)
def command(
    *,
    plan: Path,
    form: PlanFormat,
    product: Provider | None,
    against: Path | None,
    out: Path | None,
    max_age: int | None,
) -> int:
    """Show a saved plan, after checking that it is unchanged and agrees with itself.

    Exit codes: 0 success, 4 the tenant was read longer ago than --max-age, 5 the plan was modified,
    its version is not supported, or (--against) the approval of the other plan does not cover it.
    """
    if out is not None:
        _assert_spared(out, [plan] if against is None else [plan, against])
    loaded = plan_files.plan_file(plan)
    ages.check_age(loaded.plan, max_age)
    with printing.into(None if form == "json" else out):
        if against is not None:
            code = showing.compared(plan_files.plan_file(against), against, loaded, form)
        else:
            showing.show_plan(loaded, form, product, then=showing.how_to_apply(plan))
            code = 0
    collecting.current().out = out if form == "json" else None
    return code


def _assert_spared(out: Path, plans: Iterable[Path]) -> None:
    if any(out.exists() and out.samefile(plan) for plan in plans):
        raise UsageFault(
            f"--out {out}: the plan that is shown would be overwritten: choose another file"
        )
