"""`reconciler drift`: how a tenant differs from what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import (
    ages,
    annotating,
    drifting,
    earlier_documents,
    loading,
    options,
    patching,
    printing,
    sources,
)
from reconciler.errors import CHANGES_PENDING, SUCCESS, ReconcilerError
from reconciler.model.addresses import PROVIDERS
from reconciler.planning.selection import assert_consents
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
        "Ask about this product, and those that documents name: a tenant of one product is clean"
        " without the other. Default: all."
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
    assert_consents(allow)
    earlier = None if since is None else earlier_documents.earlier_documents(paths, since)
    made = drifting.drifted(paths, tenant, drifting.DriftOptions(allow, product, earlier))
    ages.check_age(made.drift.plan, max_age)
    sealed = loading.sealed_plan(made.drift.plan)
    report = drifting.drift_report(
        made,
        sealed,
        redact=redact,
        where=drifting.where_words(paths, options.DEFAULT_PATHS, tenant),
        folder=str(paths[0]),
    )
    outline = report.outline
    if patch is not None:
        sources.assert_spared(made.source, paths, [] if patching.is_output(patch) else [patch])
        outline = patching.write_patch(made, paths, patch, outline)
    if machine := annotating.chosen_format(form):
        annotating.annotate(report.annotated, machine)
    elif patch is not None and patching.is_output(patch):
        printing.notice(outline_lines(outline, Layout(ids=ids)))
    else:
        printing.outlined(outline, form, max_bytes, ids=ids)
    if made.drift.unread:
        return ReconcilerError.exit_code
    return CHANGES_PENDING if made.drift.differs else SUCCESS
