"""A repository that brings a program named `pwsh` along: no command starts it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.signing import ENVIRONMENT

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.live.places import Place

TENANT = """
apiVersion: reconciler/v1
kind: Tenant
metadata: {name: contoso}
spec:
  tenantId: 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a
  organization: contoso.onmicrosoft.com
  connect:
    teams: {accessTokens: {graph: GRAPH_TOKEN, teams: TEAMS_TOKEN}}
    exchange: {accessToken: EXO_TOKEN}
---
apiVersion: reconciler/v1
kind: AccessTest
metadata: {name: nothing-reads-the-chief}
spec:
  expect:
    - application: 7b0e6a4c-3f5d-4b1e-9a44-0f6a2b8f2d11
      mailbox: ceo@contoso.com
      access: denied
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It says that it was started, and what it was given."""
    folder = tmp_path / "repository"
    (folder / ".git").mkdir(parents=True)
    (folder / "policies").mkdir()
    (folder / "policies" / "tenant.yaml").write_text(TENANT, encoding="utf-8")
    trap = folder / "pwsh"
    trap.write_text(f"#!/bin/sh\ncat > '{tmp_path}/started'\n", encoding="utf-8")
    trap.chmod(0o700)
    monkeypatch.delenv("RECONCILER_PWSH", raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return folder


COMMANDS = (
    ("doctor",),
    ("fetch", "--tenant", "live", "--out", "capture.json"),
    ("plan", "--tenant", "live"),
    ("test", "--tenant", "live"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("how", ["empty", "dot", "folder", "bare name", "named"])
def test_it_is_never_started(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], how: str
) -> None:
    where = {"empty": "", "dot": ".", "folder": str(repository)}.get(how, "/nowhere")
    monkeypatch.setenv("PATH", where + os.pathsep + "/nowhere")
    if how in {"bare name", "named"}:
        monkeypatch.setenv(
            "RECONCILER_PWSH", "pwsh" if how == "bare name" else str(repository / "pwsh")
        )
    ran = run(*command, cwd=repository)
    assert not (repository.parent / "started").exists()
    assert ran.code == 1
    assert "PowerShell was not found: " in ran.out + ran.err


def test_not_from_another_folder_either(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    (tmp_path / "elsewhere").mkdir()
    for command in COMMANDS:
        ran = run(*command, str(repository / "policies"), cwd=tmp_path / "elsewhere")
        assert "is in the git repository" in ran.out + ran.err
        assert not (tmp_path / "started").exists()


def test_not_when_a_plan_that_lies_in_it_is_applied(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digest = place.plan()["digest"]
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    (place.folder / "plan.json").rename(other / "plan.json")
    trap = other / "pwsh"
    trap.write_text(f"#!/bin/sh\ncat > '{tmp_path}/started'\n", encoding="utf-8")
    trap.chmod(0o700)
    monkeypatch.setenv("RECONCILER_PWSH", str(trap))
    ran = place("apply", str(other / "plan.json"), "--digest", digest, "--auto-approve")
    assert ran.code == 1
    assert "is in the git repository" in ran.err
    assert not (tmp_path / "started").exists()


def test_doctor_says_which_one_is_taken_and_which_are_not(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Path(os.environ["RECONCILER_PWSH"])
    ran = place("doctor", tenant="")
    assert f"ok      pwsh     program: {ours} (from RECONCILER_PWSH)\n" in ran.out
    monkeypatch.delenv("RECONCILER_PWSH")
    trap = place.folder / "pwsh"
    trap.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    trap.chmod(0o700)
    path = (place.folder, ".", ours.parent, Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, path)))
    ran = place("doctor", tenant="")
    assert (
        f"ok      pwsh     program: {ours} (from PATH); not taken: {trap} is in the working"
        f" directory {place.folder}; '.' is not an absolute path\n"
    ) in ran.out
    ours.chmod(0o707)
    ran = place("doctor", tenant="")
    assert ran.code == 0
    assert f"warning pwsh     program: {ours} (from PATH); not taken: " in ran.out
    assert f"every user of this machine may write to {ours}\n" in ran.out


def test_nothing_is_loaded_from_the_repository(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A module that it brings along would be imported with the tokens, as a `pwsh` would be started."""
    (place.folder / ".git").mkdir()
    given = tmp_path / "given"
    shim = tmp_path / "shim" / "pwsh"
    shim.parent.mkdir()
    shim.write_text(
        f"#!/bin/sh\nenv > '{given}'\nexec '{os.environ['RECONCILER_PWSH']}' \"$@\"\n", "utf-8"
    )
    shim.chmod(0o700)
    inside, linked = place.folder / "modules", tmp_path / "linked"
    inside.mkdir()
    linked.symlink_to(inside)
    monkeypatch.setenv("RECONCILER_PWSH", str(shim))
    path = os.environ["PATH"]
    for name, value in {
        "PSModulePath": f"{inside}::./modules:{linked}:/srv/modules",
        "DOTNET_ROOT": str(place.folder / "dotnet"),
        "PATH": f"{inside}:.:{path}",
    }.items():
        monkeypatch.setenv(name, value)
    ran = place("doctor", tenant="")
    lines = given.read_text(encoding="utf-8").splitlines()
    variables = dict(line.partition("=")[::2] for line in lines)
    assert variables["PSModulePath"] == "/srv/modules"
    assert "DOTNET_ROOT" not in variables
    assert not {str(inside), "."} & set(variables["PATH"].split(":"))
    assert set(path.split(":")) <= set(variables["PATH"].split(":"))
    for told in (f"PSModulePath {inside} is in the", "PSModulePath './modules' is not an absolute"):
        assert told in ran.out
    assert f"PSModulePath {linked} is in the git repository {place.folder}" in ran.out
    assert "DOTNET_ROOT" in ran.out
