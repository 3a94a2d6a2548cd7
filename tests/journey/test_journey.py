"""From the documents to a converged tenant, through the command line only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Run
    from tests.journey.places import Place

from tests.journey.places import ROOT, settle


def _actions(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    return {change["address"]: change["actions"] for change in plan["changes"]}


def test_the_first_command_shows_a_plan_of_everything(tmp_path: Path, run: Run) -> None:
    folder = settle(tmp_path / "clone", run).folder
    ran = run("plan", cwd=folder)
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.startswith("SIMULATED TENANT")
    assert "Plan: " in ran.out
    assert run("plan", "--detailed-exitcode", cwd=folder).code == 2


def test_the_sample_has_something_of_everything(place: Place) -> None:
    plan = place.plan()
    actions = _actions(plan)
    assert plan["applicable"], plan["refusals"]
    assert actions["teams.policy/MY-APP-POLICY"] == ["create"]
    assert actions["teams.policy/Test-policy"] == ["update"]
    assert actions["teams.grant/user:15dc9f74-e8eb-47c6-b991-76bc9947d9ac"] == ["update"], (
        "a user who moves from one policy to another"
    )
    assert actions["teams.grant/user:a194c55d-70a1-4da8-b44d-144c97d003e8"] == ["create"]
    assert actions["teams.grant/user:5c43c61c-863c-4f84-810f-656dec65395e"] == ["delete"]
    assert actions["teams.grant/group:566b8d39-5c5c-4aaa-bc07-4f36278a1b38"] == ["create"]
    assert "teams.grant/tenant" in actions
    assert [note["address"] for note in plan["unmanaged"]] == [
        "exchange.policy/9d9e9ef6-700e-43b4-b202-9af752d31077@f211d4e2-ae92-47f1-9cff-dcd65abee3ae",
        "teams.grant/group:1aec801c-04a3-42c6-8307-b87c6d0995b9",
        "teams.policy/Legacy-recorder",
    ]
    assert {row["application"] for row in plan["access"]["tenant_wide"]} == {
        consent.rpartition("/")[2] for consent in plan["consents"]
    }
    gained = [(row["application"], row["subject"]) for row in plan["access"]["gained"]]
    assert (
        "2cb8a690-ed7d-4fff-a6f5-6009677e4829",
        {"kind": "user", "id": "53c5584d-7e21-4eb4-bdb6-b8ff045cbe4a"},
    ) in gained
    assert plan["gaps"], "the sample shows what no order can spare"
    assert all(row["proved"] for row in plan["gaps"])
    assert {index for step in plan["steps"] for index in step["gaps"]} == set(
        range(len(plan["gaps"]))
    )


def test_a_changed_scope_is_a_replacement_of_two_changes_that_name_each_other(place: Place) -> None:
    changes = {change["address"]: change for change in place.plan()["changes"]}
    application = "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"
    old = f"exchange.policy/{application}@897014b0-7a43-4219-87cb-f24bccd7421d"
    new = f"exchange.policy/{application}@2962985c-b755-459a-8836-cc602f71f120"
    assert (changes[old]["actions"], changes[new]["actions"]) == (["delete"], ["create"])
    assert (changes[old]["replaces"], changes[new]["replaces"]) == (new, old)


def test_apply_then_plan_says_no_changes(applied: Place) -> None:
    ran = applied("plan", "--detailed-exitcode")
    assert ran.code == 0, ran.out + ran.err
    assert "No changes." in ran.out


def test_applying_the_same_plan_again_does_nothing(applied: Place) -> None:
    before = applied.tenant()
    again = applied("apply", "plan.json", "--auto-approve")
    assert again.code == 0, again.out + again.err
    assert applied.tenant() == before
    assert "0 added, 0 changed, 0 destroyed" in again.out


def test_apply_without_a_plan_and_without_changes_does_nothing(applied: Place) -> None:
    before = applied.tenant()
    ran = applied("apply", "--auto-approve")
    assert ran.code == 0, ran.out + ran.err
    assert "No changes." in ran.out
    assert applied.tenant() == before


def test_a_changed_scope_leaves_no_old_policy_behind(applied: Place) -> None:
    applied.edit(
        "even-users",
        lambda document: document["spec"].update(
            scope="OddUsers@contoso.com", movedFrom="EvenUsers@contoso.com"
        ),
    )
    applied.apply()
    scopes = [
        policy["ScopeName"]
        for policy in applied.tenant()["exchange"]["policies"]
        if policy["AppId"].startswith("e7e4dbfc")
    ]
    assert scopes == ["OddUsers"]


def test_an_application_taken_out_of_one_of_two_documents_keeps_its_policy_until_it_is_said_to_go(
    applied: Place,
) -> None:
    applied.edit(
        "sales-systems-off-the-board",
        lambda document: document["spec"].update(applications=["crm"]),
    )
    ran = applied("plan", "--out", "plan.json")
    assert ran.code == 4
    assert "--allow undeclared:exchange.policy/6d2b65ed-" in ran.out
    assert len(applied.tenant()["exchange"]["policies"]) == 6
    (applied.folder / "policies" / "gone.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: ExchangeApplicationAccessPolicy\nmetadata: {name: gone}\n"
        "spec: {ensure: absent, applications: [ticket-sync], scope: board@contoso.com}\n",
        encoding="utf-8",
    )
    ran = applied("plan", "--out", "plan.json")
    assert ran.code == 4  # ticket-sync reaches the board again
    (refusal,) = applied.plan()["refusals"]
    consent = refusal["details"]["allow"]
    assert consent.startswith("deny:exchange.policy/6d2b65ed-")
    assert applied("plan", "--out", "plan.json", "--allow", consent).code == 0
    assert applied("apply", "plan.json", "--auto-approve").code == 0
    rights = [
        policy["AccessRight"]
        for policy in applied.tenant()["exchange"]["policies"]
        if policy["AppId"].startswith("6d2b65ed")
    ]
    assert rights == ["RestrictAccess"]


def test_an_application_taken_out_of_its_last_document_is_unmanaged(applied: Place) -> None:
    for name in ("sales-systems-in-crm-mailboxes", "sales-systems-off-the-board"):
        applied.edit(name, lambda document: document["spec"].update(applications=["crm"]))
    plan = applied.plan()
    assert plan["changes"] == []
    left = [
        note["address"]
        for note in plan["unmanaged"]
        if "6d2b65ed-3c77-4f3c-bd7a-8e4e3704d672" in note["address"]
    ]
    assert len(left) == 2
    assert "Unmanaged, left alone: 3 Exchange policies, " in applied("plan").out


def test_no_more_tenant_grant_names_what_stays_in_global(applied: Place) -> None:
    applied.edit("Test-policy", lambda document: document["spec"]["grants"].pop("tenant"))
    plan = applied.plan()
    assert plan["changes"] == []
    text = applied("plan").out
    assert "Global is not managed, and it is not empty" in text
    for application in ("event-registration", "attendance-reports", "scheduling-bot"):
        assert application in text


def test_global_is_emptied_by_saying_so(applied: Place) -> None:
    applied.edit("Test-policy", lambda document: document["spec"]["grants"].pop("tenant"))
    (applied.folder / "policies" / "global.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name:"
        " Global}\nspec: {applications: []}\n",
        encoding="utf-8",
    )
    applied.apply()
    assert [
        policy["AppIds"]
        for policy in applied.tenant()["teams"]["policies"]
        if policy["Identity"] == "Global"
    ] == [[]]


def test_without_its_consents_the_plan_is_shown_and_refused(place: Place) -> None:
    place.edit("contoso", lambda document: document["spec"].pop("consents"))
    ran = place("plan", "--out", "plan.json")
    assert ran.code == 4
    allow = "--allow tenant-wide:teams.application/ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
    assert allow in ran.out + ran.err
    refused = place("apply", "plan.json", "--auto-approve")
    assert refused.code == 4
    assert "Traceback" not in refused.err


def test_auto_approve_refuses_a_simulator_that_nobody_typed(place: Place) -> None:
    assert place.run("plan", "--out", "plan.json", cwd=place.folder).code == 0
    ran = place.run("apply", "plan.json", "--auto-approve", cwd=place.folder)
    assert ran.code == 64
    assert "sim:" in ran.err
    assert not (place.folder / ".reconciler" / "tenant.json").exists()


def test_a_plan_is_shown_as_it_was_printed(place: Place) -> None:
    planned = place("plan", "--out", "plan.json")
    shown = place.run("show", "plan.json", cwd=place.folder)
    assert shown.code == 0
    for start, end in (("\nEVERYONE", "\nChanges"), ("\nCommands", "\nPlan: ")):
        texts = [out[out.index(start) : out.index(end)] for out in (planned.out, shown.out)]
        assert texts[0] == texts[1]


def test_the_sample_has_no_findings(run: Run) -> None:
    ran = run("validate", cwd=ROOT)
    assert ran.code == 0, ran.out + ran.err
