"""`reconciler validate`: every fault of the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.access import declared
from reconciler.access.rules import EVERY_RULE
from reconciler.access.testing import positions_of
from reconciler.cli import annotating, collecting, options, printing
from reconciler.documents import examine_documents
from reconciler.errors import DocumentFaults, UsageFault
from reconciler.model.findings import Severity
from reconciler.reports import access_tests, annotated, findings
from reconciler.reports.access_tests import Tested
from reconciler.reports.outputs import output_rules

if TYPE_CHECKING:
    from pathlib import Path


@click.command("validate", cls=options.Reporting, short_help="Check documents.")
@options.documents
@click.option("--rules", is_flag=True, help="List every rule with its id and exit.")
@options.formats("text", "json", *annotating.ANNOTATION_FORMATS)
def command(*, paths: tuple[Path, ...], rules: bool, form: str) -> int:
    """Check documents offline and report every fault in every file. Access tests are checked as far
    as the documents decide them.

    Each PATH is a YAML file or a folder of them; `policies` by default.

    Exit codes: 0 valid, 3 faults.
    """
    return _list_rules(form) if rules else _validate(paths, form)


def _validate(paths: tuple[Path, ...], form: str) -> int:
    examined = examine_documents(paths)
    faulty = any(finding.severity is Severity.ERROR for finding in examined.findings)
    results = () if faulty else declared.judge_declared(examined.documents)
    every_finding = (*examined.findings, *declared.contradictions(results))
    rows = [result.row() for result in results]
    collected = collecting.current()
    collected.findings = every_finding
    collected.tested = Tested(
        "the documents alone", rows, positions_of(results), {}, simulated=False
    )
    if machine := annotating.chosen_format(form):
        valid = findings.valid_line(examined.documents, examined.elsewhere)
        annotating.annotate(
            annotated.of_findings("validate", every_finding, EVERY_RULE, valid), machine
        )
    else:
        printing.report(
            [
                *findings.validated(every_finding, examined.documents, examined.elsewhere),
                *access_tests.undecided_lines(rows),
            ]
        )
    return (
        DocumentFaults.exit_code
        if any(finding.severity is Severity.ERROR for finding in every_finding)
        else 0
    )


def _list_rules(form: str) -> int:
    if annotating.chosen_format(form):
        raise UsageFault("--rules takes --format text or json")
    collecting.add_part("rules", output_rules(EVERY_RULE))
    printing.report(findings.rule_lines(EVERY_RULE))
    return 0
