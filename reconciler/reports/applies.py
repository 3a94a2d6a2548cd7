"""What an apply tells on its way, one line for each event, and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.applying.events import (
    EndingProcess,
    JournalIgnored,
    PlanLocated,
    ReadingReason,
    ReadingTenant,
    Retrying,
    Settling,
    SharedStateDirectory,
    StepDone,
    StepFailed,
    StepStarted,
    WaitingForHost,
    WaitingForLock,
    WaitingForProcess,
    WaitingToReadAgain,
)
from reconciler.kinds.facts import facts, in_turn
from reconciler.model import figures
from reconciler.reports.lines import SIMULATED, Line, Tone, counted, heading, paragraph
from reconciler.reports.plans import step_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied, StepFailure
    from reconciler.model.figures import Figures
    from reconciler.model.plans import Plan, Step

MOST_STEPS = 20

PURPOSES: Mapping[ReadingReason, str] = {
    ReadingReason.BASELINE: "to check that nothing has changed since the plan",
    ReadingReason.LOOKUP: "to look up what the next step names",
    ReadingReason.REMOVAL: "before a removal",
    ReadingReason.WIDENING: "before its first step that may let somebody in",
    ReadingReason.GROUP: "after a group step",
    ReadingReason.NAME: "after a step that names a policy with special characters",
    ReadingReason.RETRIED: "before trying a step again",
    ReadingReason.INTERVAL: "because some minutes have passed",
    ReadingReason.OUTCOME: "to see whether a step took effect",
    ReadingReason.VERIFY: "to verify the outcome",
    ReadingReason.CHECK: "to ask Exchange itself about what changed",
}


def applied(
    plan: Plan,
    value: Applied,
    *,
    simulated: bool,
    tests: Iterable[Line] = (),
    verified: bool = True,
) -> Iterator[Line]:
    """What was done, what was not, whether the tenant shows it, how the access tests came out
    (`tests`), and what to do next.

    `verified` False: the access tests did not pass.
    """
    if simulated:
        yield SIMULATED
    yield from _stopped(plan, value)
    yield from _outcome(value)
    yield from _checks(plan, value)
    if not simulated and value.done:
        yield from _propagation(plan, value)
    yield from tests
    yield from _closing(plan, value, verified=verified)


def _closing(plan: Plan, value: Applied, *, verified: bool) -> Iterator[Line]:
    """Terraform's last line, only if the apply is what it says: complete and verified."""
    yield Line()
    done = _made(figures.apply_figures(plan, value))
    if not _complete(value):
        tried = len(value.done) + value.already
        steps = counted(len(plan.steps), "step")
        yield Line(f"Apply stopped: {tried} of {steps} done. {done}", Tone.FAULT)
    elif value.converged and verified:
        yield Line(f"Apply complete! {done}", Tone.HEADING)
    else:
        yield Line(f"Applied, but not verified. {done}", Tone.FAULT)


def _made(counts: Figures) -> str:
    policies, grants = counts.policies, counts.grants
    return (
        f"Policies: {policies.created} added, {policies.updated} changed, {policies.deleted}"
        f" destroyed. Grants: {grants.created} added, {grants.updated} moved, {grants.deleted}"
        " removed."
    )


def _checks(plan: Plan, value: Applied) -> Iterator[Line]:
    """What Exchange says itself: about what is configured, not about what is in effect."""
    if not value.checks:
        return
    yield from heading(
        "Exchange itself, asked for a mailbox inside and one outside"
        " (Test-ApplicationAccessPolicy):"
    )
    for check in value.checks:
        application, mailbox = (
            plan.names.get(object_id, object_id) for object_id in (check.application, check.mailbox)
        )
        answer = {True: "granted", False: "denied", None: "does not say"}[check.granted]
        meant = "granted" if check.expected else "denied"
        agrees = check.granted is check.expected
        contradiction = (
            ""
            if agrees
            else f", expected {meant}: Exchange may lag by half an hour; check again later"
        )
        yield Line(
            f"    {application} for {mailbox}: {answer}{contradiction}",
            Tone.PLAIN if agrees else Tone.WARNING,
        )


def _propagation(plan: Plan, value: Applied) -> Iterator[Line]:
    """When applications notice: nothing here waits for it."""
    products = {step.provider for step in plan.steps if step.id in frozenset(value.done)}
    yield from heading("Changes take effect later than they are configured:")
    for name in in_turn():
        if name in products:
            yield Line(f"    {facts(name).title}: {facts(name).propagation}")


def _complete(value: Applied) -> bool:
    return value.failed is None and value.unknown is None and not value.not_tried


def _stopped(plan: Plan, value: Applied) -> Iterator[Line]:
    if _complete(value):
        return
    yield from _group("Done before this run", plan, range(1, value.already + 1))
    yield from _group("Done", plan, value.done)
    if value.failed is not None:
        yield from _group("Failed", plan, (value.failed.step,), Tone.FAULT)
        yield from _failure(value.failed)
    if value.unknown is not None:
        yield from _group(
            "Unknown: no answer came, and the tenant does not show it (yet)",
            plan,
            (value.unknown,),
            Tone.FAULT,
        )
        yield Line(
            "      Apply the same plan again: it reads the tenant first and continues from there."
        )
    yield from _group("Not tried", plan, value.not_tried)


def _group(
    title: str, plan: Plan, ids: Collection[int], tone: Tone = Tone.HEADING
) -> Iterator[Line]:
    if not ids:
        return
    yield Line()
    yield Line(f"{title}: {counted(len(ids), 'step')}", tone)
    chosen = frozenset(ids)
    steps = [step for step in plan.steps if step.id in chosen]
    yield from _commands(steps)


def _commands(steps: list[Step]) -> Iterator[Line]:
    width = len(str(steps[-1].id)) if steps else 0
    for step in steps[:MOST_STEPS]:
        yield from step_lines(step, width)
    if len(steps) > MOST_STEPS:
        yield Line(f"    ... and {len(steps) - MOST_STEPS} more")


def _failure(failure: StepFailure) -> Iterator[Line]:
    yield Line(f"      {failure.fault}: {failure.message}", Tone.FAULT)
    yield Line(f"      {failure.hint}")


def _outcome(value: Applied) -> Iterator[Line]:
    if value.trouble:
        yield from heading("Error:")
        yield from paragraph(value.trouble, "    ", Tone.FAULT)
    if value.converged:
        yield from heading(
            "Converged: the tenant, read again, is in the state that the plan leads to."
        )
    elif _complete(value) or value.moved:
        yield from heading(
            "Not verified: the tenant, read again, is not in the state that the plan leads to."
        )
        for address in value.moved:
            yield Line(f"    {address}", Tone.FAULT)
        yield Line(
            "    Wait until the service shows its own writes, then apply the same plan again, or"
            " make a new plan."
        )


def progress_line(event: Event, steps: int) -> Line:  # noqa: C901, PLR0911, PLR0912  one sentence each
    """One event on one line; `steps` is the number of steps of the plan."""
    match event:
        case ReadingTenant():
            return Line(
                f"Reading {' and '.join(sorted(event.products)) or 'the directory'}"
                f" {PURPOSES[event.why]}."
            )
        case PlanLocated():
            return Line(_located(event))
        case StepStarted():
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return Line(
                f"[{event.step.id}/{steps}] {event.step.cmdlet} for {event.step.address}{again}"
            )
        case StepDone():
            seen = "; no answer came, but the tenant shows it" if event.seen else ""
            return Line(
                f"[{event.step.id}/{steps}] done after {event.seconds:.1f} s{seen}", Tone.ADD
            )
        case StepFailed():
            return Line(f"[{event.step.id}/{steps}] {event.fault}: {event.message}", Tone.FAULT)
        case Retrying():
            return Line(
                f"[{event.step.id}/{steps}] {event.fault}: {event.message} Trying again in"
                f" {event.seconds:.0f} s.",
                Tone.WARNING,
            )
        case WaitingToReadAgain():
            return Line(
                f"Not visible yet. Reading again in {event.seconds:.0f} s {PURPOSES[event.why]},"
                f" {event.left} times at most.",
                Tone.WARNING,
            )
        case WaitingForProcess():
            text = (
                f"Process {_numbers(event.pids)} of an earlier apply is still running and may be"
                f" writing. Checking again in {event.seconds:.0f} s."
            )
            return Line(text, Tone.WARNING)
        case WaitingForLock():
            text = f"Another apply of this tenant is running: {event.who}. Waiting"
            return Line(f"{text} {event.left:.0f} s at most.", Tone.WARNING)
        case WaitingForHost():
            text = (
                f"An earlier apply did not end by itself: {event.who}. What it sent may still be"
                f" running; waiting {event.seconds:.0f} s."
            )
            return Line(text, Tone.WARNING)
        case SharedStateDirectory():
            text = (
                f"{event.directory} is on a file system that machines share ({event.kind}): an apply"
                " on another one may not see its lock. Keep RECONCILER_STATE_DIR on a local disk."
            )
            return Line(text, Tone.WARNING)
        case JournalIgnored():
            text = f"Ignoring {event.path}, the journal of an earlier apply: {event.why}."
            return Line(text, Tone.WARNING)
        case EndingProcess():
            return Line(
                f"Process {_numbers(event.pids)} of an earlier apply did not exit; terminating it.",
                Tone.WARNING,
            )
        case Settling():
            text = (
                f"Step {event.step.id} relies on step {event.on}: giving the service"
                f" {event.seconds / 60:.0f} more minutes to enforce it."
            )
            return Line(text, Tone.WARNING)
    assert_never(event)


def _numbers(pids: tuple[int, ...]) -> str:
    return " and ".join(map(str, pids))


def pace_line(done: int, seconds: float, left: int) -> Line:
    """How fast `done` steps went that took so many seconds, and how long as many as are `left` will
    take.
    """
    each = seconds / done
    remaining = (
        f"{each * left / 60:.0f} minutes" if each * left >= 2 * 60 else f"{each * left:.0f} s"
    )
    return Line(
        f"    {60 / max(each, 1e-3):.0f} steps a minute; about {remaining} for the other {left}"
    )


def _located(event: PlanLocated) -> str:
    if event.already:
        return f"{event.already} of {counted(event.steps, 'step')} already done; continuing from there."
    return "Nothing has changed since the plan was made."
