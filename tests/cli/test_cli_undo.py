"""`reconciler undo` on the simulated sample."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reconciler.planning import planfile
from tests.cli.sample import teams_document, tenant_document
from tests.git.repositories import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Run

BOT = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
MEGAN = "a194c55d-70a1-4da8-b44d-144c97d003e8"
NESTOR = "748d2cbb-3b55-40ed-8c34-2eae5932b22a"
SIM = ("--tenant", "sim:tenant.json")


@pytest.fixture
def applied(run: Run, folder: Path) -> Path:
    """A plan that made a policy and gave it to somebody, and was applied."""
    write(folder, f"{{applications: [{BOT}], grants: {{users: [{MEGAN}]}}}}")
    plan = folder / "plan.json"
    assert run("plan", "policies", "--out", "plan.json", *SIM, cwd=folder).code == 0
    assert run("apply", "plan.json", "--auto-approve", *SIM, cwd=folder).code == 0
    return plan


def write(folder: Path, spec: str) -> None:
    for file in (folder / "policies").rglob("*"):
        if file.is_file():
            file.unlink()
    text = tenant_document() + teams_document("New", spec)
    (folder / "policies/all.yaml").write_text(text, encoding="utf-8")


def test_a_plan_is_undone_and_then_nothing_is_left(run: Run, folder: Path, applied: Path) -> None:
    made = run("undo", applied.name, "policies", "--out", "undo.json", *SIM, cwd=folder)
    assert made.code == 0, made.err
    digest = planfile.load_plan(applied).digest
    assert f"Plan that undoes {digest[:17]} for contoso.onmicrosoft.com" in made.out
    assert "The documents still ask for what this plan undoes" in made.out
    assert "New [listed at all.yaml:" in made.out
    assert "Unmanaged" not in made.out
    done = run("apply", "undo.json", "--auto-approve", *SIM, cwd=folder)
    assert done.code == 0, done.err
    again = run("undo", applied.name, "policies", "--detailed-exitcode", *SIM, cwd=folder)
    assert again.code == 0
    assert "Nothing is left to undo: all of it is as it was before the plan." in again.out


def test_the_undo_says_of_which_plan_it_is(run: Run, folder: Path, applied: Path) -> None:
    made = run("undo", applied.name, "policies", "--format", "json", *SIM, cwd=folder)
    envelope = json.loads(made.out)
    assert envelope["command"] == "undo"
    assert envelope["plan"]["undoes"] == planfile.load_plan(applied).digest
    assert {change["action_reason"] for change in envelope["plan"]["changes"]} == {"undone"}
    code = run("undo", applied.name, "policies", "--detailed-exitcode", *SIM, cwd=folder).code
    assert code == 2


def test_what_was_never_applied_is_refused(run: Run, folder: Path, applied: Path) -> None:
    write(folder, f"{{applications: [{BOT}, {OTHER}]}}")
    assert run("plan", "policies", "--out", "other.json", *SIM, cwd=folder).code == 0
    made = run("undo", "other.json", "policies", *SIM, cwd=folder)
    assert made.code == 4
    assert "no journal says that a step of" in made.err
    assert applied.exists()


def test_a_plan_that_was_changed_and_sealed_again_is_refused(
    run: Run, folder: Path, applied: Path
) -> None:
    plan = planfile.load_plan(applied).plan
    planfile.sealed(replace(plan, names={MEGAN: "Somebody else"}), folder / "forged.json")
    made = run("undo", "forged.json", "policies", *SIM, cwd=folder)
    assert made.code == 4
    assert "if the file was changed since" in made.err


def test_a_policy_that_others_hold_by_now_stays(run: Run, folder: Path, applied: Path) -> None:
    state = json.loads((folder / "tenant.json").read_text(encoding="utf-8"))
    row = next(row for row in state["teams"]["users"] if row["Identity"] == MEGAN)
    state["teams"]["users"].append(
        {**row, "Identity": NESTOR, "UserPrincipalName": "nestor.wilke@contoso.com"}
    )
    (folder / "tenant.json").write_text(json.dumps(state), encoding="utf-8")
    made = run("undo", applied.name, "policies", *SIM, cwd=folder)
    assert made.code == 0, made.out + made.err
    assert "Not undone, because others hold the policy than before the plan" in made.out
    assert (
        "Plan: 0 to add, 0 to change, 0 to destroy. Grants: 0 to add, 0 to move, 1 to remove."
        in (made.out)
    )


def test_the_plan_that_is_undone_is_not_written_over(run: Run, folder: Path, applied: Path) -> None:
    made = run("undo", applied.name, "policies", "--out", applied.name, *SIM, cwd=folder)
    assert made.code == 64
    assert "the plan that is undone would be overwritten" in made.err


def test_without_its_journal_one_is_named(
    run: Run, folder: Path, applied: Path, tmp_path: Path
) -> None:
    [journal] = Path(os.environ["RECONCILER_STATE_DIR"]).rglob("apply-*.jsonl")
    moved = tmp_path / "journal.jsonl"
    moved.write_bytes(journal.read_bytes())
    journal.unlink()
    without = run("undo", applied.name, "policies", *SIM, cwd=folder)
    assert without.code == 4
    named = run("undo", applied.name, "policies", "--journal", str(moved), *SIM, cwd=folder)
    assert named.code == 0, named.err


# --- commits


def test_the_commits_that_brought_the_lines_are_named(
    run: Run, folder: Path, applied: Path, tmp_path: Path
) -> None:
    """Of a grant the commit of its line, of a policy the last one that changed its file."""
    assert "came with these commits" not in run("undo", applied.name, *SIM, cwd=folder).err
    box = Sandbox(folder, tmp_path.parent / f"{tmp_path.name}-home")
    box.git("init", "-q", "-b", "main", ".")
    box.git("add", "policies")
    box.git("commit", "-q", "-m", "first")
    first = box.git("rev-parse", "HEAD")
    ran = run("undo", applied.name, "policies", "--format", "json", *SIM, cwd=folder)
    [row] = json.loads(ran.out)["reverts"]
    assert row["commit"] == first
    assert row["lines"][0] == "policies/all.yaml"
    file = folder / "policies/all.yaml"
    file.write_text(f"# more\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    box.git("commit", "-q", "-a", "-m", "second")
    second = box.git("rev-parse", "HEAD")
    said = run("undo", applied.name, "policies", *SIM, cwd=folder).err
    assert f"  {second[:12]}  policies/all.yaml" in said
    ran = run("undo", applied.name, "policies", "--format", "json", *SIM, cwd=folder)
    commits = {row["commit"]: row["lines"] for row in json.loads(ran.out)["reverts"]}
    assert commits[second] == ["policies/all.yaml"]
    assert [line for line in commits[first] if line.startswith("policies/all.yaml:")]
