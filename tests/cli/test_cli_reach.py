"""`reach`, `who` and `list`: what there is and who reaches whom, now and after the documents."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import TENANT_ID
from tests.reports.html_pages import HtmlPage
from tests.reports.markdown_parsed import Parsed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
ADELE, MEGAN = "96bbc949-beec-42b2-9e5f-b41210deda23", "a194c55d-70a1-4da8-b44d-144c97d003e8"
LYNNE = "5c43c61c-863c-4f84-810f-656dec65395e"
BOT, ANALYTICS = "ddb80e06-92f3-4978-bc22-a0eee85e6a9e", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"


def _asked(run: Run, member: str, *command: str) -> dict[str, Any]:
    ran = run(*command, "--format", "json")
    assert ran.code == 0, ran.err
    answer: dict[str, Any] = json.loads(ran.out)[member]
    return answer


def test_what_an_application_reaches(run: Run, folder: Path) -> None:
    assert folder
    answer = _asked(run, "reach", "reach", "--app", "scheduling-bot", *SIM)
    rows = {
        (row["kind"], person, row["now"], row["after"]): row["declared_at"]
        for row in answer["rows"]
        if row["product"] == "teams"
        for person in row["ids"] or ["-"]
    }
    assert rows[("user", MEGAN, False, True)] == "policies/teams/test-policy.yaml:2:1"
    assert ("user", ADELE, True, True) in rows
    assert ("user", LYNNE, True, False) in rows
    assert ("everyone", "-", False, True) in rows
    text = run("reach", "--app", BOT, *SIM).out
    for told in ("Megan Bowen", "only after", "now and after", "only now", "test-policy.yaml:2"):
        assert told in text
    page = Parsed(run("reach", "--app", BOT, *SIM, "--format", "markdown").out)
    assert "Megan Bowen" in page.told()


@pytest.mark.parametrize("person", [ADELE, MEGAN, LYNNE])
def test_reach_who_and_explain_agree(run: Run, folder: Path, person: str) -> None:
    assert folder
    who = _asked(run, "who", "who", person, *SIM)
    verdicts = {
        (row["application"]["id"], row["product"]): (row["now"], row["after"])
        for row in who["rows"]
    }
    for application in (BOT, ANALYTICS):
        for product, option in (("teams", "--meetings-of"), ("exchange", "--mailbox")):
            question = ("--app", application, option, person, *SIM)
            after = _asked(run, "explanation", "explain", *question)["verdict"]
            now = _asked(run, "explanation", "explain", *question, "--now")["verdict"]
            assert verdicts.get((application, product), ("denied", "denied")) == (now, after)
    reached = _asked(run, "reach", "reach", "--app", BOT, *SIM)["rows"]
    direct = [row for row in reached if row["kind"] == "user" and person in row["ids"]]
    for row in direct:
        for time, verdict in zip(("now", "after"), verdicts[BOT, "teams"], strict=True):
            assert verdict == "granted" or not row[time]


@pytest.mark.parametrize(
    "name",
    ["adele.vance", "Adele Vance", "ADELE.VANCE@contoso.com", ADELE.upper(), "vance", "Adele V"],
)
def test_a_name_is_matched_generously(run: Run, folder: Path, name: str) -> None:
    assert folder
    answer = _asked(run, "who", "who", name, *SIM)
    assert [(row["id"], row["kind"]) for row in answer["subjects"]] == [
        (ADELE, "user"),
        (ADELE, "mailbox"),
    ]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("who", "a"), "may be 2: Alex Wilber"),
        (("who", "nobody.here"), "no user and no mailbox is called 'nobody.here'"),
        (("who", "board@contoso.com"), "which has no mailbox of its own"),
        (("reach", "--app", "crn"), "'crn' is not a client id"),
        (("list", "--app", "crn"), "'crn' is not a client id"),
        (("list", "--policy", "no such"), "the tenant has no policy of that name"),
        (
            ("explain", "--now", "--capture", "tenant.json", "--app", BOT, "--mailbox", ADELE),
            "--now",
        ),
    ],
)
def test_what_cannot_be_meant(run: Run, folder: Path, command: tuple[str, ...], told: str) -> None:
    assert folder
    ran = run(*command, *(() if "--capture" in command else SIM))
    assert ran.code == 64
    assert told in ran.err


def test_a_mailbox_is_blocked_or_not_and_permissions_decide_the_rest(
    run: Run, folder: Path
) -> None:
    assert folder
    text = run("who", "adele.vance", *SIM).out
    rows = {line.split()[0]: line.split()[1:3] for line in text.splitlines() if "  " in line[2:]}
    assert rows["mailbox-analytics"] == ["granted", "denied"]
    assert "Not blocked, but their documents list no permission for mailboxes: " in text
    assert "EVERY mailbox" in run("reach", "--app", "scheduling-bot", *SIM).out
    reach = _asked(run, "reach", "reach", "--app", "scheduling-bot", *SIM)
    assert reach["permission"] == ""
    assert _asked(run, "reach", "reach", "--app", ANALYTICS, *SIM)["permission"] == "Mail.Read"


def _objects(run: Run, *options: str) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = _asked(run, "inventory", "list", *SIM, *options)["objects"]
    return objects


def test_everything_that_there_is(run: Run, folder: Path) -> None:
    assert folder
    answer = _asked(run, "inventory", "list", *SIM)
    state = json.loads((folder / "tenant.json").read_text(encoding="utf-8"))
    exchange, teams = answer["counts"]
    assert exchange == {
        "grants": 0,
        "grants_managed": 0,
        "policies": len(state["exchange"]["policies"]),
        "policies_managed": 4,
        "product": "exchange",
    }
    assert (teams["policies"], teams["policies_managed"]) == (len(state["teams"]["policies"]), 3)
    unmanaged = [row["address"] for row in answer["objects"] if not row["managed"]]
    planned = json.loads(run("plan", *SIM, "--format", "json").out)["plan"]["unmanaged"]
    assert set(unmanaged) == {
        note["address"] for note in planned if not note["address"].startswith("teams.grant/")
    }
    groups = {
        f"teams.grant/group:{group['group']}"
        for row in answer["objects"]
        for group in row["groups"]
        if not group["managed"]
    }
    assert groups == {
        note["address"] for note in planned if note["address"].startswith("teams.grant/")
    }
    grants = sum(len(row["users"]) + len(row["groups"]) for row in answer["objects"])
    assert grants == teams["grants"]


@pytest.mark.parametrize(
    ("options", "addresses"),
    [
        (("--policy", "webinars"), ["teams.policy/Webinars"]),
        (("--policy", "teams.policy/Global"), ["teams.policy/Global"]),
        (("--app", "scheduling-bot"), ["teams.policy/Test-policy"]),
        (("--app", BOT.upper(), "--policy", "webinars"), []),
        (("--unmanaged", "--policy", "Legacy-recorder"), ["teams.policy/Legacy-recorder"]),
    ],
)
def test_what_is_asked_for(
    run: Run, folder: Path, options: tuple[str, ...], addresses: list[str]
) -> None:
    assert folder
    assert [row["address"] for row in _objects(run, *options)] == addresses


def test_a_scope_is_named_as_people_name_it(run: Run, folder: Path) -> None:
    assert folder
    by_address = _objects(run, "--policy", "crm-mailboxes@contoso.com")
    assert {row["right"] for row in by_address} == {"RestrictAccess"}
    assert len(by_address) == 2
    assert _objects(run, "--policy", by_address[0]["scope"].upper()) == by_address


def test_without_documents_nothing_is_managed(run: Run, folder: Path) -> None:
    shutil.rmtree(folder / "policies")
    assert not any(row["managed"] or row["users_managed"] for row in _objects(run))
    assert "There are no documents, so nothing is managed." in run("list", *SIM).out
    rows = _asked(run, "reach", "reach", "--app", BOT, *SIM)["rows"]
    assert {row["after"] for row in rows} == {None}
    text = run("who", "adele.vance", *SIM).out
    assert "After" not in text
    assert run("list").code == 64


def test_every_rendering_of_a_list_has_every_object(run: Run, folder: Path) -> None:
    assert folder
    objects = _objects(run)
    text = run("list", *SIM).out
    page = run("list", *SIM, "--format", "markdown").out
    html = run("list", *SIM, "--format", "html").out
    assert page.startswith(f"<!-- reconciler:list:{TENANT_ID} -->\n")
    shown = " ".join(HtmlPage(html).texts("main"))
    for told in (text, Parsed(page).told(), shown):
        for row in objects:
            if row["product"] == "teams":
                assert row["name"] in told
        for counts in ("Teams policies: 4", "Exchange policies: 5", "Scopes: 4"):
            assert counts in told
    assert "script-src &#x27;none&#x27;" in html
    assert "<script" not in html
