"""What an apply tells on its way, one line for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.applying.events import (
    EndingProcess,
    PlanLocated,
    ReadingReason,
    ReadingTenant,
    Retrying,
    Settling,
    StepDone,
    StepFailed,
    StepStarted,
    WaitingForProcess,
    WaitingToReadAgain,
)
from reconciler.reports.lines import Line, Tone, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.applying.events import Event

PURPOSES: Mapping[ReadingReason, str] = {
    ReadingReason.BASELINE: "to see that nothing moved since the plan",
    ReadingReason.LOOKUP: "to look up what the next step names",
    ReadingReason.REMOVAL: "before a removal",
    ReadingReason.GROUP: "after a group step",
    ReadingReason.RETRIED: "before trying a step again",
    ReadingReason.INTERVAL: "because some minutes have passed",
    ReadingReason.OUTCOME: "to see whether a step took effect",
    ReadingReason.VERIFY: "to verify the outcome",
    ReadingReason.CHECK: "to ask Exchange itself about what changed",
}


def told(event: Event, steps: int) -> Line:  # noqa: C901, PLR0911  one sentence for each event
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
                f"Process {event.pid} of an earlier apply still runs and may be writing. Looking"
                f" again in {event.seconds:.0f} s."
            )
            return Line(text, Tone.WARNING)
        case EndingProcess():
            return Line(
                f"Process {event.pid} of an earlier apply has not ended by itself; it is ended"
                " now.",
                Tone.WARNING,
            )
        case Settling():
            text = (
                f"Step {event.step.id} relies on step {event.on}: giving the service"
                f" {event.seconds / 60:.0f} more minutes to enforce it."
            )
            return Line(text, Tone.WARNING)
    assert_never(event)


def pace(done: int, seconds: float, left: int) -> Line:
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
        return (
            f"{event.already} of {counted(event.steps, 'step')} done already; going on from there."
        )
    return "Nothing moved since the plan was made."
