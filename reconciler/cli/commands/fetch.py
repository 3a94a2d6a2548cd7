"""`reconciler fetch`: a complete reading of a tenant, as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from reconciler.captures import files
from reconciler.cli import collecting, loading, options, printing, sources
from reconciler.model.outputs import OutputCapture
from reconciler.model.plans import PlanTenant
from reconciler.planning import making, requests
from reconciler.planning.selection import assert_consents
from reconciler.reports import captures

if TYPE_CHECKING:
    from pathlib import Path


@click.command("fetch", cls=options.Reporting, short_help="Save a complete reading of a tenant.")
@options.documents
@options.tenant
@options.file_out("--out", "Where to write the capture.", required=True)
@click.option(
    "--directory",
    type=click.Choice(["all"]),
    help="Read every user and security principal, not only those that the documents name.",
)
@options.allow
@options.text_or_json
def command(
    *,
    paths: tuple[Path, ...],
    tenant: str | None,
    out: Path,
    directory: str | None,
    allow: tuple[str, ...],
) -> int:
    """Read a tenant completely and save it as a capture, to plan against later and offline.

    Each PATH is a YAML file or a folder of them; `policies` by default. They determine the tenant,
    the products and the names to look up.
    """
    assert_consents(allow)
    wanted = loading.documents(paths, making.PlanOptions())
    tenant_id = wanted.tenant.tenant_id if wanted.tenant is not None else None
    request = requests.capture_request(wanted, allow=allow)
    if directory == "all":
        request = replace(
            request, everything=True, products=request.products | requests.reachable(wanted)
        )
    source = sources.choose(tenant, sources.target_of_documents(wanted), paths)
    sources.assert_spared(source, paths, [out])
    read = sources.capture(source, request)
    observed = sources.observed_of(read, request, tenant_id)
    files.write(out, read.raw)
    collected = collecting.current()
    collected.tenant = PlanTenant(observed.tenant_id, observed.organization)
    collected.simulated = observed.source == "simulated"
    collecting.add_part("capture", OutputCapture(str(out), observed.taken_at))
    printing.report(captures.written(observed, str(out)))
    return 0
