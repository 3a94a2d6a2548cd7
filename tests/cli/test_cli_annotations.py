"""What `validate` and `test` tell a pipeline: in the format that was asked for, on standard output
alone, also where the run fails.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.cli.test_cli_machines import ENCODINGS, SIM, _bytes
from tests.reports import runners

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

FAULTY = "apiVersion: reconciler/v1\nkind: AccessTest\nmetadata: {name: Łódź}\nspec: 3\n"
FORMS = ("github", "azure", "sarif", "junit")


@pytest.fixture
def faulty(folder: Path) -> Path:
    (folder / "policies" / "faulty.yaml").write_text(FAULTY, encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", [("validate",), ("test", *SIM), ("test", "--desired")])
@pytest.mark.parametrize("form", FORMS)
def test_faulty_documents_are_told_in_the_format_that_was_asked_for(
    run: Run, faulty: Path, command: tuple[str, ...], form: str
) -> None:
    ran = run(*command, "--format", form)
    assert (ran.code, ran.err) == (3, "")
    assert "faulty.yaml" in ran.out
    if form == "sarif":
        (told,) = json.loads(ran.out)["runs"]
        assert [result["ruleId"] for result in told["results"]] == ["schema.type"]
        assert told["automationDetails"]["id"] == f"reconciler-{command[0]}/"
    elif form == "junit":
        assert ET.fromstring(ran.out).get("name") == f"reconciler {command[0]}"  # noqa: S314
    else:
        read = runners.github if form == "github" else runners.azure
        (first,) = [each for each in map(read, ran.out.splitlines()) if each is not None]
        assert "schema.type" in first.data


@pytest.mark.parametrize("form", FORMS)
def test_what_is_well_has_no_annotation_and_says_so(run: Run, folder: Path, form: str) -> None:
    ran = run("validate", "--format", form)
    assert (ran.code, ran.err) == (0, "")
    assert "17 documents are valid." in ran.out
    passed = run("test", *SIM, "--format", form)
    assert passed.code == 3, "the sample has drifted"
    assert "SIMULATED TENANT" in passed.out


def test_an_expectation_that_fails_is_annotated_at_its_line(run: Run, folder: Path) -> None:
    ran = run("test", *SIM, "--format", "github")
    told = [each for each in map(runners.github, ran.out.splitlines()) if each is not None]
    assert told
    assert {each.name for each in told} == {"error"}
    lines = (folder / told[0].properties["file"]).read_text(encoding="utf-8").splitlines()
    assert "application:" in lines[int(told[0].properties["line"]) - 1]
    assert ran.out.splitlines()[-1].endswith(".")


@pytest.mark.parametrize("form", ["github", "azure", "junit"])
def test_a_run_that_fails_is_an_error_too(run: Run, folder: Path, form: str) -> None:
    ran = run("test", "--tenant", "missing.json", "--format", form)
    assert ran.code == 64
    assert "--tenant missing.json: file not found" in ran.err
    assert "--tenant missing.json: file not found" in ran.out


def test_a_run_that_fails_has_no_sarif(run: Run, folder: Path) -> None:
    """A log without results would close every alert."""
    ran = run("test", "--tenant", "missing.json", "--format", "sarif")
    assert (ran.code, ran.out) == (64, "")


@pytest.mark.parametrize("form", FORMS)
def test_rules_have_no_annotations(run: Run, form: str) -> None:
    ran = run("validate", "--rules", "--format", form)
    assert ran.code == 64
    assert "--rules takes --format text or json" in ran.err


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", FORMS)
def test_a_pipe_gets_the_same_utf8_whatever_the_encoding_is(
    faulty: Path, encoding: str, form: str
) -> None:
    (faulty / "policies" / "Łódź.yaml").write_text("3\n", encoding="utf-8")
    told = _bytes(faulty, encoding, "validate", "--format", form)
    assert told.stdout == _bytes(faulty, "utf-8", "validate", "--format", form).stdout
    assert b"\r" not in told.stdout
    assert told.stdout.decode("utf-8")
