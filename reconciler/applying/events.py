"""The events of an apply, for whoever shows its progress."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Step


LOST: Final = "lost"
"""Stands where the class of a service's error does, if no answer came."""


class ReadingReason(StrEnum):
    """Why the tenant is read."""

    BASELINE = "baseline"
    LOOKUP = "lookup"
    REMOVAL = "removal"
    WIDENING = "widening"
    GROUP = "group"
    NAME = "name"
    RETRIED = "retried"
    INTERVAL = "interval"
    OUTCOME = "outcome"
    VERIFY = "verify"
    CHECK = "check"


class ReadingTenant(Struct, frozen=True):
    """The tenant is being read; on a large live tenant this takes minutes.

    No product: only names are looked up.
    """

    products: frozenset[Provider]
    why: ReadingReason


class CheckingPlan(Struct, frozen=True):
    """The plan's steps are checked: once more before anything is read, or by PowerShell's parser
    before the first one runs.
    """

    steps: int


class PlanLocated(Struct, frozen=True):
    """The tenant is in the plan's state after its first `already` of `steps` steps; the next one
    comes now, if there is one.
    """

    already: int
    steps: int


class StepStarted(Struct, frozen=True):
    """A step is journalled and about to be sent. `attempt` counts from 1."""

    step: Step
    attempt: int


class StepDone(Struct, frozen=True):
    """A step is done, after `seconds` with all its attempts.

    `seen`: the tenant shows it although no answer said so.
    """

    step: Step
    seconds: float
    seen: bool


class StepFailed(Struct, frozen=True):
    """A step was refused for good, or its outcome is unknown (`fault` is `LOST`).

    `message` is untrusted text.
    """

    step: Step
    fault: str
    message: str


class WentOn(Struct, frozen=True):
    """The apply continues without a step that was refused for good, and without the `left_out`
    others that depend on it.
    """

    step: Step
    left_out: int


class Retrying(Struct, frozen=True):
    """An attempt failed with a transient error; the next one follows in `seconds`, after another
    reading.
    """

    step: Step
    fault: str
    message: str
    seconds: float


class WaitingToReadAgain(Struct, frozen=True):
    """What was written may not be visible yet: the tenant is read again in `seconds`, at most
    `left` times more. `why` as in `Reading`.
    """

    why: ReadingReason
    seconds: float
    left: int


class WaitingForProcess(Struct, frozen=True):
    """Processes of an earlier apply may still be writing; nothing is read before they are gone."""

    pids: tuple[int, ...]
    seconds: float


class WaitingForLock(Struct, frozen=True):
    """Another apply holds the tenant's lock (`who`, for people); this one waits at most `left` more
    seconds.
    """

    who: str
    left: float


class WaitingForHost(Struct, frozen=True):
    """An apply on another machine, or in another container, did not end by itself; whatever it sent
    will have ended in `seconds`.
    """

    who: str
    seconds: float


class SharedStateDirectory(Struct, frozen=True):
    """The lock lies on a file system that machines share (`kind`), whose locks may not be seen by
    all of them.
    """

    directory: str
    kind: str


class JournalIgnored(Struct, frozen=True):
    """A journal outside the user's state directory is not trusted; `why` is a clause."""

    path: str
    why: str


class EndingProcess(Struct, frozen=True):
    """Processes of an earlier apply did not exit by themselves; they are killed now, so that they
    cannot write any more.
    """

    pids: tuple[int, ...]


class Settling(Struct, frozen=True):
    """The service is given time to enforce step `on` before `step`, which relies on it, takes
    something away; `seconds` are left.
    """

    step: Step
    on: int
    seconds: float


StepEvent: TypeAlias = StepStarted | StepDone | StepFailed | WentOn | Retrying
"""What becomes of one step."""

WaitEvent: TypeAlias = (
    WaitingToReadAgain
    | WaitingForProcess
    | WaitingForLock
    | WaitingForHost
    | EndingProcess
    | Settling
)
"""What holds up an apply for a while."""

Event: TypeAlias = (
    ReadingTenant
    | CheckingPlan
    | PlanLocated
    | SharedStateDirectory
    | JournalIgnored
    | StepEvent
    | WaitEvent
)
