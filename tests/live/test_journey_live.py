"""The whole journey through processes: fetch, plan, apply, plan says that nothing changes.

Stand-in always, PowerShell where there is one.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.tenants.simulated import Simulator
from tests.journey.places import BUNDLED
from tests.live.service import DENIED, error, output
from tests.live.signing import TOKEN

if TYPE_CHECKING:
    from tests.live.places import Place


def through_the_simulator(place: Place) -> Any:
    """The tenant as the same plan leaves it when its steps go to the simulator."""
    shutil.copy(BUNDLED, place.folder / "other.json")
    assert place("plan", "--out", "other-plan.json", tenant="sim:other.json").code == 0
    assert place("apply", "other-plan.json", "--auto-approve", tenant="sim:other.json").code == 0
    Simulator(place.folder / "other.json").close()
    return json.loads((place.folder / "other.json").read_text(encoding="utf-8"))


def test_fetch_plan_apply_plan(place: Place) -> None:
    fetched = place("fetch", "--out", "capture.json")
    assert fetched.code == 0, fetched.err
    offline = place("plan", "--out", "offline.json", tenant="capture.json")
    assert offline.code == 0, offline.err
    plan = place.plan()
    assert plan["inputs"]["source"] == "live"
    assert (
        json.loads((place.folder / "offline.json").read_text(encoding="utf-8"))["content_digest"]
        == plan["content_digest"]
    )
    applied = place.apply()
    assert applied.code == 0, applied.out + applied.err
    assert "Apply complete!" in applied.out
    assert "Converged" in applied.out
    assert "Changes take effect later than they are configured:" in applied.out
    again = place("plan")
    assert "No changes." in again.out
    wanted = through_the_simulator(place)
    assert {key: place.tenant()[key] for key in ("teams", "exchange")} == {
        key: wanted[key] for key in ("teams", "exchange")
    }


def test_the_journal_names_the_processes_before_they_write_and_nothing_shows_a_secret(
    place: Place,
) -> None:
    place.plan()
    applied = place.apply()
    lines = place.journal()
    runners = {line["runner"]: line["pid"] for line in lines if "runner" in line}
    assert set(runners) == {"teams", "exchange"}
    first = {
        product: next(n for n, line in enumerate(lines) if line.get("runner") == product)
        for product in runners
    }
    assert min(n for n, line in enumerate(lines) if "state" in line) > first["exchange"]
    for pid in runners.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    everything = [
        applied.out,
        applied.err,
        *(path.read_text(encoding="utf-8") for path in place.folder.rglob("*") if path.is_file()),
    ]
    assert not [text for text in everything if TOKEN in text]
    assert TOKEN not in json.dumps(place.service.seen)


def test_exchange_is_asked_about_a_mailbox_inside_and_one_outside(place: Place) -> None:
    place.plan()
    applied = place.apply()
    asked = place.service.calls("Test-ApplicationAccessPolicy")
    assert len(asked) >= 2
    assert "Exchange itself, asked for a mailbox inside and one outside" in applied.out
    assert ": granted\n" in applied.out
    assert ": denied\n" in applied.out
    assert "Exchange may lag" not in applied.out


def test_planning_and_fetching_never_have_a_cmdlet_that_writes(place: Place) -> None:
    place.plan()
    (connect,) = place.service.calls("Connect-ExchangeOnline")
    assert all(name.startswith(("Get-", "Test-")) for name in connect["CommandName"])


def test_a_live_apply_without_asking_needs_the_digest(place: Place) -> None:
    place.plan()
    ran = place("apply", "plan.json", "--auto-approve")
    assert ran.code == 64
    assert "--digest" in ran.err


# what goes wrong ends as it must, and a second run converges


def converges(place: Place) -> None:
    place.service.before = lambda _request: None
    place.service.heal()
    assert place("plan", "--out", "plan.json").code == 0
    ran = place.apply()
    assert ran.code == 0, ran.out + ran.err
    assert "No changes." in place("plan").out


def test_a_write_that_is_refused_stops_the_apply_in_part(place: Place) -> None:
    place.plan()
    place.service.spoil("Grant-CsApplicationAccessPolicy", DENIED, after=1)
    ran = place.apply()
    assert ran.code == 6
    assert "denied: Access Denied." in ran.out
    assert "Not tried:" in ran.out
    converges(place)


@pytest.mark.parametrize(
    ("cmdlet", "answer"),
    [
        ("Get-CsOnlineUser", DENIED),
        ("Get-ApplicationAccessPolicy", error("Something went wrong")),
        ("Get-CsOnlineUser", {"stream": "consoleWrite", "text": "garbage\n", "to": "descriptor"}),
    ],
    ids=["denied", "anything", "garbage"],
)
def test_a_reading_that_fails_plans_nothing(place: Place, cmdlet: str, answer: Any) -> None:
    place.service.spoil(cmdlet, answer, times=9)
    ran = place("plan", "--out", "plan.json")
    assert ran.code == 1
    assert "Error: " in ran.err
    assert not (place.folder / "plan.json").exists()


@pytest.mark.parametrize("language", [0, 1], ids=["English", "German"])
def test_an_empty_exchange_tenant_is_empty_in_every_language(place: Place, language: int) -> None:
    state = dict(place.tenant())
    (place.folder / "tenant.json").write_text(
        json.dumps({**state, "exchange": {"policies": []}}), encoding="utf-8"
    )
    place.renew()
    place.service.language = language
    assert place.plan()["summary"]
    assert place.apply().code == 0
    assert "No changes." in place("plan").out


def test_another_tenant_is_never_touched(place: Place) -> None:
    place.plan()
    place.service.signs_in_to = "00000000-0000-4000-8000-000000000001"
    before = len(place.service.seen)
    ran = place.apply()
    assert ran.code == 1
    assert "nothing was read or written" in ran.err
    assert {request["cmdlet"].split("-")[0] for request in place.service.seen[before:]} <= {
        "Connect",
        "Disconnect",
        "Get",
    }
    assert {
        request["cmdlet"]
        for request in place.service.seen[before:]
        if request["cmdlet"].startswith("Get-")
    } <= {"Get-ConnectionInformation"}


def test_a_tenant_that_moved_is_stale(place: Place) -> None:
    place.plan()
    state = dict(place.tenant())
    policies = [
        row for row in state["exchange"]["policies"] if row["AccessRight"] != "RestrictAccess"
    ]
    (place.folder / "tenant.json").write_text(
        json.dumps({**state, "exchange": {"policies": policies}}), encoding="utf-8"
    )
    place.renew()
    ran = place.apply()
    assert ran.code == 5, ran.out + ran.err


def test_two_megabytes_of_an_answer_come_through(place: Place) -> None:
    row = {"Identity": "Tag:Huge", "AppIds": [], "Description": "x" * 2_000_000}
    place.service.before = lambda request: (
        place.service.spoil(request["cmdlet"], output(row))
        if request["cmdlet"] == "Get-CsApplicationAccessPolicy"
        else None
    )
    assert place("fetch", "--out", "capture.json").code == 0
    assert (
        len(
            json.loads((place.folder / "capture.json").read_text(encoding="utf-8"))["teams"][
                "policies"
            ][0]["Description"]
        )
        == 2_000_000
    )


# doctor


def test_doctor_finds_everything_in_order(place: Place) -> None:
    ran = place("doctor", tenant="")
    assert ran.code == 0, ran.out
    assert "Ready. Next: reconciler fetch" in ran.out
    assert "fault" not in ran.out
    assert "sign-in: to tenant 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a with access tokens" in ran.out
    assert TOKEN not in ran.out


def test_doctor_as_json(place: Place) -> None:
    rows = json.loads(place("doctor", "--format", "json", tenant="").out)["checks"]
    assert {row["about"] for row in rows} == {"pwsh", "teams", "exchange"}
    assert {row["health"] for row in rows} == {"ok"}
    assert {
        "PowerShell",
        "module",
        "credentials",
        "sign-in",
        "reading",
        "New-ApplicationAccessPolicy",
    } <= {row["what"] for row in rows}


def test_doctor_without_documents_looks_at_what_is_installed(place: Place) -> None:
    (place.folder / "empty").mkdir()
    ran = place.run("doctor", cwd=place.folder / "empty")
    assert ran.code == 1
    assert "ok      teams    module: MicrosoftTeams" in ran.out
    assert not [
        request for request in place.service.seen if request["cmdlet"].startswith("Connect-")
    ]


def test_a_tenant_with_years_behind_it_is_read_and_planned(place: Place) -> None:
    """Names of all kinds, a holder who is gone, a group that is gone, a scope that is gone: nothing of it
    stops a reading, and what no longer works is named.
    """
    file = place.folder / "tenant.json"
    raw = json.loads(file.read_text(encoding="utf-8"))
    holder = raw["teams"]["users"][0]["Identity"]
    raw["directory"]["users"] = [row for row in raw["directory"]["users"] if row["id"] != holder]
    odd = ["O'Brien Test", "Marketing & Events", "Schulung/Training", "50 %", "Booking – Pilot"]
    raw["teams"]["policies"] += [
        {"Identity": f"Tag:{name}", "AppIds": [], "Description": ""} for name in odd
    ]
    scope = raw["exchange"]["policies"][0]["Identity"].rsplit(";", 1)[1]
    raw["directory"]["recipients"] = [
        row for row in raw["directory"]["recipients"] if row["id"] != scope
    ]
    file.write_text(json.dumps(raw), encoding="utf-8")
    place.renew()
    fetched = place("fetch", "--out", "capture.json")
    assert fetched.code == 0, fetched.err
    capture = json.loads((place.folder / "capture.json").read_text(encoding="utf-8"))
    assert {row["Identity"].removeprefix("Tag:") for row in capture["teams"]["policies"]} > {*odd}
    assert holder not in {row["Identity"] for row in capture["teams"]["users"]}
    planned = place("plan")
    assert planned.code in {0, 4}, planned.err
    assert all(name in planned.out for name in odd)
    assert scope in planned.out
