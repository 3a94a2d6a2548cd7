"""What is suggested works: typed into the files as it is printed, the documents have no fault and let
the application in; and it widens the default of nobody.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import settle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
TEAMS = (
    '{"error": {"code": "Forbidden", "message": "No application access policy found for this app"}}'
)
EXCHANGE = '{"error": {"code": "ErrorAccessDenied", "message": "Access to OData is disabled."}}'
PEOPLE = ("adele.vance", "patti.fernandez", "isaiah.langer", "svc-meetings")
CASES = [
    *((TEAMS, "--meetings-of", app, who) for app in ("crm", "webinar-studio") for who in PEOPLE),
    (TEAMS, "--meetings-of", "scheduling-bot", "patti.fernandez"),
    (TEAMS, "--meetings-of", "scheduling-bot", "svc-meetings"),
    (TEAMS, "--meetings-of", "meeting-service", "alex.wilber"),
    (EXCHANGE, "--mailbox", "crm", "megan.bowen"),
    (EXCHANGE, "--mailbox", "crm", "zoe.lindqvist"),
    (EXCHANGE, "--mailbox", "ticket-sync", "nestor.wilke"),
    (EXCHANGE, "--mailbox", "mailbox-analytics", "adele.vance"),
]


def _typed_in(edit: dict[str, Any], folder: Path) -> None:
    """Do what one suggestion says, as somebody would with an editor."""
    for line in sorted(edit["lines"], key=lambda line: -line["line"]):
        file = folder / line["file"]
        lines = file.read_text(encoding="utf-8").split("\n")
        if line["before"] is not None:
            assert lines[line["line"] - 1] == line["before"]
        new = [] if line["after"] is None else [line["after"]]
        first = line["line"] - (line["before"] is not None)
        lines[first : line["line"]] = new
        file.write_text("\n".join(lines), encoding="utf-8")
    if edit["document"]:
        file = folder / (edit["file"] or "policies/new.yaml")
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(before + "\n".join(edit["document"]) + "\n", encoding="utf-8")


def _everyone(run: Run, application: str) -> set[str]:
    """The rules by which everyone is reached; of whom they except there may be fewer."""
    ran = run("reach", "--app", application, *SIM, "--format", "json")
    rows = json.loads(ran.out)["reach"]["rows"]
    return {row["rule"] for row in rows if row["kind"] == "everyone" and row["after"]}


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("error", "option", "app", "who"), CASES, ids=lambda value: value.strip("-")[:20]
)
def test_each_suggestion_lets_the_application_in(
    run: Run, tmp_path: Path, error: str, option: str, app: str, who: str
) -> None:
    settle(tmp_path)
    asked = ("diagnose", "-", "--app", app, "--user", who, *SIM, "--format", "json")
    answer = json.loads(run(*asked, stdin=error).out)["diagnosis"]
    before = _everyone(run, app)
    if answer["cause"] != "denied-by-policy":
        assert answer["edits"] == []
        return
    assert answer["edits"]
    files = {
        path: path.read_text(encoding="utf-8")
        for path in (tmp_path / "policies").rglob("*")
        if path.is_file()
    }
    for edit in answer["edits"]:
        assert (edit["obstacle"] is None) == bool(edit["lines"] or edit["document"])
        if edit["obstacle"] is not None:
            continue
        _typed_in(edit, tmp_path)
        assert run("validate").code == 0
        explained = run("explain", "--app", app, option, who, *SIM, "--format", "json")
        assert json.loads(explained.out)["explanation"]["verdict"] == "granted"
        assert _everyone(run, app) == before
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        (tmp_path / "policies" / "new.yaml").unlink(missing_ok=True)


def test_what_no_document_declares_is_not_edited(run: Run, tmp_path: Path) -> None:
    settle(tmp_path)
    (tmp_path / "policies/teams/webinars.yaml").unlink()
    asked = ("diagnose", "-", "--app", "scheduling-bot", "--user", "patti.fernandez", *SIM)
    answer = json.loads(run(*asked, "--format", "json", stdin=TEAMS).out)["diagnosis"]
    obstacles = {edit["address"]: edit["obstacle"] for edit in answer["edits"]}
    assert obstacles["teams.policy/Webinars"] == "undeclared"
    assert obstacles["teams.policy/Test-policy"] is None
    assert "`reconciler export` writes one" in run(*asked, stdin=TEAMS).out


def test_a_policy_without_a_list_of_users_gets_none(run: Run, tmp_path: Path) -> None:
    settle(tmp_path)
    file = tmp_path / "policies/teams/test-policy.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.index("    users:")], encoding="utf-8")
    asked = ("diagnose", "-", "--app", "scheduling-bot", "--user", "patti.fernandez", *SIM)
    answer = json.loads(run(*asked, "--format", "json", stdin=TEAMS).out)["diagnosis"]
    first = answer["edits"][0]
    assert (first["address"], first["obstacle"]) == ("teams.policy/Test-policy", "no-list")
    assert any(edit["document"] for edit in answer["edits"])


@pytest.mark.parametrize("name", ["people.csv", "people.txt"])
def test_a_list_in_a_file_gets_a_row(run: Run, tmp_path: Path, name: str) -> None:
    settle(tmp_path)
    text = "adele.vance@contoso.com\n"
    if name.endswith("csv"):
        text = f"UserPrincipalName;Department;DisplayName\n{text.strip()};x;Adele\n"
    (tmp_path / "policies/teams" / name).write_text(text, encoding="utf-8")
    file = tmp_path / "policies/teams/my-app-policy.yaml"
    head = file.read_text(encoding="utf-8").split("    users:")[0]
    file.write_text(f"{head}    usersFrom: {name}\n", encoding="utf-8")
    (tmp_path / "policies/teams/meeting-hosts.csv").write_text("user\nalex.wilber@contoso.com\n")
    asked = ("diagnose", "-", "--app", "meeting-service", "--user", "megan.bowen", *SIM)
    answer = json.loads(run(*asked, "--format", "json", stdin=TEAMS).out)["diagnosis"]
    granted = next(edit for edit in answer["edits"] if edit["remedy"] == "grant-policy")
    row = granted["lines"][0]["after"]
    wanted = "megan.bowen@contoso.com;;Megan Bowen" if name.endswith("csv") else "a194c55d-"
    assert row.startswith(wanted)
    _typed_in(granted, tmp_path)
    explained = run(
        *("explain", "--app", "meeting-service", "--meetings-of", "megan.bowen", *SIM),
        *("--format", "json"),
    )
    assert json.loads(explained.out)["explanation"]["verdict"] == "granted"


def test_a_list_in_utf_16_is_edited_too(run: Run, tmp_path: Path) -> None:
    settle(tmp_path)
    file = tmp_path / "policies/teams/meeting-hosts.csv"
    file.write_bytes(file.read_text(encoding="utf-8").encode("utf-16"))
    asked = ("diagnose", "-", "--app", "webinar-studio", "--user", "adele.vance", *SIM)
    ran = run(*asked, "--format", "json", stdin=TEAMS)
    assert ran.code == 0
    lines = [line for edit in json.loads(ran.out)["diagnosis"]["edits"] for line in edit["lines"]]
    gone = [line for line in lines if line["after"] is None]
    assert {line["before"] for line in gone} == {"adele.vance@contoso.com,Adele Vance"}


def test_a_row_has_the_columns_of_the_header_below_blank_lines(run: Run, tmp_path: Path) -> None:
    settle(tmp_path)
    text = "\n\nlabel,user\nAdele,adele.vance@contoso.com\n"
    (tmp_path / "policies/teams/meeting-hosts.csv").write_text(text, encoding="utf-8")
    asked = ("diagnose", "-", "--app", "scheduling-bot", "--user", "patti.fernandez", *SIM)
    file = tmp_path / "policies/teams/test-policy.yaml"
    head = file.read_text(encoding="utf-8").split("    users:")[0]
    file.write_text(f"{head}    usersFrom: meeting-hosts.csv\n", encoding="utf-8")
    answer = json.loads(run(*asked, "--format", "json", stdin=TEAMS).out)["diagnosis"]
    granted = next(edit for edit in answer["edits"] if edit["remedy"] == "grant-policy")
    row = granted["lines"][0]["after"]
    assert row.endswith(",79368a13-cc26-4b3d-ab2c-9272547ae537")
