"""Which steps of a plan rely on which, told from the baseline and the steps alone: whoever waits for
a service between two steps must not depend on what else a file says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.ordering.components import components
from reconciler.kinds.ordering.orders import reliances_of
from reconciler.model.addresses import GLOBAL, name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.baselines import TeamsBaseline
    from reconciler.model.plans import Step

_REST = None
"""Hub of what decides about everyone without a direct grant: the list of groups, and Global."""


def reliances(section: TeamsBaseline, steps: Sequence[Step]) -> Mapping[int, int]:
    """For Teams steps that take something away, the earlier step that they rely on.

    The steps fall apart as their order was looked for: where nobody's access depends on both.
    """
    relying: dict[int, int] = {}
    for part in components([tuple(hubs) for hubs in _hubs(section, steps)]):
        chosen = [steps[number] for number in part]
        for reliance in reliances_of((_role(step) for step in chosen), 0):
            relying[chosen[reliance.step - 1].id] = chosen[reliance.on - 1].id
    return relying


def _role(step: Step) -> tuple[bool, bool]:
    """Whether a step can be relied on by a later one, and whether it takes something away."""
    given = step.parameters
    match step.cmdlet:
        case "New-CsApplicationAccessPolicy":
            return True, False
        case "Set-CsApplicationAccessPolicy":
            edit = given.get("AppIds")
            edits = edit if isinstance(edit, dict) else {}
            return "Add" in edits, "Remove" in edits
        case "Grant-CsApplicationAccessPolicy":
            return given["PolicyName"] is not None, given["PolicyName"] is None
        case _:
            return False, False


def _hubs(section: TeamsBaseline, steps: Sequence[Step]) -> Iterator[Iterable[str | None]]:
    """For each step the policies that change and that it is about, and whether everyone without a
    direct grant is concerned.
    """
    changing = {key for step in steps if (key := _changed(step)) is not None}
    moves = [_moved(section, step) for step in steps]
    granted = {row.policy for row in section.groups} | {
        name_key(str(step.parameters["PolicyName"])) for step in steps if "Group" in step.parameters
    }
    regrouped = any("Group" in step.parameters for step in steps)
    falling = any(
        None in move
        for step, move in zip(steps, moves, strict=True)
        if move and "Identity" in step.parameters
    )
    shared = changing & (granted | {GLOBAL}) if falling or regrouped else set()
    for step, move in zip(steps, moves, strict=True):
        hubs: set[str | None] = {key for key in move if key in changing}
        key = _changed(step)
        if key is not None:
            hubs |= {key} | ({_REST} if key in shared else set())
        resting = "Identity" in step.parameters and None in move and bool(regrouped or shared)
        if "Group" in step.parameters or resting:
            hubs.add(_REST)
        yield hubs


def _changed(step: Step) -> str | None:
    """The policy whose list or existence a step changes."""
    given = step.parameters
    if step.cmdlet.startswith("Grant-"):
        return GLOBAL if "Global" in given else None
    described = step.cmdlet.startswith("Set-") and "AppIds" not in given
    return None if described else name_key(str(given["Identity"]))


def _moved(section: TeamsBaseline, step: Step) -> tuple[str | None, ...]:
    """The policies that somebody is granted before and after a step."""
    given = step.parameters
    if not step.cmdlet.startswith("Grant-"):
        return ()
    policy = None if given["PolicyName"] is None else name_key(str(given["PolicyName"]))
    if "Identity" in given:
        return section.users.get(str(given["Identity"]).lower()), policy
    group = str(given.get("Group")).lower()
    return *(row.policy for row in section.groups if row.group == group), policy
