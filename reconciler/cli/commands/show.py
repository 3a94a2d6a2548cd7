"""`reconciler show`: a saved plan, in any format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from reconciler.cli import (
    ages,
    collecting,
    comparing,
    loading,
    options,
    plan_files,
    printing,
    showing,
)
from reconciler.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cli.showing import PlanFormat
    from reconciler.model.addresses import Provider


@click.command("show", cls=options.Reporting, short_help="Show a saved plan.")
@click.argument("plan", type=options.PlanFile())
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@options.tenant
@options.formats(*showing.PLAN_FORMATS)
@options.product
@options.viewing
@options.max_bytes
@options.redact
@options.max_age
@click.option(
    "--against",
    type=options.PlanFile(),
    metavar="PLAN.json",
    help="Show what an approval of that plan does not cover of this one, instead of the plan.",
)
@options.file_out(
    "--out", "Write to FILE in UTF-8, whatever the terminal's encoding, and print nothing."
)
def command(
    *,
    plan: Path,
    paths: tuple[Path, ...],
    tenant: str | None,
    form: PlanFormat,
    product: Provider | None,
    ids: bool,
    commands: bool,
    max_bytes: int | None,
    redact: str | None,
    against: Path | None,
    out: Path | None,
    max_age: int | None,
) -> int:
    """Show a saved plan, after checking that it is unchanged and agrees with itself.

    With PATHs, the documents that it was made from, each change says where it is declared; --tenant
    is then read to look up the names in them.

    Exit codes: 0 success, 4 the tenant was read longer ago than --max-age, 5 the plan was modified,
    its version is not supported, or (--against) the approval of the other plan does not cover it.
    """
    source = click.get_current_context().get_parameter_source("tenant")
    if source is ParameterSource.COMMANDLINE and not paths:
        raise UsageFault("--tenant requires the documents: without them, no tenant is read")
    if against is not None and redact is not None:
        raise UsageFault(
            "--against and --redact cannot be used together: --against names what differs"
        )
    if out is not None:
        _assert_spared(out, [plan] if against is None else [plan, against])
    loaded = plan_files.plan_file(plan)
    ages.check_age(loaded.plan, max_age)
    places = loading.places(loaded.plan, paths, tenant) if paths else None
    with printing.into(None if form == "json" else out):
        if against is not None:
            code = comparing.compared(plan_files.plan_file(against), against, loaded, form)
        else:
            view = showing.View(form, product, ids, commands, max_bytes, redact)
            then = showing.how_to_apply(plan)
            showing.show_plan(loaded, view, then=then, sources=places)
            code = 0
    collecting.current().out = out if form == "json" else None
    return code


def _assert_spared(out: Path, plans: Iterable[Path]) -> None:
    if any(out.exists() and out.samefile(plan) for plan in plans):
        raise UsageFault(
            f"--out {out}: the plan that is shown would be overwritten: choose another file"
        )
