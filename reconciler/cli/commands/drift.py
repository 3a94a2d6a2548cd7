"""`reconciler drift`: how a tenant differs from what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import (
    annotating,
    drifting,
    earlier_documents,
    options,
    patching,
    printing,
    sources,
)
from reconciler.model.addresses import PROVIDERS
from reconciler.reports.outline import outline_lines
from reconciler.reports.wrapping import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.addresses import Provider

_PIPELINES = tuple(form for form in annotating.ANNOTATION_FORMATS if form != "junit")


@click.command(
    "drift", cls=options.Reporting, short_help="Show how a tenant differs from what is known of it."
)
@options.documents
@options.tenant
@options.file_out(
    "--patch",
    (
        "Write the edit of the documents that accepts what the tenant has, for `git apply`; `-` is"
        " standard output, and the report goes to standard error."
    ),
)
@earlier_documents.since
@click.option(
    "--product",
    type=click.Choice(PROVIDERS),
    help=(
        "Check this product and those that the documents name; the other one need not be read."
        " Default: all."
    ),
)
@options.allow
@options.ids
@options.formats("text", "markdown", "html", "json", *_PIPELINES)
@options.max_bytes
@options.redact
@options.max_age
def command(
    *,
    paths: tuple[Path, ...],
    tenant: str | None,
    patch: Path | None,
    since: str | None,
    product: Provider | None,
    allow: tuple[str, ...],
    ids: bool,
    form: str,
    max_bytes: int | None,
    redact: str | None,
    max_age: int | None,
) -> int:
    """Show how a tenant differs from the documents: what a plan would change, and unmanaged objects
    that `spec.accepted` of the Tenant document does not list as they are.

    Each PATH is a YAML file or a folder of them; `policies` by default. Nothing is changed.

    Exit codes: 0 nothing differs, 1 a part could not be read, 2 the tenant differs, 3 faults in the
    documents.
    """
    options.assert_max_bytes_taken(max_bytes, form)
    patching.assert_apart(patch, form)
    earlier = None if since is None else earlier_documents.earlier_documents(paths, since)
    typed = drifting.DriftOptions(allow, product, earlier)
    shown = drifting.shown_drift(paths, tenant, typed, redact=redact, max_age=max_age)
    outline = shown.report.outline
    if patch is not None:
        spared = [] if patching.is_output(patch) else [patch]
        sources.assert_spared(shown.made.source, paths, spared)
        outline = patching.write_patch(shown.made, paths, patch, outline)
    if machine := annotating.chosen_format(form):
        annotating.annotate(shown.report.annotated, machine)
    elif patch is not None and patching.is_output(patch):
        printing.notice(outline_lines(outline, Layout(ids=ids)))
    else:
        printing.outlined(outline, form, max_bytes, ids=ids)
    return shown.exit_code
