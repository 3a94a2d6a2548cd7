"""Without a step that the service refuses for good, an apply goes on as far as that is safe, if
somebody wants it; what is left takes a new plan.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.applying.deciding import (
    RunState,
    Unanswered,
    WayOn,
    Write,
    finished,
    gone_on,
    sent,
)
from reconciler.applying.events import ReadingReason, ReadingTenant, StepFailed, WentOn
from reconciler.applying.journal import ApplyEnd
from reconciler.applying.outcomes import (
    OutcomeKind,
    OutcomeReading,
    Retries,
    ShownState,
    kind_of,
    too_many_alike,
)
from reconciler.errors import AppliedInPart, Interrupted, StalePlan
from reconciler.planning import continuing
from reconciler.tenants.protocol import Failed, Fault, Lost
from tests.applying import small_tenants
from tests.applying.small_tenants import (
    Clock,
    Door,
    World,
    lost_before,
    refused,
    refused_after,
    user,
)
from tests.applying.test_applying import Case, everything, moved_user
from tests.applying.test_deciding import STEP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.model.applied import Applied
    from reconciler.model.plans import Plan, Step

GOOD = (
    Fault.NOT_FOUND,
    Fault.EXISTS,
    Fault.ASSIGNED,
    Fault.SCOPE_INVALID,
    Fault.STORE_FULL,
    Fault.DENIED,
    Fault.INVALID,
)


def always(_way: WayOn) -> bool:
    return True


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def places(plan: Plan, applied: Applied) -> list[int]:
    """Every step, under whatever became of it."""
    stopped = [] if applied.failed is None else [applied.failed.step]
    unknown = [] if applied.unknown is None else [applied.unknown]
    refusals = [failure.step for failure in applied.refused]
    found = [*applied.done, *stopped, *unknown, *applied.not_tried, *refusals, *applied.left_out]
    return sorted([*range(1, applied.already + 1), *found])


# --- what an answer means


@pytest.mark.parametrize("shown", ShownState)
@pytest.mark.parametrize("lost", [0, 1])
def test_only_what_is_understood_for_good_and_unchanged_is_refused(
    shown: ShownState, lost: int
) -> None:
    reading, retries = OutcomeReading(shown), Retries(throttled=2, transient=1, lost=lost)
    unchanged = shown is ShownState.BEFORE and not lost
    expected = {
        **dict.fromkeys(GOOD, OutcomeKind.REFUSED if unchanged else OutcomeKind.UNKNOWN),
        Fault.THROTTLED: OutcomeKind.PASSING,
        Fault.TRANSIENT: OutcomeKind.PASSING,
        Fault.UNKNOWN: OutcomeKind.NOT_UNDERSTOOD,
        Fault.UNREADABLE: OutcomeKind.NOT_UNDERSTOOD,
    }
    assert {fault: kind_of(Failed(fault, ""), retries, reading) for fault in Fault} == expected
    assert kind_of(Lost(""), retries, reading) is OutcomeKind.UNKNOWN


def test_three_refusals_of_one_kind_in_a_row_are_too_many() -> None:
    kinds = (Fault.DENIED, Fault.INVALID)
    for count in range(6):
        for faults in itertools.product(kinds, repeat=count):
            alike = any(faults[-3:] == (kind,) * 3 for kind in kinds)
            assert too_many_alike(faults) is alike, faults


def test_a_step_that_is_done_ends_the_row_of_refusals() -> None:
    steps = tuple(replace(STEP, id=number) for number in range(1, 6))
    state = RunState(steps, already=0, reached=0, began=0.0)
    attempts = [Unanswered(step, 1, Failed(Fault.DENIED, ""), None) for step in steps]
    state = gone_on(replace(state, unanswered=attempts[0]), steps[1:])
    state = sent(state, Write(steps[1], 1), 1.0)
    state = gone_on(replace(state, unanswered=attempts[1]), steps[2:4])
    assert (state.row, state.following, state.unanswered) == (
        tuple(attempts[:2]),
        steps[2],
        None,
    )
    state = finished(state, steps[2], 2.0, relied_on=False)
    assert (state.row, state.refused, state.done) == ((), tuple(attempts[:2]), (3,))
    state = gone_on(replace(state, unanswered=attempts[3]), ())
    assert (state.row, state.passed, state.following) == ((attempts[3],), (steps[2],), None)


# --- an apply


def group_step(case: Case) -> Step:
    """The second grant to a group: what comes after it depends on it in part."""
    return [step for step in case.plan.plan.steps if "Group" in step.parameters][1]


def test_independent_steps_are_done_and_dependent_ones_are_not(case: Case) -> None:
    step, removal = group_step(case), case.step("Remove-CsApplicationAccessPolicy")
    case.door.refusing[step.text] = Fault.INVALID
    applied = case.apply(keep_going=always)
    (failure,) = applied.refused
    assert (failure.step, failure.fault, failure.message) == (
        step.id,
        "invalid",
        "the service says invalid",
    )
    assert applied.left_out == (removal.id,), "the group holds the policy still"
    others = set(everything(case.count)) - {step.id, removal.id}
    assert applied.done == tuple(sorted(others))
    assert (applied.failed, applied.not_tried, applied.complete) == (None, (), False)
    assert (applied.converged, applied.moved, applied.trouble) == (False, (), "")
    assert places(case.plan.plan, applied) == list(everything(case.count))
    assert f"--skip {step.address} " in failure.hint


def test_an_exchange_application_is_left_as_it_is_and_teams_goes_on(case: Case) -> None:
    create, removal = (case.step(f"{verb}-ApplicationAccessPolicy") for verb in ("New", "Remove"))
    case.door.refusing[create.text] = Fault.SCOPE_INVALID
    applied = case.apply(keep_going=always)
    assert (applied.left_out, applied.complete) == ((removal.id,), False)
    assert applied.done == everything(case.count)[2:]


def test_what_the_checker_finds_unsafe_is_not_gone_on_with(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever chose the steps: here somebody chooses all, and so to remove what nothing replaces."""
    create = case.step("New-ApplicationAccessPolicy")
    case.door.refusing[create.text] = Fault.SCOPE_INVALID
    monkeypatch.setattr(continuing, "continuation", lambda _plan, _done, left: tuple(left))
    applied = case.apply(keep_going=always)
    assert (applied.refused, applied.done) == ((), everything(create.id - 1))
    assert "they are not safe" in applied.trouble


def test_nobody_goes_on_unasked(case: Case) -> None:
    step = group_step(case)
    case.door.refusing[step.text] = Fault.INVALID
    ways: list[WayOn] = []

    def never(way: WayOn) -> bool:
        ways.append(way)
        return False

    for keep_going in (None, never):
        applied = case.apply(keep_going=keep_going)
        assert applied.failed is not None
        assert (applied.failed.step, applied.refused, applied.left_out) == (step.id, (), ())
        assert "--keep-going" in applied.failed.hint
    (way,) = ways
    assert (way.step, way.fault, way.message) == (step, "invalid", "the service says invalid")
    assert len(way.remaining) + way.left_out == case.count - step.id
    case.door.refusing.clear()
    assert case.apply().converged, "who did not go on resumes"


@pytest.mark.parametrize(("reason", "in_place"), [("grant-group", False), ("move-group", True)])
def test_the_other_way_of_changing_groups_is_for_groups_that_hold_a_policy(
    case: Case, reason: str, *, in_place: bool
) -> None:
    step = next(step for step in case.plan.plan.steps if step.reason == reason)
    case.door.refusing[step.text] = Fault.INVALID
    failed = case.apply().failed
    assert failed is not None
    assert ("--group-changes remove-add" in failed.hint) is in_place


@pytest.mark.parametrize("keep_going", [None, always])
def test_where_all_that_is_left_depends_on_a_step_nobody_is_told_to_keep_going(
    tmp_path: Path, keep_going: Callable[[WayOn], bool] | None
) -> None:
    """The removal would open what the step was to close."""
    before, after = ({(1, scope): "RestrictAccess"} for scope in (1, 2))
    simulator, clock = small_tenants.simulator(tmp_path, World(exchange=before)), Clock()
    wanted = small_tenants.documents(World(exchange=after))
    plan = small_tenants.loaded(tmp_path, small_tenants.planned(simulator, wanted))
    create, _removal = plan.plan.steps
    door = Door(simulator, clock, refusing={create.text: Fault.INVALID})
    applied = small_tenants.ran(plan, door, tmp_path, clock, keep_going=keep_going)
    assert applied.failed is not None
    assert "--keep-going" not in applied.failed.hint
    assert "apply the same plan again" in applied.failed.hint
    assert ("all of them depend on this one" in applied.trouble) is (keep_going is not None)
    door.refusing = {}
    assert small_tenants.ran(plan, door, tmp_path, clock).converged


def test_what_went_on_is_journalled_and_told_before_the_next_step_and_does_not_resume(
    case: Case,
) -> None:
    step = group_step(case)
    case.door.refusing[step.text] = Fault.INVALID
    applied = case.apply(keep_going=always)
    (lines,) = small_tenants.journal_lines(case.directory)
    place = next(index for index, line in enumerate(lines) if "without" in line)
    assert (lines[place]["without"], lines[place - 1]["state"]) == (step.id, "failed")
    assert lines[place + 1]["state"] == "started"
    assert lines[-1]["end"] == ApplyEnd.FAILED
    assert case.told.index(WentOn(step, len(applied.left_out))) > case.told.index(
        StepFailed(step, "invalid", "the service says invalid")
    )
    sent_before = list(case.door.sent)
    for keep_going in (None, always):
        with pytest.raises(StalePlan, match=f"step {step.id} of {step.address}.*plan again"):
            case.apply(keep_going=keep_going)
    assert case.door.sent == sent_before


def test_a_plan_whose_tenant_stands_at_its_beginning_again_starts_again(case: Case) -> None:
    step = group_step(case)
    case.door.refusing[step.text] = Fault.INVALID
    tenant = case.directory / "tenant.json"
    before = tenant.read_bytes()
    case.apply(keep_going=always)
    case.door.refusing.clear()
    tenant.write_bytes(before)
    case.renew()
    case.clock.sleep(3600)
    assert case.apply().converged


def test_killed_or_stopped_after_it_went_on_a_plan_does_not_resume_either(case: Case) -> None:
    step = group_step(case)
    case.door.refusing[step.text] = Fault.INVALID
    with pytest.raises(Interrupted, match="plan again") as caught:
        case.apply(stop_after=step.id + 1, keep_going=always)
    assert caught.value.applied is not None
    assert caught.value.applied.refused
    with pytest.raises(StalePlan, match="plan again"):
        case.apply()


@pytest.mark.parametrize(
    "answer",
    [refused(Fault.UNKNOWN), lost_before, refused(Fault.THROTTLED), refused(Fault.TRANSIENT)],
    ids=["not-understood", "lost", "throttled", "transient"],
)
def test_what_is_not_refused_for_good_stops_as_ever(case: Case, answer: object) -> None:
    case.door.answers.update(dict.fromkeys(range(3, 40), answer))  # type: ignore[arg-type]
    applied = case.apply(keep_going=always)
    assert (applied.refused, applied.left_out, applied.done) == ((), (), (1, 2))
    assert applied.not_tried == everything(case.count)[3:]


def test_a_refusal_after_a_lost_answer_is_not_one(case: Case) -> None:
    case.door.answers.update({3: lost_before, 4: refused(Fault.EXISTS)})
    applied = case.apply(keep_going=always)
    assert applied.failed is not None
    assert (applied.failed.step, applied.refused) == (3, ())


def test_a_refusal_that_changed_something_is_a_step_that_is_done(case: Case) -> None:
    case.door.answers[3] = refused_after(Fault.INVALID)
    assert case.apply(keep_going=always).converged


def test_three_in_a_row_of_one_kind_stop_the_run(case: Case) -> None:
    case.door.refusing.update((step.text, Fault.DENIED) for step in case.plan.plan.steps)
    applied = case.apply(keep_going=always)
    assert applied.failed is not None
    assert len(applied.refused) == 2
    assert "a role that the account has lost" in applied.trouble
    assert applied.not_tried
    assert len(case.door.sent) == 3


def test_what_moved_meanwhile_is_seen_by_the_reading_after_the_refusal(case: Case) -> None:
    step = group_step(case)
    case.door.answers[step.id] = refused(Fault.INVALID)
    case.door.between[step.id] = lambda: moved_user(case)
    applied = case.apply(keep_going=always)
    assert applied.failed is not None
    assert (applied.failed.step, applied.refused) == (step.id, ())
    assert any(user(1) in address for address in applied.moved)


def test_what_moves_after_it_went_on_stops_it_with_the_advice_to_plan(case: Case) -> None:
    step = group_step(case)
    case.door.refusing[step.text] = Fault.INVALID

    def going(_way: WayOn) -> bool:
        moved_user(case)
        case.clock.sleep(300)
        return True

    with pytest.raises(AppliedInPart, match="plan again") as caught:
        case.apply(keep_going=going)
    assert ReadingTenant(frozenset({"teams"}), ReadingReason.INTERVAL) in case.told
    assert caught.value.applied is not None
    assert caught.value.applied.not_tried


def test_an_error_after_it_went_on_says_that_the_plan_does_not_resume(case: Case) -> None:
    step = group_step(case)
    case.door.refusing[step.text] = Fault.INVALID

    def going(_way: WayOn) -> bool:
        case.door.blind_after = 0
        case.clock.sleep(300)
        return True

    with pytest.raises(AppliedInPart, match="cannot be resumed: plan again"):
        case.apply(keep_going=going)


@given(small_tenants.worlds(), small_tenants.worlds(), st.data())
@settings(max_examples=60)
def test_any_steps_refused_the_rest_goes_on_and_a_new_plan_completes_it(
    tmp_path_factory: pytest.TempPathFactory, before: World, after: World, data: st.DataObject
) -> None:
    directory, clock = tmp_path_factory.mktemp("world"), Clock()
    simulator = small_tenants.simulator(directory, before)
    wanted = small_tenants.documents(after, absent=before.policies.keys() - after.policies.keys())
    plan = small_tenants.loaded(directory, small_tenants.planned(simulator, wanted))
    steps = plan.plan.steps
    assume(plan.plan.applicable and steps)
    chosen = data.draw(st.sets(st.sampled_from([step.text for step in steps]), min_size=1))
    faults = itertools.cycle(GOOD)
    door = Door(simulator, clock, refusing={text: next(faults) for text in sorted(chosen)})
    applied = small_tenants.ran(plan, door, directory, clock, keep_going=always)
    tried = [step for step in steps if step.text in door.sent]
    refusals = {step.id for step in tried if step.text in chosen}
    stopped = set() if applied.failed is None else {applied.failed.step}
    assert {failure.step for failure in applied.refused} | stopped == refusals
    assert set(applied.done) == {step.id for step in tried} - refusals
    assert places(plan.plan, applied) == [step.id for step in steps]
    assert len(door.sent) == len(set(door.sent))
    if applied.refused and applied.done:
        with pytest.raises(StalePlan, match="plan again"):
            small_tenants.ran(plan, door, directory, clock)
    door.refusing = {}
    clock.sleep(3600)
    again = small_tenants.loaded(directory, small_tenants.planned(simulator, wanted))
    assert small_tenants.ran(again, door, directory, clock).converged
    assert small_tenants.planned(simulator, wanted).steps == ()
