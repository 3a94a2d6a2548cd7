"""What an apply tells while it runs, so that whoever shows it needs to know nothing of how it works."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Step


class Why(StrEnum):
    """Why the tenant is read."""

    BASELINE = "baseline"
    LOOKUP = "lookup"
    REMOVAL = "removal"
    GROUP = "group"
    RETRIED = "retried"
    INTERVAL = "interval"
    OUTCOME = "outcome"
    VERIFY = "verify"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Reading:
    """The tenant is being read; on a large live tenant this takes minutes. No product: only names are looked up."""

    products: frozenset[Provider]
    why: Why


@dataclass(frozen=True, slots=True)
class Located:
    """The tenant is in the plan's state after its first `already` of `steps` steps; the next one comes now, if there is one."""

    already: int
    steps: int


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step is journalled and about to be sent. `attempt` counts from 1."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step is done, after `seconds` with all its attempts. `seen`: the tenant shows it although no answer said so."""

    step: Step
    seconds: float
    seen: bool


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step was refused for good, or its outcome is unknown (`fault` is `lost`). `message` is untrusted text."""

    step: Step
    fault: str
    message: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed in a way that passes; the next one comes in `seconds`, after another reading."""

    step: Step
    fault: str
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was written may not be visible yet: the tenant is read again in `seconds`, at most `left` times more. `why` as in `Reading`."""

    why: Why
    seconds: float
    left: int


@dataclass(frozen=True, slots=True)
class WaitingForProcess:
    """A process of an earlier apply may still be writing; nothing is read before it is gone."""

    pid: int
    seconds: float


@dataclass(frozen=True, slots=True)
class EndingProcess:
    """A process of an earlier apply did not end by itself; it is ended now, so that it can write no more."""

    pid: int


@dataclass(frozen=True, slots=True)
class Settling:
    """The service is given time to enforce step `on` before `step`, which relies on it, takes something away; `seconds` are left."""

    step: Step
    on: int
    seconds: float


Event: TypeAlias = (
    Reading | Located | StepStarted | StepDone | StepFailed | Retrying | Waiting | WaitingForProcess | EndingProcess | Settling
)
