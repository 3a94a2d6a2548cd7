"""Answers get lost, services are busy, readings lag: what is known of each step stays true, and the
run goes on where it safely can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.applying.events import (
    ReadingReason,
    Retrying,
    StepDone,
    StepFailed,
    WaitingToReadAgain,
)
from reconciler.applying.host import ApplyPatience, Host
from reconciler.applying.outcomes import Retries
from reconciler.errors import AppliedInPart, Interrupted, RefusedText, TenantFault
from reconciler.tenants.protocol import Done, Failed, Fault, Lost
from reconciler.tenants.simulated import Faults, Mishap, Simulator
from tests.applying import small_tenants
from tests.applying.locked import apply
from tests.applying.small_tenants import lost_after, lost_before, refused, refused_after
from tests.applying.test_applying import WANTED, Case, everything, moved_user

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.applied import Applied
    from reconciler.tenants.protocol import Outcome


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def states(case: Case, step: int) -> list[str]:
    return [
        line["state"]
        for lines in small_tenants.journal_lines(case.directory)
        for line in lines
        if line.get("step") == step
    ]


def test_an_answer_lost_after_its_write_is_found_by_reading(case: Case) -> None:
    case.door.answers[3] = lost_after
    applied = case.apply()
    assert (applied.done, applied.converged) == (everything(case.count), True)
    assert states(case, 3) == ["started", "unknown", "done"]
    assert case.door.sent.count(case.plan.plan.steps[2].text) == 1
    assert [event.seen for event in case.told if isinstance(event, StepDone)][2]


def test_an_answer_lost_before_its_write_is_read_waited_for_and_tried_once_more(case: Case) -> None:
    case.door.answers[3] = lost_before
    applied = case.apply()
    assert (applied.done, applied.converged) == (everything(case.count), True)
    assert states(case, 3) == ["started", "unknown", "started", "done"]
    assert case.clock.now - small_tenants.NOON >= ApplyPatience().lag


def test_two_lost_answers_leave_the_step_unknown(case: Case) -> None:
    case.door.answers.update({3: lost_before, 4: lost_before})
    applied = case.apply()
    assert (applied.done, applied.unknown, applied.not_tried) == (
        (1, 2),
        3,
        everything(case.count)[3:],
    )
    assert (applied.failed, applied.converged) == (None, False)
    assert states(case, 3) == ["started", "unknown", "started", "unknown"]
    assert small_tenants.journal_lines(case.directory)[0][-1]["end"] == "unknown"
    assert case.apply().converged


def test_an_answer_lost_when_nothing_can_be_read_leaves_the_step_unknown(case: Case) -> None:
    case.door.answers[3] = lost_after
    case.door.blind_after = 3
    applied = case.apply()
    assert applied.unknown == 3
    assert "does not answer" in applied.trouble
    case.door.blind_after = None
    resumed = case.apply()
    assert (resumed.already, resumed.converged) == (3, True)


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.TRANSIENT])
def test_a_busy_service_is_tried_again_after_a_pause_and_a_reading(
    case: Case, fault: Fault
) -> None:
    case.door.answers.update({3: refused(fault), 4: refused(fault)})
    applied = case.apply()
    assert (applied.done, applied.converged) == (everything(case.count), True)
    pauses = [event.seconds for event in case.told if isinstance(event, Retrying)]
    assert pauses == list({Fault.THROTTLED: (30, 60), Fault.TRANSIENT: (5, 10)}[fault])
    assert states(case, 3) == ["started", "failed", "started", "failed", "started", "done"]


def test_a_service_that_stays_busy_fails_the_step_with_advice(case: Case) -> None:
    case.door.answers.update(dict.fromkeys(range(3, 40), refused(Fault.THROTTLED)))
    applied = case.apply()
    assert applied.failed is not None
    assert (applied.failed.step, applied.failed.fault, applied.done) == (3, "throttled", (1, 2))
    assert "later" in applied.failed.hint
    assert len(case.door.sent) == 2 + 1 + len(ApplyPatience().throttled)


def test_a_failure_that_was_committed_all_the_same_is_found_by_reading(case: Case) -> None:
    case.door.answers.update({1: refused_after(Fault.TRANSIENT), 3: refused_after(Fault.UNKNOWN)})
    applied = case.apply()
    assert (applied.done, applied.converged) == (everything(case.count), True)
    assert len(case.door.sent) == case.count


@pytest.mark.parametrize(
    "fault",
    [Fault.DENIED, Fault.INVALID, Fault.STORE_FULL, Fault.UNKNOWN, Fault.NOT_FOUND, Fault.EXISTS],
)
def test_the_first_failure_stops_the_run_and_says_what_was_done(case: Case, fault: Fault) -> None:
    case.door.answers[3] = refused(fault)
    applied = case.apply()
    assert applied.failed is not None
    assert (applied.failed.step, applied.failed.fault, applied.failed.message) == (
        3,
        fault,
        f"the service says {fault}",
    )
    assert applied.failed.address == case.plan.plan.steps[2].address
    assert (applied.done, applied.not_tried, applied.moved) == (
        (1, 2),
        everything(case.count)[3:],
        (),
    )
    assert len(case.door.sent) == 3
    assert small_tenants.journal_lines(case.directory)[0][-1]["end"] == "failed"
    assert any(isinstance(event, StepFailed) for event in case.told)
    assert case.apply().converged


def test_the_message_of_a_failing_step_names_what_to_skip(case: Case) -> None:
    case.door.answers[1] = refused(Fault.DENIED)
    applied = case.apply()
    assert applied.failed is not None
    assert f"--skip exchange.application/{small_tenants.application(1)} " in applied.failed.hint


def test_a_group_that_cannot_be_granted_in_place_is_answered_with_the_other_way(case: Case) -> None:
    group = next(step for step in case.plan.plan.steps if step.reason == "move-group")
    case.door.answers[group.id] = refused(Fault.INVALID)
    applied = case.apply()
    assert applied.failed is not None
    assert "--group-changes remove-add" in applied.failed.hint
    assert f"--skip {group.address} " in applied.failed.hint


def test_a_group_step_that_does_nothing_stops_the_run(case: Case) -> None:
    group = next(step for step in case.plan.plan.steps if step.reason == "move-group")
    case.door.answers[group.id] = lambda _write: Done()
    with pytest.raises(AppliedInPart, match="remove-add"):
        case.apply()
    assert len(case.door.sent) == group.id


def test_a_removal_relies_on_a_fresh_reading(case: Case) -> None:
    removal = case.step("Remove-ApplicationAccessPolicy").id
    case.door.answers[removal - 1] = lambda _write: Done()
    with pytest.raises(AppliedInPart) as caught:
        case.apply()
    assert caught.value.applied is not None
    assert caught.value.applied.not_tried[0] == removal


def test_writes_that_become_visible_late_are_waited_for(case: Case) -> None:
    case.door.lag = 40
    applied = case.apply()
    assert applied.converged
    assert any(
        isinstance(event, WaitingToReadAgain) and event.why is ReadingReason.REMOVAL
        for event in case.told
    )
    assert any(
        isinstance(event, WaitingToReadAgain) and event.why is ReadingReason.VERIFY
        for event in case.told
    )


def test_writes_of_an_interrupted_apply_that_are_not_visible_yet_are_waited_for(case: Case) -> None:
    case.door.lag = 40
    stop = case.count - 1
    with pytest.raises(Interrupted):
        case.apply(stop_after=stop)
    resumed = case.apply()
    assert (resumed.already, resumed.done, resumed.converged) == (stop, (case.count,), True)


def test_a_write_of_another_plan_that_may_still_land_is_waited_for(case: Case) -> None:
    case.door.answers[3] = lost_before
    case.door.blind_after = 3
    assert case.apply().unknown == 3
    case.door.blind_after = None
    other = small_tenants.loaded(case.directory, small_tenants.planned(case.simulator, WANTED))
    began = case.clock.now
    case.told.clear()
    applied = case.apply(plan=other)
    assert applied.converged
    assert any(
        isinstance(event, WaitingToReadAgain) and event.why is ReadingReason.BASELINE
        for event in case.told
    )
    assert case.clock.now - began >= ApplyPatience().lag - 1


def test_writes_that_never_become_visible_are_not_waited_for_forever(case: Case) -> None:
    case.door.answers[case.count] = lambda _write: Done()
    applied = case.apply()
    assert (applied.done, applied.converged) == (everything(case.count), False)
    assert applied.moved
    assert case.clock.now - small_tenants.NOON < 2 * ApplyPatience().lag


def test_a_retried_step_whose_first_write_shows_late_is_adopted(case: Case) -> None:
    create = case.step("New-ApplicationAccessPolicy")
    case.door.answers[create.id] = refused_after(Fault.TRANSIENT)
    case.door.lag = 60
    applied = case.apply()
    assert applied.converged
    assert case.door.sent.count(create.text) == 2
    assert states(case, create.id) == ["started", "failed", "started", "failed", "done"]


def test_a_retried_step_is_followed_by_a_reading_before_the_next(case: Case) -> None:
    case.door.answers[4] = refused(Fault.TRANSIENT)
    case.door.between[5] = lambda: moved_user(case)
    with pytest.raises(AppliedInPart, match=small_tenants.user(1)):
        case.apply()
    assert len(case.door.sent) == 5


def test_what_moves_while_an_answer_is_lost_leaves_the_step_unknown_and_is_named(
    case: Case,
) -> None:
    last = case.count
    case.door.answers[last] = lost_before
    case.door.between[last] = lambda: moved_user(case)
    applied = case.apply()
    assert applied.unknown == last
    assert any(small_tenants.user(1) in one for one in applied.moved)
    assert case.door.sent.count(case.plan.plan.steps[last - 1].text) == 1


def test_a_wish_to_stop_while_waiting_ends_the_wait_and_tries_nothing_more(case: Case) -> None:
    case.door.answers[3] = refused(Fault.THROTTLED)
    applied = case.apply(stop_after=3)
    assert applied.failed is not None
    assert case.clock.now - small_tenants.NOON < 10


def test_a_wish_to_stop_while_a_removal_waits_is_no_accusation(case: Case) -> None:
    removal = case.step("Remove-ApplicationAccessPolicy").id
    case.door.lag = 1000
    wish = {"asked": False}
    waited: list[object] = []

    def tell(event: object) -> None:
        waited.append(event)
        wish["asked"] |= isinstance(event, WaitingToReadAgain)

    with pytest.raises(Interrupted) as caught:
        apply(
            case.plan,
            case.door,
            state_dir=case.directory,
            tell=tell,
            clock=case.clock,
            sleep=case.clock.sleep,
            stop=lambda: wish["asked"],
            patience=ApplyPatience(),
        )
    assert caught.value.applied is not None
    assert caught.value.applied.done == everything(removal - 1)
    assert sum(isinstance(event, WaitingToReadAgain) for event in waited) == 1


ANSWERS = st.sampled_from(
    [
        lost_before,
        lost_after,
        refused(Fault.THROTTLED),
        refused(Fault.TRANSIENT),
        refused_after(Fault.TRANSIENT),
        refused(Fault.DENIED),
    ]
)


@given(st.dictionaries(st.integers(1, 25), ANSWERS, max_size=8), st.sampled_from([0, 15, 45]))
@settings(max_examples=40)
def test_whatever_happens_on_the_line_the_next_applies_converge_and_every_step_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, answers: dict[int, object], lag: int
) -> None:
    case = Case(tmp_path_factory.mktemp("line"))
    case.door.answers.update(answers)  # type: ignore[arg-type]
    case.door.lag = lag
    assert any(accounted(case, case.apply()).converged for _ in range(len(answers) + 1))
    assert small_tenants.planned(case.simulator, WANTED).steps == ()


def accounted(case: Case, applied: Applied) -> Applied:
    """Every step is in exactly one place of the report."""
    failed = (applied.failed.step,) if applied.failed else ()
    unknown = (applied.unknown,) if applied.unknown else ()
    assert (
        *everything(applied.already),
        *applied.done,
        *failed,
        *unknown,
        *applied.not_tried,
    ) == everything(case.count)
    return applied


FAULTS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 1000),
        "throttled": st.sampled_from([0, 0.2]),
        "transient": st.sampled_from([0, 0.2]),
        "lost_before": st.sampled_from([0, 0.1]),
        "lost_after": st.sampled_from([0, 0.2]),
        "lag": st.integers(0, 4),
        "scattered": st.booleans(),
    }
).map(lambda some: Faults(**some))


@given(small_tenants.worlds(), small_tenants.worlds(), FAULTS)
@settings(max_examples=40)
def test_whatever_the_simulated_services_do_wrong_the_next_applies_converge(
    tmp_path_factory: pytest.TempPathFactory,
    before: small_tenants.World,
    after: small_tenants.World,
    faults: Faults,
) -> None:
    directory, clock = tmp_path_factory.mktemp("faults"), small_tenants.Clock()
    healthy = small_tenants.simulator(directory, before)
    wanted = small_tenants.documents(after, absent=before.policies.keys() - after.policies.keys())
    plan = small_tenants.loaded(directory, small_tenants.planned(healthy, wanted))
    assume(plan.plan.applicable and plan.plan.steps)
    tenant = Simulator(directory / "tenant.json", faults=faults)
    assert any(small_tenants.ran(plan, tenant, directory, clock).converged for _ in range(50))
    assert small_tenants.planned(Simulator(directory / "tenant.json"), wanted).steps == ()


def test_a_wish_to_stop_while_the_end_is_verified_ends_the_wait(case: Case) -> None:
    case.door.lag = 40
    applied = case.apply(stop_after=case.count)
    assert (applied.done, applied.converged) == (everything(case.count), False)
    assert "stopped while waiting" in applied.trouble


def test_a_gate_that_refuses_a_text_fails_the_step_and_a_line_that_breaks_loses_it(
    case: Case,
) -> None:
    def gate(_write: object) -> Outcome:
        raise RefusedText("gate: constant")

    def broken(_write: object) -> Outcome:
        raise TenantFault("the session ended")

    case.door.answers.update({2: gate})
    applied = case.apply()
    assert applied.failed is not None
    assert (applied.failed.step, applied.failed.fault, applied.failed.message) == (
        2,
        "unreadable",
        "gate: constant",
    )
    case.door.answers = dict.fromkeys((3, 4), broken)
    assert case.apply().unknown == 2


def test_nobody_waits_for_a_simulated_service_however_often_it_is_read(case: Case) -> None:
    tenant = Simulator(
        case.directory / "tenant.json",
        faults=Faults(lag=3, fail_on={3: Mishap.THROTTLED, 5: Mishap.LOST_BEFORE}),
    )
    applied = apply(
        case.plan,
        tenant,
        state_dir=case.directory,
        tell=case.told.append,
        clock=case.clock,
        sleep=case.clock.sleep,
    )
    assert applied.converged
    assert case.clock.now == small_tenants.NOON
    assert {
        event.seconds for event in case.told if isinstance(event, WaitingToReadAgain | Retrying)
    } == {0}


def test_pauses_grow_and_end() -> None:
    def pauses(outcome: Failed | Lost, attempts: int) -> list[float | None]:
        retries, seen = Retries(), []
        for _ in range(attempts):
            seen.append(retries.pause(outcome, ApplyPatience()))
            retries = retries.counted(outcome)
        return seen

    assert pauses(Failed(Fault.THROTTLED, ""), 6) == [
        30,
        60,
        120,
        240,
        300,
        None,
    ]
    assert pauses(Failed(Fault.TRANSIENT, ""), 4) == [5, 10, 20, None]
    assert pauses(Lost(""), 2) == [0, None]
    assert pauses(Failed(Fault.DENIED, ""), 1) == [None]


def test_a_wait_is_cut_short_within_a_second_of_the_wish_to_stop() -> None:
    clock = small_tenants.Clock()
    host = Host(
        lambda _event: None,
        clock,
        clock.sleep,
        lambda: clock.now >= small_tenants.NOON + 3,
        ApplyPatience(),
    )
    host.pause(300)
    assert clock.now == small_tenants.NOON + 3
    host = Host(lambda _event: None, clock, clock.sleep, lambda: False, ApplyPatience())
    host.pause(2.5)
    assert clock.now == small_tenants.NOON + 5.5


@pytest.mark.parametrize(
    ("age", "readings"), [(0, 12), (5, 12), (115, 1), (120, 0), (1e9, 0), (-1e9, 12)]
)
def test_an_old_write_is_not_waited_for_and_a_clock_that_was_set_back_waits_no_longer(
    age: float, readings: int
) -> None:
    assert ApplyPatience().readings(age) == readings
