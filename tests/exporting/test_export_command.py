"""`reconciler export` on a simulated tenant: what it writes, keeps, refuses and says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import settle
from tests.exporting import brownfield

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran, Run

CRM = "7a774f0c-7a6f-11e0-85ad-07fb4824019b"
ANALYTICS = "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"
SIM = ("--tenant", "sim:tenant.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample's tenant, and the sample's documents, which nobody reads unless they are named."""
    settle(tmp_path)
    (tmp_path / "policies").rename(tmp_path / "sample")
    return tmp_path


@pytest.fixture
def export(folder: Path, run: Run) -> Callable[..., Ran]:
    """Runs an export into `mine`."""
    return lambda *arguments: run("export", *arguments, *SIM, "--out-dir", "mine", cwd=folder)


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def change_tenant(folder: Path, edit: Callable[[Any], None]) -> None:
    """Somebody works by hand."""
    file = folder / "tenant.json"
    state = json.loads(file.read_text(encoding="utf-8"))
    edit(state)
    file.write_text(json.dumps(state), encoding="utf-8")


def policy(state: Any, name: str) -> Any:
    """A Teams policy of a tenant's file."""
    return next(row for row in state["teams"]["policies"] if row["Identity"].endswith(name))


def test_an_export_plans_to_no_changes(folder: Path, run: Run, export: Callable[..., Ran]) -> None:
    ran = export()
    assert ran.code == 0, ran.err
    assert "To compare: reconciler plan mine --tenant sim:tenant.json" in ran.out
    plan = run("plan", "mine", *SIM, "--detailed-exitcode", cwd=folder)
    assert plan.code == 0, plan.out
    assert "No changes." in plan.out
    assert "Unmanaged" not in plan.out


def test_a_document_reads_as_if_somebody_had_written_it(
    folder: Path, export: Callable[..., Ran]
) -> None:
    assert export().code == 0
    text = (folder / "mine" / "teams" / "webinars.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../document.schema.json\n")
    assert "metadata: {name: Webinars}\n" in text
    assert "# Alex Wilber (alex.wilber@contoso.com)\n" in text


def test_a_second_export_touches_nothing(folder: Path, export: Callable[..., Ran]) -> None:
    export()
    before = content(folder / "mine")
    ran = export()
    assert ran.code == 0
    assert "0 files written" in ran.out
    assert content(folder / "mine") == before


def test_what_is_written_by_hand_survives(
    folder: Path, run: Run, export: Callable[..., Ran]
) -> None:
    export()
    mine = folder / "mine"
    edited = mine / "teams" / "webinars.yaml"
    edited.write_text(
        "# Ask the events team.\r\n" + edited.read_text(encoding="utf-8") + "# the end\n",
        encoding="utf-8",
        newline="",
    )
    applications = mine / "applications.yaml"
    named = applications.read_text(encoding="utf-8") + "# More to come.\n"
    applications.write_text(named, encoding="utf-8")
    before = content(mine)

    def add(state: Any) -> None:
        policy(state, "Webinars")["AppIds"].append(ids := "12345678-0000-4000-8000-000000000000")
        state["teams"]["policies"].append({"Identity": "Tag:New one", "AppIds": [ids]})
        policy(state, "Webinars")["AppIds"].remove(ids)

    change_tenant(folder, add)
    ran = export()
    assert ran.code == 0, ran.err
    after = content(mine)
    assert after.keys() - before.keys() == {"teams/new-one.yaml"}
    assert {path for path in before if before[path] != after[path]} == {"applications.yaml"}
    assert after["applications.yaml"].startswith(before["applications.yaml"])
    assert "No changes." in run("plan", "mine", *SIM, cwd=folder).out


def test_a_document_that_differs_is_kept_and_told_unless_it_is_forced(
    folder: Path, run: Run, export: Callable[..., Ran]
) -> None:
    export()
    mine = folder / "mine"
    before = content(mine)
    change_tenant(folder, lambda state: policy(state, "Webinars").update(Description="moved on"))
    ran = export()
    assert ran.code == 4
    assert (
        "policy Webinars: mine/teams/webinars.yaml:2:1 says something else, and is kept" in ran.out
    )
    assert "--force rewrites these documents" in ran.err
    assert content(mine) == before

    ran = export("--force")
    assert ran.code == 0, ran.err
    after = content(mine)
    assert {path for path in before if before[path] != after.get(path)} == {"teams/webinars.yaml"}
    assert b"description: moved on" in after["teams/webinars.yaml"]
    assert "No changes." in run("plan", "mine", *SIM, cwd=folder).out


def test_force_keeps_what_stands_above_a_document_and_the_order_of_its_list(
    folder: Path, run: Run, export: Callable[..., Ran]
) -> None:
    brownfield.write(folder / "tenant.json", brownfield.SMALL)
    export()
    teams = folder / "mine" / "teams"
    document, users = teams / "standard.yaml", teams / "standard.csv"
    document.write_text("# Ask Anna first.\n" + document.read_text(encoding="utf-8"), "utf-8")
    header, *rows = users.read_text(encoding="utf-8").splitlines(keepends=True)
    users.write_text("".join((header, *reversed(rows))), encoding="utf-8")
    assert export().code == 0

    def work(state: Any) -> None:
        policy(state, "Standard")["Description"] = "moved on"
        gone = rows[0].partition(",")[0]
        state["teams"]["users"] = [
            row for row in state["teams"]["users"] if row["Identity"] != gone
        ]
        free = state["directory"]["users"][-1]["id"]
        state["teams"]["users"].append({"Identity": free, "PolicyName": "Standard"})

    change_tenant(folder, work)
    ran = export("--force")
    assert ran.code == 0, ran.err
    assert "removed" not in ran.out
    lines = document.read_text(encoding="utf-8").splitlines()
    assert lines[1] == "# Ask Anna first."
    after = users.read_text(encoding="utf-8").splitlines(keepends=True)
    assert after[:-1] == [header, *reversed(rows[1:])]
    assert "No changes" in run("plan", "mine", *SIM, cwd=folder).out


def test_force_rewrites_what_is_chosen_and_nothing_else(
    folder: Path, export: Callable[..., Ran]
) -> None:
    export()
    before = content(folder / "mine")

    def work(state: Any) -> None:
        policy(state, "Webinars")["Description"] = "moved on"
        policy(state, "Test-policy")["Description"] = "moved on"

    change_tenant(folder, work)
    assert export("--force", "--policy", "Webinars").code == 0
    after = content(folder / "mine")
    assert {path for path in before if before[path] != after.get(path)} == {"teams/webinars.yaml"}
    assert export().code == 4


def test_force_takes_a_document_out_of_a_file_and_leaves_the_others_as_they_are(
    folder: Path, run: Run, export: Callable[..., Ran]
) -> None:
    export()
    mine = folder / "mine"
    webinars, other = mine / "teams" / "webinars.yaml", mine / "teams" / "global.yaml"
    together = "# both\n" + other.read_text(encoding="utf-8") + "---\n# why\n"
    other.write_text(together + webinars.read_text(encoding="utf-8"), encoding="utf-8")
    webinars.unlink()
    assert export().code == 0
    change_tenant(folder, lambda state: policy(state, "Webinars").update(AppIds=[]))
    assert export("--force").code == 0
    assert other.read_text(encoding="utf-8") == together.removesuffix("---\n# why\n")
    assert "applications: []" in webinars.read_text(encoding="utf-8")
    assert "No changes." in run("plan", "mine", *SIM, cwd=folder).out


def test_a_grant_that_a_kept_document_promises_is_in_no_new_document(
    folder: Path, run: Run, export: Callable[..., Ran]
) -> None:
    """Else a user would be in two policies, and every command would refuse the documents."""
    export()

    def move(state: Any) -> None:
        state["teams"]["policies"].append({"Identity": "Tag:New one", "AppIds": []})
        for rows in ("users", "groupAssignments"):
            row = state["teams"][rows][0]
            row["PolicyName"] = "New one"
            row.pop("ApplicationAccessPolicy", None)

    change_tenant(folder, move)
    assert export().code == 4
    assert run("validate", "mine", cwd=folder).code == 0


def test_names_of_applications_and_the_tenant_come_from_documents_elsewhere(
    folder: Path, export: Callable[..., Ran]
) -> None:
    assert export("sample/applications.yaml").code == 0
    applications = (folder / "mine" / "applications.yaml").read_text(encoding="utf-8")
    assert "metadata: {name: crm}\n" in applications
    assert "applications: [crm]" in (folder / "mine/exchange/crm.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["--policy", "webinars"], {"teams/webinars.yaml"}),
        (["--only", "teams.policy/Webinars"], {"teams/webinars.yaml"}),
        (["--only", "webinars"], {"teams/webinars.yaml"}),
        (["--only", "crm", "sample/applications.yaml"], {"exchange/crm.yaml"}),
        (["--app", "crm", "sample/applications.yaml"], {"exchange/crm.yaml"}),
        (
            ["--only", f"exchange.application/{CRM}", "sample/applications.yaml"],
            {"exchange/crm.yaml"},
        ),
    ],
)
def test_a_part_is_that_part_and_nothing_else(
    arguments: list[str], files: set[str], folder: Path, run: Run, export: Callable[..., Ran]
) -> None:
    assert export(*arguments).code == 0
    written = content(folder / "mine").keys()
    assert {path for path in written if "/" in path} == files
    assert "No changes." in run("plan", "mine", *SIM, cwd=folder).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "nobody"], "Teams policy 'nobody' not found in the tenant"),
        (["--app", "nobody"], "application 'nobody' not found in the tenant"),
        (["--only", "nobody"], "'nobody' is neither the name of an object nor an address"),
        (["--only", "adele.vance@contoso.com"], "name the policy, teams.policy/NAME"),
        (["--only", "teams.grant/tenant"], "name the policy, teams.policy/NAME"),
        (["--only", "exchange.application/*"], "'exchange.application/*' not found in the tenant"),
    ],
)
def test_what_cannot_be_exported_alone_is_refused(
    arguments: list[str], message: str, folder: Path, export: Callable[..., Ran]
) -> None:
    ran = export(*arguments)
    assert ran.code == 64
    assert message in ran.err
    assert not (folder / "mine").exists()


def test_one_of_several_policies_of_an_application_is_refused_with_the_address_to_use(
    folder: Path, export: Callable[..., Ran]
) -> None:
    def double(state: Any) -> None:
        rows = state["exchange"]["policies"]
        row = next(row for row in rows if ANALYTICS in row["Identity"])
        other = next(row for row in rows if ANALYTICS not in row["Identity"])
        scope = other["ScopeIdentityRaw"]
        head = row["Identity"].split(":")[0]
        rows.append({**row, "Identity": f"{head}:{scope}", "ScopeIdentityRaw": scope})

    change_tenant(folder, double)
    state = json.loads((folder / "tenant.json").read_text(encoding="utf-8"))
    raw = next(
        row["ScopeIdentityRaw"]
        for row in state["exchange"]["policies"]
        if ANALYTICS in row["Identity"]
    )
    ran = export("--only", f"exchange.policy/{ANALYTICS}@{raw.split(';')[1]}")
    assert ran.code == 64
    assert f"Use exchange.application/{ANALYTICS}" in ran.err


def test_no_link_leads_out_of_the_folder(folder: Path, export: Callable[..., Ran]) -> None:
    (folder / "mine").mkdir()
    (folder / "elsewhere").mkdir()
    (folder / "mine" / "teams").symlink_to(folder / "elsewhere", target_is_directory=True)
    ran = export()
    assert ran.code == 3
    assert "the link leads outside every PATH" in ran.out
    assert content(folder / "elsewhere") == {}


def test_a_name_that_is_taken_on_a_system_that_ignores_case_is_not_used(
    folder: Path, export: Callable[..., Ran]
) -> None:
    (folder / "mine" / "Teams").mkdir(parents=True)
    (folder / "mine" / "teams").mkdir()
    (folder / "mine" / "teams" / "WEBINARS.yaml").write_text("# mine\n", encoding="utf-8")
    assert export("--policy", "Webinars").code == 0
    assert (folder / "mine" / "teams" / "webinars-2.yaml").is_file()


def test_a_capture_is_exported_too(folder: Path, run: Run) -> None:
    fetched = run("fetch", "sample", "--directory", "all", *SIM, "--out", "c.json", cwd=folder)
    assert fetched.code == 0
    ran = run("export", "--tenant", "c.json", "--out-dir", "mine", cwd=folder)
    assert ran.code == 0, ran.err
    assert "No changes." in run("plan", "mine", "--tenant", "c.json", cwd=folder).out


def test_suggestions_are_listed_and_nothing_is_written_without_a_folder(
    folder: Path, run: Run
) -> None:
    def waste(state: Any) -> None:
        state["teams"]["policies"].append({"Identity": "Tag:Idle", "AppIds": []})

    change_tenant(folder, waste)
    before = content(folder)
    ran = run("export", "--suggest", *SIM, cwd=folder)
    assert ran.code == 0
    assert "policy Idle lists no application: it governs nothing" in ran.out
    assert "policy Idle: nobody holds it: it governs nothing" in ran.out
    assert content(folder) == before
    ran = run("export", *SIM, cwd=folder)
    assert ran.code == 64
    assert "--out-dir DIR is required" in ran.err


def test_the_envelope_has_files_and_remarks(folder: Path, run: Run) -> None:
    def waste(state: Any) -> None:
        state["teams"]["policies"].append({"Identity": "Tag:x\u202ey", "AppIds": []})
        policy(state, "Webinars")["Description"] = "two\nlines"

    change_tenant(folder, waste)
    ran = run("export", *SIM, "--out-dir", "mine", "--format", "json", cwd=folder)
    assert ran.code == 0
    said = json.loads(ran.out)
    assert "mine/teams/webinars.yaml" in said["export"]["files"]
    codes = {(row["code"], row["address"]) for row in said["export"]["remarks"]}
    assert ("description-left-out", "teams.policy/Webinars") in codes
    assert "name-refused" in {code for code, _ in codes}


def test_an_entry_that_is_not_understood_is_shown_as_it_was_read(
    folder: Path, run: Run, export: Callable[..., Ran]
) -> None:
    change_tenant(folder, lambda state: policy(state, "Webinars")["AppIds"].append("<APP_ID>"))
    ran = export()
    assert ran.code == 0
    assert 'entries that are not client ids, and stays unmanaged: "<APP_ID>"\n' in ran.out
    assert "No changes." in run("plan", "mine", *SIM, cwd=folder).out


def test_documents_with_faults_are_not_added_to(folder: Path, export: Callable[..., Ran]) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "broken.yaml").write_text("kind: [\n", encoding="utf-8")
    assert export().code == 3
    assert content(folder / "mine").keys() == {"broken.yaml"}
