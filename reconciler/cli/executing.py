"""A plan on its way to a tenant: found, matched with what was approved, approved by a person, run."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.applying import state
from reconciler.applying.applying import ApplyPatience, apply
from reconciler.applying.host import Host
from reconciler.applying.lock import hold
from reconciler.cli import (
    ages,
    collecting,
    loading,
    plan_files,
    printing,
    showing,
    sources,
    testing,
    watching,
)
from reconciler.cli.tenant_journals import state_key
from reconciler.errors import (
    AccessTestFailed,
    AppliedInPart,
    Declined,
    Interrupted,
    NotVerified,
    Refused,
    TamperedPlan,
    UsageFault,
)
from reconciler.planning import approval, approved_part, prefixes
from reconciler.planning.approved_part import TenantMismatch
from reconciler.reports import access_tests, applies, comparisons, remedies
from reconciler.reports.lines import Tone, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from reconciler.applying.deciding import KeepGoing, WayOn
    from reconciler.cli.recording import Recorder
    from reconciler.model.applied import Applied
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan
    from reconciler.planning.making import PlanOptions
    from reconciler.planning.planfile import PlanDigests, SealedPlan
    from reconciler.tenants.protocol import Tenant

WORD = "yes"
_UNTESTED = testing.Verified(None, "")


class Target(Struct, frozen=True):
    """A plan, where its steps go, and the file that it is in, if it is in one.

    The tenant is opened once its lock is held: what was read before may be old. `observed` is what
    the plan was made from, if it was made just now.
    """

    loaded: SealedPlan
    source: sources.WritableSource
    file: Path | None
    observed: Observed | None = None


class ApplyOptions(Struct, frozen=True):
    """How a plan is run.

    Attributes:
        journals: Where journals go, if not into the user's state directory.
        settle: Minutes between a step and a removal that relies on it.
        lock_timeout: Seconds to wait while another apply holds the tenant's lock.
        keep_going: Go on without steps that are refused for good, as far as that is safe.
        asking: Somebody who can be asked whether to do that sits at the terminal.
    """

    journals: Path | None = None
    settle: int = 0
    lock_timeout: int = 0
    keep_going: bool = False
    asking: bool = False


class ApplyOrder(Struct, frozen=True):
    """What is to be applied where, and who approved it.

    Attributes:
        plan: The plan's file; None: one is made.
        paths: Documents that one is made of.
        tenant: `--tenant`.
        planning: Options of making one.
        digest: The digest that was approved.
        approved: The plan that was approved.
        max_age: Hours that readings may be old.
        auto: Nobody is asked.
        view: How the plan is shown.
        run: How it is run.
    """

    plan: Path | None
    paths: Sequence[Path]
    tenant: str | None
    planning: PlanOptions
    digest: str | None
    approved: Path | None
    max_age: int | None
    auto: bool
    view: showing.View
    run: ApplyOptions


def target_of(order: ApplyOrder) -> Target:
    """Read the plan, or make it.

    Raises:
        ReconcilerError: as `from_file` and `from_documents`; nobody approves; the reading is too old.
    """
    approved = order.digest is not None or order.approved is not None
    # What is no plan is called so before anybody is asked to approve it.
    loaded = None if order.plan is None else plan_files.plan_file(order.plan)
    refuse_silence(auto=order.auto, tenant=order.tenant, approved=approved)
    if order.plan is not None and loaded is not None:
        target = from_file(loaded, order.plan, order.tenant)
    else:
        target = from_documents(order.paths, order.tenant, order.planning)
    ages.check_age(target.loaded.plan, order.max_age)
    return target


def carry_out(target: Target, order: ApplyOrder, recorder: Recorder) -> int:
    """Have a plan approved and run it; gives the exit code.

    Raises:
        ReconcilerError: it is not approved, nothing was done, or the run had to stop.
    """
    match(target, order.digest, order.approved, order.max_age)
    approve(target, order.view, auto=order.auto)
    code = execute(target, order.run, recorder)
    recorder.finish(code)
    return code


def from_file(loaded: SealedPlan, file: Path, tenant: str | None) -> Target:
    """A plan of a file, and where its steps go.

    Raises:
        UsageFault: `--tenant` names nothing that can be written.
    """
    showing.collect_plan(loaded, shown=False)
    source = sources.choose(tenant, sources.target_of_plan(loaded.plan), [file])
    return Target(loaded, sources.writable(source), file)


def from_documents(paths: Sequence[Path], tenant: str | None, options: PlanOptions) -> Target:
    """Make a plan.

    Raises:
        ReconcilerError: any fault of the documents, the tenant or the options.
    """
    made = loading.made(paths, tenant, options)
    loaded = loading.sealed_plan(made.plan)
    showing.collect_plan(loaded, shown=True)
    return Target(loaded, sources.writable(made.source), None, made.observed)


def match(
    target: Target, digest: str | None, approved: Path | None = None, max_age: int | None = None
) -> None:
    """Hold a plan against the digest and the plan that were approved; without either, say what that
    means for a file.

    Args:
        target: the plan, and where its steps go.
        digest: the digest that was approved.
        approved: the plan that was approved.
        max_age: hours that the approved plan's reading may be old.

    Raises:
        TamperedPlan: it is another plan, and not a part of the approved one.
        Refused: the approval is older than that.
        ReconcilerError: the tenant cannot be read.
    """
    if approved is not None:
        match_approval(target.loaded, approved, max_age, partial(_reading, target))
    if digest is not None:
        _match_digest(target.loaded.digests, digest)
    elif approved is None and target.file is not None:
        printing.say(
            "Without --digest or --approved, accidental changes to the plan file are detected,"
            " deliberate ones only where the file contradicts itself."
        )


def match_approval(
    loaded: SealedPlan, file: Path, max_age: int | None, reading: Callable[[Plan], Observed]
) -> None:
    """Hold a plan against the one that was approved: one that differs may be what is left of it.

    Args:
        loaded: the plan.
        file: the approved one.
        max_age: hours that its reading may be old.
        reading: gives the tenant, as far as a plan rests on it.

    Raises:
        TamperedPlan: it is another plan, and not a part of the approved one.
        Refused: the approval is older than that.
        ReconcilerError: the tenant cannot be read.
    """
    approved = plan_files.plan_file(file)
    ages.check_approval(approved.plan, file, max_age)
    if loaded.content_digest == approved.content_digest:
        return
    names = {**approved.plan.names, **loaded.plan.names}
    differing = approval.object_differences(approved.plan, loaded.plan)
    printing.notice(comparisons.comparison(differing, names, str(file)))
    beyond = approved_part.beyond_approval(approved.plan, loaded.plan)
    mismatch = (
        TenantMismatch((), beyond)
        if beyond
        else approved_part.tenant_mismatch(approved.plan, loaded.plan, reading(approved.plan))
    )
    if mismatch:
        printing.notice(comparisons.no_part(mismatch.differences, mismatch.moved, names, str(file)))
        raise TamperedPlan(
            f"the approval of {file} does not cover this plan; review this plan and pass it to"
            " --approved"
        )
    counts = len(loaded.plan.steps), len(approved.plan.steps)
    printing.notice(comparisons.part(*counts, str(file)))


def _reading(target: Target, approved: Plan) -> Observed:
    """The tenant, as far as an approved plan rests on it: as it was read for the plan, or now.

    Raises:
        ReconcilerError: it cannot be read.
    """
    if target.observed is not None:
        return target.observed
    request = prefixes.request_for_plan(approved)
    return sources.observe_source(target.source, request, approved.tenant.tenant_id, digested=False)


def _match_digest(digests: PlanDigests, digest: str) -> None:
    if digest not in {digests.digest, digests.content_digest}:
        raise TamperedPlan(
            f"the plan's digest does not match: expected {digest}, found {digests.digest} and"
            f" {digests.content_digest}; review this plan, or apply the approved one. A digest alone"
            " does not tell what differs: pass the approved plan to --approved, or to `reconciler"
            " show --against`"
        )


def refuse_silence(*, auto: bool, tenant: str | None, approved: bool) -> None:
    """Refuse an apply that nobody approves, before anything is read.

    `approved`: a digest or a plan says what was approved.

    Raises:
        UsageFault: nobody can be asked, or a live tenant is to be changed without saying which plan
            was approved.
    """
    if auto and tenant == sources.LIVE and not approved:
        raise UsageFault(
            "a live tenant is changed without asking only with the approved digest (--digest"
            " plan:HEX or content:HEX) or the approved plan (--approved PLAN.json)"
        )
    if not auto and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageFault(
            "cannot ask for approval: standard input is not a terminal; use --auto-approve, preferably"
            " with --digest or --approved"
        )


def approve(target: Target, view: showing.View, *, auto: bool) -> None:
    """Show the plan, as `view` says, and ask for the word `yes`, unless it is approved already.

    Raises:
        UsageFault: a simulated tenant that nobody named is to be changed without asking.
        Refused: the plan is not applicable.
        AccessTestFailed: it is not, because its outcome does not pass an access test.
        Declined: the answer was another one.
    """
    if auto and isinstance(target.source, sources.SimulatedTenant) and not target.source.typed:
        raise UsageFault("a simulated tenant is changed without asking only with --tenant sim:FILE")
    plan = target.loaded.plan
    if not auto or target.file is None or not plan.applicable:
        _show(target.loaded, view)
    if showing.exit_code_of_plan(plan, detailed=False) == AccessTestFailed.exit_code:
        raise AccessTestFailed(
            "the plan is not applicable: its outcome fails an access test; see above"
        )
    if not plan.applicable:
        raise Refused("the plan is not applicable; see above how to resolve each refusal")
    if not auto and plan.steps:
        _ask(len(plan.steps))


def _show(loaded: SealedPlan, view: showing.View) -> None:
    try:
        showing.show_plan(loaded, view)
    except printing.Unprinted as fault:
        raise Declined(
            f"nothing was changed, because the plan could not be shown: {fault}"
        ) from fault


def _ask(steps: int) -> None:
    if not _agreed(f"Run {counted(steps, 'step')}? Only {WORD!r} is accepted to approve:"):
        raise Declined("declined: nothing was changed")


def _agreed(question: str) -> bool:
    printing.say(question, Tone.HEADING)
    return sys.stdin.readline().strip() == WORD


class _GoingOn:
    """Asks once a run whether to go on without what is refused for good."""

    def __init__(self, plan: Plan, display: watching.Display) -> None:
        self._plan, self._display = plan, display
        self._agreed = False

    def __call__(self, way: WayOn) -> bool:
        """Ask, unless that was agreed to before."""
        if not self._agreed:
            with self._display.paused():
                printing.notice(applies.refused_step(self._plan, way))
                self._agreed = _agreed(
                    f"Go on, now and at further refusals? Only {WORD!r} is accepted:"
                )
        return self._agreed


def _keep_going(plan: Plan, options: ApplyOptions, display: watching.Display) -> KeepGoing | None:
    if options.keep_going:
        return lambda _way: True
    return _GoingOn(plan, display) if options.asking else None


def execute(target: Target, options: ApplyOptions, recorder: Recorder) -> int:
    """Run the steps, record and report what was done, and give the exit code.

    Raises:
        ReconcilerError: nothing was done, or the run had to stop.
    """
    plan = target.loaded.plan
    recorder.start(target.loaded, simulated=isinstance(target.source, sources.SimulatedTenant))
    with watching.stopping() as stop, watching.event_display(len(plan.steps), recorder) as tell:
        host = Host(tell, time.time, time.sleep, stop, ApplyPatience())
        with (
            hold(state_directories(target, options), host, timeout=options.lock_timeout) as lock,
            _opened(target.source) as tenant,
        ):
            try:
                outcome = apply(
                    target.loaded,
                    tenant,
                    lock,
                    tell=tell,
                    stop=stop,
                    settle=options.settle * 60,
                    keep_going=_keep_going(plan, options, tell),
                )
            except (AppliedInPart, Interrupted) as fault:
                if fault.applied is not None:
                    recorder.stop(fault.applied)
                    _report(target, fault.applied)
                raise
            recorder.stop(outcome)
            code = exit_code_of_apply(outcome)
            verified = testing.after_apply(plan, tenant) if code == 0 else _UNTESTED
    _report(target, outcome, verified)
    if verified.trouble:
        raise NotVerified(verified.trouble)
    return code


def state_directories(target: Target, options: ApplyOptions) -> state.StateDirectories:
    """Where the lock and the journals of the tenant are."""
    tenant_id = target.loaded.plan.tenant.tenant_id
    key = state_key(target.source, tenant_id)
    return state.prepared(
        key, state.base(os.environ), tenant_id=tenant_id, journals=options.journals
    )


@contextmanager
def _opened(source: sources.WritableSource) -> Iterator[Tenant]:
    tenant = sources.open_source(source)
    try:
        yield tenant
    finally:
        sources.close_written(tenant)


def _report(target: Target, outcome: Applied, verified: testing.Verified = _UNTESTED) -> None:
    simulated = isinstance(target.source, sources.SimulatedTenant)
    collected = collecting.current()
    collected.applied = outcome
    collected.tested = access_tests.Tested(
        "the tenant, read again", verified.rows, (), target.loaded.plan.names, simulated
    )
    collected.outline = applies.apply_outline(
        target.loaded.plan,
        outcome,
        simulated=simulated,
        tests=verified.chapter,
        verified=not verified.trouble,
        resume="" if target.file is None else _command_line(),
    )
    printing.outline_done(collected.outline, collected.form or "text")


def _command_line() -> str:
    """This command, as it is typed."""
    return " ".join(("reconciler", *map(remedies.shell_word, sys.argv[1:])))


def exit_code_of_apply(outcome: Applied) -> int:
    """Applied in part, applied but not verified, or fine."""
    if not outcome.complete:
        return AppliedInPart.exit_code
    return 0 if outcome.converged else NotVerified.exit_code
