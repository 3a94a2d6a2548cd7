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
    """Check documents without asking any tenant, and report every fault of every file; access tests
    as far as the documents decide them.

    Each PATH is a YAML file or a folder of them; `policies` by default.

    Exit codes: 0 valid, 3 faults.
    """
    return _list_rules(form) if rules else _validate(paths, form)


def _validate(paths: tuple[Path, ...], form: str) -> int:
    from reconciler.access import declared  # noqa: PLC0415  lazy: `--help` needs none of it
    from reconciler.cli import printing  # noqa: PLC0415  lazy: the same
    from reconciler.documents import examine  # noqa: PLC0415  lazy: the same
    from reconciler.errors import DocumentFaults  # noqa: PLC0415  lazy: the same
    from reconciler.model.findings import Severity  # noqa: PLC0415  lazy: the same
    from reconciler.reports import access_tests, findings, json  # noqa: PLC0415  lazy: the same

    examined = examine(paths)
    faulty = any(one.severity is Severity.ERROR for one in examined.findings)
    results = () if faulty else declared.judge(examined.documents)
    found = (*examined.findings, *declared.findings(results))
    if form == "json":
        printing.raw(json.findings(found))
    else:
        printing.report(
            [
                *findings.validated(found, examined.documents),
                *access_tests.of_documents([one.row() for one in results]),
            ]
        )
    return DocumentFaults.exit_code if any(one.severity is Severity.ERROR for one in found) else 0


def _list_rules(form: str) -> int:
    from reconciler.access.declared import FAILED  # noqa: PLC0415  lazy: `--help` needs none of it
    from reconciler.cli import printing  # noqa: PLC0415  lazy: the same
    from reconciler.documents.rules import RULES  # noqa: PLC0415  lazy: the same
    from reconciler.reports import findings, json  # noqa: PLC0415  lazy: the same

    if form == "json":
        printing.raw(json.rules((*RULES, FAILED)))
    else:
        printing.report(findings.rules((*RULES, FAILED)))
    return 0
