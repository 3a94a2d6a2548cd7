"""`reconciler diagnose`: what an error means that an application received, and what ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import diagnosing, options, printing

if TYPE_CHECKING:
    from pathlib import Path


@click.command("diagnose", cls=options.Reporting, short_help="Explain an error and how to fix it.")
@click.argument("file", metavar="ERROR|-")
@click.option(
    "--app",
    "application",
    metavar="APP",
    help="The application that was refused: its name in the documents, or its client id.",
)
@click.option(
    "--user",
    metavar="USER",
    help="The user it was refused: an object id, an address, the part before the @, or a display name.",
)
@options.more_documents
@options.tenant
@options.journals
@options.ids
@options.formats("text", "json")
def command(
    *,
    file: str,
    application: str | None,
    user: str | None,
    more: tuple[Path, ...],
    tenant: str | None,
    state_dir: Path | None,
    ids: bool,
    form: str,
) -> int:
    """Say what refused an application, by which rule of the tenant, and how to fix it: the line to
    change in the documents, the time to wait, or why access policies are not to blame.

    ERROR is a file with what the application or PowerShell received, or - for standard input: the
    body of an answer, the answer with its headers, an entry of a batch, or the text of an error.

    The tenant is read only if the error, --app and --user say whom it is about.

    Exit codes: 0 diagnosed; 1 unknown error; 3 faults in the documents.
    """
    typed = diagnosing.Typed(file, application, user, tenant, state_dir)
    cause, outline = diagnosing.diagnose(options.all_paths((), more), typed)
    printing.outlined(outline, form, ids=ids)
    return diagnosing.exit_code_of(cause)
