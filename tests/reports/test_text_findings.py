"""Findings, rules and captures as text and JSON."""

from __future__ import annotations

from msgspec import to_builtins

from reconciler.documents.rules import RULES
from reconciler.model.findings import Finding, Position, Severity
from reconciler.reports import findings, json
from reconciler.reports.lines import plain_text
from reconciler.reports.outputs import output_findings, output_rules

FOUND = (
    Finding(Position("b.yaml", 2, 1), "$.spec", "schema.required", "a key is missing"),
    Finding(
        Position("a.yaml", 10, 3),
        "$.metadata.name",
        "text.blank",
        "blank \x1b[31m\n::error::x",
        Severity.ERROR,
        "Tenant/x",
    ),
    Finding(Position("a.yaml", 9, 30), "$", "yaml.tab", "a tab", Severity.WARNING),
)


def test_findings_are_sorted_one_a_line_and_counted() -> None:
    assert (
        plain_text(findings.finding_lines(FOUND)) == "a.yaml:9:30: warning: $: a tab [yaml.tab]\n"
        "a.yaml:10:3: $.metadata.name: blank \\u{1B}[31m\\u{A}::error::x [text.blank]\n"
        "b.yaml:2:1: $.spec: a key is missing [schema.required]\n"
        "2 errors and 1 warning in 2 files.\n"
    )
    assert plain_text(findings.finding_lines(FOUND[:1])).endswith("\n1 error in 1 file.\n")
    assert plain_text(findings.finding_lines(())) == "No findings.\n"


def test_findings_of_the_envelope_are_a_sorted_list() -> None:
    listed = to_builtins(output_findings(FOUND))
    assert [(row["file"], row["line"]) for row in listed] == [
        ("a.yaml", 9),
        ("a.yaml", 10),
        ("b.yaml", 2),
    ]
    assert listed[1] == {
        "column": 3,
        "file": "a.yaml",
        "line": 10,
        "message": "blank \x1b[31m\n::error::x",
        "path": "$.metadata.name",
        "rule": "text.blank",
        "severity": "error",
        "subject": "Tenant/x",
    }


def test_a_finding_may_quote_what_has_no_utf_8() -> None:
    lone = Finding(Position("a.yaml", 1, 1), "$", "text.unfit-character", "\ud800")
    assert "\\u{D800}" in plain_text(findings.finding_lines([lone]))
    assert json.printable('"\ud800"') == '"\\ud800"'


def test_every_rule_is_listed_once_with_its_title() -> None:
    told = plain_text(findings.rule_lines(RULES))
    assert [line for line in told.split("\n") if line and not line.startswith(" ")] == [
        f"{rule.id}: {rule.title}" for rule in sorted(RULES, key=lambda rule: rule.id)
    ]
    assert [row.id for row in output_rules(RULES)] == sorted(rule.id for rule in RULES)
