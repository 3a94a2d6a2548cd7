"""The events of a running apply as lines of JSON, from the same values that the bar is drawn from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, assert_never

from msgspec import to_builtins

from reconciler.applying.events import (
    LOST,
    CheckingPlan,
    EndingProcess,
    JournalIgnored,
    PlanLocated,
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
    WentOn,
)
from reconciler.model.event_records import EventName, EventRecord, StepOutcome
from reconciler.model.outputs import EXIT_NAMES
from reconciler.reports.json import json_text
from reconciler.reports.progress import progress_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied
    from reconciler.model.plans import Step
    from reconciler.planning.planfile import SealedPlan


def event_line(record: EventRecord) -> str:
    """One event on one line, with its LF."""
    return json_text(to_builtins(record))


def start_record(loaded: SealedPlan, at: float, *, simulated: bool) -> EventRecord:
    """The first event."""
    return _record(
        EventName.APPLY_STARTED,
        at,
        digest=loaded.digest,
        simulated=simulated,
        steps=len(loaded.plan.steps),
        tenant=loaded.plan.tenant,
    )


def stop_record(applied: Applied, at: float) -> EventRecord:
    """The apply ends before its last step."""
    message = {"message": applied.trouble} if applied.trouble else {}
    return _record(
        EventName.STOPPED,
        at,
        already=applied.already,
        left_out=len(applied.left_out),
        not_tried=len(applied.not_tried),
        **message,
    )


def finish_record(code: int, message: str, at: float) -> EventRecord:
    """The last event: the exit code, and why it is not 0."""
    more = {"message": message} if message else {}
    return _record(EventName.FINISHED, at, exit_code=code, exit_name=EXIT_NAMES[code], **more)


def event_record(event: Event, at: float, steps: int) -> EventRecord:
    """An event at a time (seconds since 1970); `steps` is the number of steps of the plan."""
    name, members = _members(event)
    return _record(name, at, message=progress_line(event, steps).text, **members)


def _members(  # noqa: C901, PLR0911, PLR0912  one event each
    event: Event,
) -> tuple[EventName, Mapping[str, Any]]:
    match event:
        case ReadingTenant(products, why):
            return EventName.READING, {"products": tuple(sorted(products)), "why": why.value}
        case CheckingPlan(steps):
            return EventName.CHECKING, {"steps": steps}
        case PlanLocated(already, steps):
            return EventName.LOCATED, {"already": already, "steps": steps}
        case StepStarted(step, attempt):
            return EventName.STEP_STARTED, {**_step(step), "attempt": attempt}
        case StepDone(step, seconds, seen):
            done = {"outcome": StepOutcome.DONE, "seconds": round(seconds, 3), "seen": seen}
            return EventName.STEP_FINISHED, {**_step(step), **done}
        case StepFailed(step, fault):
            came_out = StepOutcome.UNKNOWN if fault == LOST else StepOutcome.REFUSED
            return EventName.STEP_FINISHED, {**_step(step), "fault": fault, "outcome": came_out}
        case WentOn(step, left_out):
            return EventName.WENT_ON, {**_step(step), "left_out": left_out}
        case Retrying(step, fault, _, seconds):
            return EventName.RETRYING, {**_step(step), "fault": fault, "seconds": seconds}
        case WaitingToReadAgain(why, seconds):
            return EventName.WAITING, {"seconds": seconds, "why": f"visible-{why.value}"}
        case WaitingForProcess(_, seconds):
            return EventName.WAITING, {"seconds": seconds, "why": "process"}
        case WaitingForLock(_, left):
            return EventName.WAITING, {"seconds": left, "why": "lock"}
        case WaitingForHost(_, seconds):
            return EventName.WAITING, {"seconds": seconds, "why": "host"}
        case SharedStateDirectory():
            return EventName.WARNING, {"why": "shared-state-directory"}
        case JournalIgnored():
            return EventName.WARNING, {"why": "journal-ignored"}
        case EndingProcess():
            return EventName.WARNING, {"why": "ending-process"}
        case Settling(step, on, seconds):
            return EventName.SETTLING, {**_step(step), "relies_on": on, "seconds": seconds}
    assert_never(event)


def _step(step: Step) -> Mapping[str, Any]:
    return {"address": step.address, "cmdlet": step.cmdlet, "step": step.id}


def _record(name: EventName, at: float, **members: Any) -> EventRecord:
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return EventRecord(event=name, time=when.replace("+00:00", "Z"), **members)
