"""What was observed decides what a run does next: values in, a value out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.applying.deciding import (
    Adopt,
    Conclude,
    EndSeen,
    GiveUp,
    Interrupt,
    OutcomeSeen,
    Refuse,
    RunState,
    StepReady,
    StopAsked,
    TenantMoved,
    Unanswered,
    Write,
    answered,
    decide,
    finished,
    sent,
)
from reconciler.applying.host import ApplyPatience
from reconciler.applying.outcomes import OutcomeReading, ShownState
from reconciler.model.addresses import teams_group_grant, teams_policy
from reconciler.model.plans import Step
from reconciler.tenants.protocol import Done, Failed, Fault, Lost

STEP = Step(
    3,
    teams_policy("P"),
    "teams",
    "Set-CsApplicationAccessPolicy",
    {"Identity": "P"},
    text="",
    reason="",
    temporary=False,
    gaps=(),
)
GROUP = replace(STEP, address=teams_group_grant("g"), parameters={"Group": "g"})
BUSY = Failed(Fault.THROTTLED, "busy")
START = RunState((STEP,) * 4, already=2, reached=2, began=0.0)


def seen(shown: ShownState, *, pause: float | None = 30.0, stopping: bool = False) -> OutcomeSeen:
    return OutcomeSeen(Unanswered(STEP, 1, BUSY, pause), OutcomeReading(shown), stopping)


def test_what_stops_a_run_between_steps() -> None:
    assert decide(StopAsked()) == Interrupt()
    moved = TenantMoved(("teams.policy/P",))
    assert decide(moved) == Refuse(moved)
    assert decide(StepReady(STEP)) == Write(STEP, 1)
    end = EndSeen((), "")
    assert decide(end) == Conclude(end)


def test_only_a_step_that_surely_did_not_happen_is_tried_again() -> None:
    assert decide(seen(ShownState.BEFORE)) == Write(STEP, 2)
    assert decide(seen(ShownState.AFTER, pause=None, stopping=True)) == Adopt(STEP)


@pytest.mark.parametrize(
    "observation",
    [
        seen(ShownState.NEITHER),
        seen(ShownState.UNREAD),
        seen(ShownState.BEFORE, pause=None),
        seen(ShownState.BEFORE, stopping=True),
    ],
)
def test_otherwise_the_run_gives_up(observation: OutcomeSeen) -> None:
    assert decide(observation) == GiveUp(observation.attempt, observation.reading)


def test_an_attempt_is_counted_and_remembered_until_the_step_is_done() -> None:
    first = sent(START, Write(STEP, 1), 7.0)
    assert (first.attempted, first.step_began, first.retried) == (True, 7.0, frozenset())
    busy = answered(first, Write(STEP, 1), BUSY, ApplyPatience())
    assert busy.unanswered == Unanswered(STEP, 1, BUSY, 30.0)
    second = sent(busy, Write(STEP, 2), 40.0)
    assert (second.step_began, second.retried) == (7.0, {"teams"})
    lost = answered(second, Write(STEP, 2), Lost("gone"), ApplyPatience())
    assert lost.unanswered == Unanswered(STEP, 2, Lost("gone"), 0.0)
    assert answered(lost, Write(STEP, 3), Done(), ApplyPatience()).unanswered is None
    done = finished(lost, STEP, 50.0, relied_on=True)
    assert (done.done, done.unanswered, done.retried) == ((3,), None, {"teams"})
    assert done.finished == {3: 50.0}
    assert sent(done, Write(STEP, 1), 60.0).retried == frozenset()
    assert finished(second, GROUP, 50.0, relied_on=False).retried == frozenset()
