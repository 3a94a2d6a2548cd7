"""What a run does next: values and pure functions; no clock, no journal, no tenant.

A run repeats four things: it observes the tenant, decides what that means, writes, and records the
answer in a new state. `running` has the loop and all effects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.applying import lookups
from reconciler.applying.outcomes import NotDone, OutcomeReading, Retries, ShownState
from reconciler.model.live_limits import names_unqueried
from reconciler.tenants.protocol import Done, Failed, Lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.applying.host import ApplyPatience
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Step
    from reconciler.tenants.protocol import Outcome


class Unanswered(Struct, frozen=True):
    """An attempt of a step that was not answered with success.

    `pause`: seconds until the next attempt if there is one, else None.
    """

    step: Step
    attempt: int
    outcome: NotDone
    pause: float | None


class RunState(Struct, frozen=True):
    """Where a run is.

    Attributes:
        course: The steps that are done or are to be done: the plan's, without those that were
            refused and those that depend on them.
        already: Steps of the course, from the first one, that earlier applies had done.
        reached: Steps of the course, from the first one, that are done now.
        began: When the run began (seconds since 1970).
        attempted: Something was sent.
        widened: Products of which a step was sent that may widen.
        retried: Products with a step that took more than one attempt, and not read since.
        unanswered: The last attempt of the step that is being tried; None between steps.
        retries: Further attempts of that step.
        step_began: When its first attempt began (seconds since 1970).
        finished: When a step was done that a later one relies on (seconds since 1970), by step.
        refused: Attempts that were refused for good, after which the run went on.
        in_a_row: How many of them, at the end, no step was done after.
    """

    course: tuple[Step, ...]
    already: int
    reached: int
    began: float
    attempted: bool = False
    widened: frozenset[Provider] = frozenset()
    retried: frozenset[Provider] = frozenset()
    unanswered: Unanswered | None = None
    retries: Retries = Retries()
    step_began: float = 0.0
    finished: Mapping[int, float] = field(default_factory=dict)
    refused: tuple[Unanswered, ...] = ()
    in_a_row: int = 0

    @property
    def passed(self) -> tuple[Step, ...]:
        """The steps that are done, by whatever run."""
        return self.course[: self.reached]

    @property
    def following(self) -> Step | None:
        """The step that comes next; None after the last one."""
        return self.course[self.reached] if self.reached < len(self.course) else None

    @property
    def done(self) -> tuple[int, ...]:
        """Ids of the steps that this run did."""
        return tuple(step.id for step in self.course[self.already : self.reached])

    @property
    def row(self) -> tuple[Unanswered, ...]:
        """The attempts that were refused since the last step that succeeded."""
        return self.refused[len(self.refused) - self.in_a_row :]


# --- observations


class StopAsked(Struct, frozen=True):
    """A person asked to stop, and nothing is in flight."""


class TenantMoved(Struct, frozen=True):
    """The tenant is not as the steps done so far leave it: a sentence or an address for each
    difference, and the reason if it is known.
    """

    differences: tuple[str, ...]
    why: str = ""


class StepReady(Struct, frozen=True):
    """Everything that the next step rests on is as it was reviewed."""

    step: Step


class OutcomeSeen(Struct, frozen=True):
    """The tenant was read after an attempt without success; `stopping`: a person asked to stop."""

    attempt: Unanswered
    reading: OutcomeReading
    stopping: bool


class EndSeen(Struct, frozen=True):
    """The tenant was read after the last step: a sentence for each difference, or why it could not
    be verified.
    """

    moved: tuple[str, ...]
    trouble: str


Observation: TypeAlias = StopAsked | TenantMoved | StepReady | OutcomeSeen | EndSeen


# --- decisions


class Write(Struct, frozen=True):
    """Send a step; `attempt` counts from 1."""

    step: Step
    attempt: int


class Adopt(Struct, frozen=True):
    """Take a step as done: no answer said so, but the tenant shows its result."""

    step: Step


class Interrupt(Struct, frozen=True):
    """End the run because a person asked to."""


class Refuse(Struct, frozen=True):
    """End the run because the tenant moved."""

    moved: TenantMoved


class GiveUp(Struct, frozen=True):
    """End the run at a step that failed or whose outcome is unknown.

    `why` says why the run does not continue without the step, if somebody asked for that.
    `goes_on`: it could continue, and nobody asked for it.
    """

    attempt: Unanswered
    reading: OutcomeReading
    why: str = ""
    goes_on: bool = False


class Conclude(Struct, frozen=True):
    """End the run after its last step."""

    end: EndSeen


Ending: TypeAlias = Interrupt | Refuse | GiveUp | Conclude
Decision: TypeAlias = Write | Adopt | Ending


def decide(observation: Observation) -> Decision:
    """What follows from what was seen."""
    match observation:
        case StopAsked():
            return Interrupt()
        case TenantMoved():
            return Refuse(observation)
        case StepReady(step):
            return Write(step, 1)
        case OutcomeSeen(attempt, reading, stopping):
            return _after_outcome(attempt, reading, stopping=stopping)
        case EndSeen():
            return Conclude(observation)
        case _:
            assert_never(observation)


def _after_outcome(attempt: Unanswered, reading: OutcomeReading, *, stopping: bool) -> Decision:
    if reading.shown is ShownState.AFTER:
        return Adopt(attempt.step)
    may_retry = attempt.pause is not None and reading.shown is ShownState.BEFORE
    if may_retry and not stopping:
        return Write(attempt.step, attempt.attempt + 1)
    return GiveUp(attempt, reading)


class WayOn(Struct, frozen=True):
    """How a run could go on without a step: the steps that remain, and how many others depend on
    the step.
    """

    step: Step
    fault: str
    message: str
    remaining: tuple[Step, ...]
    left_out: int


KeepGoing: TypeAlias = Callable[[WayOn], bool]
"""Says whether to go on; asked only where that is possible and safe."""


# --- the next state


def sent(state: RunState, write: Write, now: float) -> RunState:
    """The state once an attempt is announced and about to be sent.

    Before the first attempt of a step its product was read if that was due; a further attempt makes
    that due again.
    """
    product = {write.step.provider}
    if lookups.may_widen(write.step):
        state = replace(state, widened=state.widened | product)
    if write.attempt > 1:
        return replace(state, attempted=True, retried=state.retried | product)
    return replace(
        state, attempted=True, retried=state.retried - product, retries=Retries(), step_began=now
    )


def answered(state: RunState, write: Write, outcome: Outcome, patience: ApplyPatience) -> RunState:
    """The state after an attempt was answered, or its answer was lost; a success continues with
    `finished`.
    """
    match outcome:
        case Done():
            return replace(state, unanswered=None)
        case Failed() | Lost():
            attempt = Unanswered(
                write.step, write.attempt, outcome, state.retries.pause(outcome, patience)
            )
            return replace(state, unanswered=attempt, retries=state.retries.counted(outcome))
        case _:
            assert_never(outcome)


def finished(state: RunState, step: Step, now: float, *, relied_on: bool) -> RunState:
    """The state after a step is done; the time is kept if a later step relies on it."""
    # Such a step is followed by a reading of its own, which serves the next step too.
    read = is_group_step(step) or names_unqueried(step.cmdlet, step.parameters)
    retried = state.retried - {step.provider} if read else state.retried
    times = {**state.finished, step.id: now} if relied_on else state.finished
    return replace(
        state,
        reached=state.reached + 1,
        unanswered=None,
        retried=retried,
        finished=times,
        in_a_row=0,
    )


def gone_on(state: RunState, remaining: tuple[Step, ...]) -> RunState:
    """The state after a step was refused for good and the run continues with these steps only."""
    if state.unanswered is None:
        raise AssertionError("no step was refused")
    return replace(
        state,
        course=state.passed + remaining,
        unanswered=None,
        refused=(*state.refused, state.unanswered),
        in_a_row=state.in_a_row + 1,
    )


def is_group_step(step: Step) -> bool:
    """Whether a step grants to a group. Regranting in place is not documented, so the tenant is
    read before anything depends on it.
    """
    return "Group" in step.parameters
