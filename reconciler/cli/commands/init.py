"""`reconciler init`: a repository to start from."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reconciler.cli import collecting, initialising, options, printing
from reconciler.model.outputs import OutputInit
from reconciler.model.plans import PlanTenant
from reconciler.reports import exports


@click.command("init", cls=options.Reporting, short_help="Start a repository of documents.")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="[DIR]",
)
@options.tenant
@click.option("--tenant-id", metavar="ID", help="The directory (tenant) id.")
@click.option(
    "--organization", metavar="DOMAIN", help="The tenant's initial domain, NAME.onmicrosoft.com."
)
@options.text_or_json
def command(
    *, folder: Path, tenant: str | None, tenant_id: str | None, organization: str | None
) -> int:
    """Write a Tenant document and what a repository of documents needs into DIR, the current folder
    by default: `.gitignore`, editor settings, a pre-commit hook, a README.

    The tenant is given by --tenant-id and --organization, or by a capture or a simulated tenant
    (--tenant); on a terminal it is asked for. A file that exists is never overwritten.

    Exit codes: 0 written; 4 a Tenant document already exists.
    """
    asked = initialising.Identity(tenant_id, organization)
    identity = initialising.asked_identity(asked, tenant, is_terminal=_is_terminal())
    begun = initialising.start_repository(folder, identity)
    collected = collecting.current()
    collected.tenant = PlanTenant(identity.tenant_id or "", identity.organization or "")
    collecting.add_part("init", OutputInit(files=begun.written, kept=begun.kept))
    printing.report(exports.begun_lines(begun.written, begun.kept))
    return 0


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
