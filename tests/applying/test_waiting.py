"""What may still land is waited for, no longer than a write needs, whatever the clock does
meanwhile (laws 4 and 10).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reconciler.applying.applying import ApplyPatience
from reconciler.applying.events import (
    ReadingReason,
    ReadingTenant,
    Settling,
    StepDone,
    WaitingToReadAgain,
)
from reconciler.applying.host import Host
from reconciler.applying.journal import Header, Journal
from reconciler.applying.watching import Watch
from reconciler.errors import Interrupted
from reconciler.model.codes import WarningCode
from reconciler.model.plans import Note
from reconciler.planning import planfile
from reconciler.tenants.protocol import Done, Fault
from tests.applying import small_tenants
from tests.applying.locked import apply, directories
from tests.applying.small_tenants import refused, refused_after
from tests.applying.test_applying import Case, everything, moved_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied
    from reconciler.planning.planfile import SealedPlan
    from reconciler.tenants.protocol import Outcome

HOUR = 3600.0
LAG = ApplyPatience().lag
READINGS = 12
"""The most readings that one write is waited for: every ten seconds for two minutes."""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


class Killed(BaseException):
    """The process ends here and now."""


def waits(case: Case, why: ReadingReason) -> int:
    return sum(isinstance(event, WaitingToReadAgain) and event.why is why for event in case.told)


def applied(
    case: Case, sleep: Callable[[float], None], plan: SealedPlan | None = None, settle: float = 0.0
) -> Applied:
    return apply(
        plan or case.plan,
        case.door,
        state_dir=case.directory / ".reconciler",
        tell=case.told.append,
        clock=case.clock,
        sleep=sleep,
        patience=ApplyPatience(),
        settle=settle,
    )


# --- writes in flight


def killed_inside(case: Case, step: int) -> Callable[[], Outcome]:
    """Apply until a step is sent and the process is killed; what is returned lets it land."""
    writes: list[Callable[[], Outcome]] = []

    def kill(write: Callable[[], Outcome]) -> Outcome:
        writes.append(write)
        raise Killed

    case.door.answers[step] = kill
    with pytest.raises(Killed):
        case.apply()
    case.told.clear()
    return writes[0]


def test_a_write_in_flight_when_the_process_was_killed_is_waited_for_and_adopted(
    case: Case,
) -> None:
    land = killed_inside(case, 3)
    landed: list[Outcome] = []

    def sleep(seconds: float) -> None:
        case.clock.sleep(seconds)
        if case.clock.now > small_tenants.NOON + 45 and not landed:
            landed.append(land())

    outcome = applied(case, sleep)
    assert (outcome.already, outcome.converged) == (3, True)
    assert waits(case, ReadingReason.BASELINE) > 0
    assert case.door.sent.count(case.plan.plan.steps[2].text) == 1


def test_a_write_in_flight_that_never_lands_is_waited_for_as_long_as_a_write_needs(
    case: Case,
) -> None:
    killed_inside(case, 3)
    began = case.clock.now
    outcome = case.apply()
    assert (outcome.already, outcome.converged) == (2, True)
    assert case.door.sent.count(case.plan.plan.steps[2].text) == 2
    assert waits(case, ReadingReason.BASELINE) == READINGS
    assert case.clock.now - began >= LAG


def foreign_journal(case: Case, *, damaged: bool) -> None:
    """Another plan's apply that did its only step a moment ago; one line may be unreadable."""
    directory = directories(case.directory / ".reconciler").lock
    header = Header(
        tool="t",
        plan="plan:other",
        content="c",
        tenant=small_tenants.TENANT,
        source="live",
        steps=2,
        already=0,
    )
    with Journal.create(directory, header, case.clock) as journal:
        journal.started(1, 1)
        journal.done(1, seen=False)
    if damaged:
        path = journal.path
        path.write_bytes(path.read_bytes() + b'{"state":"star\x00\n')


@pytest.mark.parametrize(("damaged", "expected"), [(False, 0), (True, READINGS)])
def test_lines_of_another_plan_s_journal_that_cannot_be_read_may_hide_a_write_in_flight(
    case: Case, *, damaged: bool, expected: int
) -> None:
    foreign_journal(case, damaged=damaged)
    assert case.apply().converged
    assert waits(case, ReadingReason.BASELINE) == expected


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize(("age", "expected"), [(0.0, READINGS), (LAG + 1, 0)])
def test_how_old_a_write_is_that_no_readable_line_tells_of_the_file_says(
    case: Case, age: float, *, readable: bool, expected: int
) -> None:
    foreign_journal(case, damaged=True)
    (path,) = (case.directory / ".reconciler" / small_tenants.TENANT).glob("*.jsonl")
    if not readable:
        path.write_bytes(b"\x00\x00\n")
    case.clock.now += 2 * LAG
    written = case.clock.now - age
    os.utime(path, (written, written))
    assert case.apply().converged
    assert waits(case, ReadingReason.BASELINE) == expected


# --- a clock that is set back


def test_a_clock_set_back_while_readings_are_waited_for_does_not_prolong_the_wait(
    case: Case,
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        case.clock.now += seconds - (HOUR if len(slept) == 5 else 0)

    case.door.answers[case.count] = lambda _write: Done()
    outcome = applied(case, sleep)
    assert not outcome.converged
    assert waits(case, ReadingReason.VERIFY) == READINGS
    assert sum(slept) < 2 * LAG


def test_a_clock_set_back_during_a_pause_neither_prolongs_nor_shortens_it() -> None:
    clock, slept = small_tenants.Clock(), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now -= HOUR

    Host(lambda _event: None, clock, sleep, lambda: False, ApplyPatience()).pause(300)
    assert sum(slept) == 300


def test_a_reading_made_before_the_clock_was_set_back_is_not_relied_on(case: Case) -> None:
    first = next(step.id for step in case.plan.plan.steps if step.provider == "teams")
    case.door.between[first - 1] = lambda: case.clock.sleep(-HOUR)
    assert case.apply().converged
    assert ReadingTenant(frozenset({"teams"}), ReadingReason.INTERVAL) in case.told


def relying(case: Case) -> tuple[SealedPlan, int]:
    """The plan, with a last step that relies on the one before it."""
    last = case.count
    note = Note(
        WarningCode.RELIES_ON, case.plan.plan.steps[-1].address, {"step": last, "on": last - 1}
    )
    others = (
        warning
        for warning in case.plan.plan.warnings
        if (warning.code, warning.details.get("step")) != (WarningCode.RELIES_ON, last)
    )
    return planfile.sealed(replace(case.plan.plan, warnings=(*others, note))), last


@pytest.mark.parametrize(("jump", "expected"), [(0.0, 60.0), (-HOUR, 60.0), (25.0, 35.0)])
def test_settling_takes_as_long_as_was_asked_for_and_no_longer_after_the_clock_is_set_back(
    case: Case, jump: float, expected: float
) -> None:
    plan, last = relying(case)

    def tell(event: Event) -> None:
        case.told.append(event)
        if isinstance(event, StepDone) and event.step.id == last - 1:
            case.clock.now += jump

    outcome = apply(
        plan,
        case.door,
        state_dir=case.directory / ".reconciler",
        tell=tell,
        clock=case.clock,
        sleep=case.clock.sleep,
        patience=ApplyPatience(),
        settle=60.0,
    )
    assert outcome.converged
    settling = [event for event in case.told if isinstance(event, Settling)][-1]
    assert (settling.step.id, settling.on, settling.seconds) == (last, last - 1, expected)


def test_settling_counts_from_the_end_of_the_step_that_is_relied_on(case: Case) -> None:
    plan, last = relying(case)
    case.door.between[last - 1] = lambda: case.clock.sleep(500)
    assert applied(case, case.clock.sleep, plan, settle=60.0).converged
    settling = [event for event in case.told if isinstance(event, Settling)][-1]
    assert settling.seconds == 60.0


def test_who_asks_to_stop_while_a_step_settles_sees_no_other_step(case: Case) -> None:
    plan, last = relying(case)
    with pytest.raises(Interrupted, match=f"stopped after step {last - 1} of {last}"):
        apply(
            plan,
            case.door,
            state_dir=case.directory / ".reconciler",
            tell=case.told.append,
            clock=case.clock,
            sleep=case.clock.sleep,
            stop=lambda: isinstance(case.told[-1], Settling) and case.told[-1].step.id == last,
            patience=ApplyPatience(),
            settle=60.0,
        )
    assert plan.plan.steps[-1].text not in case.door.sent


# --- what is fresh


def test_a_reading_of_one_product_does_not_make_the_other_one_fresh(case: Case) -> None:
    host = Host(
        case.told.append, case.clock, case.clock.sleep, lambda: False, ApplyPatience(scale=0)
    )
    watch = Watch(case.plan.plan, case.door, host)
    watch.wrote("teams", case.clock())
    assert watch.old("teams")
    assert watch.old("exchange")
    watch.until(
        frozenset({"exchange"}), ReadingReason.WIDENING, lambda seen: seen, lambda _seen: True
    )
    assert watch.old("teams")
    assert not watch.old("exchange")


# --- retried steps


def test_each_step_has_all_its_attempts_whatever_earlier_steps_needed(case: Case) -> None:
    busy = refused(Fault.THROTTLED)
    attempts = len(ApplyPatience().throttled)
    case.door.answers.update(dict.fromkeys(range(1, attempts + 1), busy))
    second = range(attempts + 2, 2 * attempts + 2)
    case.door.answers.update(dict.fromkeys(second, busy))
    outcome = case.apply()
    assert (outcome.done, outcome.converged) == (everything(case.count), True)


def test_a_step_that_shows_neither_state_is_not_tried_again(case: Case) -> None:
    last = case.count

    def moved(write: Callable[[], Outcome]) -> Outcome:
        moved_user(case)
        return refused(Fault.THROTTLED)(write)

    case.door.answers[last] = moved
    outcome = case.apply()
    assert outcome.failed is not None
    assert outcome.failed.step == last
    assert outcome.moved
    assert len(case.door.sent) == last


def test_the_reading_after_a_group_step_serves_its_retries_too(case: Case) -> None:
    groups = [step.id for step in case.plan.plan.steps if "Group" in step.parameters]
    case.door.answers[groups[-1]] = refused(Fault.TRANSIENT)
    assert case.apply().converged
    # The retried step was sent twice; what follows it relies on the reading after the group step.
    readings = [event.why for event in case.told if isinstance(event, ReadingTenant)]
    assert readings.count(ReadingReason.GROUP) == len(groups)
    assert ReadingReason.RETRIED not in readings


def test_a_failure_that_was_committed_is_adopted_without_another_attempt(case: Case) -> None:
    case.door.answers[4] = refused_after(Fault.TRANSIENT)
    assert case.apply().converged
    assert case.door.sent.count(case.plan.plan.steps[3].text) == 1
