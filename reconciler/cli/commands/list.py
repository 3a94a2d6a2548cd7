"""`reconciler list`: what a tenant has, managed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import collecting, listing, options, printing
from reconciler.reports.inventories import inventory_answer, inventory_outline

if TYPE_CHECKING:
    from pathlib import Path


@click.command("list", cls=options.Reporting, short_help="List what a tenant has.")
@options.documents
@options.tenant
@click.option("--unmanaged", is_flag=True, help="Only what no document manages.")
@click.option(
    "--app",
    "applications",
    multiple=True,
    metavar="APP",
    help=(
        "Only policies of this application: its name in the documents, or its client id. Repeatable."
    ),
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="POLICY",
    help=(
        "Only this policy: its name, its address, or the name, address or object id of its scope."
        " Repeatable."
    ),
)
@options.ids
@options.formats("text", "markdown", "html", "json")
@options.max_bytes
def command(
    *,
    paths: tuple[Path, ...],
    tenant: str | None,
    unmanaged: bool,
    applications: tuple[str, ...],
    policies: tuple[str, ...],
    ids: bool,
    form: str,
    max_bytes: int | None,
) -> int:
    """List applications, policies, grants and scopes of a tenant, and how much of it documents
    manage.

    Each PATH is a YAML file or a folder of them; by default `policies`, if it exists. Without
    documents everything is unmanaged.

    Exit codes: 0 listed; 3 faults in the documents.
    """
    options.assert_max_bytes_taken(max_bytes, form)
    inventory = listing.tenant_inventory(
        paths, tenant, listing.ListFilter(applications, policies, unmanaged=unmanaged)
    )
    if collecting.current().wanted:  # 100,000 grants are rows of it
        collecting.add_part("inventory", inventory_answer(inventory))
    printing.outlined(inventory_outline(inventory), form, max_bytes, ids=ids)
    return 0
