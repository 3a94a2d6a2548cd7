"""What a run looks at: before a step, after an attempt without success, and after the last step.

These are effects (the tenant, the clock, waiting); what follows from them is decided in `deciding`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.applying import credential_lifetime, hints, lookups
from reconciler.applying.deciding import (
    EndSeen,
    OutcomeSeen,
    StepReady,
    StopAsked,
    TenantMoved,
    is_group_step,
)
from reconciler.applying.events import ReadingReason, Settling
from reconciler.applying.outcomes import OutcomeReading, ShownState, settled
from reconciler.errors import CaptureFault, TenantFault
from reconciler.model.live_limits import names_unqueried
from reconciler.planning import moved, prefixes
from reconciler.tenants.protocol import Remote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.applying.deciding import KeepGoing, Observation, RunState, Unanswered
    from reconciler.applying.host import Host
    from reconciler.applying.journal import Journal
    from reconciler.applying.watching import Watch
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan, Step
    from reconciler.tenants.protocol import Tenant

_EXCHANGE: frozenset[Provider] = frozenset({"exchange"})


class RunContext(Struct, frozen=True, dict=True):
    """What a run works with.

    `relied_on`: for steps that take something away, the step that they rely on. `closes`: for steps
    that open a window, the step that closes it. `keep_going`: whether to go on without a step that
    was refused for good; None: never.
    """

    plan: Plan
    tenant: Tenant
    watch: Watch
    journal: Journal
    host: Host
    relied_on: Mapping[int, int]
    closes: Mapping[int, int]
    keep_going: KeepGoing | None = None

    @cached_property
    def awaited(self) -> frozenset[int]:
        """The steps that later ones rely on."""
        return frozenset(self.relied_on.values())

    @property
    def remote(self) -> Remote | None:
        """The tenant, if it is reached through processes of our own."""
        return self.tenant if isinstance(self.tenant, Remote) else None


def observe(run: RunContext, state: RunState) -> Observation:
    """Read what the run has to know next.

    Raises:
        TenantFault: the tenant could not be read, or its credential does not last for the next
            step.
        CaptureFault: what was read is malformed, incomplete or of another tenant.
    """
    if state.unanswered is not None:
        reading = _outcome(run, state, state.unanswered)
        return OutcomeSeen(state.unanswered, reading, run.host.stop())
    blocked = _after_doubtful(run, state)
    if blocked is not None:
        return blocked
    following = state.following
    return _end(run, state) if following is None else _next_step(run, state, following)


def name_runner(run: RunContext, provider: Provider) -> None:
    """Journal the process that is going to write before it does, so that the next apply can wait
    for its end (law 10).
    """
    if run.remote is not None:
        run.journal.runner(provider, run.remote.runner(provider))


def _after_doubtful(run: RunContext, state: RunState) -> Observation | None:
    """Read the tenant after a step that is not documented to work: a group that was regranted in
    place, or a name that may not be usable in a request.
    """
    if state.reached == state.already or state.in_a_row:
        return None  # nothing done since the last reading
    last = state.course[state.reached - 1]
    if is_group_step(last):
        return _moved(run, state, last, ReadingReason.GROUP)
    if names_unqueried(last.cmdlet, last.parameters):
        return _moved(run, state, last, ReadingReason.NAME)
    return None


def _next_step(run: RunContext, state: RunState, step: Step) -> Observation:
    """Check everything that a step rests on, up to the first check that fails."""
    if run.host.stop() or not _settle(run, state, step):
        return StopAsked()
    why = _reading_reason(run, state, step)
    blocked = _moved(run, state, step, why) if why is not None else None
    blocked = blocked or _names(run, step)
    if blocked is not None:
        return blocked
    _check_credential(run, step)
    return StepReady(step)


def _settle(run: RunContext, state: RunState, step: Step) -> bool:
    """Wait until the step that this one relies on has been in force for as long as the user asked;
    for a step of an earlier run, the time counts from now. False if the user asked to stop
    meanwhile.
    """
    on, host = run.relied_on.get(step.id), run.host
    if on is None or not host.patience.settle:
        return True
    wait = host.scaled(host.patience.settle)
    # A clock that was set back must not prolong the wait.
    left = min(wait, state.finished.get(on, state.began) + wait - host.clock())
    if left > 0:
        host.tell(Settling(step, on, left))
        host.pause(left)
    return not host.stop()


def _reading_reason(run: RunContext, state: RunState, step: Step) -> ReadingReason | None:
    """Why the tenant must be read again before a step; None if it need not be."""
    if step.cmdlet == lookups.REMOVE_EXCHANGE:
        return ReadingReason.REMOVAL
    if step.provider in state.retried:
        return ReadingReason.RETRIED
    if run.watch.overdue(step.provider):
        return ReadingReason.INTERVAL
    first = step.provider not in state.widened and lookups.may_widen(step)
    return ReadingReason.WIDENING if first and run.watch.old(step.provider) else None


def _moved(
    run: RunContext, state: RunState, step: Step, why: ReadingReason
) -> TenantMoved | StopAsked | None:
    """Read the step's product and compare it with what the steps done so far lead to."""
    sentences = run.watch.moved(state.passed, frozenset({step.provider}), why)
    if not sentences:
        return None
    if run.host.stop():
        return StopAsked()  # the wait was cut short, so the difference proves nothing
    regranted = why is ReadingReason.GROUP and hints.regrants_in_place(run.plan, step)
    return TenantMoved(sentences, hints.GROUP_HINT if regranted else "")


def _names(run: RunContext, step: Step) -> TenantMoved | None:
    """Look up what the step names: a scope by its address, and the group and identity of a
    temporary policy.
    """
    scope, guard = lookups.scope_before(step), lookups.guard_before(step, run.plan)
    if scope is not None:
        directory = run.watch.look_up(recipients=(scope.address,))
        if not lookups.still_leads(scope, directory):
            why = f"{scope.address} no longer resolves to {scope.scope}"
            return TenantMoved((step.address,), why)
    if guard is not None:
        directory = run.watch.look_up(recipients=(guard.address,))
        if not lookups.still_empty(guard, run.plan, directory):
            why = f"{guard.address} is no longer the empty group that the plan was made with"
            return TenantMoved((step.address,), why)
    if step.temporary and step.cmdlet == lookups.REMOVE_EXCHANGE:
        return _identity(run, step)
    return None


def _identity(run: RunContext, step: Step) -> TenantMoved | None:
    """Check that the temporary policy has the Identity that the plan expected: its removal uses
    that Identity.
    """
    identity = run.watch.until(
        _EXCHANGE,
        ReadingReason.REMOVAL,
        lambda now: lookups.identity_of(now, step.address),
        lambda name: name is not None,
    )
    if identity is not None and identity.lower() == str(step.parameters["Identity"]).lower():
        return None
    return TenantMoved(
        (step.address,), f"the service has given the temporary policy another Identity, {identity}"
    )


def _check_credential(run: RunContext, step: Step) -> None:
    """Refuse a step that opens a window if the credential would expire before the window is closed."""
    if run.remote is None:
        return
    name_runner(run, step.provider)
    ends = run.remote.lasts_until(step.provider)
    if ends is None:
        return
    left, needed = ends - run.host.clock(), credential_lifetime.needed(step, run.closes)
    if left < needed:
        raise TenantFault(
            f"the {step.provider} credential expires in {max(0, left) / 60:.0f} minutes, but step"
            f" {step.id} and the steps that belong to it need {needed / 60:.0f}. Get a new"
            " credential and apply the same plan again; it resumes at this step"
        )


def _outcome(run: RunContext, state: RunState, attempt: Unanswered) -> OutcomeReading:
    """Read the tenant to see whether an attempt took effect: a service may report an error for a
    write that it committed.
    """
    step, products = attempt.step, frozenset({attempt.step.provider})

    def look(observed: Observed) -> OutcomeReading:
        if not prefixes.differences_after(run.plan, (*state.passed, step), observed, products):
            return OutcomeReading(ShownState.AFTER)
        before = moved.moved(run.plan, state.passed, observed, products)
        shown = ShownState.NEITHER if before else ShownState.BEFORE
        return OutcomeReading(shown, before)

    try:
        return run.watch.until(
            products,
            ReadingReason.OUTCOME,
            look,
            lambda reading: settled(attempt.outcome, attempt.attempt, reading),
        )
    except (TenantFault, CaptureFault) as fault:
        return OutcomeReading(ShownState.UNREAD, trouble=str(fault))


def _end(run: RunContext, state: RunState) -> Observation:
    try:
        sentences = run.watch.moved(state.passed, run.watch.products, ReadingReason.VERIFY)
    except (TenantFault, CaptureFault) as fault:
        return EndSeen((), str(fault))
    if sentences and run.host.stop():
        return EndSeen(sentences, "stopped while waiting for the tenant to show what was written")
    return EndSeen(sentences, "")
