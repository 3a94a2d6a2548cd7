"""`reconciler validate`: every fault of the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import options

if TYPE_CHECKING:
    from pathlib import Path


@click.command("validate", short_help="Check documents.")
@options.documents
@click.option("--rules", is_flag=True, help="List every rule with its id, and check nothing.")
@options.formats("text", "json")
def command(*, paths: tuple[Path, ...], rules: bool, form: str) -> int:
    """Check documents without asking any tenant, and report every fault of every file.

    Each PATH is a YAML file or a folder of them; `policies` by default.

    Exit codes: 0 valid, 3 faults.
    """
    return _list_rules(form) if rules else _validate(paths, form)


def _validate(paths: tuple[Path, ...], form: str) -> int:
    from reconciler.cli import printing  # noqa: PLC0415  lazy: `--help` needs none of it
    from reconciler.documents import examine  # noqa: PLC0415  lazy: the same
    from reconciler.errors import DocumentFaults  # noqa: PLC0415  lazy: the same
    from reconciler.model.findings import Severity  # noqa: PLC0415  lazy: the same
    from reconciler.reports import findings, json  # noqa: PLC0415  lazy: the same

    examined = examine(paths)
    if form == "json":
        printing.raw(json.findings(examined.findings))
    else:
        printing.report(findings.validated(examined.findings, examined.documents))
    return DocumentFaults.exit_code if any(one.severity is Severity.ERROR for one in examined.findings) else 0


def _list_rules(form: str) -> int:
    from reconciler.cli import printing  # noqa: PLC0415  lazy: `--help` needs none of it
    from reconciler.documents.rules import RULES  # noqa: PLC0415  lazy: the same
    from reconciler.reports import findings, json  # noqa: PLC0415  lazy: the same

    if form == "json":
        printing.raw(json.rules(RULES))
    else:
        printing.report(findings.rules(RULES))
    return 0
