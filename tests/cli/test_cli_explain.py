"""`explain`: the same question to the documents, to a plan file and to a capture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

ADELE, MEGAN = "96bbc949-beec-42b2-9e5f-b41210deda23", "a194c55d-70a1-4da8-b44d-144c97d003e8"
EVEN = "2962985c-b755-459a-8836-cc602f71f120"
ANALYTICS, BOT = "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b", "ddb80e06-92f3-4978-bc22-a0eee85e6a9e"


@pytest.fixture
def here(folder: Path, run: Run) -> Path:
    assert run("plan", "--out", "plan.json").code == 0
    assert run("fetch", "--out", "capture.json").code == 0
    return folder


@pytest.mark.usefixtures("folder")
def test_the_text_says_what_decides_and_where_it_is_declared(run: Run) -> None:
    ran = run("explain", "--app", "mailbox-analytics", "--mailbox", "Adele.Vance@contoso.com")
    restrict = "mailbox-analytics on EvenUsers@contoso.com, declared at"
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "SIMULATED TENANT: nothing here comes from or goes to Microsoft 365.",
        "",
        ("DENIED: mailbox-analytics to the mailbox Adele Vance, once the documents are applied"),
        "  Decided by the policies of mailbox-analytics",
        "",
        "Because, in the order in which the service asks:",
        "  1. a RestrictAccess policy does not cover the mailbox:",
        f"    {restrict} policies/exchange/even-users.yaml:7:10",
        "  2. the application is restricted: it reaches only what a RestrictAccess policy covers:",
        "    the policies of mailbox-analytics",
        "",
        "What would change it:",
        "  - add the mailbox to the scope of this RestrictAccess policy:",
        f"    {restrict} policies/exchange/even-users.yaml:7:10",
    ]
    with_ids = run("explain", "--app", "mailbox-analytics", "--mailbox", ADELE, "--ids").out
    assert f"({ANALYTICS})" in with_ids
    assert f"({ADELE})" in with_ids


def _asked(run: Run, *arguments: str) -> dict:
    ran = run("explain", *arguments, "--format", "json")
    assert ran.code == 0, ran.err
    answer: dict = json.loads(ran.out)["explanation"]
    return answer


@pytest.mark.usefixtures("here")
def test_documents_plan_and_capture_answer_for_their_own_time(run: Run) -> None:
    question = ("--app", BOT.upper(), "--meetings-of", MEGAN)
    desired, planned = _asked(run, *question), _asked(run, *question, "--plan", "plan.json")
    captured = _asked(run, *question, "--capture", "capture.json")
    assert [each["verdict"] for each in (desired, planned, captured)] == [
        "granted",
        "granted",
        "denied",
    ]
    assert [each["basis"] for each in (desired, planned, captured)] == [
        "desired",
        "plan",
        "capture",
    ]
    assert desired["decided_by"] == planned["decided_by"] == "teams.policy/Test-policy"
    assert desired["path"][0]["declared_at"] == "policies/teams/meeting-hosts.csv:4:1"
    assert planned["path"][0]["declared_at"] is None, (
        "the file lists a principal name, and a plan file does not tell whose that is"
    )
    assert captured["decided_by"] == "teams.policy/Global"
    assert {one["remedy"] for one in captured["would_change"]} == {
        "grant-policy",
        "list-application",
    }


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "question",
    [
        ("--app", "scheduling-bot", "--meetings-of", "adele.vance@contoso.com"),
        ("--app", "scheduling-bot", "--meetings-of", ADELE),
        ("--app", "mailbox-analytics", "--mailbox", "adele.vance@contoso.com"),
        ("--app", "9d9e9ef6-700e-43b4-b202-9af752d31077", "--mailbox", ADELE),
    ],
    ids=[
        "a name",
        "a grant that the plan leaves alone",
        "members",
        "an application that the plan leaves alone",
    ],
)
def test_what_a_plan_file_does_not_carry_depends(run: Run, question: tuple[str, ...]) -> None:
    answer = _asked(run, *question, "--plan", "plan.json")
    assert (answer["verdict"], answer["decided_by"]) == ("depends", None)
    assert {one["remedy"] for one in answer["would_change"]} == {"learn"}
    assert _asked(run, *question)["verdict"] in {"granted", "denied"}


def test_a_capture_needs_no_documents(run: Run, here: Path) -> None:
    (here / "policies").rename(here / "elsewhere")
    answer = _asked(run, "--app", ANALYTICS, "--mailbox", ADELE, "--capture", "capture.json")
    assert answer["verdict"] == "granted"
    assert {one["declared_at"] for one in answer["path"]} == {None}
    assert (
        run("explain", "--app", "crm", "--mailbox", ADELE, "--capture", "capture.json").code == 64
    )
    assert (
        _asked(run, "elsewhere", "--app", "crm", "--mailbox", ADELE, "--capture", "capture.json")[
            "application"
        ]["name"]
        == "crm"
    )


def test_names_that_were_not_found_are_said(run: Run, folder: Path) -> None:
    with (folder / "policies/teams/meeting-hosts.csv").open("a", encoding="utf-8") as hosts:
        hosts.write("left@contoso.com,Left\n")
    told = run("explain", "--app", "crm", "--mailbox", ADELE).out
    assert (
        "once the documents are applied (names in them that were not found: 1; reconciler plan"
        " lists them)\n" in told
    )


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--app", "crm"), "exactly one of --meetings-of USER"),
        (
            ("--app", "crm", "--mailbox", "a@b", "--meetings-of", "c"),
            "exactly one of --meetings-of USER",
        ),
        (
            (
                "--app",
                "crm",
                "--mailbox",
                "a@b",
                "--plan",
                "plan.json",
                "--capture",
                "capture.json",
            ),
            "--plan and --capture cannot be used together",
        ),
        (("--app", "crn", "--mailbox", ADELE), "declared: attendance-reports, crm"),
        (
            ("--app", "crm", "--mailbox", "no.such@contoso.com"),
            "mailbox 'no.such@contoso.com' not found in the tenant",
        ),
        (
            ("--app", "crm", "--mailbox", "board@contoso.com"),
            "'board@contoso.com' is a mail-enabled security group",
        ),
        (
            ("--app", "crm", "--meetings-of", "no.such@contoso.com"),
            "user 'no.such@contoso.com' not found in the tenant",
        ),
    ],
)
def test_questions_that_cannot_be_meant(run: Run, arguments: tuple[str, ...], message: str) -> None:
    ran = run("explain", *arguments)
    assert ran.code == 64
    assert message in ran.err


@pytest.mark.usefixtures("here")
def test_the_text_of_what_depends_and_of_what_is_granted(run: Run) -> None:
    depends = run(
        "explain",
        "--app",
        "mailbox-analytics",
        "--mailbox",
        "adele.vance@contoso.com",
        "--plan",
        "plan.json",
    ).out
    assert (
        "\nDEPENDS on what is not known: mailbox-analytics to the mailbox adele.vance@contoso.com,"
        " once the plan" in depends
    )
    assert "\nWhat would decide it:\n  - resolve this" in depends
    granted = run(
        "explain", "--app", "mailbox-analytics", "--mailbox", ADELE, "--capture", "capture.json"
    ).out
    assert granted.startswith("GRANTED: mailbox-analytics to the mailbox Adele Vance, as captured")
    assert "  1. a RestrictAccess policy covers the mailbox:\n" in granted
    assert "No access policy blocks it, and mailbox-analytics holds Mail.Read" in granted


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("listed", "word", "told", "permission"),
    [
        ("", "NOT BLOCKED", "whether asker holds a permission for it is not known", None),
        (
            "permissions: [Mail.Send, User.Read.All]",
            "GRANTED",
            "asker holds Mail.Send",
            "Mail.Send",
        ),
        (
            "permissions: [full_access_as_app]",
            "GRANTED",
            "full_access_as_app",
            "full_access_as_app",
        ),
        ("permissions: [User.Read.All]", "NOT BLOCKED", "none is for mailboxes", ""),
    ],
)
def test_exchange_blocks_and_a_permission_grants(
    run: Run, here: Path, listed: str, word: str, told: str, permission: str | None
) -> None:
    """An access policy only narrows what a permission gives."""
    (here / "asker.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Application\nmetadata: {name: asker}\n"
        f"spec:\n  appId: 9d9e9ef6-700e-43b4-b202-9af752d31077\n  {listed}\n",
        encoding="utf-8",
    )
    question = ("asker.yaml", "--app", "asker", "--mailbox", ADELE, "--capture", "capture.json")
    text = run("explain", *question).out
    assert text.startswith(f"{word}: asker to the mailbox Adele Vance")
    assert told in " ".join(text.split())
    assert _asked(run, *question)["permission"] == permission
    page = run("explain", *question, "--format", "markdown").out
    assert f"### {word}: `asker` to the mailbox" in page
