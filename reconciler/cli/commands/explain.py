"""`reconciler explain`: may this application reach this user or mailbox, and why."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import answering, options, printing

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    "explain",
    cls=options.Reporting,
    short_help="Explain why an application reaches someone or not.",
)
@options.documents
@click.option(
    "--app",
    "application",
    required=True,
    metavar="APP",
    help="The application's name in the documents, or its client id.",
)
@click.option(
    "--meetings-of",
    "user",
    metavar="USER",
    help="Teams: the user's object id or user principal name.",
)
@click.option(
    "--mailbox", metavar="MAILBOX", help="Exchange: the mailbox's SMTP address or object id."
)
@options.tenant
@click.option(
    "--plan",
    "plan_file",
    type=options.PlanFile(),
    metavar="FILE",
    help="Explain the state after this plan is applied, based on the file alone.",
)
@click.option(
    "--capture",
    "capture_file",
    type=_FILE,
    metavar="FILE",
    help="Explain the state in this capture.",
)
@click.option(
    "--now", is_flag=True, help="Explain the tenant as it is, before the documents are applied."
)
@options.more_documents
@options.ids
@options.formats("text", "markdown", "json")
@options.max_bytes
def command(
    *,
    paths: tuple[Path, ...],
    application: str,
    user: str | None,
    mailbox: str | None,
    tenant: str | None,
    plan_file: Path | None,
    capture_file: Path | None,
    now: bool,
    more: tuple[Path, ...],
    ids: bool,
    form: str,
    max_bytes: int | None,
) -> int:
    """Explain whether an application reaches a user's meetings or a mailbox once the documents are
    applied.

    Each PATH is a YAML file or a folder of them; `policies` by default. With --plan, --capture
    or --now the documents only provide names and locations.

    Exit codes: 0 answered, granted or not; 3 faults in the documents.
    """
    options.assert_max_bytes_taken(max_bytes, form)
    if (user is None) == (mailbox is None):
        raise click.UsageError(
            "exactly one of --meetings-of USER and --mailbox MAILBOX is required"
        )
    paths = options.all_paths(paths, more)
    asked = answering.Asking(application, user, mailbox)
    match plan_file, capture_file, now:
        case None, None, False:
            basis = answering.basis_of_documents(paths, tenant, asked)
        case None, None, True:
            basis = answering.basis_of_now(paths, tenant, asked)
        case None, Path() as capture, False:
            basis = answering.basis_of_capture(paths, capture, asked)
        case Path() as plan, None, False:
            basis = answering.basis_of_plan(paths, plan)
        case Path(), Path(), _:
            raise click.UsageError("--plan and --capture cannot be used together")
        case _:
            raise click.UsageError("--now cannot be used with --plan or --capture: choose one")
    printing.outlined(answering.answer(basis, asked), form, max_bytes, ids=ids)
    return 0
