"""`ci`: a job of a pipeline leaves the same things whatever its outcome."""

from __future__ import annotations

import json
import re
import stat
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from reconciler.cli import jobs, platforms
from reconciler.cli.platforms import Platform
from reconciler.errors import ReconcilerError
from reconciler.planning import making
from reconciler.reports import pipelines
from tests.access_tests.documents import write
from tests.cli.sample import teams_document, tenant_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ran, Run

SIM = ("--tenant", "sim:tenant.json")
ALWAYS = {"findings.sarif", "junit.xml", "output.json", "summary.md"}
OUTPUTS = [
    "applicable",
    "changes",
    "content_digest",
    "covered",
    "deletes",
    "exit_code",
    "exit_name",
    "plan_digest",
    "widens",
]
HOSTILE = "##vso[task.setvariable variable=x]1 ::error::y <!-- z --> reconciler_ EOF"


@pytest.fixture
def github(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a job of GitHub; its files are in a folder."""
    there = folder / "runner"
    there.mkdir()
    given = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(there / "output"),
        "GITHUB_STEP_SUMMARY": str(there / "summary"),
        "GITHUB_ACTOR": "octocat",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_REF": "refs/heads/main",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return there


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a job of Azure."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("TF_BUILD", "True")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No platform, whatever runs the tests."""
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)


def _left(folder: Path, out: str = "out") -> set[str]:
    return {path.name for path in (folder / out).iterdir()}


def _step_outputs(there: Path) -> dict[str, str]:
    """What a runner reads of the file of outputs."""
    text = (there / "output").read_text(encoding="utf-8")
    values = {}
    while text:
        match = re.match(r"(\w+)<<(\S+)\n(.*?)\n?\2\n", text, re.DOTALL)
        assert match is not None, text
        values[match[1]], text = match[3], text[match.end() :]
    return values


def _job(folder: Path) -> dict[str, object]:
    job: dict[str, object] = json.loads((folder / "out" / "output.json").read_bytes())["job"]
    return job


def test_a_plan_leaves_everything(run: Run, folder: Path, github: Path) -> None:
    ran = run("ci", "plan", *SIM, "--out", "out")
    assert ran.code == 0, ran.err
    assert _left(folder) == {*ALWAYS, "plan.json", "plan.md", "plan.html"}
    assert sorted(_step_outputs(github)) == OUTPUTS
    envelope = json.loads((folder / "out" / "output.json").read_bytes())
    plan = json.loads((folder / "out" / "plan.json").read_bytes())
    assert envelope["command"] == "ci plan"
    assert envelope["plan"] == plan
    assert envelope["job"] == {
        "artefacts": sorted(_left(folder)),
        "outputs": _step_outputs(github),
        "platform": "github",
    }
    assert _step_outputs(github) == {
        "applicable": "true",
        "changes": str(len(plan["changes"])),
        "content_digest": plan["content_digest"],
        "covered": "",
        "deletes": str(sum("delete" in change["actions"] for change in plan["changes"])),
        "exit_code": "0",
        "exit_name": "ok",
        "plan_digest": plan["digest"],
        "widens": str(envelope["summary"]["widens"]),
    }
    summary = (github / "summary").read_bytes()
    assert summary == (folder / "out" / "summary.md").read_bytes()
    assert b"3 applications newly reach" in summary
    tests = ET.parse(folder / "out" / "junit.xml").getroot()  # noqa: S314  our own
    assert (tests.get("tests"), tests.get("failures")) == ("5", "0")
    log = json.loads((folder / "out" / "findings.sarif").read_bytes())["runs"][0]
    assert log["invocations"][0]["executionSuccessful"] is True
    assert log["results"] == []


@pytest.mark.parametrize(("typed", "code"), [("0", 0), ("2", 2)])
def test_changes_have_the_exit_code_that_was_asked_for(
    run: Run, folder: Path, github: Path, typed: str, code: int
) -> None:
    assert run("ci", "plan", *SIM, "--out", "out", "--changes-are", typed).code == code
    assert _step_outputs(github)["exit_code"] == str(code)
    assert run("ci", "drift", *SIM, "--out", "out", "--changes-are", typed).code == code


def _faulty(folder: Path) -> None:
    (folder / "policies" / "more.yaml").write_text("kind: [", encoding="utf-8")


def _refused(folder: Path) -> None:
    (folder / "policies" / "tenant.yaml").write_text(tenant_document(), encoding="utf-8")


def _unreadable(folder: Path) -> None:
    (folder / "tenant.json").write_text("{", encoding="utf-8")


def _defect(*_: object, **__: object) -> None:
    raise RuntimeError("nobody thought of this")


OUTCOMES = {
    "faulty": (_faulty, 3, "findings", False),
    "refused": (_refused, 4, "refused", True),
    "unreadable": (_unreadable, 1, "error", False),
    "defect": (None, 1, "error", False),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("command", ["plan", "drift", "apply"])
def test_every_outcome_leaves_its_artefacts(
    run: Run,
    folder: Path,
    github: Path,
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    command: str,
) -> None:
    spoil, code, name, planned = OUTCOMES[outcome]
    if spoil is None:
        monkeypatch.setattr(making, "make_plan", _defect)
    else:
        spoil(folder)
    before = (folder / "tenant.json").read_bytes()
    ran = (
        run("ci", command, *SIM, "--out", "out", "--changes-are", "2")
        if (command != "apply")
        else run("ci", command, *SIM, "--out", "out")
    )
    if (outcome, command) == ("refused", "drift"):
        code, name = 2, "changes-pending"  # what a plan would refuse is drift all the same
    assert ran.code == code, ran.err
    left = _left(folder)
    assert left >= ALWAYS
    assert ("plan.json" in left) is planned
    assert {
        f"{command if not planned or command == 'drift' else 'plan'}.{kind}"
        for kind in ("md", "html")
    } <= left
    outputs = _step_outputs(github)
    assert (outputs["exit_code"], outputs["exit_name"]) == (str(code), name)
    assert outputs["applicable"] == "false"
    assert (outputs["plan_digest"] == "") is not planned
    assert json.loads((folder / "out" / "output.json").read_bytes())["exit_code"] == code
    assert ET.parse(folder / "out" / "junit.xml") is not None  # noqa: S314  our own
    assert (github / "summary").read_text(encoding="utf-8").strip()
    assert (folder / "tenant.json").read_bytes() == before
    if not planned:
        assert "The run failed" in (github / "summary").read_text(encoding="utf-8")
        assert "::error" in ran.out
        log = json.loads((folder / "out" / "findings.sarif").read_bytes())["runs"][0]
        assert log["invocations"][0]["executionSuccessful"] is False
        assert log["results"]


def test_what_an_earlier_job_left_is_gone(run: Run, folder: Path) -> None:
    assert run("ci", "plan", *SIM, "--out", "out").code == 0
    (folder / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    _faulty(folder)
    assert run("ci", "plan", *SIM, "--out", "out").code == 3
    assert _left(folder) == {*ALWAYS, "plan.md", "plan.html", "mine.txt"}


def test_a_folder_that_has_what_is_read_is_refused(run: Run, folder: Path) -> None:
    assert run("ci", "plan", *SIM, "--out", "out").code == 0
    kept = (folder / "out" / "plan.json").read_bytes()
    ran = run("ci", "apply", "out/plan.json", *SIM, "--out", "out")
    assert ran.code == 64
    assert "choose another folder" in ran.err
    assert (folder / "out" / "plan.json").read_bytes() == kept
    followed = run("ci", "apply", "out/plan.json", *SIM, "--out", "other")
    assert followed.code == 0, followed.err


def test_without_people_there_is_no_json(run: Run, folder: Path, github: Path) -> None:
    ran = run("ci", "plan", *SIM, "--out", "out", "--redact", "names")
    assert ran.code == 0, ran.err
    assert not {name for name in _left(folder) if name.endswith((".json", ".jsonl"))}
    texts = [path.read_text(encoding="utf-8") for path in (folder / "out").iterdir()]
    for text in (*texts, ran.out, ran.err, *(path.read_text() for path in github.iterdir())):
        assert "Megan Bowen" not in text
        assert "a194c55d-70a1-4da8-b44d-144c97d003e8" not in text


def test_azure_gets_its_commands(run: Run, folder: Path, azure: None) -> None:
    _faulty(folder)
    ran = run("ci", "plan", *SIM, "--out", "out")
    assert ran.code == 3
    commands = [line for line in ran.out.splitlines() if line.startswith("##vso[")]
    assert commands[0] == f"##vso[task.uploadsummary]{folder.resolve()}/out/summary.md"
    assert commands[1].startswith("##vso[task.logissue type=error;")
    assert [command.partition("=")[2].partition(";")[0] for command in commands[2:]] == OUTPUTS
    assert "##vso[task.setvariable variable=exit_code;isOutput=true]3" in commands
    assert _job(folder)["platform"] == "azure"


@pytest.mark.parametrize("platform", ["github", "azure"])
def test_a_text_of_a_document_is_no_command(
    run: Run, folder: Path, request: pytest.FixtureRequest, platform: str
) -> None:
    request.getfixturevalue(platform)
    document = teams_document("Hostile", "{applications: [], description: DESCRIPTION}")
    text = document.replace("DESCRIPTION", json.dumps(HOSTILE))
    (folder / "policies" / "more.yaml").write_text(text, encoding="utf-8")
    (folder / "policies" / f"{HOSTILE.replace('/', '')}.yaml").write_text("a: 1", encoding="utf-8")
    ran = run("ci", "plan", *SIM, "--out", "out")
    assert ran.code == 3
    for line in ran.out.splitlines():
        assert not line.startswith(("##vso[task.setvariable variable=x", "::error::"))
        assert "##vso[" not in line[1:]
    summary = (folder / "out" / "summary.md").read_text(encoding="utf-8")
    assert "\n<!--" not in summary
    assert re.sub(r"(`+).*?\1", "", summary).count("<!--") == 1, "its own, at the top"


def test_a_value_with_the_delimiter_in_it_is_no_output() -> None:
    token = "0" * 32
    assert pipelines.github_outputs({"a": "1\n2"}, token) == (
        f"a<<reconciler_{token}\n1\n2\nreconciler_{token}\n"
    )
    with pytest.raises(ValueError, match="delimiter"):
        pipelines.github_outputs({"a": f"1\nreconciler_{token}\nb=2"}, token)


def test_a_value_of_azure_stays_in_its_command() -> None:
    (line, end) = pipelines.azure_outputs({"a]b;c": "1\n##vso[x]%"}).split("\n")
    assert line == ("##vso[task.setvariable variable=a%5Db%3Bc;isOutput=true]1%0A##vso[x]%AZP25")
    assert end == ""


def test_outputs_that_cannot_be_written_fail_the_job(
    run: Run, folder: Path, github: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder / "nowhere" / "output"))
    ran = run("ci", "plan", *SIM, "--out", "out")
    assert ran.code == ReconcilerError.exit_code
    assert "GITHUB_OUTPUT" in ran.err
    assert _left(folder) >= {*ALWAYS, "plan.json"}


def _records(folder: Path) -> list[Path]:
    return sorted((folder / "state").rglob("job-*.json"))


def _applied(run: Run, *more: str) -> Ran:
    return run("ci", "apply", *SIM, "--out", "out", "--state-dir", "state", *more)


def test_an_apply_is_recorded_beside_its_journal(run: Run, folder: Path, github: Path) -> None:
    assert run("plan", *SIM, "--out", "approved.json").code == 0
    approved = json.loads((folder / "approved.json").read_bytes())
    ran = _applied(run, "--approved", "approved.json", "--approved-by", "reviewer")
    assert ran.code == 0, ran.err
    assert _left(folder) == {
        *ALWAYS,
        *("plan.json", "plan.md", "plan.html", "apply.md", "apply.html"),
        *("events.jsonl", "job.json"),
    }
    (file,) = _records(folder)
    record = json.loads(file.read_bytes())
    assert record == json.loads((folder / "out" / "job.json").read_bytes())
    assert [path.name for path in file.parent.glob("apply-*.jsonl")] == ["apply-000001.jsonl"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {name: record[name] for name in ("approved", "approved_by", "exit_name")} == {
        "approved": approved["content_digest"],
        "approved_by": ["reviewer"],
        "exit_name": "ok",
    }
    assert record["origin"]["actor"] == "octocat"
    assert record["origin"]["run"] == "https://github.example/o/r/actions/runs/7/attempts/2"
    assert "Apply `complete!`" in (github / "summary").read_text(encoding="utf-8")


def test_an_apply_that_was_not_approved_is_recorded_too(run: Run, folder: Path) -> None:
    assert run("plan", *SIM, "--out", "approved.json").code == 0
    (folder / "policies" / "more.yaml").write_text(teams_document("More", "{applications: []}"))
    before = (folder / "tenant.json").read_bytes()
    ran = _applied(run, "--approved", "approved.json")
    assert ran.code == 5
    assert (folder / "tenant.json").read_bytes() == before
    (file,) = _records(folder)
    assert json.loads(file.read_bytes())["exit_name"] == "stale"
    assert "does not cover this plan" in (folder / "out" / "summary.md").read_text()
    assert _left(folder) >= {*ALWAYS, "plan.json", "job.json"}


def test_the_platforms_are_told_by_their_variables() -> None:
    assert platforms.origin({}).platform is Platform.NONE
    assert platforms.origin({"GITHUB_ACTIONS": "true"}).platform is Platform.GITHUB
    given = {"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "somebody"}
    assert platforms.origin(given).platform is Platform.AZURE
    assert platforms.origin(given).actor == "somebody"


def test_every_artefact_has_a_known_name(run: Run, folder: Path) -> None:
    for command in ("plan", "drift", "apply"):
        run("ci", command, *SIM, "--out", "out")
        assert _left(folder) <= jobs.ARTEFACTS


def _covered(run: Run, folder: Path, *options: str) -> tuple[int, str, str]:
    """How `ci plan --approved` ends, its output, and what it says."""
    ran = run("ci", "plan", *SIM, "--out", "out", "--approved", "approved.json", *options)
    outputs = _job(folder)["outputs"]
    assert isinstance(outputs, dict)
    return ran.code, outputs["covered"], ran.err


def test_a_plan_tells_whether_an_approval_covers_it(run: Run, folder: Path) -> None:
    run("plan", *SIM, "--out", "approved.json")
    code, covered, told = _covered(run, folder)
    assert (code, covered) == (0, "true")
    assert "The approval of approved.json covers this plan." in told
    crm = folder / "policies" / "exchange" / "crm.yaml"
    crm.write_text(crm.read_text().replace("description: ", "description: Edited. "))
    run("ci", "plan", *SIM, "--out", "out")
    assert _job(folder)["outputs"]["covered"] == ""
    code, covered, told = _covered(run, folder)
    assert (code, covered) == (0, "false")
    assert "does not cover this plan" in told


def test_whether_an_approval_covers_a_redacted_plan_is_not_asked(run: Run, folder: Path) -> None:
    run("plan", *SIM, "--out", "approved.json")
    ran = run(
        "ci", "plan", *SIM, "--out", "out", "--approved", "approved.json", "--redact", "names"
    )
    assert ran.code == 64
    assert "cannot be used together" in ran.err


def test_what_the_documents_alone_contradict_fails_also_where_a_part_is_planned(
    run: Run, folder: Path
) -> None:
    """The plan of a part excuses a test that fails before in the same way; the documents do not."""
    write(folder, "scheduling-bot meetingsOf 53c5584d-7e21-4eb4-bdb6-b8ff045cbe4a granted")
    part = (*SIM, "--only", "application/crm")
    assert run("plan", *part).code == 0
    ran = run("ci", "plan", *part, "--out", "out")
    assert ran.code == 3
    assert "the documents make it denied" in " ".join((ran.out + ran.err).split())


@pytest.mark.parametrize(
    ("option", "planned"),
    [
        (("--path", "policies"), ("policies",)),
        (("--allow", "limits:teams.policy"), ("--allow", "limits:teams.policy")),
        (("--only", "application/crm"), ("--only", "application/crm")),
    ],
)
def test_what_a_plan_is_made_with_is_given_to_the_command_that_makes_it(
    run: Run, folder: Path, option: tuple[str, ...], planned: tuple[str, ...]
) -> None:
    run("plan", *SIM, "--out", "plan.json")
    ran = run("ci", "apply", "plan.json", *SIM, "--out", "out", *option)
    assert ran.code == 64
    assert "cannot be used with PLAN.json" in ran.err
    assert run("plan", *SIM, *planned, "--out", "plan.json").code == 0
    assert run("ci", "apply", "plan.json", *SIM, "--out", "out").code == 0
