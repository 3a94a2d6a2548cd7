"""`plan --since`: what was edited, what drifted, what is no longer declared; the plan is the same."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import settle, teams_document
from tests.git.repositories import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran, Run

SIM = ("--tenant", "sim:tenant.json")
MIRIAM = "999e3413-f83f-4380-a294-98020c857229"
PATTI = "79368a13-cc26-4b3d-ab2c-9272547ae537"


@pytest.fixture
def box(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sample, applied and committed on `main`; `work` is checked out."""
    monkeypatch.setenv("RECONCILER_STATE_DIR", str(tmp_path / "state"))
    top = settle(tmp_path)
    made = Sandbox(top, top / "home")
    assert run("apply", *SIM, "--auto-approve").code == 0
    (top / ".gitignore").write_text("home/\nstate/\n*.json\n")
    made.git("init", "-q", "-b", "main", ".")
    made.commit("first")
    made.git("checkout", "-q", "-b", "work")
    return made


def edit(box: Sandbox, file: str, old: str, new: str = "") -> None:
    path = box.top / "policies" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def drift(box: Sandbox, run: Run, file: str, old: str, new: str = "") -> None:
    """Change the tenant by other documents than those of the repository."""
    other = box.top / "home" / "policies"
    shutil.copytree(box.top / "policies", other)
    text = (other / file).read_text()
    assert old in text
    (other / file).write_text(text.replace(old, new))
    assert run("apply", "--path", "home/policies", *SIM, "--auto-approve").code == 0
    shutil.rmtree(other)


def since(run: Run, ref: str = "main", *more: str) -> dict[str, Any]:
    ran = run("plan", *SIM, "--since", ref, "--format", "json", *more)
    assert "since" in json.loads(ran.out), ran.err
    told: dict[str, Any] = json.loads(ran.out)["since"]
    return told


def test_the_plan_is_byte_for_byte_the_same_with_and_without(run: Run, box: Sandbox) -> None:
    drift(box, run, "teams/webinars.yaml", f"      - {MIRIAM}   # Miriam Graham\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    edit(box, "tenant.yaml", "maxRemovals: 100", "maxRemovals: 5")
    without = run("plan", *SIM, "--out", "a.json", "--format", "json")
    beside = run("plan", *SIM, "--out", "b.json", "--format", "json", "--since", "main")
    assert (box.top / "a.json").read_bytes() == (box.top / "b.json").read_bytes()
    assert without.code == beside.code
    first, second = json.loads(without.out), json.loads(beside.out)
    assert second.pop("since")
    assert first == second


def test_what_was_edited_is_told_from_what_drifted(run: Run, box: Sandbox) -> None:
    drift(box, run, "teams/webinars.yaml", f"      - {MIRIAM}   # Miriam Graham\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    told = since(run)
    assert told["edited"] == [f"teams.grant/user:{PATTI}"]
    assert told["drifted"] == [f"teams.grant/user:{MIRIAM}"]
    assert told["unclear"] == []
    assert told["commit"] == box.git("rev-parse", "main")
    shown = run("plan", *SIM, "--since", "main").out
    assert f"Since main (merge base {told['commit'][:12]}): 1 difference edited" in shown
    assert "- Patti Fernandez (edited)" in shown
    assert "+ Miriam Graham (no effect, drifted" in shown
    assert "(edited)" not in run("plan", *SIM).out


def test_an_edit_that_the_tenant_has_already_is_no_difference(run: Run, box: Sandbox) -> None:
    drift(box, run, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    told = since(run)
    assert (told["edited"], told["drifted"]) == ([], [])
    assert "no difference to tell apart" in run("plan", *SIM, "--since", "main").out


def test_a_drift_that_an_edit_corrects_otherwise_is_edited(run: Run, box: Sandbox) -> None:
    """Patti lost her grant by hand, and the edit gives her another one."""
    drift(box, run, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    edit(box, "teams/my-app-policy.yaml", "    users:\n", f"    users:\n      - {PATTI}\n")
    told = since(run)
    assert told["edited"] == [f"teams.grant/user:{PATTI}"]


def test_what_is_no_longer_declared_is_named_with_the_way_to_remove_it(
    run: Run, box: Sandbox
) -> None:
    for file in ("exchange/even-users.yaml", "teams/my-app-policy.yaml", "teams/tests.yaml"):
        (box.top / "policies" / file).unlink()
    edit(box, "teams/webinars.yaml", "  applications: [event-registration, webinar-studio]\n")
    text = (box.top / "policies" / "teams" / "test-policy.yaml").read_text()
    kept = text[: text.index("    groups:")] + text[text.index("    users:") :]
    (box.top / "policies" / "teams" / "test-policy.yaml").write_text(kept)
    ran = run("plan", *SIM, "--since", "main")
    assert "No changes" in ran.out
    assert "4 objects are no longer declared; they stay:" in ran.out
    words = " ".join(ran.out.split())
    for phrase in (
        "Teams policy MY-APP-POLICY with 1 grant. To remove: declare it with `ensure: absent`.",
        "Exchange policy mailbox-analytics on EvenUsers@contoso.com. To remove: declare it with",
        "the applications of Webinars. To remove: list in `applications` those",
        "1 grant of Test-policy to groups. To remove: declare the policy with `grants: {groups:",
    ):
        assert phrase in words
    parts = {(row["part"], row["grants"]) for row in since(run)["undeclared"]}
    assert parts == {("object", 1), ("object", 0), ("applications", 0), ("groups", 1)}


@pytest.mark.parametrize(
    ("file", "way"),
    [("teams/my-app-policy.yaml", "users"), ("teams/webinars.yaml", "groups")],
)
def test_the_way_to_remove_grants_is_followed(run: Run, box: Sandbox, file: str, way: str) -> None:
    """The grants are taken out of the document; with the edit that the line names they go."""
    (box.top / "policies" / "teams" / "tests.yaml").unlink()
    path = box.top / "policies" / file
    text = path.read_text()
    bare = text[: text.index("  grants:")]
    path.write_text(bare)
    told = [row for row in since(run)["undeclared"] if row["part"] == way]
    assert told
    assert f"declare the policy with `grants: {{{way}: []}}`" in " ".join(
        run("plan", *SIM, "--since", "main").out.split()
    )
    path.write_text(f"{bare}  grants: {{{way}: []}}\n")
    now = since(run)
    assert [row for row in now["undeclared"] if row["part"] == way] == []
    assert len(now["edited"]) == told[0]["grants"]


def test_what_was_declared_of_a_product_that_nobody_reads_any_more_is_named(
    run: Run, box: Sandbox
) -> None:
    """The plan is the same with and without `--since`, so nothing more is read for it."""
    shutil.rmtree(box.top / "policies" / "exchange")
    told = {row["address"]: row["seen"] for row in since(run)["undeclared"]}
    assert len(told) == 5
    assert not any(told.values())
    shown = " ".join(run("plan", *SIM, "--since", "main").out.split())
    assert "(if it is there: Exchange was not read)" in shown


def test_what_a_document_deletes_is_not_told_to_stay(run: Run, box: Sandbox) -> None:
    file = box.top / "policies" / "teams" / "my-app-policy.yaml"
    (box.top / "policies" / "teams" / "tests.yaml").unlink()
    file.write_text(teams_document("MY-APP-POLICY", "{ensure: absent}"))
    told = since(run)
    assert told["undeclared"] == []
    assert "teams.policy/MY-APP-POLICY" in told["edited"]


def test_what_a_plan_prunes_is_not_told_to_stay(run: Run, box: Sandbox) -> None:
    idle = box.top / "policies" / "teams" / "idle.yaml"
    idle.write_text(teams_document("Idle", "{applications: []}"))
    assert run("apply", *SIM, "--auto-approve").code == 0
    box.commit("idle")
    idle.unlink()
    assert [row["address"] for row in since(run, "HEAD")["undeclared"]] == ["teams.policy/Idle"]
    edit(box, "tenant.yaml", "spec:\n", "spec:\n  prune: [TeamsApplicationAccessPolicy]\n")
    told = since(run, "HEAD")
    assert "teams.policy/Idle" not in [row["address"] for row in told["undeclared"]]
    assert "teams.policy/Idle" in told["edited"]


def test_edits_that_decide_stand_under_the_verdict(run: Run, box: Sandbox) -> None:
    edit(box, "tenant.yaml", "maxRemovals: 100", "maxRemovals: 5000")
    edit(box, "tenant.yaml", "maxDeletes: 5", "maxDeletes: 3")
    edit(box, "tenant.yaml", "  consents:\n", "  consents:\n    - limits:teams.grant\n")
    edit(box, "tenant.yaml", "guardScope: nobody@", "guardScope: everybody@")
    edit(box, "tenant.yaml", "  limits:\n", "  prune: [TeamsApplicationAccessPolicy]\n  limits:\n")
    edit(box, "exchange/tests.yaml", "zoe.lindqvist@contoso.com", "adele.vance@contoso.org")
    edit(box, "applications.yaml", "ccb80e06-92f3-4978", "ccb80e06-92f3-4979")
    ran = run("plan", *SIM, "--since", "main")
    verdict = " ".join(ran.out.partition("\n\n")[0].split())
    for phrase in (
        'Edited: Tenant consents: added "limits:teams.grant" (weaker)',
        "Edited: Tenant limits.grants.maxRemovals: 100 -> 5000 (weaker)",
        "Edited: Tenant limits.policies.maxDeletes: 5 -> 3",
        "Edited: Tenant exchange.guardScope: nobody@contoso.com -> everybody@contoso.com",
        'Edited: Tenant prune: added "TeamsApplicationAccessPolicy"',
        "Edited: Application/attendance-reports appId: ccb80e06-92f3-4978-bc22-a0eee85e6a9e -> cc",
        "Edited: AccessTest/sales-systems-stay-in-sales no longer expects crm on zoe.lindqvist@",
    ):
        assert phrase in verdict
    weak = {row["setting"] for row in since(run)["decisive"] if row["weight"] == "weakens"}
    assert weak == {"consents", "limits.grants.maxRemovals", "expect"}


def test_a_test_that_moves_or_names_its_subject_otherwise_is_not_weaker(
    run: Run, box: Sandbox
) -> None:
    (box.top / "policies" / "exchange" / "tests.yaml").rename(box.top / "policies" / "moved.yaml")
    edit(box, "moved.yaml", "name: sales-systems-stay-in-sales", "name: another-name")
    edit(
        box, "teams/tests.yaml", "nestor.wilke@contoso.com", "748d2cbb-3b55-40ed-8c34-2eae5932b22a"
    )
    assert since(run)["decisive"] == []


def test_the_limits_of_the_base_are_judged_beside_the_new_ones(run: Run, box: Sandbox) -> None:
    edit(box, "tenant.yaml", "maxRemovals: 100", "maxRemovals: 0")
    box.git("checkout", "-q", "main", "--")
    box.commit("tight")
    box.git("checkout", "-q", "-B", "work")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    refused = run("plan", *SIM, "--since", "main")
    assert refused.code == 4
    assert "Beyond the limits of the merge base" not in refused.out
    edit(box, "tenant.yaml", "maxRemovals: 0", "maxRemovals: 100")
    ran = run("plan", *SIM, "--since", "main")
    assert ran.code == 0
    words = " ".join(ran.out.split())
    assert "Beyond the limits of the merge base: In one go the plan takes away 1 of" in words
    (note,) = {row["details"]["allow"] for row in since(run)["beyond_limits"]}
    assert note == "limits:teams.grant"
    job = run("ci", "plan", *SIM, "--since", "main", "--out", "out")
    assert job.code == 4
    assert "the plan exceeds the limits of the merge base" in job.err
    envelope = json.loads((box.top / "out" / "output.json").read_bytes())
    assert (envelope["plan"]["applicable"], envelope["job"]["outputs"]["applicable"]) == (
        True,
        "false",
    )
    assert "Beyond the limits of the merge base" in (box.top / "out" / "plan.md").read_text()
    assert "exceeds the limits" in (box.top / "out" / "summary.md").read_text()
    assert run("ci", "plan", *SIM, "--out", "out").code == 0


def test_a_consent_that_the_edit_brings_does_not_lift_the_limits_of_the_base(
    run: Run, box: Sandbox
) -> None:
    edit(box, "tenant.yaml", "maxRemovals: 100", "maxRemovals: 0")
    box.git("checkout", "-q", "main", "--")
    box.commit("tight")
    box.git("checkout", "-q", "-B", "work")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    edit(box, "tenant.yaml", "  consents:\n", "  consents:\n    - limits:teams.grant\n")
    assert run("plan", *SIM).code == 0
    assert since(run)["beyond_limits"]
    assert since(run, "main", "--allow", "limits:teams.grant")["beyond_limits"] == []


def test_widening_beyond_the_limit_of_the_base(run: Run, box: Sandbox) -> None:
    edit(box, "tenant.yaml", "    grants: {", "    widening: {maxPeople: 1}\n    grants: {")
    box.git("checkout", "-q", "main", "--")
    box.commit("tight")
    box.git("checkout", "-q", "-B", "work")
    edit(box, "tenant.yaml", "maxPeople: 1}", "maxPeople: 500}")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    edit(box, "teams/webinars.yaml", f"    users:\n      - {MIRIAM}   # Miriam Graham\n")
    listed = f"    users:\n      - {PATTI}\n      - {MIRIAM}\n"
    edit(box, "teams/my-app-policy.yaml", "    users:\n", listed)
    ran = run("plan", *SIM, "--since", "main")
    assert (
        "Beyond the limits of the merge base (meeting-service): In one plan the application would"
        " newly reach 2 people" in " ".join(ran.out.split())
    )


def test_documents_of_the_base_that_break_a_rule_of_today_are_told_and_nothing_is_guessed(
    run: Run, box: Sandbox
) -> None:
    edit(box, "teams/webinars.yaml", "  grants:\n", "  grantz:\n")
    edit(box, "tenant.yaml", "  limits:\n", "  limitz:\n")
    box.git("checkout", "-q", "main", "--")
    box.commit("faulty")
    box.git("checkout", "-q", "-B", "work")
    edit(box, "teams/webinars.yaml", "  grantz:\n", "  grants:\n")
    edit(box, "tenant.yaml", "  limitz:\n", "  limits:\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    ran = run("plan", *SIM, "--since", "main")
    assert ran.code == 0
    words = " ".join(ran.out.split())
    assert "2 documents of the merge base break a rule of today and are not compared" in words
    assert "policies/teams/webinars.yaml:" in words
    assert "could not be judged" in words
    assert "1 difference edited or drifted, not told apart" in words
    told = since(run)
    assert (told["edited"], told["drifted"]) == ([], [])
    assert told["limits_judged"] is False
    assert {row["subject"] for row in told["unread"]} == {
        "Tenant/contoso",
        "TeamsApplicationAccessPolicy/Webinars",
    }


def test_a_name_of_the_base_that_nobody_looked_up_is_not_taken_for_drift(
    run: Run, box: Sandbox
) -> None:
    """A capture looks up what the documents of now name: whom a deleted row meant is not known."""
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    assert run("fetch", *SIM, "--out", "capture.json").code == 0
    ran = run("plan", "--tenant", "capture.json", "--since", "main", "--format", "json")
    told = json.loads(ran.out)["since"]
    address = f"teams.grant/user:{PATTI}"
    assert address not in told["drifted"]
    assert address in (*told["edited"], *told["unclear"])


def test_untracked_and_uncommitted_documents_are_what_is_compared(run: Run, box: Sandbox) -> None:
    more = teams_document("More", "{applications: [crm]}")
    (box.top / "policies" / "more.yaml").write_text(more)
    assert "?? policies/more.yaml" in box.git("status", "--porcelain")
    assert since(run, "HEAD")["edited"] == ["teams.policy/More"]


def test_files_that_documents_name_are_those_of_the_base(run: Run, box: Sandbox) -> None:
    with (box.top / "policies" / "teams" / "meeting-hosts.csv").open("a") as file:
        file.write(f"{PATTI},\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    assert since(run)["edited"] == [f"teams.grant/user:{PATTI}"]


def test_folders_that_are_new_declare_nothing_at_the_base(run: Run, box: Sandbox) -> None:
    (box.top / "more").mkdir()
    (box.top / "more" / "a.yaml").write_text(teams_document("More", "{applications: [crm]}"))
    told = since(run, "main", "policies", "more")
    assert told["edited"] == ["teams.policy/More"]


def test_a_path_from_another_folder_and_an_absolute_one(run: Run, box: Sandbox) -> None:
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    tenant = ("--tenant", f"sim:{box.top / 'tenant.json'}")
    places: list[tuple[Path, str]] = [
        (box.top / "policies" / "teams", ".."),
        (box.top / "home", "../policies"),
        (box.top.parent, str(box.top / "policies")),
    ]
    for cwd, path in places:
        ran = run("plan", path, *tenant, "--since", "main", "--format", "json", cwd=cwd)
        assert json.loads(ran.out)["since"]["edited"] == [f"teams.grant/user:{PATTI}"], ran.err


def test_a_rebased_branch_tells_only_its_own_edits(run: Run, box: Sandbox) -> None:
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    box.commit("mine")
    box.git("checkout", "-q", "main")
    edit(box, "tenant.yaml", "maxRemovals: 100", "maxRemovals: 90")
    box.commit("theirs")
    box.git("checkout", "-q", "work")
    assert since(run)["decisive"] == []
    box.git("rebase", "-q", "main")
    told = since(run)
    assert told["decisive"] == []
    assert told["edited"] == [f"teams.grant/user:{PATTI}"]
    assert told["commit"] == box.git("rev-parse", "main")


@pytest.mark.parametrize(
    ("ref", "code", "message"),
    [
        ("nowhere", 64, "no such branch, tag or commit here"),
        ("--upload-pack=touch pwned", 64, "begins with a dash"),
        ("-x", 64, "begins with a dash"),
        ("a\nb", 64, "has a character that no name of git has"),
        ("main..work", 64, "is a range or a search"),
    ],
)
def test_a_ref_that_is_none_is_an_error_and_no_plan(
    run: Run, box: Sandbox, ref: str, code: int, message: str
) -> None:
    ran = run("plan", *SIM, f"--since={ref}")
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert not (box.top / "pwned").exists()


def test_paths_outside_of_a_repository(run: Run, box: Sandbox, tmp_path_factory: Any) -> None:
    elsewhere = settle(tmp_path_factory.mktemp("elsewhere"))
    ran = run("plan", str(elsewhere / "policies"), *SIM, "--since", "main")
    assert (ran.code, "is not in a git repository" in ran.err) == (64, True)
    other = Sandbox(elsewhere, elsewhere / "home")
    other.git("init", "-q", ".")
    ran = run("plan", "policies", str(elsewhere / "policies"), *SIM, "--since", "main")
    assert (ran.code, "one repository at a time" in ran.err) == (64, True)
    ran = run("plan", "nowhere", *SIM, "--since", "main")
    assert (ran.code, "PATH nowhere does not exist" in ran.err) == (64, True)


def test_a_path_that_was_a_link_out_of_the_repository(run: Run, box: Sandbox) -> None:
    (box.top / "policies").rename(box.top / "home" / "policies")
    (box.top / "policies").symlink_to("/nowhere")
    box.git("checkout", "-q", "main")
    box.commit("a link")
    box.git("checkout", "-q", "-B", "work")
    (box.top / "policies").unlink()
    (box.top / "home" / "policies").rename(box.top / "policies")
    ran = run("plan", *SIM, "--since", "main")
    assert (ran.code, "leads out of the repository" in ran.err) == (64, True)


def test_without_git(run: Run, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(box.top))
    ran = run("plan", *SIM, "--since", "main")
    assert (ran.code, ran.out) == (1, "")
    assert "--since needs git, which was not found" in ran.err
    assert run("plan", *SIM).code == 0


FORMATS: dict[str, Callable[[Ran], str]] = {
    "text": lambda ran: ran.out,
    "markdown": lambda ran: ran.out,
    "html": lambda ran: ran.out,
    "json": lambda ran: json.dumps(json.loads(ran.out)["since"]),
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_it_and_names_nobody_where_names_are_redacted(
    run: Run, box: Sandbox, form: str
) -> None:
    drift(box, run, "teams/webinars.yaml", f"      - {MIRIAM}   # Miriam Graham\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    edit(box, "tenant.yaml", "maxRemovals: 100", "maxRemovals: 5000")
    edit(box, "exchange/tests.yaml", "zoe.lindqvist@contoso.com", "adele.vance@contoso.org")
    ran = run("plan", *SIM, "--since", "main", "--format", form)
    text = FORMATS[form](ran)
    for word in ("drifted", "edited", "limits.grants.maxRemovals", "zoe.lindqvist@contoso.com"):
        assert word in text
    bare = run("plan", *SIM, "--since", "main", "--format", form, "--redact", "names")
    text = FORMATS[form](bare)
    assert "limits.grants.maxRemovals" in text
    for word in ("zoe.lindqvist", "patti", "Patti", "Miriam", MIRIAM, PATTI):
        assert word not in bare.out


def test_a_selection_is_compared_as_well(run: Run, box: Sandbox) -> None:
    drift(box, run, "teams/webinars.yaml", f"      - {MIRIAM}   # Miriam Graham\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    told = since(run, "main", "--only", f"teams.grant/user:{MIRIAM}")
    assert (told["edited"], told["drifted"]) == ([], [f"teams.grant/user:{MIRIAM}"])


# --- drift


def test_drift_tells_apart_too_what_was_edited(run: Run, box: Sandbox) -> None:
    drift(box, run, "teams/webinars.yaml", f"      - {MIRIAM}   # Miriam Graham\n")
    edit(box, "teams/webinars.yaml", "      - patti.fernandez@contoso.com\n")
    edit(box, "tenant.yaml", "maxRemovals: 100", "maxRemovals: 5")
    told = since(run)
    ran = run("drift", *SIM, "--since", "main", "--format", "json")
    assert ran.code == 2
    assert json.loads(ran.out)["since"] == told
    said = run("drift", *SIM, "--since", "main").out
    assert "Since main (merge base" in said
    assert "1 difference edited in the documents, 1 difference drifted in the tenant" in said
    assert "[edited]" in said
    assert "[drifted]" in said


def test_drift_since_nothing_is_an_error_and_never_a_fallback(run: Run, box: Sandbox) -> None:
    assert box.top.exists()
    ran = run("drift", *SIM, "--since", "nowhere")
    assert ran.code == 64
    assert not ran.out
    assert "there is no such branch, tag or commit" in ran.err


def test_drift_since_names_nobody_where_people_are_redacted(run: Run, box: Sandbox) -> None:
    drift(box, run, "teams/webinars.yaml", f"      - {MIRIAM}   # Miriam Graham\n")
    ran = run("drift", *SIM, "--since", "main", "--redact", "names", "--format", "json")
    assert json.loads(ran.out)["since"]["drifted"]
    assert MIRIAM not in ran.out
    assert "Miriam" not in ran.out
