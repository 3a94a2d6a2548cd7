"""Many tenants: who they are, and a command that runs for each."""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.model.outputs import EXIT_NAMES, WORST_LAST
from reconciler.reports.fleets import worst_exit_code
from tests.cli.tenants_sample import IDS, settle, write_tenant

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:{tenant}.json")


@pytest.fixture
def tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return settle(tmp_path)


def _rows(out: str) -> dict[str, Any]:
    return {row["tenant"]: row for row in json.loads(out)["fleet"]["rows"]}


# who they are


def test_tenants_are_listed_with_what_is_read_for_each(tenants: Path, run: Run) -> None:
    ran = run("tenants", "--format", "json")
    assert ran.code == 0
    listed = json.loads(ran.out)["tenants"]
    assert [(row["name"], row["tenant_id"]) for row in listed] == sorted(IDS.items())
    assert listed[0]["paths"] == ["policies/contoso", "policies/shared"]
    assert run("tenants").out.splitlines()[-1] == "3 tenants."


def test_the_paths_of_a_tenant_are_the_same_whatever_path_leads_to_it(
    tenants: Path, run: Run
) -> None:
    def read_for_contoso(path: str, folder: Path) -> list[Path]:
        listed = json.loads(run("tenants", path, "--format", "json", cwd=folder).out)["tenants"]
        (row,) = (row for row in listed if row["name"] == "contoso")
        return [(folder / each).resolve() for each in row["paths"]]

    expected = [tenants / "policies" / name for name in ("contoso", "shared")]
    for path in ("policies", "policies/contoso", "policies/contoso/tenant.yaml", ".", str(tenants)):
        assert read_for_contoso(path, tenants) == expected, path
    for path in (".", "..", "../contoso"):
        assert read_for_contoso(path, tenants / "policies" / "contoso") == expected, path


def test_the_matrix_of_github_is_what_from_json_takes(tenants: Path, run: Run) -> None:
    matrix = json.loads(run("tenants", "--format", "matrix", "--skip", "woodgrove").out)
    assert matrix == {
        "include": [
            {
                "tenant": name,
                "tenant_id": IDS[name],
                "paths": f"policies/{name} policies/shared",
            }
            for name in ("contoso", "fabrikam")
        ]
    }


def test_the_matrix_of_azure_names_its_legs(tenants: Path, run: Run) -> None:
    write_tenant(tenants / "policies" / "eu", "Contoso (EU)", IDS["contoso"])
    write_tenant(tenants / "policies" / "eu2", "contoso eu", IDS["contoso"])
    matrix = json.loads(run("tenants", "--format", "matrix-azure").out)
    assert list(matrix) == [
        "t_contoso",
        "t_contoso_eu",
        "t_contoso_eu_2",
        "t_fabrikam",
        "t_woodgrove",
    ]
    assert all(isinstance(value, str) for leg in matrix.values() for value in leg.values())


@pytest.mark.parametrize("name", ["two words", "a;b", "$(id)", "a'b"])
def test_a_matrix_has_no_path_that_a_shell_would_split(tenants: Path, run: Run, name: str) -> None:
    write_tenant(tenants / "policies" / name, "adventure", IDS["contoso"])
    ran = run("tenants", "--format", "matrix")
    assert (ran.code, ran.out) == (64, "")
    assert f"`policies/{name}` as one word" in ran.err
    assert run("tenants").code == 0


def test_what_is_left_of_a_lost_tenant_is_a_fault_and_not_forgotten(
    tenants: Path, run: Run
) -> None:
    lost = tenants / "policies" / "fabrikam" / "tenant.yaml"
    lost.write_text(lost.read_text().replace("kind: Tenant", "kind: Tennant"), encoding="utf-8")
    for command in (("tenants",), ("fleet", "--skip", "contoso", "--", "plan", *SIM)):
        ran = run(*command)
        assert ran.code == 3
        assert "policies/fabrikam/tenant.yaml:1:1: $: read for no tenant" in ran.err
    write_tenant(tenants / "policies" / "eu" / "adventure", "adventure", IDS["contoso"])
    ran = run("tenants", "policies/eu", "policies/shared")
    assert ran.code == 3
    assert "policies/shared/apps.yaml:1:1: $: read for no tenant" in ran.err


def test_two_tenants_of_one_name_are_a_fault(tenants: Path, run: Run) -> None:
    write_tenant(tenants / "policies" / "zz", "CONTOSO", IDS["fabrikam"])
    ran = run("tenants")
    assert ran.code == 3
    assert "policies/contoso and policies/zz have the same name" in ran.err
    fleet = run("fleet", "--format", "json", "--", "plan", *SIM)
    assert fleet.code == 3
    codes = [row["exit_code"] for row in json.loads(fleet.out)["fleet"]["rows"]]
    assert codes == [3, 3, 0, 0]


def test_a_folder_without_a_tenant_is_told(tmp_path: Path, run: Run) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.yaml").write_text("kind: Application\n", encoding="utf-8")
    for command in (("tenants",), ("fleet", "--", "plan")):
        ran = run(*command)
        assert ran.code == 64
        assert "no Tenant document found at or below policies" in ran.err


def test_a_mistyped_tenant_is_told_with_who_may_be_meant(tenants: Path, run: Run) -> None:
    ran = run("tenants", "--only", "contosso")
    assert (ran.code, ran.out) == (64, "")
    assert "no tenant of this name (did you mean `contoso`?)" in ran.err
    assert run("tenants", "--only", "contoso", "--skip", "CONTOSO").code == 64


# a command for each


def test_each_plan_is_the_one_that_the_tenant_has_alone(tenants: Path, run: Run) -> None:
    ran = run("fleet", "--", "plan", *SIM, "--out", "fleet-{tenant}.json")
    assert ran.code == 0
    for name in IDS:
        paths = (f"policies/{name}", "policies/shared")
        alone = run("plan", *paths, "--tenant", f"sim:{name}.json", "--out", f"alone-{name}.json")
        assert (tenants / f"fleet-{name}.json").read_bytes() == (
            tenants / f"alone-{name}.json"
        ).read_bytes()
        block = alone.out.replace(f"alone-{name}.json", f"fleet-{name}.json")
        assert f"== {name} ({' '.join(paths)})\n{block}\n" in ran.out, "printed as a whole"


def test_the_table_sums_up(tenants: Path, run: Run) -> None:
    ran = run("fleet", "--summary", "--", "plan", "--detailed-exitcode", *SIM)
    assert ran.code == 2
    assert ran.out == (
        "plan for 3 tenants: 2 with changes, 1 ok.\n\n"
        "Tenants\n"
        "  Tenant     Result   Policies  Unmanaged\n"
        "  contoso    changes  +1        5\n"
        "  fabrikam   changes  +1        5\n"
        "  woodgrove  ok                 10\n\n"
        "Exit code 2: the worst of them.\n"
    )


def test_one_broken_tenant_does_not_stop_the_others(tenants: Path, run: Run) -> None:
    (tenants / "policies" / "fabrikam" / "tenant.yaml").write_text("kind: Tenant\na: @\n")
    ran = run("fleet", "--format", "json", "--", "plan", *SIM)
    assert ran.code == 3
    rows = _rows(ran.out)
    assert {name: row["exit_code"] for name, row in rows.items()} == {
        "contoso": 0,
        "fabrikam": 3,
        "woodgrove": 0,
    }
    assert "policies/fabrikam/tenant.yaml:2:" in rows["fabrikam"]["error"]
    assert rows["contoso"]["digests"]["content_digest"].startswith("content:")
    assert rows["contoso"]["summary"]["policies.added"] == 1


def test_a_tenant_that_cannot_be_read_is_an_error_and_not_an_empty_one(
    tenants: Path, run: Run
) -> None:
    (tenants / "fabrikam.json").write_text("{", encoding="utf-8")
    ran = run("fleet", "--", "drift", *SIM)
    assert ran.code == 1
    assert "1 with an error, 2 with changes" in ran.out
    assert "\nfabrikam: Error: " in f"\n{ran.err}"


def test_faults_that_are_not_listed_are_counted(tenants: Path, run: Run) -> None:
    faulty = "".join(f"  unknown{number}: 1\n" for number in range(1200))
    document = tenants / "policies" / "contoso" / "faulty.yaml"
    document.write_text(
        f"apiVersion: reconciler/v1\nkind: AccessTest\nmetadata: {{name: t}}\nspec:\n{faulty}",
        encoding="utf-8",
    )
    ran = run("fleet", "--only", "contoso", "--format", "json", "--", "validate")
    alone = json.loads(run("validate", "policies/contoso", "--format", "json").out)
    errors = alone["summary"]["findings.errors"]
    assert errors > len(alone["findings"])
    assert _rows(ran.out)["contoso"]["error"].endswith(f", and {errors - 1} more faults")


def test_a_mistyped_name_in_what_is_shared_is_a_fault_of_every_tenant(
    tenants: Path, run: Run
) -> None:
    shared = tenants / "policies" / "shared" / "apps.yaml"
    shared.write_text(shared.read_text().replace("fabrikam]", "fabirkam]"), encoding="utf-8")
    ran = run("fleet", "--format", "json", "--", "validate")
    assert ran.code == 3
    assert all("did you mean `fabrikam`?" in row["error"] for row in _rows(ran.out).values())


def test_a_document_of_other_tenants_is_left_out_and_counted(tenants: Path, run: Run) -> None:
    ran = run("validate", "policies/woodgrove", "policies/shared")
    assert ran.out == "2 documents are valid. 1 more is for other tenants (`spec.tenants`).\n"
    shared = tenants / "policies" / "shared" / "apps.yaml"
    text = shared.read_text(encoding="utf-8").replace("019b}", "019b, tenants: [fabrikam]}")
    shared.write_text(text, encoding="utf-8")
    ran = run("validate", "policies/contoso", "policies/shared")
    assert ran.code == 3
    assert (
        "Application `crm` is declared for other tenants only, at policies/shared/apps.yaml:1:1"
        in (ran.out)
    )


def test_a_document_that_says_for_whom_it_is_is_never_rewritten(tenants: Path, run: Run) -> None:
    paths, shared = ("policies/contoso", "policies/shared"), tenants / "policies/shared/apps.yaml"
    sim = ("--tenant", "sim:contoso.json")
    assert run("plan", *paths, *sim, "--out", "plan.json").code == 0
    assert run("apply", "plan.json", *sim, "--auto-approve").code == 0
    edited = shared.read_text(encoding="utf-8").replace("[crm]\n", "[crm, ticket]\n", 1)
    edited += (
        "---\napiVersion: reconciler/v1\nkind: Application\nmetadata: {name: ticket}\n"
        "spec: {appId: 13a1f0b4-53ab-4ee3-8f9c-6d1d7c1f4b1a}\n"
    )
    shared.write_text(edited, encoding="utf-8")
    wanted = ("--only", "teams.policy/Hosts", "--out-dir", "policies/shared", "--force")
    ran = run("export", "policies/contoso", *sim, *wanted)
    assert ran.code == 4, ran.err
    assert "not those with `spec.tenants`, which other tenants read" in ran.err
    assert shared.read_text(encoding="utf-8") == edited


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no command: write `--` and one of plan, drift, validate, test"),
        (("--", "apply"), "`apply` does not run for several tenants"),
        (("--", "plan", "policies"), "write PATHs before `--`"),
        (("--", "plan", "--formt", "x"), "No such option"),
        (("--", "plan", "--format", "json"), "--format json after `--`"),
        (("--", "plan", "--json-into", "a.json"), "--json-into after `--`"),
        (("--", "plan", "--out", "plan.json"), "every tenant would write this file"),
        (("--", "drift", "--patch", "x.patch"), "every tenant would write this file"),
    ],
)
def test_a_wrong_command_line_is_told_once_and_nothing_runs(
    tenants: Path, run: Run, words: tuple[str, ...], said: str
) -> None:
    before = sorted(tenants.rglob("*"))
    ran = run("fleet", *words)
    assert ran.code == 64
    assert ran.err.count("Error:") == 1
    assert said in ran.err
    assert sorted(tenants.rglob("*")) == before


def test_a_run_that_ends_otherwise_than_it_says_is_not_believed(
    tenants: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tenants / "python"
    program.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit 1\n', encoding="utf-8")
    program.chmod(0o700)
    assert run("fleet", "--only", "contoso", "--", "validate").code == 0
    monkeypatch.setattr(sys, "executable", str(program))
    ran = run("fleet", "--only", "contoso", "--format", "json", "--", "validate")
    assert ran.code == 1
    assert _rows(ran.out)["contoso"]["exit_code"] == 1


def test_names_become_file_names_that_lead_nowhere_else(tenants: Path, run: Run) -> None:
    for number, name in enumerate(("../escaped", "a/b", "A b", "..")):
        write_tenant(tenants / "policies" / f"odd{number}", f'"{name}"', IDS["contoso"])
    ran = run("fleet", "--skip", "woodgrove", "--", "plan", "--out", "out-{tenant}.json")
    assert ran.code == 64  # no simulated tenant is theirs
    names = {path.name for path in tenants.glob("out-*.json")}
    assert names == {
        "out-contoso.json",
        "out-escaped.json",
        "out-a-b-2.json",
        "out-A-b.json",
        "out-tenant.json",
    }
    assert not list(tenants.parent.glob("*escaped*"))


def test_the_worst_exit_code_counts_in_one_order() -> None:
    assert sorted(WORST_LAST) == sorted(EXIT_NAMES)
    for codes in itertools.permutations(EXIT_NAMES, 3):
        worst = worst_exit_code(codes)
        assert worst in codes
        assert all(WORST_LAST.index(code) <= WORST_LAST.index(worst) for code in codes)
    assert worst_exit_code([]) == 0
    assert worst_exit_code([0, 2, 4, 3, 64, 1]) == 1


def test_the_command_says_the_order_that_counts(run: Run) -> None:
    said = " ".join(run("fleet", "--help").out.split())
    possible = [code for code in WORST_LAST if code not in {5, 6, 7, 8}]
    assert f"from the best: {', '.join(map(str, possible))}." in said
