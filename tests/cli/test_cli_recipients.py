"""Advice that follows from what a recipient is: as a scope, as the mailbox of a question, and as one
that was not written out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import TENANT_ID, tenant_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

MAILER = "82d41ec2-84d5-4e13-8609-c8f1dbd81d34"
ODD, SALES = "0b02e909-d902-4a8a-8027-8d3e613a59bb", "5a1e5000-0000-4000-8000-000000000002"
ANNA, OTHER_ANNA = "2bc1ecb4-10e1-42bc-883b-ce6f212b41e1", "3bc1ecb4-10e1-42bc-883b-ce6f212b41e2"


def _recipient(object_id: str, address: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": object_id,
        "sid": f"S-1-5-21-1-2-3-{int(object_id[:4], 16)}",
        "primary": address,
        "addresses": [address],
        "displayName": address.partition("@")[0],
        "type": kind,
        "isValidSecurityPrincipal": True,
        **more,
    }


@pytest.fixture
def tenant(tmp_path: Path) -> Callable[..., None]:
    """Writes a tenant with a recipient of a type, and documents that restrict to a scope."""

    def write(kind: str, scope: str = "sales@contoso.com", *, expected: str = "denied") -> None:
        odd = _recipient(ODD, "Odd@contoso.com", kind, isValidSecurityPrincipal=False)
        recipients = [
            odd,
            _recipient(SALES, "sales@contoso.com", "MailUniversalSecurityGroup", members=[ANNA]),
            _recipient(ANNA, "anna.lind@contoso.com", "UserMailbox"),
            _recipient(OTHER_ANNA, "Anna.Berg@contoso.com", "UserMailbox", displayName="Anna Lind"),
        ]
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
                    {"id": ANNA, "upn": "Anna.Lind@contoso.com", "displayName": "Anna Lind"},
                    {"id": OTHER_ANNA, "upn": "anna.berg@contoso.com", "displayName": "Anna Berg"},
                ],
                "groups": [],
                "recipients": recipients,
            },
        }
        (tmp_path / "tenant.json").write_text(json.dumps(state), encoding="utf-8")
        (tmp_path / "policies").mkdir()
        (tmp_path / "policies" / "all.yaml").write_text(
            f"{tenant_document()}---\napiVersion: reconciler/v1\n"
            "kind: ExchangeApplicationAccessPolicy\nmetadata: {name: mailer}\nspec: {applications:"
            f" [{MAILER}], scope: {scope}, accessRight: RestrictAccess}}\n---\n"
            "apiVersion: reconciler/v1\nkind: AccessTest\nmetadata: {name: odd}\nspec: {expect:"
            f" [{{application: {MAILER}, mailbox: odd@contoso.com, access: {expected}}}]}}\n",
            encoding="utf-8",
        )

    return write


MEMBERS = "put the members into it and name that group as the scope"


@pytest.mark.parametrize(
    ("kind", "called", "instead"),
    [
        ("SharedMailbox", "a shared mailbox", "Put it into a mail-enabled security group"),
        ("RoomMailbox", "a room mailbox", "Put it into a mail-enabled security group"),
        ("EquipmentMailbox", "an equipment mailbox", "Put it into a mail-enabled security group"),
        ("MailUniversalDistributionGroup", "a distribution list", MEMBERS),
        ("DynamicDistributionGroup", "a dynamic distribution list", MEMBERS),
        ("GroupMailbox", "a Microsoft 365 group", MEMBERS),
        ("RoomList", "a room list", "put the rooms into it"),
        ("MailContact", "a mail contact", "name a mail-enabled security group"),
        ("DiscoveryMailbox", "a discovery mailbox", "name a mail-enabled security group"),
        ("FutureMailbox", "of the type FutureMailbox", "Put it into a mail-enabled security"),
        ("", "of a type that the capture does not have", "Name a mail-enabled security group"),
    ],
)
def test_a_scope_that_cannot_be_one_is_called_what_it_is_with_what_to_name_instead(
    tenant: Callable[..., None], run: Run, kind: str, called: str, instead: str
) -> None:
    tenant(kind, "odd@contoso.com")
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert ran.code == 4
    what = next(line for line in ran.out.splitlines() if "This recipient is" in line)
    then = next(line for line in ran.out.splitlines() if "scope" in line and line != what)
    assert called in what
    assert instead in then
    assert f"--skip exchange.application/{MAILER}" in ran.out
    assert "or a mailbox" not in then
    assert ran.out.count("--skip") == 1


SPECIAL = ["DiscoveryMailbox", "ArbitrationMailbox", "AuditLogMailbox", "SystemMailbox"]


@pytest.mark.parametrize("expected", ["granted", "denied"])
@pytest.mark.parametrize("kind", [*SPECIAL, "GroupMailbox"])
def test_nothing_is_claimed_of_mailboxes_that_policies_may_not_cover(
    tenant: Callable[..., None], run: Run, kind: str, expected: str
) -> None:
    tenant(kind, expected=expected)
    ran = run(
        *("explain", "--tenant", "sim:tenant.json", "--app", MAILER, "--mailbox"),
        "odd@contoso.com",
    )
    assert ran.code == 0
    assert "UNDECIDED" in ran.out
    assert "DENIED" not in ran.out
    assert "GRANTED" not in ran.out
    assert ("Microsoft 365 group" in ran.out) is (kind == "GroupMailbox")
    tested = run("test", "--tenant", "sim:tenant.json")
    assert (tested.code, "0 passed, 1 undecided." in tested.out) == (3, True)


@pytest.mark.parametrize("kind", ["SharedMailbox", "RoomMailbox", "MailUser"])
def test_mailboxes_of_people_and_rooms_are_decided(
    tenant: Callable[..., None], run: Run, kind: str
) -> None:
    tenant(kind, expected="granted")  # by the tenant as it is, without policies
    assert run("test", "--tenant", "sim:tenant.json").code == 0


@pytest.mark.parametrize(
    "kind", ["MailUniversalDistributionGroup", "DynamicDistributionGroup", "MailContact"]
)
def test_a_recipient_without_a_mailbox_is_called_what_it_is(
    tenant: Callable[..., None], run: Run, kind: str
) -> None:
    tenant(kind)
    ran = run(
        *("explain", "--tenant", "sim:tenant.json", "--app", MAILER, "--mailbox"),
        "Odd@Contoso.com",
    )
    assert ran.code == 64
    assert "'Odd@Contoso.com' is a" in ran.err


@pytest.mark.parametrize(
    ("option", "name", "whose"),
    [
        ("--mailbox", "anna.lind@contoso.com", ANNA),
        ("--mailbox", "ANNA.BERG", OTHER_ANNA),
        ("--mailbox", "Sales@contoso.com", None),
        ("--meetings-of", "anna.lind", ANNA),
        ("--meetings-of", "Anna Berg", OTHER_ANNA),
    ],
)
def test_a_name_that_is_not_written_out_finds_the_only_one(
    tenant: Callable[..., None], run: Run, option: str, name: str, whose: str | None
) -> None:
    tenant("SharedMailbox")
    ran = run("explain", "--tenant", "sim:tenant.json", "--app", MAILER, option, name, "--ids")
    assert (ran.code == 0) is (whose is not None)
    assert whose is None or whose in ran.out


def test_of_several_that_a_name_may_be_all_are_listed_as_they_are_spelled(
    tenant: Callable[..., None], run: Run, tmp_path: Path
) -> None:
    tenant("SharedMailbox")
    ran = run("explain", "--tenant", "sim:tenant.json", "--app", MAILER, "--mailbox", "Anna Lind")
    assert ran.code == 0, "by its display name: an address has no blank"
    file = tmp_path / "tenant.json"
    state = json.loads(file.read_text(encoding="utf-8"))
    state["directory"]["recipients"][2]["displayName"] = "Anna Lind"
    file.write_text(json.dumps(state), encoding="utf-8")
    ran = run("explain", "--tenant", "sim:tenant.json", "--app", MAILER, "--mailbox", "Anna Lind")
    assert ran.code == 64
    assert "'Anna Lind' may be 2: Anna Lind <anna.lind@contoso.com> (" in ran.err
    assert "<Anna.Berg@contoso.com>" in ran.err


def test_a_name_that_leads_to_nobody_keeps_its_spelling(
    tenant: Callable[..., None], run: Run
) -> None:
    tenant("SharedMailbox")
    for name in ("Bertil", "Bertil@Contoso.com"):
        ran = run("explain", "--tenant", "sim:tenant.json", "--app", MAILER, "--mailbox", name)
        assert (ran.code, f"mailbox '{name}' not found" in ran.err) == (64, True)
