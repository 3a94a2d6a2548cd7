"""`reconciler plan`: what would change, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import earlier_documents, loading, made_plans, options

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.made_plans import WantedPlan


@click.command("plan", cls=options.Reporting, short_help="Show what would change.")
@options.documents
@options.tenant
@earlier_documents.since
@made_plans.plan_options
def command(
    *, paths: tuple[Path, ...], tenant: str | None, since: str | None, wanted: WantedPlan
) -> int:
    """Show the changes that would bring a tenant in line with the documents.

    Each PATH is a YAML file or a folder of them; `policies` by default. Nothing is changed.

    Exit codes: 0 success, 2 changes pending (--detailed-exitcode), 3 faults in the documents or a
    failing access test, 4 refused by a guard.
    """
    earlier = None if since is None else earlier_documents.earlier_documents(paths, since)
    made = loading.made(paths, tenant, wanted.planning)
    compared = (
        None if earlier is None else loading.compared_with_earlier(made, earlier, wanted.planning)
    )
    return made_plans.show_made(made, wanted, paths, tenant, compared)
