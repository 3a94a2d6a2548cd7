"""Policies whose names no filter can hold: they are read, managed and deleted; none is created."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.errors import TenantFault
from reconciler.model.codes import RefusalRule, WarningCode
from reconciler.tenants.live.examining import Health, examine_tenant
from tests.live import service
from tests.live.signing import SETTINGS
from tests.live.test_capture import capture, observed, teams
from tests.strategies.tenants import APPS, USERS, grant, teams_policy

if TYPE_CHECKING:
    from tests.live.places import Place
    from tests.live.stages import Stage

ODD = (
    *("Bob's bots", "R&D @HQ #1 $x", "Legacy/Recorder", "Bots \u2013 Köln", "Bots+Meetings"),
    *("a\u2019b", "x' -or y -ne 'z", "50%", "a*", 'a"b', "a`b", "a;b", "a\\b", "[a]", "Team 😀"),
)
USER = "joni.sherman@contoso.com"
POLICY = """apiVersion: reconciler/v1
kind: TeamsApplicationAccessPolicy
metadata: {name: "%s"}
spec: %s
"""


def odd(name: str, *, other: bool = True) -> dict[str, Any]:
    others = [grant(USERS[1], "Beta")] if other else []
    return teams(
        policies=[teams_policy(name, APPS[:1]), teams_policy("Beta", [])],
        users=[grant(USERS[0], name), *others],
    )


@pytest.mark.parametrize("name", ODD)
def test_holders_come_with_the_names_and_another_policy_is_checked(stage: Stage, name: str) -> None:
    stage.set(teams=odd(name))
    raw = capture(stage)
    assert observed(raw).states["teams"].users == {USERS[0]: name.lower(), USERS[1]: "beta"}
    assert raw["teams"]["readOnce"] == [name]
    asked = [call["Filter"] for call in stage.service.calls("Get-CsOnlineUser")]
    assert asked == [f"{service.POLICY} -ne $null", f"{service.POLICY} -eq 'Beta'"]


@pytest.mark.parametrize("name", ["R&D", "Bob's bots", "50%"])
def test_without_another_holder_the_reading_is_not_complete(stage: Stage, name: str) -> None:
    stage.set(teams=odd(name, other=False))
    with pytest.raises(TenantFault, match=r"not\s+known to be complete. Grant a policy"):
        capture(stage)


def test_a_check_that_does_not_agree_confirms_nothing(stage: Stage) -> None:
    stage.set(teams=odd("R&D"))
    stage.service.before = lambda request: (
        request["parameters"].get("Filter", "").endswith("'Beta'")
        and stage.service.spoil("Get-CsOnlineUser")
    )
    with pytest.raises(TenantFault, match="give different users"):
        capture(stage)


@pytest.mark.parametrize(("other", "health"), [(True, Health.WARNING), (False, Health.FAULT)])
def test_doctor_says_whether_the_tenant_can_be_read(
    stage: Stage, other: bool, health: Health
) -> None:
    stage.set(teams=odd("R&D", other=other))
    checks = list(examine_tenant(SETTINGS, stage.begin, ("teams",)))
    (names,) = [check for check in checks if check.what == "policy names"]
    assert names.health is health
    assert '"R&D"' in names.found
    assert names.remedy


def declare(place: Place, name: str, spec: str) -> None:
    path = place.folder / "policies/teams/odd.yaml"
    path.write_text(POLICY % (name, spec), encoding="utf-8")


@pytest.mark.parametrize("name", ["R&D bots", "Legacy/Recorder"])
def test_a_new_policy_under_such_a_name_is_refused_by_the_plan(place: Place, name: str) -> None:
    declare(place, name, "{applications: [meeting-service]}")
    validated = place("validate", tenant="")
    assert validated.code == 0
    assert "[name.not-queried]" in validated.out
    for tenant in ("live", "sim:tenant.json"):
        planned = place("plan", "--out", "plan.json", tenant=tenant)
        assert planned.code == 4
        plan = json.loads((place.folder / "plan.json").read_text(encoding="utf-8"))
        (refusal,) = plan["refusals"]
        assert refusal["code"] == RefusalRule.NAME_NOT_QUERIED
        assert refusal["address"] == f"teams.policy/{name}"
        assert "Choose another name" in planned.out + planned.err
    assert place.apply().code != 0
    assert not place.service.calls("New-CsApplicationAccessPolicy")


@pytest.mark.parametrize("name", ["Bob's bots", "R&D"])
def test_one_that_exists_is_managed_and_removed_with_a_reading_after_each_write(
    place: Place, name: str
) -> None:
    tenant = dict(place.tenant())
    tenant["teams"]["policies"].append(teams_policy(name, []))
    (place.folder / "tenant.json").write_text(json.dumps(tenant), encoding="utf-8")
    place.renew()
    declare(place, name, f"{{applications: [meeting-service], grants: {{users: [{USER}]}}}}")
    warnings = place.plan()["warnings"]
    assert f"teams.policy/{name}" in {
        row["address"] for row in warnings if row["code"] == WarningCode.HOLDERS_READ_ONCE
    }
    applied = place.apply()
    assert applied.code == 0, applied.out + applied.err
    assert _read_after_each_write(place, name)
    assert "No changes." in place("plan").out
    declare(place, name, "{ensure: absent}")
    place.plan()
    applied = place.apply()
    assert applied.code == 0, applied.out + applied.err
    assert name not in json.dumps(place.tenant()["teams"], ensure_ascii=False)


def _read_after_each_write(place: Place, name: str) -> bool:
    """Whether the next request to Teams after every write that names the policy is a reading."""
    seen = [request for request in place.service.seen if "-Cs" in request["cmdlet"]]
    writes = [
        at
        for at, request in enumerate(seen)
        if not request["cmdlet"].startswith("Get-") and name in request["parameters"].values()
    ]
    return len(writes) > 1 and all(seen[at + 1]["cmdlet"].startswith("Get-") for at in writes)
