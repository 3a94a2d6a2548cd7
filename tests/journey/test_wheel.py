"""What is installed needs no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.journey.places import ROOT

START = "import sys; from reconciler.cli.main import main; sys.argv[0] = 'reconciler'; main()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked where the interpreter looks first."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def _run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-P", "-c", START, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_everything_that_is_read_at_run_time(installed: Path) -> None:
    package = ROOT / "reconciler"
    needed = {
        path.relative_to(ROOT).as_posix()
        for pattern in ("*.py", "*.j2", "*.ps1", "*.json", "py.typed")
        for path in package.rglob(pattern)
    }
    needed |= {f"reconciler/schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")}
    there = {
        path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()
    }
    assert needed - there == set()
    assert "reconciler/tenants/contoso.json" in there


def test_the_wheel_works_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    told = subprocess.run(
        [sys.executable, "-P", "-c", "import reconciler; print(reconciler.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(told.stdout.strip()).is_relative_to(installed)
    assert _run(installed, tmp_path, "validate").returncode == 0
    planned = _run(installed, tmp_path, "plan", "--detailed-exitcode")
    assert planned.returncode == 2, planned.stdout + planned.stderr
    assert _run(installed, tmp_path, "schema", "Tenant").returncode == 0
