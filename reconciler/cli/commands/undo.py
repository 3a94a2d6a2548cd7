"""`reconciler undo`: plan the way back from a plan that was applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import ages, loading, options, plan_files, showing, sources, undoing
from reconciler.errors import UsageFault
from reconciler.planning.making import PlanOptions

if TYPE_CHECKING:
    from reconciler.cli.showing import PlanFormat
    from reconciler.model.addresses import Provider
    from reconciler.planning.making import GroupChanges


@click.command("undo", cls=options.Reporting, short_help="Plan the way back from a plan.")
@click.argument("undone", type=options.PlanFile(), metavar="PLAN.json")
@options.documents
@options.tenant
@options.file_out(
    "--out",
    "Save the plan for `apply FILE`, even if it is not applicable.",
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The journal of PLAN.json, if it was applied elsewhere.",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where `apply --state-dir` put journals.",
)
@options.planning
@click.option("--detailed-exitcode", is_flag=True, help="Exit with code 2 if there are changes.")
@options.formats(*showing.PLAN_FORMATS)
@options.product
@options.viewing
@options.max_bytes
@options.redact
@options.max_age
def command(
    *,
    undone: Path,
    paths: tuple[Path, ...],
    tenant: str | None,
    out: Path | None,
    journal: Path | None,
    state_dir: Path | None,
    allow: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    group_changes: GroupChanges,
    detailed_exitcode: bool,
    form: PlanFormat,
    product: Provider | None,
    ids: bool,
    commands: bool,
    max_bytes: int | None,
    redact: str | None,
    max_age: int | None,
) -> int:
    """Plan the way back to where PLAN.json began, for what it did and what still is as it left it.

    The result is a plan like any other, for `apply`. What somebody changed since is named and left
    alone. The documents at PATH, `policies` by default, say what binds every plan, and which of
    their lines still ask for what is undone. Nothing is changed.

    Exit codes: 0 success, 2 changes pending (--detailed-exitcode), 3 faults in the documents or a
    failing access test, 4 refused by a guard, or PLAN.json was not applied, 5 it was modified.
    """
    if out is not None and out.exists() and out.samefile(undone):
        raise UsageFault(
            f"--out {out}: the plan that is undone would be overwritten: choose another file"
        )
    target = sources.target_of_plan(plan_files.plan_file(undone).plan)
    source = sources.choose(tenant, target, [undone, *paths])
    made = undoing.made_undo(
        undoing.applied_plan(undone, source, journal, state_dir),
        paths,
        source,
        PlanOptions(allow=allow, only=only, skip=skip, group_changes=group_changes),
    )
    ages.check_age(made.plan, max_age)
    files = [] if out is None else [out]
    sources.assert_spared(made.source, paths, files)
    loaded = loading.sealed_plan(made.plan, *files)
    showing.show_plan(
        loaded,
        showing.View(form, product, ids, commands, max_bytes, redact),
        then=showing.how_to_apply(out, tenant),
        sources=made.places,
    )
    return showing.exit_code_of_plan(made.plan, detailed=detailed_exitcode)
