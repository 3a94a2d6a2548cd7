"""What `apply --events` writes while an apply runs: one JSON object a line.

`schemas/events.schema.json` is the same type as a schema.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from reconciler.model.access_rows import StepNumber
from reconciler.model.outputs import ExitName
from reconciler.model.plans import PlanTenant

_Count: TypeAlias = Annotated[int, Meta(ge=0)]
_Seconds: TypeAlias = Annotated[float, Meta(ge=0)]


class EventName(StrEnum):
    """What happened."""

    APPLY_STARTED = "apply-started"
    CHECKING = "checking"
    READING = "reading"
    LOCATED = "located"
    STEP_STARTED = "step-started"
    STEP_FINISHED = "step-finished"
    RETRYING = "retrying"
    WENT_ON = "went-on"
    WAITING = "waiting"
    SETTLING = "settling"
    WARNING = "warning"
    STOPPED = "stopped"
    FINISHED = "finished"


class StepOutcome(StrEnum):
    """How a step came out; what is unknown may or may not have taken effect."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class EventRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the file of an apply's events. The first is `apply-started`, the last is
    `finished`, unless the process was killed; members that an event has nothing to say about are
    absent.

    Attributes:
        address: The object that the step is about.
        already: Steps that earlier applies had done.
        attempt: Of the step, from 1.
        cmdlet: What the step runs.
        digest: The plan's, `plan:HEX`.
        event: What happened.
        exit_code: The exit code of the process.
        exit_name: Its meaning.
        fault: The class of a service's error.
        left_out: Steps that depend on one that was refused, and are not tried.
        message: The same for people; text of a service in it is untrusted.
        not_tried: Steps after the place where it stopped.
        outcome: How the step came out.
        products: What is read; empty if only names are looked up.
        relies_on: The step that the service is given time to enforce.
        seconds: How long the step took, or how long is waited.
        seen: No answer came, but the tenant shows the step.
        simulated: Whether the tenant is a simulated one.
        step: The number of the step, from 1.
        steps: Steps of the plan.
        tenant: The tenant that is written.
        time: When, in UTC (ISO 8601).
        why: Why the tenant is read, or what is waited for.
    """

    event: EventName
    time: str
    address: str | UnsetType = UNSET
    already: _Count | UnsetType = UNSET
    attempt: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    cmdlet: str | UnsetType = UNSET
    digest: Annotated[str, Meta(pattern="^plan:[0-9a-f]{64}$")] | UnsetType = UNSET
    exit_code: _Count | UnsetType = UNSET
    exit_name: ExitName | UnsetType = UNSET
    fault: str | UnsetType = UNSET
    left_out: _Count | UnsetType = UNSET
    message: str | UnsetType = UNSET
    not_tried: _Count | UnsetType = UNSET
    outcome: StepOutcome | UnsetType = UNSET
    products: tuple[str, ...] | UnsetType = UNSET
    relies_on: StepNumber | UnsetType = UNSET
    seconds: _Seconds | UnsetType = UNSET
    seen: bool | UnsetType = UNSET
    simulated: bool | UnsetType = UNSET
    step: StepNumber | UnsetType = UNSET
    steps: _Count | UnsetType = UNSET
    tenant: PlanTenant | UnsetType = UNSET
    why: str | UnsetType = UNSET
