"""A rehearsal runs a plan on copies of a simulated tenant while things go wrong, and says where
each run ends.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reconciler.applying import rehearsing
from reconciler.applying.rehearsing import Rehearsal, RehearsalRun, Trouble, rehearse
from reconciler.applying.rehearsing_tenant import simulated_tenant
from reconciler.captures import reading
from reconciler.cli.commands import rehearse as rehearse_command
from reconciler.cli.working import working
from reconciler.errors import StalePlan
from reconciler.model.access_rows import Certainty, GapRow, GapSubject, SubjectKind
from reconciler.model.plans import Invocation
from reconciler.planning import planfile, prefixes
from reconciler.tenants.protocol import Done
from reconciler.tenants.simulated import Simulator
from tests.applying import small_tenants
from tests.applying.small_tenants import World
from tests.cli.sample import settle
from tests.reports import samples

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.plans import Plan
    from reconciler.planning.planfile import SealedPlan
    from tests.conftest import Run as Command

BEFORE = World(
    policies={1: frozenset({1, 2}), 2: frozenset({2})},
    users={1: 1, 2: 2, 3: 1},
    groups=((1, 1), (2, 2)),
    exchange={(1, 1): "RestrictAccess", (2, 3): "DenyAccess"},
)
AFTER = World(
    policies={1: frozenset({1, 3}), 3: frozenset({3})},
    users={1: 3, 2: 1, 3: 1},
    groups=((2, 3), (1, 1)),
    exchange={(1, 2): "RestrictAccess", (2, 3): "DenyAccess"},
)


@pytest.fixture
def loaded(tmp_path: Path) -> SealedPlan:
    """The plan from BEFORE to AFTER; its simulated tenant is `tenant.json`."""
    plan = small_tenants.planned(
        small_tenants.simulator(tmp_path, BEFORE), small_tenants.documents(AFTER, absent=[2])
    )
    assert plan.applicable, plan.refusals
    assert {step.provider for step in plan.steps} == {"teams", "exchange"}
    return small_tenants.loaded(tmp_path, plan)


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    place = tmp_path / "stage"
    place.mkdir()
    return place


def _place(path: Path, plan: Plan) -> int | None:
    request = prefixes.request_for_plan(plan)
    raw = Simulator(path).capture(request)
    return prefixes.locate(
        plan,
        reading.parse_capture(
            raw, source="simulated", tenant_id=plan.tenant.tenant_id, needs=request.products
        ),
    )


@pytest.mark.parametrize("given", [True, False])
def test_every_run_of_a_good_plan_ends_as_it_must_and_the_original_is_not_touched(
    loaded: SealedPlan, tmp_path: Path, stage: Path, *, given: bool
) -> None:
    original = tmp_path / "tenant.json"
    before = original.read_bytes()
    found = rehearse(loaded, stage, original=original if given else None)
    steps = len(loaded.plan.steps)
    assert found.passed
    assert found.complete
    assert (found.steps, found.already, found.sampled) == (steps, 0, tuple(range(1, steps + 1)))
    assert [
        (run.trouble, run.step)
        for run in found.runs
        if run.trouble in {Trouble.NONE, Trouble.STOPPED}
    ] == [
        (Trouble.NONE, 0),
        *((Trouble.STOPPED, step) for step in range(1, steps)),
    ]
    assert len(found.runs) == 3 * steps, (
        "one undisturbed; three for each step, but after the last there is nothing to stop"
    )
    assert all(
        run.place == run.step and run.again for run in found.runs if run.trouble is Trouble.STOPPED
    )
    assert all(run.place == steps for run in found.runs if run.trouble is not Trouble.STOPPED)
    assert all(
        run.gaps == loaded.plan.steps[run.step - 1].gaps
        for run in found.runs
        if run.trouble is Trouble.STOPPED
    )
    assert original.read_bytes() == before
    assert list(stage.iterdir()) == [], "nothing is left behind"


def test_a_tenant_made_from_a_baseline_is_in_the_state_before_the_first_step(
    loaded: SealedPlan, tmp_path: Path
) -> None:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(simulated_tenant(loaded.plan)), encoding="utf-8")
    # who holds a list that gets longer no baseline tells
    assert _place(path, replace(loaded.plan, widened=())) == 0
    assert "others" in str(loaded.plan.baseline)


def test_a_plan_with_a_guard_is_rehearsed_on_an_empty_group(tmp_path: Path, stage: Path) -> None:
    """The only Restrict turns to a Deny and the only Deny to a Restrict."""
    small_tenants.simulator(
        tmp_path, World(exchange={(1, 1): "RestrictAccess", (1, 2): "DenyAccess"})
    )
    path = tmp_path / "tenant.json"
    state = json.loads(path.read_bytes())
    state["directory"]["recipients"][3]["members"] = []
    path.write_text(json.dumps(state), encoding="utf-8")
    wanted = small_tenants.documents(
        World(exchange={(1, 1): "DenyAccess", (1, 2): "RestrictAccess"})
    )
    assert wanted.tenant is not None
    scope = small_tenants.address(4)
    plan = small_tenants.planned(
        Simulator(path), replace(wanted, tenant=replace(wanted.tenant, guard_scope=scope))
    )
    assert plan.applicable, plan.refusals
    assert [step.temporary for step in plan.steps].count(True) == 2
    for original in (path, None):
        assert rehearse(small_tenants.loaded(tmp_path, plan), stage, original=original).passed


def test_a_plan_of_one_product_needs_no_other(tmp_path: Path, stage: Path) -> None:
    plan = small_tenants.planned(
        small_tenants.simulator(tmp_path, World()),
        small_tenants.documents(World(policies={1: frozenset({1})})),
    )
    assert rehearse(small_tenants.loaded(tmp_path, plan), stage).passed
    none = small_tenants.planned(
        small_tenants.simulator(tmp_path, World()), small_tenants.documents(World())
    )
    empty = rehearse(planfile.sealed(none), stage)
    assert (empty.passed, empty.complete, empty.sampled, len(empty.runs)) == (True, True, (), 1)


def test_a_long_plan_is_disturbed_at_some_steps_only(
    loaded: SealedPlan, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = len(loaded.plan.steps)
    found = rehearse(loaded, stage, most=2)
    assert found.passed
    assert not found.complete
    assert found.sampled == (1, steps)
    monkeypatch.setattr(rehearsing, "STEPS_RUN", 3)
    few = rehearse(loaded, stage)
    assert few.sampled == (1,), "one at least"
    assert f"at 1 of {steps} steps (1): --most N" in samples.rehearsal_text(loaded.plan, few)


def _apply_some(loaded: SealedPlan, path: Path, steps: int) -> None:
    """Run the first steps as a person would who is in a hurry."""
    with Simulator(path) as shown:
        for step in loaded.plan.steps[:steps]:
            assert isinstance(shown.run(Invocation(step.cmdlet, step.parameters), step.text), Done)


def test_a_tenant_that_is_part_of_the_way_is_rehearsed_from_there(
    loaded: SealedPlan, tmp_path: Path, stage: Path
) -> None:
    path = tmp_path / "tenant.json"
    _apply_some(loaded, path, 3)
    found = rehearse(loaded, stage, original=path, most=2)
    assert (found.already, found.sampled, found.passed) == (3, (4, len(loaded.plan.steps)), True)
    assert "shows the first 3 steps already" in samples.rehearsal_text(loaded.plan, found)


def test_a_tenant_with_a_log_beside_its_file_is_copied_with_it(
    loaded: SealedPlan, tmp_path: Path, stage: Path
) -> None:
    path = tmp_path / "tenant.json"
    with Simulator(path, log_from=0) as logged:
        step = loaded.plan.steps[0]
        logged.run(Invocation(step.cmdlet, step.parameters), step.text)
        assert (tmp_path / "tenant.json.log").exists()
        found = rehearse(loaded, stage, original=path, most=1)
    assert (found.already, found.passed) == (1, True)


def test_a_tenant_that_the_plan_is_not_for_is_said_at_once(
    loaded: SealedPlan, tmp_path: Path, stage: Path
) -> None:
    other = small_tenants.simulator(tmp_path, World(policies={7: frozenset({1})}))
    assert other.tenant_id == loaded.plan.tenant.tenant_id
    with pytest.raises(StalePlan):
        rehearse(loaded, stage, original=tmp_path / "tenant.json")


def _without_users(path: Path) -> None:
    """The directory forgets everybody: no direct grant can be made."""
    state = json.loads(path.read_bytes())
    state["directory"]["users"] = []
    path.write_text(json.dumps(state), encoding="utf-8")


def test_a_plan_that_a_service_refuses_fails_its_rehearsal(
    loaded: SealedPlan, tmp_path: Path, stage: Path
) -> None:
    _without_users(tmp_path / "tenant.json")
    found = rehearse(loaded, stage, original=tmp_path / "tenant.json")
    assert not found.passed
    assert [run.trouble for run in found.runs] == [Trouble.NONE], (
        "what fails undisturbed is not disturbed"
    )
    said = samples.rehearsal_text(loaded.plan, found)
    assert "Rehearsal failed" in said
    assert "not-found" in said
    assert 'User "' in said


def test_faults_of_a_run_are_said_with_the_step_and_capped(loaded: SealedPlan) -> None:
    lost = RehearsalRun(
        Trouble.LOST_AFTER,
        2,
        None,
        (),
        again=True,
        converged=False,
        said="the tenant moved\x1b[31m",
    )
    stuck = RehearsalRun(Trouble.STOPPED, 1, 2, (), again=True, converged=True)
    found = Rehearsal(len(loaded.plan.steps), 0, (1, 2), (lost, stuck, *([stuck] * 30)))
    said = samples.rehearsal_text(loaded.plan, found)
    assert (
        f"(step 2: {loaded.plan.steps[1].address}): the run ended in no state of the plan, and it"
        " does not converge" in said
    )
    assert "the run ended in the state after step 2\n" in said
    assert "\x1b" not in said, "what a tenant says never becomes an escape"
    assert "... and 12 more" in said
    assert not lost.as_it_must
    assert not stuck.as_it_must
    assert not RehearsalRun(Trouble.NONE, 0, 5, (), again=True, converged=True).as_it_must


def test_gaps_are_said_for_the_steps_at_which_a_run_stopped(loaded: SealedPlan) -> None:
    plan = loaded.plan
    stop = RehearsalRun(Trouble.STOPPED, 1, 1, (0, 1), again=True, converged=True)
    rows = tuple(
        GapRow(
            application=small_tenants.application(1),
            certainty=certainty,
            proved=True,
            reason="no-better-order",
            steps=(1,),
            subject=subject,
        )
        for certainty, subject in (
            (Certainty.CERTAIN, GapSubject(SubjectKind.USER, small_tenants.user(1))),
            (Certainty.POSSIBLE, GapSubject(SubjectKind.EVERYONE)),
        )
    )
    found = Rehearsal(len(plan.steps), 0, (1,), (stop,) * 21)

    def said(gaps: tuple[GapRow, ...] | None, value: Rehearsal = found) -> str:
        named = replace(plan, gaps=gaps, names={small_tenants.user(1): "Adele"})
        return samples.rehearsal_text(named, value)

    assert f"{small_tenants.application(1)}: Adele, after step 1\n" in said(rows)
    assert (
        f"{small_tenants.application(1)}: possibly everyone without"
        " a grant, after step 1\n" in said(rows)
    )
    assert "... and after 1 more" in said(rows)
    assert "Gaps: none" in said((), replace(found, runs=()))
    assert "Gaps: not computed" in said(None)


# --- the command


def test_the_command_says_how_runs_end_and_touches_nothing(run: Command, tmp_path: Path) -> None:
    settle(tmp_path)
    run("plan", "--out", "plan.json", "--tenant", "sim:tenant.json")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    ran = run("rehearse", "plan.json", "--most", "2", "--tenant", "sim:tenant.json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.startswith("SIMULATED TENANT")
    assert "6 runs, each on its own copy of tenant.json." in ran.out
    assert (
        "Stopped after a step: 1 of 1 converge (1 when the same plan is applied again)" in ran.out
    )
    assert "Rehearsal passed" in ran.out
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_command_needs_no_tenant_and_speaks_json(run: Command, tmp_path: Path) -> None:
    settle(tmp_path)
    run("plan", "--out", "plan.json", "--tenant", "sim:tenant.json")
    (tmp_path / "tenant.json").unlink()
    ran = run("rehearse", "plan.json", "--most", "1", "--format", "json")
    assert ran.code == 0, ran.err
    raw = json.loads(ran.out)["rehearsal"]
    assert (raw["passed"], raw["complete"], raw["sampled"], raw["already"]) == (True, False, [1], 0)
    assert [row["trouble"] for row in raw["runs"]] == [
        "none",
        "stopped",
        "lost-before",
        "lost-after",
    ]
    assert raw["runs"][1] == {
        "again": True,
        "as_it_must": True,
        "converged": True,
        "gaps": raw["runs"][1]["gaps"],
        "place": 1,
        "said": "",
        "step": 1,
        "trouble": "stopped",
    }
    assert not (tmp_path / ".reconciler").exists()


def test_the_command_ends_with_7_if_a_run_does_not_end_as_it_must(
    run: Command, tmp_path: Path
) -> None:
    settle(tmp_path)
    run("plan", "--out", "plan.json", "--tenant", "sim:tenant.json")
    _without_users(tmp_path / "tenant.json")
    assert run("rehearse", "plan.json", "--tenant", "sim:tenant.json").code == 7


@pytest.mark.parametrize("tenant", ["live", "tenant.json", "sim:nowhere.json", "sim:"])
def test_only_a_simulated_tenant_that_is_there_is_rehearsed_on(
    run: Command, tmp_path: Path, tenant: str
) -> None:
    settle(tmp_path)
    run("plan", "--out", "plan.json", "--tenant", "sim:tenant.json")
    ran = run("rehearse", "plan.json", "--tenant", tenant)
    assert ran.code == 64
    assert "`sim:FILE`" in ran.err


def test_a_rehearsal_that_lasts_tells_that_it_goes_on(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(tmp_path)
    run("plan", "--out", "plan.json", "--tenant", "sim:tenant.json")
    monkeypatch.setattr(rehearse_command, "working", partial(working, quiet=0.01))
    ran = run("rehearse", "plan.json", "--most", "1")
    assert (ran.code, "Rehearsing: 0 s so far." in ran.err) == (0, True)
