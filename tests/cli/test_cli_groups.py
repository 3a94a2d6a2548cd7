"""Groups of Teams by address: what they resolve to, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.sample import teams_document, tenant_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
HOSTS = "40575000-0000-4000-8000-000000000001"
BOT = "b0700000-0000-4000-8000-000000000001"


@pytest.fixture
def hosts(folder: Path) -> Path:
    """The sample's tenant with one more group that has two addresses."""
    file = folder / "tenant.json"
    tenant = json.loads(file.read_text(encoding="utf-8"))
    tenant["directory"]["recipients"].append(
        {
            "id": HOSTS,
            "sid": "S-1-5-21-1-2-3-4001",
            "primary": "hosts@contoso.com",
            "addresses": ["hosts@contoso.com", "old-hosts@contoso.com"],
            "displayName": "Hosts",
            "type": "MailUniversalSecurityGroup",
            "isValidSecurityPrincipal": True,
            "members": [],
        }
    )
    tenant["directory"]["groups"].append({"id": HOSTS, "displayName": "Hosts", "members": []})
    file.write_text(json.dumps(tenant), encoding="utf-8")
    return folder


def declare(folder: Path, *groups: str) -> None:
    listed = ", ".join(f"{{group: {name}, rank: {rank}}}" for rank, name in enumerate(groups, 1))
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "policy.yaml").write_text(
        tenant_document()
        + teams_document("Fresh", f"{{applications: [{BOT}], grants: {{groups: [{listed}]}}}}"),
        encoding="utf-8",
    )


@pytest.mark.parametrize("name", [HOSTS, "hosts@contoso.com", "Old-Hosts@Contoso.com"])
def test_every_name_of_a_group_leads_to_the_same_steps(run: Run, hosts: Path, name: str) -> None:
    declare(hosts, name)
    planned = run("plan", "mine", *SIM, "--out", "plan.json")
    assert planned.code == 0, planned.out
    texts = [step["text"] for step in json.loads((hosts / "plan.json").read_text("utf-8"))["steps"]]
    assert texts[-1].startswith(
        f"Grant-CsApplicationAccessPolicy -Group:'{HOSTS}' -PolicyName:'Fresh' -Rank:"
    )
    assert run("apply", "plan.json", *SIM, "--auto-approve").code == 0
    again = run("plan", "mine", *SIM)
    assert (again.code, "No changes." in again.out) == (0, True)


def test_one_group_under_two_names_is_one_group(run: Run, hosts: Path) -> None:
    declare(hosts, "hosts@contoso.com", HOSTS)
    planned = run("plan", "mine", *SIM)
    assert planned.code == 3
    assert f"is group {HOSTS}, which is already granted at" in planned.err + planned.out
    assert "a group can have only one policy: keep one [group.duplicate]" in (
        planned.err + planned.out
    )


@pytest.mark.parametrize("name", ["Meeting hosts", "hosts", "'*'"])
def test_a_display_name_never_identifies_a_group(run: Run, hosts: Path, name: str) -> None:
    declare(hosts, name)
    validated = run("validate", "mine")
    assert validated.code == 3
    assert "does not identify a group: write its object id" in validated.out


def test_an_address_of_nobody_holds_its_policy(run: Run, hosts: Path) -> None:
    declare(hosts, "missing@contoso.com")
    planned = run("plan", "mine", *SIM, "--out", "plan.json")
    assert planned.code == 0
    assert "missing@contoso.com" in planned.out
    plan = json.loads((hosts / "plan.json").read_text("utf-8"))
    assert [step["cmdlet"] for step in plan["steps"]] == ["New-CsApplicationAccessPolicy"]
    assert "teams.grant/group:missing@contoso.com" in {note["address"] for note in plan["held"]}
