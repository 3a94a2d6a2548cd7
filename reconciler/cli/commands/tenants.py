"""`reconciler tenants`: the tenants of a repository."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli import collecting, fleets, options, printing
from reconciler.errors import DocumentFaults, UsageFault
from reconciler.reports import fleets as reports
from reconciler.reports.lines import Tone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.model.outputs import OutputTenant

_SPLIT_BY_NO_SHELL: Final = re.compile(r"[\w./+@:,~-]+")


@click.command("tenants", cls=options.Reporting, short_help="List the tenants of a repository.")
@options.documents
@options.only_tenants
@options.skip_tenants
@options.formats("text", "json", "matrix", "matrix-azure")
def command(
    *, paths: tuple[Path, ...], only: tuple[str, ...], skip: tuple[str, ...], form: str
) -> int:
    """List the tenants of a repository, each with the PATHs that are read for it: the folder with its
    Tenant document, and the folder `shared` beside that.

    Each PATH is a folder; `policies` by default. `--format matrix` prints the matrix of a job on
    GitHub, `matrix-azure` that of one on Azure Pipelines: one leg for each tenant.

    Exit codes: 0 listed; 3 two tenants have the same name, or a document is read for no tenant.
    """
    folders = fleets.found_tenants(paths)
    chosen = fleets.chosen_tenants(folders.tenants, only, skip)
    listed = tuple(map(fleets.output_tenant, chosen))
    collecting.add_part("tenants", listed)
    if form == "text":
        printing.report(reports.tenant_lines(listed))
    elif form != "json":
        _assert_words(listed, form)
        matrix = reports.github_matrix if form == "matrix" else reports.azure_matrix
        printing.raw(matrix(listed))
    faults = [fault for tenant in chosen if (fault := fleets.trouble(tenant))]
    for fault in faults:
        printing.say(f"Error: {fault}", Tone.FAULT)
    return DocumentFaults.exit_code if faults or folders.findings else 0


def _assert_words(tenants: Sequence[OutputTenant], form: str) -> None:
    """See to it that a shell takes each PATH of a matrix as one word.

    Raises:
        UsageFault: one would be split, or run.
    """
    for path in (path for tenant in tenants for path in tenant.paths):
        if not _SPLIT_BY_NO_SHELL.fullmatch(path):
            raise UsageFault(
                f"--format {form}: the shell of a pipeline would not take `{path}` as one word: use"
                " letters, digits, `-`, `_` and `.` in the names of folders"
            )
