"""Apply one approved plan to one tenant: never plan, refuse what moved, resume what stopped (laws
3, 4, 10).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

import reconciler
from reconciler.applying import earlier, identity, journal, lookups, processes, state
from reconciler.applying.events import (
    CheckingPlan,
    EndingProcess,
    PlanLocated,
    ReadingReason,
    WaitingForHost,
    WaitingForProcess,
)
from reconciler.applying.host import ApplyPatience, Host
from reconciler.applying.identity import Nearness, nearness
from reconciler.applying.running import first_named, run_steps
from reconciler.applying.watching import Watch
from reconciler.errors import CaptureFault, Interrupted, LockHeld, Refused, StalePlan
from reconciler.guids import GUID
from reconciler.model.applied import Applied, StepFailure
from reconciler.model.plans import Invocation
from reconciler.planning import checking, consequences, moved, prefixes, reviewed
from reconciler.tenants.protocol import Remote

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.applying.deciding import KeepGoing
    from reconciler.applying.earlier import EarlierApplies
    from reconciler.applying.events import Event
    from reconciler.applying.journal import EarlierApply
    from reconciler.applying.lock import HeldLock
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan, Step
    from reconciler.planning.planfile import SealedPlan
    from reconciler.tenants.protocol import Tenant

__all__ = ["Applied", "ApplyPatience", "StepFailure", "apply"]


def _never() -> bool:
    return False


def apply(
    loaded: SealedPlan,
    tenant: Tenant,
    lock: HeldLock,
    *,
    tell: Callable[[Event], None],
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    stop: Callable[[], bool] = _never,
    patience: ApplyPatience | None = None,
    settle: float = 0.0,
    keep_going: KeepGoing | None = None,
) -> Applied:
    """Run the steps of an approved plan that the tenant does not show yet, one at a time, then read
    the tenant again.

    Args:
        loaded: The plan file, its digest checked.
        tenant: Where steps go; opened after the lock was taken, so that nobody wrote in between.
        lock: The tenant's, held by the caller.
        tell: Is told every event, in order.
        clock: Seconds since 1970.
        sleep: Waits for this many seconds.
        stop: Is asked between steps and while waiting; once it says True, the step in flight is
            finished and no other begins.
        patience: How long to wait for what; by default what the services were seen to need, and
            nothing for a simulated one.
        settle: Seconds between a step and the first one that relies on it and takes something away.
        keep_going: Is asked, once a step was refused for good, whether to go on with those that do
            not depend on it, where that is safe; None: never.

    Returns: What was done: all of it, or up to the step that failed or is unknown, and whether the
    tenant shows it.

    Raises:
        Refused, CaptureFault, TamperedPlan: the plan is not applicable, safe, of this tenant, or
            what was reviewed. LockHeld: a process of an earlier apply may still write.
        StalePlan, TenantFault: the tenant is in none of the plan's states, or cannot be read;
            nothing was written.
        AppliedInPart: it stopped after something was written, other than at a failed or unknown
            step; carries `applied`.
        Interrupted: a person asked to stop; carries `applied` unless nothing was written yet.
    """
    host = Host(tell, clock, sleep, stop, replace(patience or _patience(tenant), settle=settle))
    host.tell(CheckingPlan(len(loaded.plan.steps)))
    reviewed.prove_steps(loaded.plan)
    consequences.prove_consequences(loaded.plan)
    _check_applicable(loaded.plan, tenant)
    checking.assert_safe(loaded.plan)
    if not loaded.plan.steps:
        return Applied((), 0, None, None, (), converged=True, moved=())
    return _apply(loaded, tenant, lock, host, keep_going)


def _patience(tenant: Tenant) -> ApplyPatience:
    """How long to wait for this tenant: a simulated service lags by a number of readings and is
    busy for a number of calls, so real time does not help.
    """
    return ApplyPatience(scale=0.0 if tenant.source == "simulated" else 1.0)


def _apply(
    loaded: SealedPlan,
    tenant: Tenant,
    lock: HeldLock,
    host: Host,
    keep_going: KeepGoing | None,
) -> Applied:
    plan, watch = loaded.plan, Watch(loaded.plan, tenant, host)
    past = earlier.read(lock.directories, loaded.digest, tenant.source, host.tell)
    for last in past.last:
        _wait_for_earlier(last, lock, host)
    already = _locate(plan, watch, past, host)
    host.tell(PlanLocated(already, len(plan.steps)))
    if already == len(plan.steps):
        return Applied((), already, None, None, (), converged=True, moved=())
    _check_users(plan, already, watch)
    _prove(plan, already, tenant, host)
    state.remember(lock.directories)
    header = _header(loaded, tenant, already)
    with journal.Journal.create(lock.directories.journals, header, host.clock) as written:
        return run_steps(plan, tenant, watch, written, host, already, keep_going)


def _check_applicable(plan: Plan, tenant: Tenant) -> None:
    if not plan.applicable:
        refusing = {f"{note.code}:{note.address}" for note in (*plan.refusals, *plan.unresolved)}
        failing = {
            f"access test {row.name}" for row in plan.tests if not (row.passed or row.excused)
        }
        codes = ", ".join(sorted(refusing | failing))
        raise Refused(
            f"this plan is not applicable ({codes}); `reconciler show` says how to resolve each"
            " refusal; then plan again"
        )
    if tenant.tenant_id != plan.tenant.tenant_id:
        raise CaptureFault(
            f"the plan is for tenant {plan.tenant.tenant_id}, but --tenant is {tenant.tenant_id};"
            " choose the right tenant"
        )


def _wait_for_earlier(past: EarlierApply, lock: HeldLock, host: Host) -> None:
    """Wait until no process of an earlier apply can write any more; end one that does not end by
    itself, if it is one of ours (law 10).
    """
    match nearness(past.process, identity.own()) if past.process.host else Nearness.HERE:
        case Nearness.HERE:
            _wait_for_runners(past, host)
        case Nearness.BEFORE_REBOOT:
            pass
        case Nearness.OTHER_NAMESPACE | Nearness.OTHER_HOST:
            _wait_unseen(past, lock, host)


def _wait_for_runners(past: EarlierApply, host: Host) -> None:
    for _, pid, start in past.runners:
        if alive := _still_running(pid, start, host, host.patience.process):
            host.tell(EndingProcess(alive))
            processes.end_group(pid, start)
        if alive := _still_running(pid, start, host, host.patience.ending):
            raise LockHeld(
                f"process {' and '.join(map(str, alive))}, which may run the steps of an earlier"
                " apply, has not ended; end it, then apply again"
            )


def _wait_unseen(past: EarlierApply, lock: HeldLock, host: Host) -> None:
    """Wait for an apply that cannot be seen from here and did not end by itself: its processes
    outlive it by no more than the time that one write may take. They are never killed, because the
    same id may belong to another process here.
    """
    if past.end is not None and past.open_step is None:
        return
    age = max(0.0, host.clock() - (past.last_write or past.began))
    left, who = host.patience.unseen - age, f"process {past.process.pid} on {past.process.host}"
    if left <= 0:
        return
    if left > max(lock.timeout, host.patience.process):
        raise LockHeld(
            f"an earlier apply of this tenant, {who}, did not end by itself, and what it sent may"
            f" still be running there; its journal is {past.path}. Apply again in"
            f" {left / 60:.0f} minutes, or let this apply wait with --lock-timeout {left:.0f}"
        )
    host.tell(WaitingForHost(who, left))
    host.pause(left)
    if host.stop():
        raise Interrupted("stopped before anything was written; apply the same plan again")


def _still_running(pid: int, start: str, host: Host, left: float) -> tuple[int, ...]:
    """The process and whatever it started, if they are still running after this wait at most."""
    while alive := processes.running(pid, start):
        if host.stop():
            raise Interrupted("stopped before anything was written; apply the same plan again")
        if left <= 0:
            break
        host.tell(WaitingForProcess(alive, host.patience.interval))
        host.pause(host.patience.interval)
        left -= host.patience.interval
    return alive


def _locate(plan: Plan, watch: Watch, past: EarlierApplies, host: Host) -> int:
    """Find how many steps the tenant already shows, waiting for writes of earlier applies that may
    not be visible yet.
    """
    if past.newest is not None and past.newest.last_write is not None:
        for product in watch.products:
            watch.wrote(product, past.newest.last_write)

    def look(observed: Observed) -> tuple[int | None, Observed]:
        return prefixes.locate(plan, observed), observed

    def good(place: tuple[int | None, Observed]) -> bool:
        located, _observed = place
        if past.without:
            return located != 0
        return located is not None and located >= past.wanted and not past.foreign

    already, observed = watch.until(watch.products, ReadingReason.BASELINE, look, good)
    if host.stop():
        raise Interrupted("stopped before anything was written; apply the same plan again")
    if past.without and already != 0:
        raise _carried_out_in_part(plan, past)
    if already is None:
        raise _stale(plan, observed, past)
    return already


def _carried_out_in_part(plan: Plan, past: EarlierApplies) -> StalePlan:
    addresses = [_named(plan, step) for step in plan.steps if step.id in past.without]
    return StalePlan(
        f"an earlier apply of this plan went on without what the service refused:"
        f" {first_named(tuple(addresses))}. Such a plan cannot be resumed. Nothing was written; plan"
        " again for what is left"
    )


def _stale(plan: Plan, observed: Observed, past: EarlierApplies) -> StalePlan:
    """Name what moved since the baseline, or since the point that the journals give for this plan,
    whichever is closer to what the tenant shows.
    """
    places = sorted({0, *((past.same.reached, past.wanted) if past.same is not None else ())})
    differences = min((moved.moved(plan, plan.steps[:k], observed) for k in places), key=len)
    return StalePlan(
        f"the tenant has changed since this plan was made: {first_named(differences, '; ')}. Nothing"
        " was written; plan again"
    )


def _named(plan: Plan, step: Step) -> str:
    ids = GUID.findall(step.address.lower())
    names = ", ".join(plan.names[name_id] for name_id in ids if name_id in plan.names)
    return f"step {step.id} of {step.address}" + (f" ({names})" if names else "")


def _check_users(plan: Plan, already: int, watch: Watch) -> None:
    users = lookups.users_before(plan, plan.steps[already:])
    absent = lookups.absent_users(users, watch.look_up(users=users)) if users else ()
    if absent:
        raise StalePlan(
            f"user not found in the directory: {first_named(absent)}. Nothing was written; correct the"
            " documents and plan again"
        )


def _prove(plan: Plan, already: int, tenant: Tenant, host: Host) -> None:
    """Have whatever will run the texts parse all of them before the first one runs (law 4)."""
    if isinstance(tenant, Remote):
        host.tell(CheckingPlan(len(plan.steps) - already))
        tenant.prove(
            (Invocation(step.cmdlet, step.parameters), step.text) for step in plan.steps[already:]
        )


def _header(loaded: SealedPlan, tenant: Tenant, already: int) -> journal.Header:
    return journal.Header(
        tool=f"reconciler {reconciler.__version__}",
        plan=loaded.digest,
        content=loaded.content_digest,
        tenant=loaded.plan.tenant.tenant_id,
        source=tenant.source,
        steps=len(loaded.plan.steps),
        already=already,
    )
