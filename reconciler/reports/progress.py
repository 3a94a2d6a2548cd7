"""What an apply tells on its way, one line for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.applying.events import (
    CheckingPlan,
    EndingProcess,
    JournalIgnored,
    PlanLocated,
    ReadingReason,
    ReadingTenant,
    Retrying,
    Settling,
    SharedStateDirectory,
    StepDone,
    StepEvent,
    StepFailed,
    StepStarted,
    WaitEvent,
    WaitingForHost,
    WaitingForLock,
    WaitingForProcess,
    WaitingToReadAgain,
    WentOn,
)
from reconciler.reports.lines import Line, Tone, counted
from reconciler.tenants.protocol import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.applying.events import Event

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


def progress_line(event: Event, steps: int) -> Line:  # noqa: PLR0911  one sentence each
    """One event on one line; `steps` is the number of steps of the plan."""
    if isinstance(event, StepEvent):
        return _step_line(event, f"[{event.step.id}/{steps}]")
    if isinstance(event, WaitEvent):
        return Line(_waiting(event), Tone.WARNING)
    match event:
        case ReadingTenant():
            products = " and ".join(sorted(event.products)) or "the directory"
            return Line(f"Reading {products} {PURPOSES[event.why]}.")
        case CheckingPlan():
            return Line(f"Checking the {counted(event.steps, 'step')} of the plan.")
        case PlanLocated():
            return Line(_located(event))
        case SharedStateDirectory():
            text = (
                f"{event.directory} is on a file system that machines share ({event.kind}): an apply"
                " on another one may not see its lock. Keep RECONCILER_STATE_DIR on a local disk."
            )
            return Line(text, Tone.WARNING)
        case JournalIgnored():
            text = f"Ignoring {event.path}, the journal of an earlier apply: {event.why}."
            return Line(text, Tone.WARNING)
    assert_never(event)


def _step_line(event: StepEvent, place: str) -> Line:
    """One event of a step; `place` says which step of how many."""
    match event:
        case StepStarted():
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return Line(f"{place} {event.step.cmdlet} for {event.step.address}{again}")
        case StepDone():
            seen = "; no answer came, but the tenant shows it" if event.seen else ""
            return Line(f"{place} done after {event.seconds:.1f} s{seen}", Tone.ADD)
        case StepFailed():
            return Line(f"{place} {error_class(event.fault)}: {event.message}", Tone.FAULT)
        case WentOn():
            others = counted(event.left_out, "step")
            depend = "depends" if event.left_out == 1 else "depend"
            dependent = f", and without {others} that {depend} on it" if event.left_out else ""
            return Line(f"{place} Going on without this step{dependent}.", Tone.WARNING)
        case Retrying():
            again = f"Trying again in {event.seconds:.0f} s."
            text = f"{place} {error_class(event.fault)}: {event.message} {again}"
            return Line(text, Tone.WARNING)
    assert_never(event)


def _waiting(event: WaitEvent) -> str:
    """What is waited for, and how long."""
    match event:
        case WaitingToReadAgain():
            return (
                f"Not visible yet. Reading again in {event.seconds:.0f} s {PURPOSES[event.why]},"
                f" {event.left} times at most."
            )
        case WaitingForProcess():
            return (
                f"Process {_numbers(event.pids)} of an earlier apply is still running and may be"
                f" writing. Checking again in {event.seconds:.0f} s."
            )
        case WaitingForLock():
            text = f"Another apply of this tenant is running: {event.who}. Waiting"
            return f"{text} {event.left:.0f} s at most."
        case WaitingForHost():
            return (
                f"An earlier apply did not end by itself: {event.who}. What it sent may still be"
                f" running; waiting {event.seconds:.0f} s."
            )
        case EndingProcess():
            pids = _numbers(event.pids)
            return f"Process {pids} of an earlier apply did not exit; terminating it."
        case Settling():
            return (
                f"Step {event.step.id} relies on step {event.on}: giving the service"
                f" {event.seconds / 60:.0f} more minutes to enforce it."
            )
    assert_never(event)


def error_class(fault: str) -> str:
    """The class of a service's error, as a person reads it before the service's own text."""
    return "not understood" if fault == Fault.UNKNOWN else fault


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
