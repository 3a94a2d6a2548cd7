"""Running the steps of a plan one after another, from the state that the tenant shows: observe,
decide, write, record, until a decision ends the run.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, assert_never

from reconciler.applying import credential_lifetime, hints, lookups, probing
from reconciler.applying.deciding import (
    Adopt,
    Conclude,
    GiveUp,
    Interrupt,
    Refuse,
    RunState,
    WayOn,
    Write,
    answered,
    decide,
    finished,
    gone_on,
    sent,
)
from reconciler.applying.events import LOST, Retrying, StepDone, StepFailed, StepStarted, WentOn
from reconciler.applying.going_on import went_on
from reconciler.applying.journal import ApplyEnd
from reconciler.applying.observing import RunContext, name_runner, observe
from reconciler.errors import (
    AppliedInPart,
    CaptureFault,
    Interrupted,
    ReconcilerError,
    RenderFault,
    StalePlan,
    TenantFault,
)
from reconciler.model.applied import Applied, StepFailure
from reconciler.planning import reviewed
from reconciler.tenants.protocol import Failed, Fault, Lost, Remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.applying.deciding import Decision, Ending, KeepGoing, TenantMoved, Unanswered
    from reconciler.applying.host import Host
    from reconciler.applying.journal import Journal
    from reconciler.applying.outcomes import NotDone
    from reconciler.applying.watching import Watch
    from reconciler.model.applied import AccessCheck
    from reconciler.model.plans import Plan, Step
    from reconciler.tenants.protocol import Outcome, Tenant

_NOT_RESUMED = (
    "This plan went on without a refused step and cannot be resumed: plan again for what is left"
)
_MOST_NAMED = 20
"""Differences that a message names; a report has them all."""


def first_named(names: tuple[str, ...], separator: str = ", ") -> str:
    """Name what stops an apply, up to a limit."""
    more = len(names) - _MOST_NAMED
    return separator.join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def run_steps(
    plan: Plan,
    tenant: Tenant,
    watch: Watch,
    journal: Journal,
    host: Host,
    already: int,
    keep_going: KeepGoing | None = None,
) -> Applied:
    """Run the steps `already` + 1 and on, and verify.

    Where a step is refused for good, `keep_going` is asked whether to go on with those that do not
    depend on it.

    Raises:
        StalePlan: the tenant moved before anything was written.
        TenantFault, CaptureFault, ReconcilerError: it could not be read, or the journal not be
            written, before anything was written.
        AppliedInPart: any of these after that.
        Interrupted: a person asked to stop; a step in flight was finished.
    """
    closes = credential_lifetime.closing_steps(plan) if isinstance(tenant, Remote) else {}
    relied_on = lookups.relied_on(plan) if host.patience.settle else {}
    run = RunContext(plan, tenant, watch, journal, host, relied_on, closes, keep_going)
    state = RunState(plan.steps, already, already, host.clock())
    try:
        while isinstance(decision := _decided(run, state), Write | Adopt | WayOn):
            for latest in _followed(run, state, decision):
                state = latest
    except ReconcilerError as error:
        _record_end(run, ApplyEnd.STOPPED)
        if not state.attempted:
            raise
        message = str(error) if not state.refused else f"{error}. {_NOT_RESUMED}"
        raise AppliedInPart(message, _applied(run, state, trouble=message)) from error
    return _finish(run, state, decision)


def _decided(run: RunContext, state: RunState) -> Decision | WayOn:
    decision = decide(observe(run, state))
    return went_on(run, state, decision) if isinstance(decision, GiveUp) else decision


# --- write and record


def _followed(
    run: RunContext, state: RunState, decision: Write | Adopt | WayOn
) -> Iterator[RunState]:
    """Do what was decided. Each state that this leads to is given at once: what is done next may
    fail.
    """
    match decision:
        case Write():
            return _written(run, state, decision)
        case Adopt(step):
            return _done(run, state, step, seen=True)
        case WayOn():
            return _left_out(run, state, decision)
        case _:
            assert_never(decision)


def _written(run: RunContext, state: RunState, write: Write) -> Iterator[RunState]:
    begun = run.host.clock()
    _announce(run, write)
    state = sent(state, write, begun)
    yield state
    outcome = _send(run, write.step)
    state = answered(state, write, outcome, run.host.patience)
    yield state
    if state.unanswered is None:
        yield from _done(run, state, write.step, seen=False)
    else:
        _record_failure(run, state.unanswered)


def _announce(run: RunContext, write: Write) -> None:
    """Prove the text again, and write the journal to disk before anything is sent."""
    reviewed.reviewed_invocation(write.step)
    name_runner(run, write.step.provider)
    run.journal.started(write.step.id, write.attempt, write.step.address)
    run.host.tell(StepStarted(write.step, write.attempt))


def _send(run: RunContext, step: Step) -> Outcome:
    outcome: Outcome
    try:
        outcome = run.tenant.run(reviewed.reviewed_invocation(step), step.text)
    except RenderFault as fault:
        outcome = Failed(Fault.UNREADABLE, str(fault))
    except TenantFault as fault:
        outcome = Lost(str(fault))
    run.watch.wrote(step.provider, run.host.clock())
    return outcome


def _record_failure(run: RunContext, attempt: Unanswered) -> None:
    """Journal an attempt without success, and wait as long as the service needs before another."""
    step, outcome = attempt.step, attempt.outcome
    match outcome:
        case Failed(fault, message):
            run.journal.failed(step.id, fault, message)
        case Lost(message):
            run.journal.unknown(step.id, message)
        case _:
            assert_never(outcome)
    if attempt.pause is not None:
        pause = run.host.scaled(attempt.pause)
        run.host.tell(Retrying(step, _fault(outcome), outcome.message, pause))
        run.host.pause(pause)


def _done(run: RunContext, state: RunState, step: Step, *, seen: bool) -> Iterator[RunState]:
    state = finished(state, step, run.host.clock(), relied_on=step.id in run.awaited)
    yield state
    run.journal.done(step.id, seen=seen)
    run.host.tell(StepDone(step, run.host.clock() - state.step_began, seen))


def _left_out(run: RunContext, state: RunState, way: WayOn) -> Iterator[RunState]:
    """Record on disk that the plan cannot be resumed, before any other step."""
    run.journal.without(way.step.id)
    run.host.tell(StepFailed(way.step, way.fault, way.message))
    run.host.tell(WentOn(way.step, way.left_out))
    yield gone_on(state, way.remaining)


def _record_end(run: RunContext, how: ApplyEnd) -> None:
    # The steps are on the disk; a last line that cannot be written must not hide how the run
    # ended.
    with suppress(ReconcilerError):
        run.journal.ended(how)


# --- endings


def _finish(run: RunContext, state: RunState, ending: Ending) -> Applied:
    match ending:
        case Interrupt():
            _record_end(run, ApplyEnd.INTERRUPTED)
            last = state.passed[-1].id if state.reached else 0
            then = _NOT_RESUMED if state.refused else "Apply the same plan again to go on"
            raise Interrupted(
                f"stopped after step {last} of {len(run.plan.steps)}. {then}", _applied(run, state)
            )
        case Refuse(moved):
            _record_end(run, ApplyEnd.STOPPED)
            raise _moved_error(run, state, moved)
        case GiveUp():
            return _given_up(run, state, ending)
        case Conclude():
            return _concluded(run, state, ending)
        case _:
            assert_never(ending)


def _moved_error(run: RunContext, state: RunState, moved: TenantMoved) -> ReconcilerError:
    last = state.passed[-1].id if state.reached else 0
    message = (
        f"the tenant has changed since step {last} of this plan:"
        f" {first_named(moved.differences, '; ')}" + (f" ({moved.why})" if moved.why else "")
    )
    if not state.attempted:
        return StalePlan(f"{message}. Nothing was written; plan again")
    return AppliedInPart(
        f"{message}. Nothing more was written; plan again",
        _applied(run, state, moved=moved.differences, trouble=message),
    )


def _given_up(run: RunContext, state: RunState, ending: GiveUp) -> Applied:
    step, outcome = ending.attempt.step, ending.attempt.outcome
    moved, trouble = ending.reading.moved, ending.why or ending.reading.trouble
    run.host.tell(StepFailed(step, _fault(outcome), outcome.message))
    match outcome:
        case Lost():
            _record_end(run, ApplyEnd.UNKNOWN)
            return _applied(run, state, unknown=step.id, moved=moved, trouble=trouble)
        case Failed():
            _record_end(run, ApplyEnd.FAILED)
            hint = hints.after_failure(run.plan, state, step, outcome, goes_on=ending.goes_on)
            failure = _failure(step, outcome, hint)
            return _applied(run, state, failed=failure, moved=moved, trouble=trouble)
        case _:
            assert_never(outcome)


def _concluded(run: RunContext, state: RunState, ending: Conclude) -> Applied:
    moved, trouble = ending.end.moved, ending.end.trouble
    verified = not moved and not trouble
    converged = verified and not state.refused
    end = ApplyEnd.CONVERGED if converged else ApplyEnd.NOT_VERIFIED
    _record_end(run, ApplyEnd.FAILED if state.refused else end)
    checks = _checks(run, state) if verified else ()
    return _applied(run, state, converged=converged, moved=moved, trouble=trouble, checks=checks)


def _checks(run: RunContext, state: RunState) -> tuple[AccessCheck, ...]:
    """What Exchange itself says about the applications that this run touched. It is reported but
    never relied on.
    """
    touched = probing.touched(state.course[state.already : state.reached])
    if run.remote is None or not touched:
        return ()
    try:
        return probing.checked(run.remote, run.watch, touched)
    except (TenantFault, CaptureFault):
        return ()


def _applied(
    run: RunContext,
    state: RunState,
    *,
    failed: StepFailure | None = None,
    unknown: int | None = None,
    converged: bool = False,
    moved: tuple[str, ...] = (),
    trouble: str = "",
    checks: tuple[AccessCheck, ...] = (),
) -> Applied:
    stopped_at = unknown if failed is None else failed.step
    left = [step.id for step in state.course[state.reached :]]
    refused = tuple(_refusal(run.plan, attempt) for attempt in state.refused)
    passed = {step.id for step in state.course} | {failure.step for failure in refused}
    return Applied(
        done=state.done,
        already=state.already,
        failed=failed,
        unknown=unknown,
        not_tried=tuple(step for step in left if step != stopped_at),
        converged=converged,
        moved=moved,
        trouble=trouble,
        checks=checks,
        refused=refused,
        left_out=tuple(step.id for step in run.plan.steps if step.id not in passed),
    )


def _refusal(plan: Plan, attempt: Unanswered) -> StepFailure:
    return _failure(attempt.step, attempt.outcome, hints.after_refusal(plan, attempt.step))


def _failure(step: Step, outcome: NotDone, hint: str) -> StepFailure:
    return StepFailure(step.id, step.address, _fault(outcome), outcome.message, hint)


def _fault(outcome: NotDone) -> str:
    return outcome.fault if isinstance(outcome, Failed) else LOST
