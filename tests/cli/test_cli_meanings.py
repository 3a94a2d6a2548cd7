"""A name with two meanings decides nothing, and a display name identifies nobody: both are told with
the object ids that they may mean.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import TENANT_ID, tenant_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

APP = "82d41ec2-84d5-4e13-8609-c8f1dbd81d34"
OLD, NEW = "2bc1ecb4-10e1-42bc-883b-ce6f212b41e1", "3bc1ecb4-10e1-42bc-883b-ce6f212b41e2"
HOSTS, GUESTS = "4bc1ecb4-10e1-42bc-883b-ce6f212b41e3", "5bc1ecb4-10e1-42bc-883b-ce6f212b41e4"
SIM = ("--tenant", "sim:tenant.json")
ANNA = "anna@contoso.com"
"""The principal name of one, and still an address of the one who had it before."""


def _recipient(object_id: str, addresses: list[str], name: str, kind: str) -> dict[str, Any]:
    return {
        "id": object_id,
        "sid": f"S-1-5-21-1-2-3-{int(object_id[:4], 16)}",
        "primary": addresses[0],
        "addresses": addresses,
        "displayName": name,
        "type": kind,
        "isValidSecurityPrincipal": True,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    group = "MailUniversalSecurityGroup"
    state = {
        "format_version": "1.0",
        "tenant": {"tenantId": TENANT_ID, "organization": "contoso.onmicrosoft.com"},
        "clock": "2026-11-02T06:30:00Z",
        "teams": {
            "policies": [{"Identity": "Global", "AppIds": [], "Description": ""}],
            "groupAssignments": [],
            "users": [],
        },
        "exchange": {"policies": []},
        "directory": {
            "users": [
                {"id": OLD, "upn": "anna.old@contoso.com", "displayName": "Anna Lind"},
                {"id": NEW, "upn": ANNA, "displayName": "Anna Lind"},
            ],
            "groups": [{"id": HOSTS, "displayName": "Meeting hosts"}],
            "recipients": [
                _recipient(OLD, ["anna.old@contoso.com", ANNA], "Anna Lind", "UserMailbox"),
                _recipient(NEW, ["anna.new@contoso.com"], "Anna Lind", "UserMailbox"),
                _recipient(HOSTS, ["hosts@contoso.com"], "Meeting hosts", group),
                _recipient(GUESTS, ["guests@contoso.com"], "meeting hosts", group),
            ],
        },
    }
    (tmp_path / "tenant.json").write_text(json.dumps(state), encoding="utf-8")
    (tmp_path / "policies").mkdir()
    return tmp_path


def _write(folder: Path, *documents: tuple[str, dict[str, Any]]) -> None:
    text = tenant_document()
    for kind, spec in documents:
        head = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": "P"}}
        text += f"---\n{json.dumps({**head, 'spec': spec})}\n"
    (folder / "policies" / "all.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("option", ["--mailbox", "--meetings-of"])
def test_explain_refuses_a_name_with_two_meanings(folder: Path, run: Run, option: str) -> None:
    _write(
        folder,
        ("ExchangeApplicationAccessPolicy", exchange("hosts@contoso.com")),
        ("TeamsApplicationAccessPolicy", {"applications": [APP]}),
    )
    explained = run("explain", *SIM, "--app", APP, option, ANNA.upper())
    asked = run("who", *SIM, ANNA.upper())
    assert asked.err == explained.err, "names are matched by one way only"
    for ran in (explained, asked):
        assert ran.code == 64
        assert f"the principal name of Anna Lind <{ANNA}> ({NEW})" in ran.err
        assert f"an address of Anna Lind <anna.old@contoso.com> ({OLD})" in ran.err
    for meant in (OLD, NEW):
        assert run("explain", *SIM, "--app", APP, option, meant).code == 0


def exchange(scope: str) -> dict[str, Any]:
    return {"applications": [APP], "scope": scope, "accessRight": "RestrictAccess"}


@pytest.mark.parametrize("kind", ["mailbox", "meetingsOf"])
@pytest.mark.parametrize("access", ["granted", "denied"])
def test_an_access_test_of_such_a_name_is_undecided(
    folder: Path, run: Run, kind: str, access: str
) -> None:
    _write(folder, ("AccessTest", {"expect": [{"application": APP, kind: ANNA, "access": access}]}))
    ran = run("test", *SIM)
    assert ran.code == 3
    assert "this is the principal name of one user and an address of another" in ran.out
    for meant in (OLD, NEW):
        assert f"({meant})\n" in ran.out
    ran = run("plan", *SIM, "--format", "json")
    assert ran.code == 3
    (row,) = json.loads(ran.out)["tests"]
    assert row["why"] == {"decided_by": None, "path": [], "unknown": ["ambiguous", NEW, OLD]}


def test_an_unresolved_name_with_two_meanings_is_told_with_both(folder: Path, run: Run) -> None:
    _write(
        folder,
        ("ExchangeApplicationAccessPolicy", exchange(ANNA)),
        ("TeamsApplicationAccessPolicy", {"applications": [APP], "grants": {"users": [ANNA]}}),
    )
    ran = run("plan", *SIM, "--format", "json")
    assert ran.code == 4
    notes = json.loads(ran.out)["plan"]["unresolved"]
    assert [note["details"]["may be"] for note in notes] == [[NEW, OLD]] * 2


def _told(run: Run, *tenant: str) -> list[str]:
    ran = run("plan", *tenant)
    assert ran.code == 3
    return [line for line in (ran.out + ran.err).splitlines() if "all.yaml:" in line]


@pytest.mark.parametrize("tenant", ["sim:tenant.json", "capture.json"])
def test_a_display_name_is_refused_with_the_ids_that_have_it(
    folder: Path, run: Run, tenant: str
) -> None:
    _write(folder)
    assert run("fetch", *SIM, "--directory", "all", "--out", "capture.json").code == 0
    group = {"group": "Meeting Hosts", "rank": 1}
    _write(
        folder,
        ("ExchangeApplicationAccessPolicy", exchange("meeting hosts")),
        (
            "TeamsApplicationAccessPolicy",
            {
                "applications": [APP],
                "grants": {"users": ["Anna Lind", "Nobody"], "groups": [group]},
            },
        ),
    )
    lines = _told(run, "--tenant", tenant)
    hosts = (
        f"; it is the display name of {HOSTS} (hosts@contoso.com), {GUESTS} (guests@contoso.com)"
    )
    annas = f"; it is the display name of {OLD} (anna.old@contoso.com), {NEW} ({ANNA})"
    told = {"meeting hosts": hosts, "Meeting Hosts": hosts, "Anna Lind": annas}
    for name, ids in told.items():
        (line,) = (line for line in lines if f"`{name}` " in line)
        assert ids in line
    (line,) = (line for line in lines if "`Nobody`" in line)
    assert "display name" not in line


@pytest.mark.parametrize("tenant", ["live", "missing.json", "sim:"])
def test_a_tenant_that_cannot_be_asked_adds_nothing(folder: Path, run: Run, tenant: str) -> None:
    _write(folder, ("ExchangeApplicationAccessPolicy", exchange("Meeting hosts")))
    (line,) = _told(run, "--tenant", tenant)
    assert "`Meeting hosts` is not a scope" in line
    assert "it is the display name" not in line


@pytest.mark.parametrize("typed", ["ANNA L", "anna.ol", OLD])
def test_explain_and_who_match_how_a_name_begins(folder: Path, run: Run, typed: str) -> None:
    _write(folder, ("ExchangeApplicationAccessPolicy", exchange("hosts@contoso.com")))
    explained = run("explain", *SIM, "--app", APP, "--mailbox", typed, "--format", "json")
    asked = run("who", *SIM, typed, "--format", "json")
    assert explained.code == asked.code
    if explained.code == 0:
        subject = json.loads(explained.out)["explanation"]["subject"]["id"]
        assert subject in asked.out
    else:
        assert "Anna Lind" in explained.err
        assert "Anna Lind" in asked.err


def test_a_whole_address_is_nobody_else_s(folder: Path, run: Run) -> None:
    _write(folder, ("ExchangeApplicationAccessPolicy", exchange("hosts@contoso.com")))
    typed = "anna.old@contoso.co"
    assert "no user and no mailbox" in run("who", *SIM, typed).err
    ran = run("explain", *SIM, "--app", APP, "--mailbox", typed)
    assert "Anna" not in ran.out + ran.err


def test_a_guest_by_mail_address_is_told_how_a_guest_is_listed(folder: Path, run: Run) -> None:
    """And the name with #EXT# is one that a document may list."""
    tenant = json.loads((folder / "tenant.json").read_text(encoding="utf-8"))
    guest = "dora_partner.com#EXT#@contoso.onmicrosoft.com"
    tenant["directory"]["users"].append(
        {"id": HOSTS[:-1] + "9", "upn": guest, "displayName": "Dora"}
    )
    (folder / "tenant.json").write_text(json.dumps(tenant), encoding="utf-8")
    for listed, is_told in (("dora@partner.com", True), (guest, False)):
        (folder / "policies" / "guests.yaml").write_text(
            "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\n"
            "metadata: {name: Guests}\n"
            f'spec: {{applications: [], grants: {{users: ["{listed}"]}}}}\n',
            encoding="utf-8",
        )
        ran = run("plan", *SIM, "--format", "json")
        codes = {note["code"] for note in json.loads(ran.out)["plan"]["warnings"]}
        assert ("user-absent" in codes) is is_told
        assert ("a name with #EXT#" in run("plan", *SIM).out) is is_told
