"""The envelope as text: one line of JSON with the same value, whatever others wrote into it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from reconciler import canonical
from reconciler.characters import unfit
from reconciler.model.findings import Finding, Position, Severity
from reconciler.model.outputs import ExitName, Output
from reconciler.model.plans import Tool
from reconciler.planning import planfile
from reconciler.reports.outputs import output_findings, output_text
from tests.reports import runners
from tests.reports.test_annotations import FINDINGS, HOSTILE
from tests.strategies.plans import empty_plan


def output(error: str, findings: list[Finding]) -> Output:
    return Output(
        command="plan",
        error=error,
        exit_code=0,
        exit_name=ExitName.OK,
        findings=output_findings(findings),
        format_version="1.0",
        summary={},
        tests=(),
        tool=Tool("reconciler", "0"),
    )


@given(HOSTILE, st.lists(FINDINGS, max_size=3), st.dictionaries(st.text(), st.text(), max_size=3))
def test_the_envelope_is_one_line_with_every_text_as_it_was(
    error: str, findings: list[Finding], names: dict[str, str]
) -> None:
    plan = empty_plan(names=names)
    text = output_text(output(error, findings), planfile.chunks(plan))
    assert text.endswith("}\n")
    assert unfit(text[:-1]) is None
    assert runners.github(text) is None
    assert runners.azure(text) is None
    told = json.loads(text)
    assert list(told) == sorted(told)
    assert told["error"] == error
    assert [row["message"] for row in told["findings"]] == [
        finding.message for finding in sorted(findings)
    ]
    assert canonical.dumps(told["plan"]) + b"\n" == b"".join(planfile.chunks(plan))


def test_without_a_plan_there_is_no_such_member() -> None:
    assert "plan" not in json.loads(output_text(output("", [])))


def test_a_finding_is_in_it_whole() -> None:
    finding = Finding(Position("a.yaml", 3, 4), "$.x", "yaml.tab", "a tab", Severity.WARNING, "K/n")
    (row,) = json.loads(output_text(output("", [finding])))["findings"]
    assert row == {
        "column": 4,
        "file": "a.yaml",
        "line": 3,
        "message": "a tab",
        "path": "$.x",
        "rule": "yaml.tab",
        "severity": "warning",
        "subject": "K/n",
    }
