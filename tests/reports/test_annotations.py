"""What a run found, in the formats of machines, read back by a reader of each format: every fact is
in its place, and nothing that others wrote is more than text.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.validators import validator_for
from msgspec.structs import replace

from reconciler.access.rules import EVERY_RULE
from reconciler.characters import unfit
from reconciler.cli.annotating import ANNOTATION_FORMATS, annotated_text
from reconciler.documents.rules import RULES
from reconciler.model.findings import Finding, Position, Severity
from reconciler.reports import junit, pipelines, sarif
from reconciler.reports.annotated import Annotated, Level, of_failure, of_findings
from tests.reports import runners
from tests.reports.runners import revealed

SCHEMA = json.loads(
    (Path(__file__).parents[1] / "data/sarif/sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8")
)
VALIDATOR = validator_for(SCHEMA)(SCHEMA)

HOSTILE = st.lists(
    st.sampled_from(
        [
            *("\x00", "\x1b[31m", "\n", "\r", "\r\n", "\u2028", "\u202e", "\x85", "\t", "\ud800"),
            *("::error::", "::stop-commands::x", "##[error]", "##vso[task.complete]", "##VSO[x.y]"),
            *("]]>", "<!--", "&amp;", "<", '"', "'", "%0A", "%25", "%AZP25", "%3B", "%", ";", "]"),
            *(",", ":", "=", "[a](javascript:x)", "{0}", "\\u{41}", "\uffff", "ü", "😀", " ", "/"),
        ]
    )
    | st.text(max_size=3),
    max_size=6,
).map("".join)
RULE_IDS = st.sampled_from([rule.id for rule in EVERY_RULE])
FINDINGS = st.builds(
    Finding,
    st.builds(Position, HOSTILE.map(lambda name: f"p{name}"), st.integers(1, 9), st.integers(1, 9)),
    HOSTILE,
    RULE_IDS,
    HOSTILE,
    st.sampled_from(Severity),
    HOSTILE,
)
MANY = st.lists(FINDINGS, max_size=30)


def annotated(findings: list[Finding], *, simulated: bool = False) -> Annotated:
    value = of_findings("validate", findings, EVERY_RULE, "All is well.")
    return replace(value, simulated=simulated)


def commands(text: str, read: Any) -> list[runners.Command]:
    assert text.endswith("\n")
    return [command for line in text[:-1].split("\n") if (command := read(line)) is not None]


def facts(findings: list[Finding]) -> list[tuple[str, str, int, int, str, str, str]]:
    """What every format has to tell, in no order."""
    return sorted(
        (
            finding.severity.value,
            finding.position.file,
            finding.position.line,
            finding.position.column,
            finding.rule,
            finding.path,
            finding.message,
        )
        for finding in findings
    )


def whole_message(finding: Finding) -> str:
    path = f"{finding.path}: " if finding.path else ""
    why = next(rule.why for rule in EVERY_RULE if rule.id == finding.rule)
    return f"{finding.position}: {path}{finding.message} [{finding.rule}]\n{why}"


@given(MANY, st.booleans())
def test_no_line_of_any_format_commands_more_than_it_should(
    findings: list[Finding], simulated: bool
) -> None:
    value = annotated(findings, simulated=simulated)
    for form in ANNOTATION_FORMATS:
        text = annotated_text(value, form)
        assert all(unfit(line) is None for line in text.split("\n")), form
        told = {command.name for command in commands(text, runners.github)}
        asked = {command.name for command in commands(text, runners.azure)}
        assert told <= ({"error", "warning", "notice"} if form == "github" else set()), form
        assert asked <= ({"task.logissue"} if form == "azure" else set()), form


@given(MANY)
def test_github_gets_every_fact_up_to_ten_of_a_level_worst_first(findings: list[Finding]) -> None:
    text = annotated_text(annotated(findings), "github")
    told = commands(text, runners.github)
    names = [command.name for command in told]
    assert names == sorted(names, key=["error", "warning", "notice"].index)
    for severity in Severity:
        mine = sorted(finding for finding in findings if finding.severity is severity)[:10]
        assert [
            (
                revealed(command.properties["file"]),
                int(command.properties["line"]),
                int(command.properties["col"]),
                revealed(command.data),
            )
            for command in told
            if command.name == severity.value
        ] == [(*_place(finding.position), whole_message(finding)) for finding in mine]
    left_out = len(findings) - len(told)
    last = text.splitlines()[-1]
    if left_out:
        assert f" {left_out} more " in last
    else:
        assert "more" not in last
    assert text.count("\n") == len(told) + 1


def _place(position: Position) -> tuple[str, int, int]:
    return position.file, position.line, position.column


@given(MANY)
def test_azure_gets_every_fact(findings: list[Finding]) -> None:
    told = commands(annotated_text(annotated(findings), "azure"), runners.azure)
    ordered = sorted(findings, key=lambda finding: (finding.severity != "error", finding))
    assert [
        (
            command.properties["type"],
            revealed(command.properties["sourcepath"]),
            int(command.properties["linenumber"]),
            int(command.properties["columnnumber"]),
            command.properties["code"],
            revealed(command.data),
        )
        for command in told
    ] == [
        (
            finding.severity.value,
            *_place(finding.position),
            finding.rule,
            whole_message(finding),
        )
        for finding in ordered
    ]


@settings(max_examples=40)
@given(st.lists(FINDINGS, max_size=6), st.booleans())
def test_sarif_is_valid_and_has_every_fact(findings: list[Finding], simulated: bool) -> None:
    log = json.loads(annotated_text(annotated(findings, simulated=simulated), "sarif"))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert sorted(
        (level, PurePath(file).as_posix(), *others) for level, file, *others in facts(findings)
    ) == sorted(_fact_of_result(result, rules) for result in run["results"])
    told = json.dumps(run["invocations"])
    assert ("SIMULATED TENANT" in told) is simulated


def _fact_of_result(
    result: dict[str, Any], rules: list[dict[str, Any]]
) -> tuple[str, str, int, int, str, str, str]:
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    uri = place["artifactLocation"]["uri"]
    assert uri.isascii()
    assert not set(uri) & set(' :?#[]<>"\\')
    rule = rules[result["ruleIndex"]]
    message, why = revealed(result["message"]["text"]).replace("\\](", "](").rsplit("\n", 1)
    assert why == rule["help"]["text"]
    (named,) = location.get("logicalLocations", [{"fullyQualifiedName": ""}])
    return (
        result["level"],
        unquote(uri, errors="surrogatepass").replace("\\ud800", "\ud800"),
        place["region"]["startLine"],
        place["region"]["startColumn"],
        rule["id"],
        revealed(named["fullyQualifiedName"]),
        message,
    )


@given(MANY)
def test_junit_has_every_fact(findings: list[Finding]) -> None:
    root = ET.fromstring(annotated_text(annotated(findings), "junit"))  # noqa: S314  our own text
    (suite,) = root
    cases = suite.findall("testcase")
    assert int(root.attrib["tests"]) == len(cases) == max(1, len(findings))
    assert int(root.attrib["errors"]) == len(suite.findall(".//error"))
    assert int(root.attrib["skipped"]) == len(suite.findall(".//skipped"))
    told = []
    for case in cases if findings else ():
        (outcome,) = case
        place, message = revealed(case.attrib["name"]), revealed(outcome.attrib["message"])
        file, line = revealed(case.attrib["file"]), int(case.attrib["line"])
        column, _, path = place.removeprefix(f"{file}:{line}:").partition(": ")
        level = {"error": "error", "skipped": "warning"}[outcome.tag]
        told.append((level, file, line, int(column), outcome.attrib["type"], path, message))
    assert sorted(told) == facts(findings)


def test_what_is_very_long_is_cut_where_the_runner_would_cut_it_and_counted() -> None:
    long = Finding(Position("a.yaml", 1, 1), "$", "text.blank", "x" * 100_000)
    for form in ("github", "azure"):
        text = annotated_text(annotated([long]), form)
        assert len(text) < 4096
        assert "more letters)" in text
    assert "x" * 100_000 in annotated_text(annotated([long]), "sarif")


def test_what_is_beyond_the_bound_of_a_format_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, bound in (
        (sarif, "MOST_RESULTS"),
        (junit, "MOST"),
        (pipelines, "MOST"),
        (pipelines, "MOST_OF_A_LEVEL"),
    ):
        monkeypatch.setattr(module, bound, 2)
    many = [Finding(Position("a.yaml", line, 1), "$", "yaml.tab", "a tab") for line in range(1, 6)]
    (run,) = json.loads(annotated_text(annotated(many), "sarif"))["runs"]
    VALIDATOR.validate({"version": "2.1.0", "runs": [run]})
    assert len(run["results"]) == 2
    assert "3 more results not shown" in json.dumps(run["invocations"])
    root = ET.fromstring(annotated_text(annotated(many), "junit"))  # noqa: S314  our own text
    assert len(root.findall(".//testcase")) == int(root.attrib["tests"]) == 2
    assert "3 more findings not shown" in "".join(root.itertext())
    for form in ("github", "azure"):
        text = annotated_text(annotated(many), form)
        assert text.count("\n") == 3
        assert "5 errors in 1 file. 3 more are not annotated: --format text lists all.\n" in text


def test_nobody_is_sent_to_a_text_that_has_not_all_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.reports.annotated.MOST", 2)
    many = [Finding(Position("a.yaml", line, 1), "$", "yaml.tab", "a tab") for line in range(1, 14)]
    text = annotated_text(annotated(many), "github")
    assert text.endswith("13 errors in 1 file. 3 more are not annotated: correct these first.\n")


def test_a_link_in_a_message_is_text() -> None:
    linked = Finding(Position("a.yaml", 1, 1), "$", "text.blank", "[see](https://x) and [b]")
    (run,) = json.loads(annotated_text(annotated([linked]), "sarif"))["runs"]
    assert "[see\\](https://x) and [b]" in run["results"][0]["message"]["text"]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("policies/a b.yaml", {"uri": "policies/a%20b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("./policies/a.yaml", {"uri": "policies/a.yaml", "uriBaseId": "%SRCROOT%"}),
        ("../x/ü#1.yaml", {"uri": "../x/%C3%BC%231.yaml", "uriBaseId": "%SRCROOT%"}),
        ("/srv/a:b.yaml", {"uri": "file:///srv/a%3Ab.yaml"}),
    ],
)
def test_places_are_relative_to_the_folder_of_the_run(file: str, expected: dict[str, str]) -> None:
    finding = Finding(Position(file, 3, 5), "$", "text.blank", "x")
    (run,) = json.loads(annotated_text(annotated([finding]), "sarif"))["runs"]
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"] == expected


def _fingerprints(*findings: Finding) -> list[str]:
    (run,) = json.loads(annotated_text(annotated(list(findings)), "sarif"))["runs"]
    return [result["partialFingerprints"][sarif.FINGERPRINT] for result in run["results"]]


def test_a_fingerprint_stays_while_lines_and_list_items_come_and_go() -> None:
    def at(line: int, item: int, first: int, message: str = "listed twice") -> Finding:
        return Finding(
            Position("a.yaml", line, 3),
            f"$.spec.users[{item}]",
            "user.duplicate",
            f"`x` is {message}, first at a.yaml:{first}:1",
            subject="TeamsApplicationAccessPolicy/p",
        )

    assert _fingerprints(at(5, 1, 4)) == _fingerprints(at(90, 17, 80))
    assert _fingerprints(at(5, 1, 4)) != _fingerprints(at(5, 1, 4, "mistyped"))
    assert _fingerprints(Finding(Position("b.yaml", 5, 3), "$", "yaml.tab", "a tab")) != (
        _fingerprints(Finding(Position("a.yaml", 5, 3), "$", "yaml.tab", "a tab"))
    )


@given(MANY)
def test_no_two_results_share_a_fingerprint(findings: list[Finding]) -> None:
    prints = _fingerprints(*findings)
    assert len(prints) == len(set(prints)) == len(findings)
    assert sorted(prints) == sorted(_fingerprints(*reversed(findings)))


def test_every_rule_has_an_id_words_and_help_in_sarif() -> None:
    (run,) = json.loads(annotated_text(annotated([]), "sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in EVERY_RULE]
    assert {rule.id for rule in RULES} < {rule["id"] for rule in rules}
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert run["results"] == []


def test_without_findings_each_format_says_that_all_is_well() -> None:
    for form in ANNOTATION_FORMATS:
        assert "All is well." in annotated_text(annotated([]), form)


@given(HOSTILE)
def test_a_run_that_failed_is_one_error_without_a_place(message: str) -> None:
    value = of_failure("test", message)
    assert [annotation.level for annotation in value.annotations] == [Level.ERROR]
    (told,) = commands(pipelines.github_commands(value), runners.github)
    assert set(told.properties) == {"title"}
    (told,) = commands(pipelines.azure_commands(value), runners.azure)
    assert set(told.properties) <= {"type", "code"}
    lines = revealed(told.data).split("\n")
    assert "\n".join(lines).replace(" [run.stopped]", "", 1) == message
