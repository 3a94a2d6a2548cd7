"""What was reviewed is what runs (law 4): a step's text is made again from its values, and read
back to them, before it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import RenderFault, TamperedPlan
from reconciler.kinds.facts import facts
from reconciler.kinds.products import PRODUCTS
from reconciler.model.plans import Invocation
from reconciler.planning import consequences, planfile
from reconciler.powershell import catalogue, reading, rendering

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.plans import Plan, Step
    from reconciler.planning.planfile import SealedPlan


def reviewed_invocation(step: Step) -> Invocation:
    """Return what a step runs, after proving that its text says exactly that.

    Raises:
        TamperedPlan: text and values differ, or the values are not an invocation that may be run. The
            message names the step.
    """
    call = Invocation(step.cmdlet, step.parameters)
    try:
        catalogue.bind(call)
        made, read = rendering.render(call), reading.read_invocation(step.text)
    except RenderFault as fault:
        raise _tampered(step, str(fault)) from fault
    if not _is_write(step):
        raise _tampered(step, f"{step.cmdlet} is not a {step.provider.capitalize()} write cmdlet")
    if not PRODUCTS[step.provider].is_addressed(step):
        raise _tampered(step, "its address and its parameters name different objects")
    if made != step.text:
        raise _tampered(step, "its text does not match what its parameters render to")
    if not reading.same_invocation(read, call):  # pragma: no cover  a defect of the renderer
        raise _tampered(step, "its text and its parameters differ")
    return read


def load(file: Path) -> SealedPlan:
    """Read a plan file, and prove that it is what was written and agrees with itself: every step's
    text with its values, everything that follows from the steps with the steps.

    Raises:
        TamperedPlan: it is not, or does not.
        OSError: the file cannot be read.
    """
    loaded = planfile.load_plan(file)
    prove_steps(loaded.plan)
    consequences.prove_consequences(loaded.plan)
    return loaded


def prove_steps(plan: Plan) -> None:
    """Prove every step of a plan, so that nothing is written of a plan that could not be run to its
    end.

    Raises:
        TamperedPlan: as `invocation`, or the steps are not numbered from 1.
    """
    for number, step in enumerate(plan.steps, start=1):
        if step.id != number:
            raise TamperedPlan(
                f"step {step.id} of the plan is out of order; expected step {number}. The file was"
                " changed; plan again"
            )
        reviewed_invocation(step)


def _is_write(step: Step) -> bool:
    """The catalogue also knows the readings; a plan holds writes only, each of its own product."""
    return step.cmdlet in facts(step.provider).writes and step.address.startswith(
        f"{step.provider}."
    )


def _tampered(step: Step, why: str) -> TamperedPlan:
    return TamperedPlan(
        f"step {step.id} of the plan ({step.address}): {why}. The file was changed after planning,"
        " or another version of this tool wrote it; plan again"
    )
