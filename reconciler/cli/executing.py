"""A plan on its way to a tenant: found, matched with what was approved, approved by a person, run."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.applying.applying import apply
from reconciler.cli import loading, printing, showing, sources, testing, watching
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
from reconciler.planning import planfile
from reconciler.reports import applies
from reconciler.reports.lines import Tone, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reconciler.model.applied import Applied
    from reconciler.planning.making import PlanOptions
    from reconciler.planning.planfile import SealedPlan
    from reconciler.reports.lines import Line
    from reconciler.tenants.protocol import Tenant

WORD = "yes"


class Target(Struct, frozen=True):
    """A plan, where its steps go, and the file that it is in, if it is in one."""

    loaded: SealedPlan
    source: sources.Source
    tenant: Tenant
    file: Path | None


def from_file(file: Path, tenant: str | None) -> Target:
    """Read a plan file.

    Raises:
        TamperedPlan: it is not what was written.
        UsageFault: `--tenant` names nothing that can be written.
    """
    loaded = planfile.load(file)
    source = sources.choose(tenant, sources.of_plan(loaded.plan), [file])
    return Target(loaded, source, sources.opened(source), file)


def from_documents(paths: Sequence[Path], tenant: str | None, options: PlanOptions) -> Target:
    """Make a plan.

    Raises:
        ReconcilerError: any fault of the documents, the tenant or the options.
    """
    made = loading.made(paths, tenant, options)
    return Target(planfile.sealed(made.plan), made.source, sources.opened(made.source), None)


def match(target: Target, digest: str | None) -> None:
    """Hold a plan against the digest that was approved; without one, say what that means for a
    file.

    Raises:
        TamperedPlan: it is another plan.
    """
    digests = target.loaded.digests
    if digest is None:
        if target.file is not None:
            printing.say(
                "Without --digest, accidental changes to the plan file are detected, deliberate ones"
                " are not."
            )
    elif digest not in {digests.digest, digests.content_digest}:
        raise TamperedPlan(
            f"the plan's digest does not match: expected {digest}, found {digests.digest} and"
            f" {digests.content_digest}; review this plan, or apply the approved one"
        )


def refuse_silence(*, auto: bool, tenant: str | None, digest: str | None) -> None:
    """Refuse an apply that nobody approves, before anything is read.

    Raises:
        UsageFault: nobody can be asked, or a live tenant is to be changed without saying which plan
            was approved.
    """
    if auto and tenant == sources.LIVE and digest is None:
        raise UsageFault(
            "--auto-approve on a live tenant requires --digest with the approved `plan:` or"
            " `content:` digest"
        )
    if not auto and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageFault(
            "cannot ask for approval: standard input is not a terminal; use --auto-approve, preferably"
            " with --digest"
        )


def approve(target: Target, *, auto: bool) -> None:
    """Show the plan and ask for the word `yes`, unless it is approved already.

    Raises:
        UsageFault: a simulated tenant that nobody named is to be changed without asking.
        Refused: the plan is not applicable.
        AccessTestFailed: it is not, because its outcome does not pass an access test.
        Declined: the answer was another one.
    """
    if auto and isinstance(target.source, sources.SimulatedTenant) and not target.source.typed:
        raise UsageFault("--auto-approve on a simulated tenant requires --tenant sim:FILE")
    plan = target.loaded.plan
    if not auto or target.file is None or not plan.applicable:
        _show(target.loaded)
    if showing.verdict(plan, detailed=False) == AccessTestFailed.exit_code:
        raise AccessTestFailed(
            "the plan is not applicable: its outcome fails an access test; see above"
        )
    if not plan.applicable:
        raise Refused("the plan is not applicable; see above how to resolve each refusal")
    if not auto and plan.steps:
        _ask(len(plan.steps))


def _show(loaded: SealedPlan) -> None:
    try:
        showing.show(loaded, "text", None)
    except printing.Unprinted as fault:
        raise Declined(
            f"nothing was changed, because the plan could not be shown: {fault}"
        ) from fault


def _ask(steps: int) -> None:
    printing.say(
        f"Run {counted(steps, 'step')}? Only {WORD!r} is accepted to approve:", Tone.HEADING
    )
    if sys.stdin.readline().strip() != WORD:
        raise Declined("declined: nothing was changed")


def execute(target: Target, state_dir: Path, *, settle: int = 0) -> int:
    """Run the steps, report what was done, and give the exit code.

    `settle`: minutes between a step and a removal that relies on it.

    Raises:
        ReconcilerError: nothing was done, or the run had to stop.
    """
    with (
        _closing(target.tenant),
        watching.stopping() as stop,
        watching.shown(len(target.loaded.plan.steps)) as tell,
    ):
        try:
            outcome = apply(
                target.loaded,
                target.tenant,
                state_dir=state_dir,
                tell=tell,
                stop=stop,
                settle=settle * 60,
            )
        except (AppliedInPart, Interrupted) as fault:
            if fault.applied is not None:
                _report(target, fault.applied)
            raise
        code = exit_code(outcome)
        verified = (
            testing.after_apply(target.loaded.plan, target.tenant)
            if code == 0
            else testing.Verified((), "")
        )
    _report(target, outcome, verified.lines)
    if verified.trouble:
        raise NotVerified(verified.trouble)
    return code


@contextmanager
def _closing(tenant: Tenant) -> Iterator[None]:
    try:
        yield
    finally:
        sources.close_written(tenant)


def _report(target: Target, outcome: Applied, tests: Sequence[Line] = ()) -> None:
    printing.report_done(
        applies.applied(
            target.loaded.plan, outcome, simulated=target.tenant.source == "simulated", tests=tests
        )
    )


def exit_code(outcome: Applied) -> int:
    """Applied in part, applied but not verified, or fine."""
    if outcome.failed is not None or outcome.unknown is not None or outcome.not_tried:
        return AppliedInPart.exit_code
    return 0 if outcome.converged else NotVerified.exit_code
