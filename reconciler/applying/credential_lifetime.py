"""Whether a credential lasts long enough for what a step begins: an expired token must not leave a
window open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.plans import Plan, Step

MARGIN: Final = 300.0
"""Seconds that a credential must last whatever comes: a step with its readings, and a service that
is slow today.
"""
STEP_TAKES: Final = 30.0
"""Seconds to reckon with for each further step: a write takes up to 14 s in the field, and some are
preceded by a reading.
"""


def closing_steps(plan: Plan) -> Mapping[int, int]:
    """For each step that opens a window, the step that closes it.

    A window is open while somebody who is to keep access lacks it (a gap), while a temporary policy
    exists, and while a policy that is being replaced is gone: after any of these steps the tenant
    is not as anybody wants it to stay.
    """
    spans = [*_gaps(plan.steps), *_between(plan.steps)]
    return {first: max(last for begun, last in spans if begun == first) for first, _ in spans}


def needed(step: Step, closes: Mapping[int, int]) -> float:
    """Seconds that a credential must last before a step may begin."""
    return MARGIN + STEP_TAKES * (closes.get(step.id, step.id) - step.id)


def _gaps(steps: Sequence[Step]) -> Iterable[tuple[int, int]]:
    """A step is in a gap if some access is missing after it; the next step outside any gap closes
    it.
    """
    first: int | None = None
    for step in steps:
        if step.gaps and first is None:
            first = step.id
        elif not step.gaps and first is not None:
            yield first, step.id
            first = None


def _between(steps: Sequence[Step]) -> Iterable[tuple[int, int]]:
    """From the step that makes a temporary policy to the one that removes it, and from a removal to
    the creation of the same policy.
    """
    begun: dict[str, Step] = {}
    for step in steps:
        before = begun.pop(step.address, None)
        if before is not None and (step.temporary or before.cmdlet.startswith("Remove-")):
            yield before.id, step.id
        elif step.temporary or step.cmdlet.startswith("Remove-"):
            begun[step.address] = step
