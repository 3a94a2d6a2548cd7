"""What an apply did, step by step."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.addresses import Address


class StepFailure(Struct, frozen=True):
    """A step that a service refused.

    `fault` is its class, `message` the service's own, untrusted text; `hint` says what to do next.
    """

    step: int
    address: Address
    fault: str
    message: str
    hint: str


class AccessCheck(Struct, frozen=True):
    """What Exchange's own check said of an application (client id) and a mailbox (primary address),
    beside what the policies mean.

    `granted` None: it was not understood, and `text` is what it said. It speaks of what is
    configured; what is in effect follows up to an hour later.
    """

    application: str
    mailbox: str
    expected: bool
    granted: bool | None
    text: str = ""


class Applied(Struct, frozen=True):
    """What one apply did with the steps of its plan; every step of the plan is in exactly one of
    the first five fields, or in one of the last two.

    Attributes:
        done: Ids of the steps that this apply did.
        already: The number of steps, from the first one, that earlier applies had done.
        failed: The step that the service refused and at which it stopped; None if none was.
        unknown: Id of the step whose answer was lost and which the tenant does not show; None if
            there is none.
        not_tried: Ids of the steps after the place where it stopped.
        converged: The tenant, read after the last step, is in the state that the plan leads to.
        moved: A sentence for each thing that is not as the steps done so far lead to; empty when
            not read after the last step.
        checks: What Exchange itself says about applications whose policies changed; empty when it
            was not asked.
        trouble: Why it stopped or could not be verified, where neither a failed nor an unknown step
            says so, or says not all; empty otherwise.
        refused: Steps that the service refused for good, and without which it went on: such a plan
            does not resume.
        left_out: Ids of the steps that depend on those, and were not tried.
    """

    done: tuple[int, ...]
    already: int
    failed: StepFailure | None
    unknown: int | None
    not_tried: tuple[int, ...]
    converged: bool
    moved: tuple[str, ...]
    trouble: str = ""
    checks: tuple[AccessCheck, ...] = ()
    refused: tuple[StepFailure, ...] = ()
    left_out: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every step is done."""
        stopped = self.failed is not None or self.unknown is not None
        return not (stopped or self.not_tried or self.refused)
