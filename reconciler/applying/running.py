"""Running the steps of a plan one after another, from the place where the tenant stands."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from shlex import quote
from typing import TYPE_CHECKING, NoReturn

from msgspec.structs import replace

from reconciler.applying import credential_lifetime, lookups, probing, reviewed
from reconciler.applying.events import (
    ReadingReason,
    Retrying,
    Settling,
    StepDone,
    StepFailed,
    StepStarted,
)
from reconciler.applying.journal import ApplyEnd
from reconciler.applying.outcomes import Retries, Shown, Sight, passes, settled
from reconciler.errors import (
    AppliedInPart,
    CaptureFault,
    Interrupted,
    ReconcilerError,
    RenderFault,
    StalePlan,
    TenantFault,
)
from reconciler.model.addresses import ExchangePolicyAddress, exchange_application, parse_address
from reconciler.model.applied import Applied, StepFailure
from reconciler.planning import prefixes
from reconciler.tenants.protocol import Done, Failed, Fault, Lost, Remote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.applying.host import Host
    from reconciler.applying.journal import Journal
    from reconciler.applying.outcomes import NotDone
    from reconciler.applying.watching import Watch
    from reconciler.model.addresses import Provider
    from reconciler.model.applied import AccessCheck
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan, Step
    from reconciler.tenants.protocol import Outcome, Tenant

_NAMED = 20
"""Addresses that a message names; a report has them all."""
_GROUP_HINT = (
    "if the service does not regrant a group in place, plan again with --group-changes remove-add"
)


def named(addresses: tuple[str, ...]) -> str:
    """Name what moved, bounded."""
    rest = len(addresses) - _NAMED
    return ", ".join(addresses[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


@dataclass(slots=True)
class Run:
    """One run over the steps `already` + 1 and on.

    It holds what was done so far, and says it whatever way it ends.
    """

    plan: Plan
    tenant: Tenant
    watch: Watch
    journal: Journal
    host: Host
    already: int
    done: list[int] = field(default_factory=list)
    _attempted: bool = False
    _retried: set[Provider] = field(default_factory=set)
    _relied_on: Mapping[int, int] = field(default_factory=dict)
    _finished: dict[int, float] = field(default_factory=dict)
    _began: float = 0.0
    _closes: Mapping[int, int] = field(default_factory=dict)
    _remote: Remote | None = None
    _runners: dict[Provider, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._relied_on = lookups.relied_on(self.plan)
        self._began = self.host.clock()
        self._remote = self.tenant if isinstance(self.tenant, Remote) else None
        self._closes = credential_lifetime.closing(self.plan) if self._remote is not None else {}

    def go(self) -> Applied:
        """Run the steps and verify.

        Raises:
            StalePlan: the tenant moved before anything was written.
            AppliedInPart: the tenant moved, or could not be read or the journal not be written,
                after that.
            Interrupted: a person asked to stop; a step in flight was finished.
        """
        try:
            return self._steps()
        except (AppliedInPart, Interrupted):
            raise
        except ReconcilerError as error:
            self._end(ApplyEnd.STOPPED)
            if not self._attempted:
                raise
            raise AppliedInPart(str(error), self._applied(trouble=str(error))) from error

    def _steps(self) -> Applied:
        for step in self.plan.steps[self.already :]:
            if self.host.stop():
                self._interrupt()
            self._settle(step)
            self._check_before(step)
            self._expect_lasting(step)
            stopped = self._carry_out(step)
            if stopped is not None:
                return stopped
            self._check_after(step)
        return self._verified()

    def _settle(self, step: Step) -> None:
        """Wait until what this step relies on has been in force for as long as was asked for; a
        step of an earlier run counts from now.
        """
        on = self._relied_on.get(step.id)
        if on is None or not self.host.patience.settle:
            return
        left = (
            self._finished.get(on, self._began)
            + self.host.scaled(self.host.patience.settle)
            - self.host.clock()
        )
        if left > 0:
            self.host.tell(Settling(step, on, left))
            self.host.pause(left)
        if self.host.stop():
            self._interrupt()

    def _check_before(self, step: Step) -> None:
        why = self._doubt(step)
        if why is not None:
            self._check(step, why)
        name = lookups.scope_before(step)
        if name is not None and not lookups.still_leads(
            name, self.watch.look_up(recipients=(name.address,))
        ):
            self._stop_moved(
                (step.address,), f"{name.address} does not lead to {name.scope} any more"
            )
        if step.temporary and step.provider == "exchange":
            self._check_guard(step)

    def _check_guard(self, step: Step) -> None:
        """A temporary policy stands on a group without members, and is removed by the name that the
        plan expected the service to give it.
        """
        group = lookups.guard_before(step)
        if group is not None and not lookups.still_empty(
            group, self.plan, self.watch.look_up(recipients=(group.address,))
        ):
            self._stop_moved(
                (step.address,),
                f"{group.address} is not the empty group that the plan was made with",
            )
        if step.cmdlet == lookups.REMOVE_EXCHANGE:
            products: frozenset[Provider] = frozenset({"exchange"})
            found = self.watch.until(
                products,
                ReadingReason.REMOVAL,
                lambda now: lookups.identity_of(now, step.address),
                lambda name: name is not None,
            )
            if found is None or found.lower() != str(step.parameters["Identity"]).lower():
                self._stop_moved((step.address,), f"the service calls the temporary policy {found}")

    def _doubt(self, step: Step) -> ReadingReason | None:
        """Say why a step must not rest on the last reading; None if it may."""
        if step.cmdlet == lookups.REMOVE_EXCHANGE:
            return ReadingReason.REMOVAL
        if step.provider in self._retried:
            return ReadingReason.RETRIED
        return ReadingReason.INTERVAL if self.watch.overdue(step.provider) else None

    def _check_after(self, step: Step) -> None:
        """Regranting a group in place is not documented: it is looked at before anything rests on
        it.
        """
        if "Group" in step.parameters:
            self._check(step, ReadingReason.GROUP)

    def _check(self, step: Step, why: ReadingReason) -> None:
        moved = self.watch.moved(self._reached, frozenset({step.provider}), why)
        if moved and self.host.stop():
            self._interrupt()
        if moved:
            self._stop_moved(moved, _GROUP_HINT if why is ReadingReason.GROUP else "")
        self._retried.discard(step.provider)

    def _carry_out(self, step: Step) -> Applied | None:
        """Run one step with all its attempts; what is returned ends the run."""
        begun, retries = self.host.clock(), Retries(self.host.patience)
        for attempt in count(1):
            outcome = self._attempt(step, attempt)
            if isinstance(outcome, Done):
                self._finish(step, begun, seen=False)
                return None
            pause = self._back_off(step, outcome, retries)
            sight = self._sight(step, outcome, attempt)
            if sight.shown is Shown.AFTER:
                self._finish(step, begun, seen=True)
                return None
            if pause is None or sight.shown is not Shown.BEFORE or self.host.stop():
                return self._give_up(step, outcome, sight)
            self._retried.add(step.provider)
        raise AssertionError  # pragma: no cover  count() does not end

    def _expect_lasting(self, step: Step) -> None:
        """Stop before a step that opens what the credential could not close any more."""
        if self._remote is None:
            return
        self._name_runner(step.provider)
        ends = self._remote.lasts_until(step.provider)
        needed = credential_lifetime.needed(step, self._closes)
        if ends is not None and ends - self.host.clock() < needed:
            raise TenantFault(
                f"the credential of {step.provider} lasts"
                f" {max(0, ends - self.host.clock()) / 60:.0f} more minutes, step {step.id} and"
                f" those that belong to it need {needed / 60:.0f}: get a new one and apply the same"
                " plan again, it goes on there"
            )

    def _name_runner(self, provider: Provider) -> None:
        """Put the process that will write into the journal before it does, so that the next apply
        can wait for it (law 10).
        """
        if self._remote is None:
            return
        pid = self._remote.runner(provider)
        if self._runners.get(provider) != pid:
            self.journal.runner(provider, pid)
            self._runners[provider] = pid

    def _attempt(self, step: Step, attempt: int) -> Outcome:
        call = reviewed.invocation(step)
        self._name_runner(step.provider)
        self.journal.started(step.id, attempt)
        self.host.tell(StepStarted(step, attempt))
        self._attempted = True
        try:
            outcome = self.tenant.run(call, step.text)
        except RenderFault as fault:
            outcome = Failed(Fault.INVALID, str(fault))
        except TenantFault as fault:
            outcome = Lost(str(fault))
        self.watch.wrote(step.provider, self.host.clock())
        return outcome

    def _back_off(self, step: Step, outcome: NotDone, retries: Retries) -> float | None:
        """Journal a failed attempt and wait as long as the service needs; None when there is no
        further attempt.
        """
        if isinstance(outcome, Failed):
            self.journal.failed(step.id, outcome.fault, outcome.message)
        else:
            self.journal.unknown(step.id, outcome.message)
        pause = retries.pause(outcome)
        if pause is not None:
            self.host.tell(
                Retrying(step, _fault(outcome), outcome.message, self.host.scaled(pause))
            )
            self.host.pause(self.host.scaled(pause))
        return pause

    def _sight(self, step: Step, outcome: NotDone, attempt: int) -> Sight:
        """Read what an attempt did: a service may report a failure of a write that it committed."""
        products = frozenset({step.provider})

        def look(observed: Observed) -> Sight:
            after = prefixes.differences(self.plan, step.id, observed, products)
            if not after:
                return Sight(Shown.AFTER)
            before = prefixes.differences(self.plan, step.id - 1, observed, products)
            return Sight(Shown.NEITHER, before) if before else Sight(Shown.BEFORE)

        try:
            return self.watch.until(
                products,
                ReadingReason.OUTCOME,
                look,
                lambda sight: settled(outcome, attempt, sight),
            )
        except (TenantFault, CaptureFault) as fault:
            return Sight(Shown.UNREAD, trouble=str(fault))

    def _finish(self, step: Step, begun: float, *, seen: bool) -> None:
        self.done.append(step.id)
        self._finished[step.id] = self.host.clock()
        self.journal.done(step.id, seen=seen)
        self.host.tell(StepDone(step, self.host.clock() - begun, seen))

    def _give_up(self, step: Step, outcome: NotDone, sight: Sight) -> Applied:
        self.host.tell(StepFailed(step, _fault(outcome), outcome.message))
        self._end(ApplyEnd.FAILED if isinstance(outcome, Failed) else ApplyEnd.UNKNOWN)
        if isinstance(outcome, Lost):
            return self._applied(unknown=step.id, moved=sight.moved, trouble=sight.trouble)
        failed = StepFailure(
            step.id, step.address, outcome.fault, outcome.message, _hint(step, outcome)
        )
        return self._applied(failed=failed, moved=sight.moved, trouble=sight.trouble)

    def _verified(self) -> Applied:
        try:
            moved, trouble = (
                self.watch.moved(self._reached, self.watch.products, ReadingReason.VERIFY),
                "",
            )
        except (TenantFault, CaptureFault) as fault:
            moved, trouble = (), str(fault)
        if moved and self.host.stop():
            trouble = "stopped while waiting for the tenant to show what was written"
        converged = not moved and not trouble
        self._end(ApplyEnd.CONVERGED if converged else ApplyEnd.NOT_VERIFIED)
        checks = self._checked() if converged else ()
        return replace(
            self._applied(converged=converged, moved=moved, trouble=trouble), checks=checks
        )

    def _checked(self) -> tuple[AccessCheck, ...]:
        """What Exchange itself says about the applications that this run touched; its word is asked
        for, never relied on.
        """
        done = frozenset(self.done)
        touched = probing.touched(step for step in self.plan.steps if step.id in done)
        if self._remote is None or not touched:
            return ()
        try:
            return probing.checked(self._remote, self.watch, touched)
        except (TenantFault, CaptureFault):
            return ()

    @property
    def _reached(self) -> int:
        return self.already + len(self.done)

    def _interrupt(self) -> NoReturn:
        self._end(ApplyEnd.INTERRUPTED)
        reached, steps = self._reached, len(self.plan.steps)
        raise Interrupted(
            f"stopped after step {reached} of {steps}; apply the same plan again to go on",
            self._applied(),
        )

    def _stop_moved(self, moved: tuple[str, ...], why: str) -> NoReturn:
        self._end(ApplyEnd.STOPPED)
        said = (
            f"the tenant is not as this plan left it after step {self._reached}: {named(moved)}"
            + (f" ({why})" if why else "")
        )
        if not self._attempted:
            raise StalePlan(f"{said}. Nothing was written; plan again")
        raise AppliedInPart(
            f"{said}. Nothing more was written; plan again",
            self._applied(moved=moved, trouble=said),
        )

    def _end(self, how: ApplyEnd) -> None:
        # The steps are on the disk; a last line that cannot be written must not hide how the run
        # ended.
        with suppress(ReconcilerError):
            self.journal.ended(how)

    def _applied(
        self,
        *,
        failed: StepFailure | None = None,
        unknown: int | None = None,
        converged: bool = False,
        moved: tuple[str, ...] = (),
        trouble: str = "",
    ) -> Applied:
        tried = self._reached + (failed is not None or unknown is not None)
        not_tried = tuple(range(tried + 1, len(self.plan.steps) + 1))
        return Applied(
            tuple(self.done), self.already, failed, unknown, not_tried, converged, moved, trouble
        )


def _fault(outcome: NotDone) -> str:
    return outcome.fault if isinstance(outcome, Failed) else "lost"


def _hint(step: Step, outcome: Failed) -> str:
    if passes(outcome):
        return "the service is busy: apply the same plan again later"
    without = (
        "correct the cause and apply the same plan again, or plan again with --skip"
        f" {quote(_held_as(step))} to go on without it"
    )
    return f"{without}; {_GROUP_HINT}" if "Group" in step.parameters else without


def _held_as(step: Step) -> str:
    """The address that `plan --skip` takes for a step: an Exchange application is held as a whole."""
    policy = parse_address(step.address)
    if isinstance(policy, ExchangePolicyAddress):
        return exchange_application(policy.application)
    return step.address
