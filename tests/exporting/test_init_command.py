"""`reconciler init`: a repository to start from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from reconciler.documents.input_files import walk
from tests.cli.sample import TENANT_ID, settle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran, Run

WHO = ("--tenant-id", TENANT_ID, "--organization", "contoso.onmicrosoft.com")
FILES = {
    *(".gitignore", ".pre-commit-config.yaml", ".vscode/settings.json", "README.md"),
    *("policies/tenant.yaml", "policies/document.schema.json"),
}


def written(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_repository_to_start_from(run: Run, tmp_path: Path) -> None:
    ran = run("init", "new", *WHO)
    assert ran.code == 0, ran.err
    new = tmp_path / "new"
    assert written(new) == FILES
    checked = run("validate", cwd=new)
    assert checked.code == 0
    assert "warning" not in checked.err + checked.out
    assert len((new / "README.md").read_text(encoding="utf-8").splitlines()) <= 10
    settings = json.loads((new / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    schema = next(iter(settings["yaml.schemas"]))
    assert (new / schema).is_file()
    hooks = yaml.safe_load((new / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert hooks["repos"][0]["hooks"][0]["entry"] == "reconciler validate policies"


def test_editors_check_every_file_that_is_read(run: Run, tmp_path: Path) -> None:
    assert run("init", "new", *WHO).code == 0
    new = tmp_path / "new"
    for name in ("a.yml", "teams/b.yaml", "teams/more/c.yml", "teams/notes.txt"):
        file = new / "policies" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    settings = json.loads((new / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    (globs,) = settings["yaml.schemas"].values()
    read = set(walk([new / "policies"]).files)
    assert {file.name for file in read} == {"tenant.yaml", "a.yml", "b.yaml", "c.yml"}
    assert {file for glob in globs for file in new.glob(glob)} == read


def test_nothing_is_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine\n", encoding="utf-8")
    ran = run("init", *WHO)
    assert ran.code == 0
    assert "kept, because it exists: README.md" in ran.out
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine\n"
    (tmp_path / ".gitignore").unlink()
    ran = run("init", *WHO)
    assert ran.code == 4
    assert "policies/tenant.yaml exists, and nothing was written" in ran.err
    assert "Go on with `reconciler export`" in ran.err
    assert not (tmp_path / ".gitignore").exists()


def test_an_export_goes_into_the_same_folder(run: Run, tmp_path: Path) -> None:
    settle(tmp_path)
    (tmp_path / "policies").rename(tmp_path / "sample")
    assert run("init", "--tenant", "sim:tenant.json").code == 0
    before = (tmp_path / "policies" / "tenant.yaml").read_bytes()
    assert run("export", "--tenant", "sim:tenant.json", "--out-dir", "policies").code == 0
    assert (tmp_path / "policies" / "tenant.yaml").read_bytes() == before
    assert "No changes." in run("plan", "--tenant", "sim:tenant.json").out


def test_the_tenant_is_asked_for_on_a_terminal(
    type_: Callable[..., Ran], run: Run, tmp_path: Path
) -> None:
    ran = type_("init", answer=f"{TENANT_ID.upper()}\ncontoso.onmicrosoft.com\n")
    assert ran.code == 0, ran.err
    document = (tmp_path / "policies" / "tenant.yaml").read_text(encoding="utf-8")
    assert f"tenantId: {TENANT_ID}" in document
    assert "organization: contoso.onmicrosoft.com" in document
    assert run("validate").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "standard input is not a terminal"),
        (["--tenant-id", "x"], "'x' is not a tenant id"),
        (["--tenant-id", TENANT_ID, "--organization", "a b"], "'a b' is not a domain name"),
        (["--tenant", "live"], "use --tenant-id and --organization"),
    ],
)
def test_what_does_not_tell_the_tenant(
    arguments: list[str], message: str, run: Run, tmp_path: Path
) -> None:
    ran = run("init", *arguments)
    assert ran.code == 64
    assert message in ran.err
    assert written(tmp_path) == set()


def test_the_envelope_names_the_files(run: Run) -> None:
    ran = run("init", *WHO, "--format", "json")
    assert ran.code == 0
    said = json.loads(ran.out)
    assert {*said["init"]["files"]} == FILES
    assert said["tenant"]["tenantId"] == TENANT_ID
