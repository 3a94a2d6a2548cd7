"""`reconciler reach`: everything that an application reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import collecting, options, printing, questioning
from reconciler.reports.reaches import reach_answer, reach_outline

if TYPE_CHECKING:
    from pathlib import Path


@click.command("reach", cls=options.Reporting, short_help="List whom an application reaches.")
@options.documents
@options.more_documents
@click.option(
    "--app",
    "application",
    required=True,
    metavar="APP",
    help="The application's name in the documents, or its client id.",
)
@options.tenant
@options.ids
@options.formats("text", "markdown", "json")
@options.max_bytes
def command(
    *,
    paths: tuple[Path, ...],
    more: tuple[Path, ...],
    application: str,
    tenant: str | None,
    ids: bool,
    form: str,
    max_bytes: int | None,
) -> int:
    """List everyone whom an application reaches, now and once the documents are applied, and by
    which rule.

    Each PATH is a YAML file or a folder of them; by default `policies`, if it exists. Without
    documents, only the tenant as it is now is shown.

    Exit codes: 0 answered; 3 faults in the documents.
    """
    options.assert_max_bytes_taken(max_bytes, form)
    answer = questioning.reach_of(options.all_paths(paths, more), tenant, application)
    collecting.add_part("reach", reach_answer(*answer))
    printing.outlined(reach_outline(*answer), form, max_bytes, ids=ids)
    return 0
