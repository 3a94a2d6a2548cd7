"""`diagnose` in the course of a day: refused, mended, applied, waited for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import STRANGER, settle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ran, Run

SIM = ("--tenant", "sim:tenant.json")
NESTOR = "748d2cbb-3b55-40ed-8c34-2eae5932b22a"
BOT = "ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
NO_POLICY = json.dumps(
    {"error": {"code": "Forbidden", "message": "No application access policy found for this app"}}
)
RAOP = json.dumps({"error": {"code": "ErrorAccessDenied", "message": "x: [RAOP] : Blocked"}})


def _asked(run: Run, app: str, user: str, *more: str, error: str = NO_POLICY) -> Ran:
    return run("diagnose", "-", "--app", app, "--user", user, *SIM, *more, stdin=error)


def _answer(ran: Ran) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(ran.out)["diagnosis"]
    return answer


def test_what_was_applied_a_moment_ago_is_waited_for(run: Run, folder: Path) -> None:
    assert folder
    first = _asked(run, "scheduling-bot", "nestor.wilke")
    assert first.out.splitlines()[2].startswith("NOT APPLIED YET")
    assert run("apply", "--auto-approve", *SIM).code == 0
    for app, user, error, minutes in (
        ("scheduling-bot", "nestor.wilke", NO_POLICY, 30),
        ("mailbox-analytics", "alex.wilber", RAOP, 60),
    ):
        text = _asked(run, app, user, error=error).out
        if "NOT BY" in text or "REFUSED" in text:
            pytest.fail(text)
        assert text.splitlines()[2].startswith("WAIT, ")
        assert "Changed 0 minutes ago (journal apply-000001.jsonl, step " in text
        assert f" UTC ({minutes} minutes; it can take longer), then ask again." in text
        change = _answer(_asked(run, app, user, "--format", "json", error=error))["change"]
        assert change["certain"]
        assert change["journal"].endswith("apply-000001.jsonl")
        assert change["at"] < change["wait_until"]


def test_time_that_has_passed_is_not_waited_for(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder
    assert run("apply", "--auto-approve", *SIM).code == 0
    import time

    at = time.time()
    for hours, word, told in ((0.4, "WAIT", True), (2, "NOT BY", True), (30, "NOT BY", False)):
        monkeypatch.setattr(
            "reconciler.cli.diagnosing.time.time", lambda hours=hours: at + hours * 3600
        )
        text = _asked(run, "scheduling-bot", "nestor.wilke").out
        assert text.splitlines()[2].startswith(word)
        assert ("ago (journal" in text) == told


def test_journals_that_were_put_elsewhere_are_found(run: Run, folder: Path) -> None:
    elsewhere = ("--state-dir", str(folder / "journals"))
    assert run("apply", "--auto-approve", *SIM, *elsewhere).code == 0
    assert _asked(run, "scheduling-bot", "nestor.wilke").out.splitlines()[2].startswith("WAIT")
    asked = _asked(run, "scheduling-bot", "nestor.wilke", *elsewhere)
    assert asked.out.splitlines()[2].startswith("WAIT")


def test_looking_makes_no_directory(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder / "nowhere"
    monkeypatch.setenv("RECONCILER_STATE_DIR", str(place))
    assert _asked(run, "scheduling-bot", "nestor.wilke").code == 0
    assert not place.exists()


def test_without_documents_the_remedies_of_the_tenant_are_told(run: Run, tmp_path: Path) -> None:
    settle(tmp_path)
    (tmp_path / "policies").rename(tmp_path / "elsewhere")
    ran = _asked(run, BOT, "nestor.wilke")
    assert ran.out.splitlines()[2].startswith("REFUSED BY")
    assert "grant the user this policy, which lists the application" in ran.out
    assert _answer(_asked(run, BOT, "nestor.wilke", "--format", "json"))["edits"] == []


def test_what_groups_decide_is_not_guessed(run: Run, folder: Path) -> None:
    tenant = json.loads((folder / "tenant.json").read_text(encoding="utf-8"))
    for group in tenant["directory"]["groups"]:
        group.pop("members", None)
    (folder / "tenant.json").write_text(json.dumps(tenant), encoding="utf-8")
    ran = _asked(run, "webinar-studio", "isaiah.langer")
    assert ran.out.splitlines()[2].startswith("UNDECIDED")
    assert "What would decide it" in ran.out


def test_a_request_for_somebody_else_is_told(run: Run, folder: Path) -> None:
    assert folder
    error = f"POST https://graph.microsoft.com/v1.0/users/{STRANGER}/onlineMeetings\n{NO_POLICY}"
    ran = _asked(run, "scheduling-bot", "nestor.wilke", error=error)
    assert ran.out.splitlines()[2].startswith("WRONG ID, the error is not about: scheduling-bot")
    assert f"The request was for {STRANGER}, not for the user of --user." in ran.out
    assert "To let the application in" not in ran.out
    error = error.replace(STRANGER, "Nestor.Wilke@contoso.com")
    assert "WRONG ID" not in _asked(run, "scheduling-bot", NESTOR, error=error).out


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ((), "--app APP and --user USER required"),
        (("--app", "crm"), "--user USER required"),
        (("--user", "adele.vance"), "--app APP required"),
    ],
)
def test_policies_are_asked_about_somebody(
    run: Run, folder: Path, options: tuple[str, ...], missing: str
) -> None:
    assert folder
    ran = run("diagnose", "-", *options, *SIM, stdin=NO_POLICY)
    assert ran.code == 64
    assert missing in ran.err


def test_a_name_that_several_have_is_not_guessed(run: Run, folder: Path) -> None:
    assert folder
    ran = _asked(run, "crm", "a")
    assert ran.code == 64
    assert "may be" in ran.err


@pytest.mark.parametrize(
    ("name", "why"), [("none.json", "cannot be read"), ("policies", "cannot be read")]
)
def test_a_file_that_cannot_be_read(run: Run, folder: Path, name: str, why: str) -> None:
    assert folder
    ran = run("diagnose", name, *SIM)
    assert ran.code == 64
    assert why in ran.err


def test_no_tenant_is_asked_where_nobody_is_asked_about(run: Run, tmp_path: Path) -> None:
    (tmp_path / "error.txt").write_text("A tenant cannot have more than 100 policies.")
    ran = run("diagnose", "error.txt")
    assert (ran.code, ran.err) == (0, "")
    assert "SIMULATED" not in ran.out
    assert not (tmp_path / ".reconciler").exists()
