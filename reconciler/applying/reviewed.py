"""What was reviewed is what runs (law 4): a step's text is made again from its values, and read
back to them, before it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler import canonical
from reconciler.errors import RenderFault, TamperedPlan
from reconciler.model.addresses import GLOBAL, TEAMS_TENANT_GRANT
from reconciler.model.plans import Invocation
from reconciler.powershell import catalogue, reading, rendering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Plan, Step

_WRITES = frozenset({"New", "Set", "Grant", "Remove"})
_NOUN: Mapping[Provider, str] = {
    "teams": "CsApplicationAccessPolicy",
    "exchange": "ApplicationAccessPolicy",
}


def invocation(step: Step) -> Invocation:
    """Return what a step runs, after proving that its text says exactly that.

    Raises:
        TamperedPlan: text and values differ, or the values are no invocation that may be run. The
            message names the step.
    """
    call = Invocation(step.cmdlet, step.parameters)
    try:
        catalogue.bind(call)
        made, read = rendering.render(call), reading.read(step.text)
    except RenderFault as fault:
        raise _tampered(step, str(fault)) from fault
    if not _is_write(step):
        raise _tampered(step, f"{step.cmdlet} is no write of {step.provider}")
    if not _is_addressed(step):
        raise _tampered(step, "its address is not that of the object that its values name")
    if made != step.text:
        raise _tampered(step, "its text is not what its values render to")
    # Compared as canonical JSON, because 1 == True in Python.
    if read.cmdlet != step.cmdlet or canonical.dumps(read.parameters) != canonical.dumps(
        step.parameters
    ):
        raise _tampered(
            step, "its text reads as other values than its own"
        )  # pragma: no cover  only a defect of the renderer gets here
    return read


def check(plan: Plan) -> None:
    """Prove every step of a plan, so that nothing is written of a plan that could not be run to its
    end.

    Raises:
        TamperedPlan: as `invocation`, or the steps are not numbered from 1.
    """
    for number, step in enumerate(plan.steps, start=1):
        if step.id != number:
            raise TamperedPlan(
                f"step {step.id} of the plan stands where step {number} should be: the file was"
                " changed; plan again"
            )
        invocation(step)


def _is_write(step: Step) -> bool:
    """The catalogue also knows the readings; a plan holds writes only, each of its own product."""
    verb, _, noun = step.cmdlet.partition("-")
    return (
        verb in _WRITES
        and noun == _NOUN.get(step.provider)
        and step.address.startswith(f"{step.provider}.")
    )


def _is_addressed(step: Step) -> bool:
    """What a step is judged by, its address, must be what it changes, its values; a scope's address
    is resolved just before its step.
    """
    given, address = step.parameters, step.address.lower()
    if step.provider == "exchange":
        return _is_addressed_exchange(given, address)
    if step.cmdlet.startswith("Grant-"):
        subject = (
            "tenant"
            if "Global" in given
            else f"user:{given['Identity']}"
            if "Identity" in given
            else f"group:{given['Group']}"
        )
        return address == f"teams.grant/{subject}".lower()
    name = str(given["Identity"]).lower()
    return address == f"teams.policy/{name}" or (name == GLOBAL and address == TEAMS_TENANT_GRANT)


def _is_addressed_exchange(given: Mapping[str, Json], address: str) -> bool:
    application, _, scope = address.removeprefix("exchange.policy/").partition("@")
    if "AppId" in given:
        return given["AppId"] == [application]
    _, _, policy = str(given["Identity"]).lower().partition("\\")
    return policy.startswith(f"{application}:") and policy.endswith(f";{scope}")


def _tampered(step: Step, why: str) -> TamperedPlan:
    return TamperedPlan(
        f"step {step.id} of the plan ({step.address}): {why}. The file was changed after planning,"
        " or another version of this tool wrote it; plan again"
    )
