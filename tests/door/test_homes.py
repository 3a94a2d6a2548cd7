"""Homes of killed processes are removed, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.powershell.door import homes
from tests.cli.sample import settle

PROGRAM = """
import os, signal, subprocess, sys
from contextlib import ExitStack
from reconciler.powershell.door import homes
cleanup = ExitStack()
home = homes.make_home(cleanup)
(home / "kept").write_text("token")
if sys.argv[1:]:
    child = subprocess.Popen(
        ["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL
    )
    homes.note(home, child.pid)
    print(child.pid, flush=True)
print(home, flush=True)
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def killed(*arguments: str) -> list[str]:
    """What a run said that was killed."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return (
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        .stdout.decode()
        .split()
    )


def test_the_home_of_a_killed_run_is_removed_by_the_next_one(folder: Path) -> None:
    home = Path(killed()[0])
    assert (home / "kept").exists()
    (home / "link").symlink_to(folder / "other")
    (folder / "other").mkdir()
    (folder / "other" / "file").touch()
    with ExitStack() as cleanup:
        ours = homes.make_home(cleanup)
        assert not home.exists()
        homes.remove_left(folder)
        assert ours.exists(), "its process runs"
    assert list(folder.iterdir()) == [folder / "other"]
    assert (folder / "other" / "file").exists()


def test_it_stays_as_long_as_its_powershell_runs(folder: Path) -> None:
    real, home = killed("with a child")
    homes.remove_left(folder)
    assert Path(home).exists()
    os.kill(int(real), 9)
    for _ in range(500):
        homes.remove_left(folder)
        if not Path(home).exists():
            return
    pytest.fail("it is still there")


@pytest.mark.parametrize("how", ["open", "link", "file", "name", "no note", "place", "process"])
def test_what_is_not_provably_ours_stays(folder: Path, how: str) -> None:
    home = Path(killed()[0])
    note = home / homes._NOTE
    match how:
        case "open":
            home.chmod(0o755)
        case "link":
            home = home.rename(folder / "elsewhere")
            (folder / "reconciler-abcdefgh").symlink_to(home)
        case "file":
            home = home.rename(folder / "elsewhere")
            (folder / "reconciler-abcdefgh").write_bytes((home / homes._NOTE).read_bytes())
        case "name":
            home = home.rename(folder / "reconciler-of-mine")
        case "no note":
            note.unlink()
        case "place":
            note.write_text("x" + note.read_text("utf-8"), "utf-8")
        case "process":
            note.write_text(note.read_text("utf-8") + "12 \n", "utf-8")
    before = sorted(folder.rglob("*"))
    homes.remove_left(folder)
    assert sorted(folder.rglob("*")) == before
    assert (home / "kept").exists()


def test_a_note_that_is_a_link_is_not_read(folder: Path) -> None:
    home = Path(killed()[0])
    (home / homes._NOTE).rename(folder / "note")
    (home / homes._NOTE).symlink_to(folder / "note")
    homes.remove_left(folder)
    assert home.exists()


def test_a_folder_that_cannot_be_listed_is_left_alone(tmp_path: Path) -> None:
    homes.remove_left(tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())


KILLED = """
import os, sys
from reconciler.applying import rehearsing
from reconciler.cli import fleets, patching
for module, name in ((rehearsing, "rehearse"), (fleets, "side_by_side"), (patching, "_write")):
    setattr(module, name, lambda *_, **__: os.kill(os.getpid(), 9))
from reconciler.cli.main import main
main()
"""
SIM = ("--tenant", "sim:tenant.json")


@pytest.mark.parametrize(
    "command",
    [
        ("rehearse", "plan.json"),
        ("drift", *SIM, "--patch", "drift.patch"),
        ("fleet", "policies", "--", "plan", *SIM),
    ],
    ids=lambda command: command[0],
)
def test_what_a_killed_command_kept_for_itself_is_removed_by_the_next_one(
    folder: Path, command: tuple[str, ...]
) -> None:
    settle(folder)
    plan = [sys.executable, "-m", "reconciler", "plan", *SIM, "--out", "plan.json"]
    subprocess.run(plan, cwd=folder, check=True, capture_output=True)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, *command], cwd=folder, check=False, capture_output=True
    )
    assert (ended.returncode, len(list(folder.glob("reconciler-*")))) == (-9, 1)
    with homes.temporary_folder():
        pass
    assert not list(folder.glob("reconciler-*"))
