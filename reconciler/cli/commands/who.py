"""`reconciler who`: every application that reaches somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import collecting, options, printing, questioning
from reconciler.reports.reaches import who_answer, who_outline

if TYPE_CHECKING:
    from pathlib import Path


@click.command("who", cls=options.Reporting, short_help="List the applications that reach someone.")
@click.argument("name", metavar="USER|MAILBOX")
@options.more_documents
@options.tenant
@options.ids
@options.formats("text", "markdown", "json")
@options.max_bytes
def command(
    *,
    name: str,
    more: tuple[Path, ...],
    tenant: str | None,
    ids: bool,
    form: str,
    max_bytes: int | None,
) -> int:
    """List every application that reaches a user's meetings or a mailbox, now and once the documents
    are applied, and by which rule.

    USER|MAILBOX is an object id, an address, the part of it before the @, or a display name; an
    ambiguous name is refused.

    Exit codes: 0 answered; 3 faults in the documents; 64 nobody has that name, or several do.
    """
    options.assert_max_bytes_taken(max_bytes, form)
    answer = questioning.reaching_somebody(options.all_paths((), more), tenant, name)
    collecting.add_part("who", who_answer(*answer))
    printing.outlined(who_outline(*answer), form, max_bytes, ids=ids)
    return 0
