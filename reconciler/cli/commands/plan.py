"""`reconciler plan`: what would change, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import ages, earlier_documents, loading, options, showing, sources
from reconciler.planning.making import PlanOptions

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.showing import PlanFormat
    from reconciler.model.addresses import Provider
    from reconciler.planning.making import GroupChanges


@click.command("plan", cls=options.Reporting, short_help="Show what would change.")
@options.documents
@options.tenant
@options.file_out(
    "--out",
    "Save the plan for `apply FILE`, even if it is not applicable.",
)
@options.planning
@earlier_documents.since
@click.option("--detailed-exitcode", is_flag=True, help="Exit with code 2 if there are changes.")
@options.formats(*showing.PLAN_FORMATS)
@options.product
@options.viewing
@options.max_bytes
@options.redact
@options.max_age
def command(
    *,
    paths: tuple[Path, ...],
    tenant: str | None,
    out: Path | None,
    allow: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    group_changes: GroupChanges,
    since: str | None,
    detailed_exitcode: bool,
    form: PlanFormat,
    product: Provider | None,
    ids: bool,
    commands: bool,
    max_bytes: int | None,
    redact: str | None,
    max_age: int | None,
) -> int:
    """Show the changes that would bring a tenant in line with the documents.

    Each PATH is a YAML file or a folder of them; `policies` by default. Nothing is changed.

    Exit codes: 0 success, 2 changes pending (--detailed-exitcode), 3 faults in the documents or a
    failing access test, 4 refused by a guard.
    """
    earlier = None if since is None else earlier_documents.earlier_documents(paths, since)
    chosen = PlanOptions(allow=allow, only=only, skip=skip, group_changes=group_changes)
    made = loading.made(paths, tenant, chosen)
    ages.check_age(made.plan, max_age)
    files = [] if out is None else [out]
    sources.assert_spared(made.source, paths, files)
    loaded = loading.sealed_plan(made.plan, *files)
    showing.show_plan(
        loaded,
        showing.View(form, product, ids, commands, max_bytes, redact),
        then=showing.how_to_apply(out, tenant),
        sources=made.places,
        since=None if earlier is None else loading.compared_with_earlier(made, earlier, chosen),
    )
    return showing.exit_code_of_plan(made.plan, detailed=detailed_exitcode)
