"""A process that is killed, or that still runs, never leaves the tenant or the journal in a state
that the next apply cannot go on from (law 10).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from reconciler.errors import LockHeld
from tests.applying import small_tenants
from tests.applying.test_applying import WANTED, Case, everything

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = 3
ROOT = Path(__file__).resolve().parents[2]
# Applies the plan, and blocks inside the write of one step: before the service has it, or after.
BLOCKED = """
import sys, time, pathlib
sys.path.insert(0, sys.argv[1])
from tests.applying import small_tenants
from reconciler.planning import planfile
from reconciler.tenants.simulated import Simulator

directory, step, moment = pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]

def block(write):
    if moment == "after":
        write()
    print("blocked", flush=True)
    time.sleep(600)

clock = small_tenants.Clock()
door = small_tenants.Door(Simulator(directory / "tenant.json"), clock, answers={step: block})
small_tenants.ran(planfile.load_plan(directory / "plan.json"), door, directory, clock)
"""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


class Blocked:
    """An apply in another process, inside the write of its third step."""

    def __init__(self, case: Case, moment: str) -> None:
        arguments = [
            sys.executable,
            "-c",
            BLOCKED,
            str(ROOT),
            str(case.directory),
            str(STEP),
            moment,
        ]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        out: IO[str] | None = self.process.stdout
        assert out is not None
        assert out.readline() == "blocked\n"

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture(params=["before", "after"])
def blocked(case: Case, request: pytest.FixtureRequest) -> Iterator[Blocked]:
    process = Blocked(case, request.param)
    yield process
    process.kill()


def test_killed_inside_a_write_the_next_apply_of_the_plan_converges(
    case: Case, blocked: Blocked
) -> None:
    blocked.kill()
    (lines,) = small_tenants.journal_lines(case.directory)
    assert [(line["step"], line["state"]) for line in lines if "state" in line][-2:] == [
        (STEP - 1, "done"),
        (STEP, "started"),
    ]
    case.renew()
    applied = case.apply()
    assert applied.already in (STEP - 1, STEP)
    assert applied.already + len(applied.done) == case.count
    assert applied.converged
    assert small_tenants.planned(case.simulator, WANTED).steps == ()


def test_killed_inside_a_write_and_with_a_torn_journal_the_next_apply_converges_too(
    case: Case, blocked: Blocked
) -> None:
    blocked.kill()
    (path,) = (case.directory / ".reconciler" / small_tenants.TENANT).glob("apply-*.jsonl")
    path.write_bytes(path.read_bytes()[:-20])
    case.renew()
    assert case.apply().converged


def test_killed_inside_a_write_a_new_plan_converges_too(case: Case, blocked: Blocked) -> None:
    blocked.kill()
    case.renew()
    again = small_tenants.loaded(case.directory, small_tenants.planned(case.simulator, WANTED))
    applied = case.apply(plan=again)
    assert (applied.done, applied.converged) == (everything(len(again.plan.steps)), True)


def test_while_another_process_applies_a_second_apply_is_told_which(
    case: Case, blocked: Blocked
) -> None:
    with pytest.raises(LockHeld, match=f"process {blocked.process.pid} "):
        case.apply()
    assert case.door.sent == []
