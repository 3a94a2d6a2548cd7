"""`plan`, `show`, `fetch`: the same plan in every format, and what the exit code says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft7Validator

from reconciler import canonical
from tests.cli.sample import STRANGER, teams_document, tenant_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")


def test_a_plan_is_the_same_printed_saved_and_shown(run: Run, folder: Path) -> None:
    planned = run("plan", "--out", "plan.json", "--json-into", "output.json")
    saved = (folder / "plan.json").read_text(encoding="utf-8")
    assert planned.out.startswith("SIMULATED TENANT")
    shown = run("show", "plan.json").out
    assert _without_changes(planned.out) == _without_changes(shown)
    written = (folder / "output.json").read_text(encoding="utf-8")
    assert written == run("plan", "--format", "json").out
    for output in (written, run("show", "plan.json", "--format", "json").out):
        assert canonical.dumps(json.loads(output)["plan"]) + b"\n" == saved.encode()
        assert saved.rstrip("\n") in output
    assert json.loads(saved)["inputs"]["source"] == "simulated"
    assert json.loads(saved)["content_digest"] in planned.out
    assert json.loads(saved)["digest"] in run("plan", "--ids").out
    for step in json.loads(saved)["steps"]:
        assert f"  {step['text']}  # " in planned.out


def test_a_saved_plan_says_where_its_changes_are_declared(run: Run, folder: Path) -> None:
    planned = run("plan", "--out", "plan.json", *SIM)
    assert "crm.yaml:18" in planned.out
    assert "crm.yaml" not in run("show", "plan.json").out
    shown = run("show", "plan.json", "policies", *SIM)
    assert shown.code == 0, shown.err
    assert shown.out.split("\nPlan: ")[0] == planned.out.split("\nPlan: ")[0]


def test_documents_that_a_plan_was_not_made_from_say_nothing_about_it(
    run: Run, folder: Path
) -> None:
    run("plan", "--out", "plan.json", *SIM)
    (folder / "policies" / "more.yaml").write_text(teams_document("More", "{applications: []}"))
    ran = run("show", "plan.json", "policies", *SIM)
    assert (ran.code, ran.out) == (64, "")
    assert "the plan was not made from these documents" in ran.err
    assert run("show", "plan.json", *SIM).code == 64


def _without_changes(text: str) -> str:
    """The text without the changes, which have their places in the documents only where those are
    at hand.
    """
    before, _, after = text.replace(" (tenant.yaml:3)", "").partition("\nChanges\n")
    return before + after[after.index("\nOn the way\n") :]


@pytest.mark.parametrize(
    "more", [(), ("--skip", "teams.policy/Test-policy"), ("--tenant", "sim:tenant.json")]
)
def test_plan_and_capture_files_are_what_their_schemas_say(
    run: Run, folder: Path, more: tuple[str, ...]
) -> None:
    assert run("plan", "--out", "plan.json", *more).code == 0
    assert run("fetch", "--out", "capture.json").code == 0
    for name in ("plan", "capture"):
        schema = json.loads(run("schema", name).out)
        Draft7Validator(schema).validate(
            json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        )


def test_the_closing_lines_agree_with_the_summary_of_the_plan(run: Run, folder: Path) -> None:
    summary = json.loads(run("plan", "--format", "json").out)["plan"]["summary"]
    policies, grants = (
        [summary[f"{what}_{action}"] for action in ("create", "update", "delete")]
        for what in ("policies", "grants")
    )
    told = run("plan").out
    planned = "Plan: {} to add, {} to change, {} to destroy.".format(*policies)
    assert f"{planned} Grants: {{}} to add, {{}} to move, {{}} to remove.\n".format(*grants) in told


def test_planning_writes_nothing_but_what_it_is_asked_for(run: Run, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    assert run("plan").code == 0
    assert sorted(folder.rglob("*")) == before


def test_a_page_is_printed_or_written(run: Run, folder: Path) -> None:
    planned = run("plan", "--out", "plan.json", "--format", "html")
    assert planned.code == 0
    assert planned.out.startswith("<!DOCTYPE html>\n")
    assert planned.out.endswith("</html>\n")
    assert "To apply exactly this: <code data-copy>reconciler apply plan.json</code>" in planned.out
    assert "declared in <code>test-policy.yaml:" in planned.out
    written = run("show", "plan.json", "--format", "html", "--ids", "--out", "plan.html")
    assert (written.code, written.out) == (0, "")
    page = (folder / "plan.html").read_text(encoding="utf-8")
    assert 'type="checkbox" checked>' in page
    assert page.count("<pre>") == planned.out.count("<pre>") == 13
    usage = run("show", "plan.json", "--against", "plan.json", "--format", "html")
    assert usage.code == 64


def test_scripts_are_one_for_each_product(run: Run, folder: Path) -> None:
    run("plan", "--out", "plan.json")
    teams = run("show", "plan.json", "--format", "powershell", "--product", "teams").out
    exchange = run("plan", "--format", "powershell", "--product", "exchange").out
    assert "SIMULATED TENANT" in teams.splitlines()[0]
    assert "\nGrant-CsApplicationAccessPolicy" in teams
    assert "\nNew-ApplicationAccessPolicy" in exchange
    (folder / "one.yaml").write_text(
        tenant_document() + teams_document("One", "{applications: []}")
    )
    assert "Identity:'One'" in run("plan", "one.yaml", "--format", "powershell").out


def test_the_exit_code_says_whether_changes_are_pending(run: Run, folder: Path) -> None:
    assert run("plan").code == 0
    assert run("plan", "--detailed-exitcode").code == 2
    (folder / "none.yaml").write_text(tenant_document())
    ran = run("plan", "none.yaml", "--detailed-exitcode")
    assert ran.code == 0
    assert "\nNo changes. " in ran.out


def test_a_refused_plan_is_shown_and_saved_and_a_consent_lifts_it(run: Run, folder: Path) -> None:
    (folder / "wide.yaml").write_text(
        tenant_document()
        + teams_document("Global", "{applications: [0a1b2c3d-0000-4000-8000-000000000001]}")
    )
    consent = "tenant-wide:teams.application/0a1b2c3d-0000-4000-8000-000000000001"
    ran = run("plan", "wide.yaml", "--out", "plan.json", "--detailed-exitcode")
    assert ran.code == 4
    assert f"--allow {consent}\n" in ran.out
    assert json.loads((folder / "plan.json").read_text())["applicable"] is False
    assert "throw" in run("show", "plan.json", "--format", "powershell", "--product", "teams").out
    refused = run("apply", "plan.json", "--auto-approve", *SIM)
    assert refused.code == 4
    assert f"--allow {consent}\n" in refused.out
    assert run("plan", "wide.yaml", "--allow", consent).code == 0


def test_a_selection_holds_the_rest_and_only_its_faults_block(run: Run, folder: Path) -> None:
    (folder / "policies" / "bad.yaml").write_text(
        teams_document("Bad", "{applications: [], nonsense: 1}")
    )
    assert run("plan").code == 3
    ran = run("plan", "--only", "teams.policy/MY-APP-POLICY")
    assert ran.code == 0, ran.out
    assert "Plan: 1 to add, 0 to change, 0 to destroy. " in ran.out
    assert "bad.yaml:" in ran.err
    assert "bad.yaml:" not in ran.out


def test_a_capture_is_a_tenant_to_plan_on(run: Run, folder: Path) -> None:
    fetched = run("fetch", "--out", "capture.json", *SIM)
    assert fetched.code == 0, fetched.err
    assert fetched.out.startswith("SIMULATED TENANT")
    assert "Written to capture.json" in fetched.out
    offline = run("plan", "--tenant", "capture.json", "--format", "json")
    live = run("plan", *SIM, "--format", "json")
    assert offline.code == 0
    plans = [json.loads(ran.out)["plan"] for ran in (offline, live)]
    assert plans[0]["content_digest"] == plans[1]["content_digest"]
    assert plans[0]["inputs"]["source"] == "simulated"  # what was captured was a simulator


def test_the_whole_directory_can_be_fetched(run: Run, folder: Path) -> None:
    (folder / "small.yaml").write_text(
        tenant_document() + teams_document("A", "{applications: []}")
    )
    users = []
    for more in ((), ("--directory", "all")):
        ran = run("fetch", "small.yaml", "--out", "capture.json", *SIM, *more)
        assert ran.code == 0, ran.err
        assert "    teams: " in ran.out
        assert ("    exchange: " in ran.out) == bool(more)
        users.append(len(json.loads((folder / "capture.json").read_text())["directory"]["users"]))
    assert users[0] < users[1]


def test_an_exchange_only_capture_names_no_teams(run: Run, folder: Path) -> None:
    (folder / "policies" / "teams").rename(folder / "aside")
    ran = run("fetch", "--out", "capture.json", *SIM)
    assert ran.code == 0, ran.err
    assert "    exchange: " in ran.out
    assert "    teams: " not in ran.out


def test_a_capture_of_another_tenant_is_refused(run: Run, folder: Path) -> None:
    run("fetch", "--out", "capture.json", *SIM)
    (folder / "other.yaml").write_text(
        tenant_document(STRANGER) + teams_document("A", "{applications: []}")
    )
    ran = run("plan", "other.yaml", "--tenant", "capture.json")
    assert ran.code == 1
    assert STRANGER in ran.err
    none = folder / "none.yaml"
    none.write_text(teams_document("A", "{applications: []}"))
    assert run("fetch", "none.yaml", "--out", "capture.json", *SIM).code == 0
    assert run("plan", "none.yaml", "--tenant", "capture.json").code == 0


@pytest.mark.parametrize(
    "tamper",
    [
        ('"applicable":true', '"applicable":false'),
        ('"format_version":"2.0"', '"format_version":"3.0"'),
        ('"format_version":"2.0"', '"format_version":"1.0"'),
        ("{", ""),
    ],
)
def test_a_plan_that_was_changed_is_not_shown(
    run: Run, folder: Path, tamper: tuple[str, str]
) -> None:
    run("plan", "--out", "plan.json")
    plan = folder / "plan.json"
    plan.write_text(plan.read_text(encoding="utf-8").replace(*tamper, 1), encoding="utf-8")
    for command in (("show", "plan.json"), ("apply", "plan.json", "--auto-approve", *SIM)):
        ran = run(*command)
        assert (ran.code, ran.out) == (5, "")
        assert "plan.json" in ran.err


def test_a_name_that_is_not_found_is_told_with_its_policy_as_the_document_spells_it(
    run: Run, folder: Path
) -> None:
    (folder / "more.yaml").write_text(
        tenant_document()
        + teams_document("Readers-Of-All", "{applications: [], grants: {users: [no@contoso.com]}}")
    )
    ran = run("plan", "more.yaml")
    assert ran.code == 0, ran
    assert "no@contoso.com [in Readers-Of-All, listed at more.yaml:" in " ".join(ran.out.split())
    assert "+ Teams  Readers-Of-All: no applications" in ran.out
    assert "null" not in ran.out


@pytest.mark.parametrize("option", ["--out", "--json-into"])
@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("tenant.json", "is the tenant that is read"),
        ("policies/tenant.yaml", "among the documents"),
        ("policies/teams/meeting-hosts.csv", "among the documents"),
    ],
)
def test_what_is_read_is_not_written_over(
    run: Run, folder: Path, option: str, file: str, why: str
) -> None:
    before = (folder / file).read_bytes()
    ran = run("plan", *SIM, option, file)
    assert (ran.code, ran.out) == (64, "")
    assert why in ran.err
    assert (folder / file).read_bytes() == before


def test_a_reading_does_not_replace_the_tenant_that_is_read(run: Run, folder: Path) -> None:
    before = (folder / "tenant.json").read_bytes()
    assert run("fetch", *SIM, "--out", "tenant.json").code == 64
    assert (folder / "tenant.json").read_bytes() == before


def test_a_user_is_selected_by_principal_name_or_object_id(run: Run, folder: Path) -> None:
    by_name, by_id = (
        run("plan", *SIM, "--only", f"teams.grant/user:{user}").out
        for user in ("Megan.Bowen@contoso.com", "a194c55d-70a1-4da8-b44d-144c97d003e8")
    )
    assert "Grants: 1 to add" in by_name
    assert by_name.splitlines()[:-1] == by_id.splitlines()[:-1]  # the last one quotes the options
