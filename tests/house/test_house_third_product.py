"""The toy, a third product that is a list of names, added to a copy of the repository: few files
change, the type checker names the places, and what was added plans, applies and converges.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reconciler.cli.showing import PLAN_FORMATS
from tests.house.toy.edits import EDITS, GENERATED, NAME
from tests.house.tree import ROOT, tracked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.house.toy.edits import Edit

NEW = ROOT / "tests" / "house" / "toy" / "new"
ADDED = tuple(
    sorted(path.relative_to(NEW).as_posix() for path in NEW.rglob("*.*") if path.suffix != ".pyc")
)
CHANGED = tuple(sorted({GENERATED, *(edit.file for edit in EDITS)}))
MOST_CHANGED = 15
MOST_ADDED = 10
COPIED = ("reconciler/", "schemas/", "tests/documents/", "tests/__init__.py", "pyproject.toml")
TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
USER = "748d2cbb-3b55-40ed-8c34-2eae5932b22a"
DOCUMENTS = f"""\
apiVersion: reconciler/v1
kind: Tenant
metadata: {{name: contoso}}
spec: {{tenantId: {TENANT}, organization: contoso.onmicrosoft.com}}
---
apiVersion: reconciler/v1
kind: ToyNames
metadata: {{name: names}}
spec: {{names: [anna, berta]}}
"""
SERVICE = {
    "format_version": "1.0",
    "tenant": {"tenantId": TENANT, "organization": "contoso.onmicrosoft.com"},
    "clock": "2026-11-02T09:00:00Z",
    "directory": {"users": [{"id": USER, "upn": "ida@contoso.com", "displayName": "Ida"}]},
    "toy": {"names": [{"Identity": "berta"}, {"Identity": "carla"}]},
}


def _copy(root: Path) -> None:
    for name in tracked():
        if name.startswith(COPIED):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)


def _edit(root: Path, edits: Iterable[Edit]) -> None:
    for file, old, new in edits:
        text = (root / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} has {text.count(old)} times: {old}"
        (root / file).write_text(text.replace(old, new), encoding="utf-8")


def _run(root: Path, module: str, *arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        cwd=root,
        env={
            "PYTHONPATH": str(root),
            "PYTHONPYCACHEPREFIX": str(root / ".pycache"),
            "RECONCILER_STATE_DIR": str(root / "state"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the toy in it, and documents and a tenant for it."""
    root = tmp_path_factory.mktemp("house")
    _copy(root)
    for name in ADDED:
        assert not (root / name).exists()
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(NEW / name, root / name)
    _edit(root, EDITS)
    assert _run(root, "tests.documents.combined_schema") == (0, "")
    (root / "names.yaml").write_text(DOCUMENTS, encoding="utf-8")
    return root


@pytest.fixture
def tenant(house: Path) -> str:
    """The toy's tenant before anything is applied."""
    (house / "tenant.json").write_text(json.dumps(SERVICE), encoding="utf-8")
    return "sim:tenant.json"


def test_few_files_change() -> None:
    assert len(CHANGED) <= MOST_CHANGED
    assert 0 < len(ADDED) <= MOST_ADDED


def test_contributing_lists_the_files_that_change() -> None:
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Adding a product\n", 1)[1].split("\n## ", 1)[0]
    items = "\n".join(line for line in section.splitlines() if line.startswith("- "))
    listed = re.findall(r"`((?:reconciler|schemas)/[^`]+\.[a-z]+)`", items)
    assert sorted(listed) == sorted(CHANGED)


def test_documents_of_it_are_valid(house: Path) -> None:
    assert _run(house, "reconciler", "validate", "names.yaml") == (0, "2 documents are valid.\n")


def test_a_fault_in_them_is_told(house: Path) -> None:
    twice = DOCUMENTS.replace("[anna, berta]", "[anna, anna]")
    (house / "twice.yaml").write_text(twice, encoding="utf-8")
    code, said = _run(house, "reconciler", "validate", "twice.yaml")
    assert code == 3
    assert "`anna` is also listed at" in said


def test_it_is_planned_shown_applied_and_converges(house: Path, tenant: str) -> None:
    of_tenant = ("names.yaml", "--tenant", tenant)
    code, said = _run(house, "reconciler", "plan", *of_tenant, "--out", "plan.json")
    assert code == 0, said
    assert "New-ToyName -Identity:'anna'" in said
    assert "Remove-ToyName -Identity:'carla'" in said
    for form in PLAN_FORMATS:
        code, said = _run(house, "reconciler", "show", "plan.json", "--format", form)
        assert (code, "toy.name/anna" in said) == (0, True), said
    code, said = _run(
        house, "reconciler", "apply", "plan.json", "--tenant", tenant, "--auto-approve"
    )
    assert code == 0, said
    assert "Apply complete! Policies: 1 added, 0 changed, 1 destroyed." in said
    stored = json.loads((house / "tenant.json").read_text(encoding="utf-8"))
    assert sorted(row["Identity"] for row in stored["toy"]["names"]) == ["anna", "berta"]
    code, said = _run(house, "reconciler", "plan", *of_tenant)
    assert (code, "No changes." in said) == (0, True), said


def test_it_is_rehearsed(house: Path, tenant: str) -> None:
    plan = ("plan", "names.yaml", "--tenant", tenant, "--out", "rehearsed.json")
    assert _run(house, "reconciler", *plan)[0] == 0
    code, said = _run(house, "reconciler", "rehearse", "rehearsed.json")
    assert code == 0, said


def test_what_was_changed_in_a_plan_of_it_is_not_applied(house: Path, tenant: str) -> None:
    plan = ("plan", "names.yaml", "--tenant", tenant, "--out", "changed.json")
    assert _run(house, "reconciler", *plan)[0] == 0
    text = (house / "changed.json").read_text(encoding="utf-8")
    (house / "changed.json").write_text(text.replace("anna", "hanna"), encoding="utf-8")
    code, said = _run(
        house, "reconciler", "apply", "changed.json", "--tenant", tenant, "--auto-approve"
    )
    assert code == 5, said


def test_a_part_of_it_is_planned(house: Path, tenant: str) -> None:
    part = ("plan", "names.yaml", "--tenant", tenant, "--only", "toy.name/anna")
    code, said = _run(house, "reconciler", *part)
    assert code == 0, said
    assert "New-ToyName -Identity:'anna'" in said
    assert "Remove-ToyName" not in said


def test_questions_about_other_products_are_answered_as_before(house: Path, tenant: str) -> None:
    asked = ("--app", TENANT, "--meetings-of", "ida@contoso.com")
    code, said = _run(house, "reconciler", "explain", "names.yaml", "--tenant", tenant, *asked)
    assert code == 0, said


def test_the_type_checker_takes_it(house: Path) -> None:
    code, said = _run(house, "mypy", "--cache-dir", str(house / ".mypy"))
    assert code == 0, said


def test_the_type_checker_names_the_places(tmp_path: Path) -> None:
    """Only the name is added: what then lacks a branch is listed."""
    _copy(tmp_path)
    _edit(tmp_path, [NAME])
    code, said = _run(tmp_path, "mypy", "--cache-dir", str(tmp_path / ".mypy"))
    assert code == 1, said
    named = {line.partition(":")[0] for line in said.splitlines() if ": error:" in line}
    assert named == {
        "reconciler/kinds/facts.py",
        "reconciler/kinds/products.py",
        "reconciler/model/baselines.py",
        "reconciler/planning/checking/judging.py",
        "reconciler/powershell/connecting.py",
        "reconciler/tenants/live/readings.py",
        "reconciler/tenants/simulated/services.py",
    }
