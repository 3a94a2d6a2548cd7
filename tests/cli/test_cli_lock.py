"""`apply` beside another apply of the same tenant, whatever folder each starts in: the second one
waits or is refused with 8, and neither undoes anything of the other (law 10).
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.applying import state
from reconciler.cli import executing
from reconciler.model.plans import Invocation
from reconciler.powershell.rendering import render
from reconciler.tenants.protocol import Done
from reconciler.tenants.simulated import Simulator
from reconciler.tenants.simulated.storing import SMALL
from tests.applying.locked import hold
from tests.cli.sample import TENANT_ID, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
# An apply that stops inside its third write until a line is typed at it.
BLOCKED = """
import sys
sys.path.insert(0, sys.argv[1])
from reconciler.tenants.simulated import Simulator

run, writes = Simulator.run, []

def blocking(self, invocation, text):
    writes.append(text)
    if len(writes) == 3:
        print("blocked", flush=True)
        sys.stdin.readline()
    return run(self, invocation, text)

Simulator.run = blocking
sys.argv = ["reconciler", *sys.argv[2:]]
from reconciler.cli.main import run as reconciler
sys.exit(reconciler())
"""


@contextmanager
def first(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Another process inside the third write of its apply."""
    process = subprocess.Popen(
        [sys.executable, "-c", BLOCKED, str(ROOT), "apply", "plan.json", *arguments],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        while (line := process.stdout.readline()) != "blocked\n":
            assert line, process.communicate()[1]
        yield process
    finally:
        process.kill()
        process.communicate()


def contents(*folders: Path) -> dict[Path, bytes]:
    """Every file below some folders."""
    return {
        path: path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def tenant(tmp_path: Path) -> Path:
    """A simulated tenant that keeps a log, beside two clones of its documents."""
    path = tmp_path / "tenant.json"
    shutil.copy(ROOT / "reconciler" / "tenants" / "contoso.json", path)
    path.write_bytes(path.read_bytes().rstrip() + b" " * SMALL)
    for clone in ("one", "two"):
        settle(tmp_path / clone)
    return path


def states() -> Path:
    return Path(os.environ[state.VARIABLE])


def planned_in_both(run: Run, folder: Path, tenant: Path) -> tuple[str, str]:
    """The option that names the tenant, once both clones have a plan for it."""
    sim = ("--tenant", f"sim:{tenant}")
    for clone in ("one", "two"):
        assert run("plan", *sim, "--out", "plan.json", cwd=folder / clone).code == 0
    return sim


def rival(tenant: Path) -> None:
    """Somebody else's write: a policy that no document names."""
    made = Invocation(
        "New-CsApplicationAccessPolicy",
        {"Identity": "Rival", "AppIds": ["aaaaaaaa-0000-4000-8000-000000000001"]},
    )
    with Simulator(tenant) as simulator:
        assert simulator.run(made, render(made)) == Done()


def test_a_second_apply_from_another_clone_is_refused_and_leaves_the_first_one_alone(
    run: Run, tmp_path: Path, tenant: Path
) -> None:
    sim = planned_in_both(run, tmp_path, tenant)
    with first(tmp_path / "one", "--auto-approve", *sim) as process:
        log = tenant.with_name("tenant.json.log")
        assert log.exists()
        before = contents(tmp_path, states())
        # Another way to write the same file
        other = ("--tenant", "sim:../two/../tenant.json")
        ran = run("apply", "plan.json", "--auto-approve", *other, cwd=tmp_path / "two")
        assert ran.code == 8
        assert f"process {process.pid} on " in ran.err
        assert contents(tmp_path, states()) == before
        _out, err = process.communicate("\n", timeout=120)
        assert process.returncode == 0, err
    assert not log.exists()
    assert "\nNo changes. " in run("plan", *sim, cwd=tmp_path / "two").out


READERS = (
    *(("plan", "--out", "other.json"), ("drift",), ("fetch", "--out", "capture.json"), ("list",)),
    *(("verify", "plan.json", "--timeout", "0"), ("export", "--out-dir", "exported"), ("test",)),
    *(("undo", "plan.json"), ("rehearse", "plan.json"), ("who", "adele.vance@contoso.com")),
    ("apply", "plan.json", "--auto-approve", "--lock-timeout", "1"),
    ("apply", "--auto-approve", "--only", "mailbox-analytics"),
)


def test_whatever_runs_beside_an_apply_leaves_its_file_and_its_log_alone(
    run: Run, tmp_path: Path, tenant: Path
) -> None:
    sim = planned_in_both(run, tmp_path, tenant)
    with first(tmp_path / "one", "--auto-approve", *sim) as process:
        before = contents(states()) | contents(tmp_path / "one")
        files = (tenant, tenant.with_name("tenant.json.log"))
        written = [file.read_bytes() for file in files]
        for command in READERS:
            ran = run(*command, *sim, cwd=tmp_path / "two")
            assert (ran.code == 8) == (command[0] == "apply"), (command, ran)
            assert "Traceback" not in ran.err
            assert [file.read_bytes() for file in files] == written, command
        assert contents(states()) | contents(tmp_path / "one") == before
        _out, err = process.communicate("\n", timeout=120)
        assert process.returncode == 0, err
    assert "\nNo changes. " in run("plan", *sim, cwd=tmp_path / "two").out


def test_another_simulated_tenant_of_the_same_id_is_another_tenant(
    run: Run, tmp_path: Path, tenant: Path
) -> None:
    copy = shutil.copy(tenant, tmp_path / "copy.json")
    sim = ("--tenant", f"sim:{tenant}")
    run("plan", *sim, "--out", "plan.json", cwd=tmp_path / "one")
    with first(tmp_path / "one", "--auto-approve", *sim):
        other = ("--tenant", f"sim:{copy}", "--auto-approve")
        assert run("apply", *other, cwd=tmp_path / "two").code == 0


def test_a_killed_apply_keeps_nobody_out_and_its_journal_is_found_from_another_clone(
    run: Run, tmp_path: Path, tenant: Path
) -> None:
    sim = ("--tenant", f"sim:{tenant}")
    run("plan", *sim, "--out", "plan.json", cwd=tmp_path / "one")
    with first(tmp_path / "one", "--auto-approve", *sim) as process:
        process.kill()
    shutil.copy(tmp_path / "one" / "plan.json", tmp_path / "two" / "plan.json")
    ran = run("apply", "plan.json", "--auto-approve", *sim, cwd=tmp_path / "two")
    assert ran.code == 0, ran.err
    assert "2 of" in ran.err
    assert "\nNo changes. " in run("plan", *sim, cwd=tmp_path / "one").out


@contextmanager
def held(tenant: Path) -> Iterator[ExitStack]:
    """The lock of a simulated tenant, held until the stack is closed."""
    places = state.prepared(
        state.simulated_key(tenant), state.base(os.environ), tenant_id=TENANT_ID
    )
    with ExitStack() as stack:
        stack.enter_context(hold(places.lock))
        yield stack


def test_what_is_written_before_the_lock_is_taken_is_not_lost(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = folder / "tenant.json"
    run("plan", "--tenant", f"sim:{tenant}", "--out", "plan.json")
    with held(tenant) as lock:

        def sleep(_seconds: float) -> None:
            rival(tenant)
            lock.close()

        monkeypatch.setattr(executing.time, "sleep", sleep)
        waited = ("--lock-timeout", "60")
        ran = run("apply", "plan.json", "--auto-approve", "--tenant", f"sim:{tenant}", *waited)
    assert ran.code == 0, ran.err
    assert "Another apply of this tenant is running" in ran.err
    assert "Rival" in run("plan", "--tenant", f"sim:{tenant}", "--format", "json").out


@pytest.mark.parametrize("seconds", [(), ("--lock-timeout", "0"), ("--lock-timeout", "1")])
def test_a_lock_that_is_not_given_back_in_time_ends_with_8(
    run: Run, folder: Path, seconds: tuple[str, ...]
) -> None:
    sim = ("--tenant", f"sim:{folder / 'tenant.json'}")
    before = (folder / "tenant.json").read_bytes()
    with held(folder / "tenant.json"):
        ran = run("apply", "--auto-approve", *sim, *seconds)
    assert ran.code == 8
    assert "--lock-timeout SECONDS" in ran.err
    assert (folder / "tenant.json").read_bytes() == before


def test_state_dir_moves_journals_and_not_the_lock(run: Run, folder: Path) -> None:
    sim = ("--tenant", f"sim:{folder / 'tenant.json'}", "--auto-approve")
    with held(folder / "tenant.json"):
        assert run("apply", *sim, "--state-dir", "mine").code == 8
    assert run("apply", *sim, "--state-dir", "mine").code == 0
    (journal,) = (folder / "mine").glob("*/apply-*.jsonl")
    assert not list(states().glob("*/apply-*.jsonl"))
    assert journal.stat().st_size


def test_a_journal_that_was_moved_is_found_without_the_option(
    run: Run, tmp_path: Path, tenant: Path
) -> None:
    sim = ("--tenant", f"sim:{tenant}")
    run("plan", *sim, "--out", "plan.json", cwd=tmp_path / "one")
    with first(tmp_path / "one", "--auto-approve", *sim, "--state-dir", "mine") as process:
        process.kill()
    (journal,) = (tmp_path / "one" / "mine").glob("*/apply-*.jsonl")
    journal.chmod(0o620)
    shutil.copy(tmp_path / "one" / "plan.json", tmp_path / "two" / "plan.json")
    ran = run("apply", "plan.json", "--auto-approve", *sim, cwd=tmp_path / "two")
    assert ran.code == 0, ran.err
    assert f"Ignoring {journal}" in ran.err.replace("\n", " ")


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_everything_in_the_state_directory_is_its_owner_s_alone(
    run: Run, folder: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        sim = ("--tenant", f"sim:{folder / 'tenant.json'}", "--auto-approve")
        assert run("apply", *sim, "--state-dir", "mine").code == 0
        assert run("apply", *sim).code == 0
    finally:
        os.umask(before)
    made = [*states().rglob("*"), states(), *(folder / "mine").rglob("*"), folder / "mine"]
    assert {path.name for path in made} >= {"lock", "journals.json", "apply-000001.jsonl"}
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in made}
    assert modes == {path: 0o700 if path.is_dir() else 0o600 for path in made}


@pytest.mark.parametrize("value", ["state", "./state", "~/state"])
def test_a_state_directory_that_depends_on_the_folder_is_refused(
    run: Run, folder: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(state.VARIABLE, value)
        ran = run("apply", "--auto-approve", "--tenant", "sim:tenant.json")
    assert ran.code == 64
    assert "absolute" in ran.err


def test_a_tenant_s_directory_that_leads_elsewhere_is_refused(run: Run, folder: Path) -> None:
    states().mkdir(parents=True)
    (folder / "away").mkdir()
    tenant = folder / "tenant.json"
    (states() / state.simulated_key(tenant)).symlink_to(folder / "away")
    ran = run("apply", "--auto-approve", "--tenant", f"sim:{tenant}")
    assert ran.code == 1
    assert state.VARIABLE in ran.err
    assert list((folder / "away").iterdir()) == []


def test_nothing_but_an_apply_makes_a_state_directory(run: Run, folder: Path) -> None:
    for command in (("plan",), ("validate",), ("test",), ("fetch", "--out", "capture.json")):
        tenant = () if command == ("validate",) else ("--tenant", "sim:tenant.json")
        run(*command, *tenant)
    assert not states().exists()
