"""What the command line does when something is not as it should be: one message for a person, the
right exit code, nothing written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Ran
    from tests.journey.places import Place


def _is_for_people(ran: Ran) -> bool:
    return bool(ran.err.strip()) and "Traceback" not in ran.err + ran.out


def test_a_plan_that_was_edited_is_not_applied(place: Place) -> None:
    place.plan()
    path, before = place.folder / "plan.json", place.tenant()
    path.write_text(
        path.read_text(encoding="utf-8").replace("MY-APP-POLICY", "MY-APP-POLICE"), encoding="utf-8"
    )
    ran = place("apply", "plan.json", "--auto-approve")
    assert ran.code == 5
    assert _is_for_people(ran)
    assert place.tenant() == before


def test_a_tenant_that_moved_is_named_and_left_alone(place: Place) -> None:
    place.plan()
    tenant = json.loads((place.folder / "tenant.json").read_text(encoding="utf-8"))
    (policy,) = [one for one in tenant["teams"]["policies"] if one["Identity"] == "Tag:Test-policy"]
    policy["AppIds"].append("00000000-0000-4000-8000-000000000001")
    (place.folder / "tenant.json").write_text(json.dumps(tenant), encoding="utf-8")
    before = place.tenant()
    ran = place("apply", "plan.json", "--auto-approve")
    assert ran.code == 5
    assert "teams.policy/Test-policy" in ran.err
    assert _is_for_people(ran)
    assert place.tenant() == before


def test_another_plan_than_the_approved_one_is_not_applied(place: Place) -> None:
    place.plan()
    before = place.tenant()
    ran = place("apply", "plan.json", "--auto-approve", "--digest", f"plan:{'0' * 64}")
    assert ran.code == 5
    assert _is_for_people(ran)
    assert place.tenant() == before


@pytest.mark.parametrize("which", ["digest", "content_digest"])
def test_a_plan_is_approved_by_either_digest(which: str, place: Place) -> None:
    plan = place.plan()
    assert place("apply", "plan.json", "--auto-approve", "--digest", plan[which]).code == 0


def test_an_offline_plan_does_what_a_plan_on_the_tenant_does(place: Place) -> None:
    """A pull request is planned on a capture, without the tenant; its content digest approves the
    plan that is made later.
    """
    assert place("fetch", "--out", "capture.json").code == 0
    offline = place.run(
        "plan", "--tenant", "capture.json", "--out", "offline.json", cwd=place.folder
    )
    assert offline.code == 0, offline.out + offline.err
    reviewed = json.loads((place.folder / "offline.json").read_text(encoding="utf-8"))
    planned = place.plan()
    assert reviewed["content_digest"] == planned["content_digest"]
    assert offline.out.startswith(
        "SIMULATED TENANT"
    )  # a capture of a simulated tenant still says so


def test_a_capture_is_never_written_to(place: Place) -> None:
    assert place("fetch", "--out", "capture.json").code == 0
    before = (place.folder / "capture.json").read_bytes()
    place.plan()
    ran = place.run(
        "apply", "plan.json", "--auto-approve", "--tenant", "capture.json", cwd=place.folder
    )
    assert ran.code == 64
    assert _is_for_people(ran)
    assert (place.folder / "capture.json").read_bytes() == before


def test_half_a_capture_is_no_empty_tenant(place: Place) -> None:
    assert place("fetch", "--out", "capture.json").code == 0
    capture = json.loads((place.folder / "capture.json").read_text(encoding="utf-8"))
    capture["exchange"]["policies"].pop()
    (place.folder / "capture.json").write_text(json.dumps(capture), encoding="utf-8")
    ran = place.run("plan", "--tenant", "capture.json", cwd=place.folder)
    assert ran.code == 1
    assert _is_for_people(ran)


def test_documents_of_another_tenant_are_refused(place: Place) -> None:
    place.edit(
        "contoso",
        lambda document: document["spec"].update(tenantId="11111111-2222-4333-8444-555555555555"),
    )
    without = place.run("plan", cwd=place.folder)
    assert without.code == 64, "no tenant is guessed"
    ran = place("plan")
    assert ran.code == 1
    assert _is_for_people(ran)


def test_without_a_terminal_nobody_is_asked(place: Place) -> None:
    place.plan()
    before = place.tenant()
    ran = place("apply", "plan.json")
    assert ran.code == 64
    assert _is_for_people(ran)
    assert place.tenant() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--no-such-option"),
        ("no-such-command",),
        ("plan", "--format", "xml"),
        ("apply", "absent.json"),
    ],
)
def test_a_wrong_command_line_is_told_apart_from_pending_changes(
    arguments: tuple[str, ...], place: Place
) -> None:
    ran = place.run(*arguments, cwd=place.folder)
    assert ran.code == 64
    assert _is_for_people(ran)


def test_a_name_that_nobody_has_is_left_out_with_a_warning(place: Place) -> None:
    place.edit(
        "MY-APP-POLICY",
        lambda document: document["spec"]["grants"].update(
            users=["nobody.here@contoso.com", "megan.bowen@contoso.com"]
        ),
    )
    place.edit("Test-policy", lambda document: document["spec"]["grants"].pop("usersFrom"))
    ran = place("plan", "--out", "plan.json")
    plan = json.loads((place.folder / "plan.json").read_text(encoding="utf-8"))
    assert plan["unresolved"] == []
    assert "nobody.here@contoso.com" in ran.out
    granted = {step["parameters"].get("Identity") for step in plan["steps"]}
    assert "a194c55d-70a1-4da8-b44d-144c97d003e8" in granted
    assert "nobody.here@contoso.com" not in granted


def test_selecting_leaves_the_rest_as_it_is(place: Place) -> None:
    ran = place(
        "plan",
        "--only",
        "exchange.application/e7e4dbfc-046f-4074-9b3b-2ae8f144f59b",
        "--out",
        "plan.json",
    )
    assert ran.code == 0, ran.out + ran.err
    plan = json.loads((place.folder / "plan.json").read_text(encoding="utf-8"))
    assert {change["address"].split("@")[0] for change in plan["changes"]} == {
        "exchange.policy/e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"
    }
    assert plan["held"]


@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_a_script_runs_every_step_of_its_product(product: str, place: Place) -> None:
    plan = place.plan()
    script = place.run(
        "show", "plan.json", "--format", "powershell", "--product", product, cwd=place.folder
    ).out
    texts = [step["text"] for step in plan["steps"] if step["provider"] == product]
    assert texts
    assert [text for text in texts if f"\n{text}\n" not in script] == []
