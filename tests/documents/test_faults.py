"""Every fault of the corpus is found where it stands, under its rule, and nothing else is."""

import json
from collections import Counter
from pathlib import Path

import pytest

from reconciler.documents import examine_documents, load_documents
from reconciler.documents.rules import RULES
from reconciler.errors import DocumentFaults
from reconciler.model.findings import Severity
from tests.documents.cases import FAULTS, set_up

KNOWN = {rule.id for rule in RULES}
WARNINGS = {"file.not-read", "group.label", "name.not-queried", "users-from.columns"}
"""Rules that a document may break and still be used."""
ERRORS = [folder for folder in FAULTS if folder.parent.name not in WARNINGS]


@pytest.mark.parametrize("folder", FAULTS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_fault_is_found_at_its_exact_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    case = set_up(folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    findings = examine_documents(case.paths).findings
    found = [
        {
            "file": each.position.file,
            "line": each.position.line,
            "column": each.position.column,
            "path": each.path,
            "rule": each.rule,
            "message": each.message,
        }
        for each in findings
    ]
    assert found == case.expected
    assert folder.parent.name in {each.rule for each in findings}
    assert {each.rule for each in findings} <= KNOWN
    warned = folder.parent.name in WARNINGS
    severity = Severity.WARNING if warned else Severity.ERROR
    assert {each.severity for each in findings} == {severity}


@pytest.mark.parametrize("folder", ERRORS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_faults_stop_loading(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    case = set_up(folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DocumentFaults) as caught:
        load_documents(case.paths)
    assert caught.value.findings == examine_documents(case.paths).findings
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("name", sorted(WARNINGS))
def test_a_warning_does_not_stop_loading(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for folder in (folder for folder in FAULTS if folder.parent.name == name):
        case = set_up(folder, tmp_path / folder.name)
        monkeypatch.chdir(tmp_path / folder.name)
        documents = load_documents(case.paths)
        assert documents.teams or documents.applications
        assert case.expected


def test_every_rule_has_at_least_two_cases():
    counts = Counter(folder.parent.name for folder in FAULTS)
    assert counts.keys() == KNOWN
    assert min(counts.values()) >= 2


def test_rules_are_listed_with_distinct_ids_titles_and_reasons():
    assert len(KNOWN) == len(RULES)
    assert len({rule.title for rule in RULES}) == len(RULES)
    assert all(rule.why and not rule.title.endswith(".") for rule in RULES)


def test_all_faulty_files_are_reported_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each case in a folder of its own, one run: whatever stands alone in one file is found again."""
    alone = {
        "schema.type",
        "schema.null",
        "yaml.tag",
        "yaml.tab",
        "yaml.syntax",
        "text.line-break",
        "document.unknown-kind",
        "schema.required",
    }
    expected = set()
    for folder in FAULTS:
        if folder.parent.name in alone:
            target = tmp_path / folder.parent.name / folder.name
            for each in set_up(folder, target).expected:
                expected.add(
                    (
                        f"{folder.parent.name}/{folder.name}/{each['file']}",
                        each["line"],
                        each["column"],
                        each["rule"],
                    )
                )
    monkeypatch.chdir(tmp_path)
    found = {
        (each.position.file, each.position.line, each.position.column, each.rule)
        for each in examine_documents([Path()]).findings
    }
    assert expected <= found


def test_a_finding_reads_as_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Application\nmetadata: {name: bot}\nspec: {appId: x}\n"
    )
    (finding,) = examine_documents([Path()]).findings
    assert str(finding).startswith("a.yaml:4:15: $.spec.appId: `x` is not a client id: ")
    assert str(finding).endswith(" [client-id.form]")
    assert finding.subject == "Application/bot"


def test_no_message_shows_a_value_of_connect():
    cases = [folder for folder in FAULTS if folder.parent.name.startswith("connect.")]
    assert cases
    for folder in cases:
        assert "canary" not in json.dumps(
            [each["message"] for each in json.loads((folder / "expected.json").read_text())]
        )
