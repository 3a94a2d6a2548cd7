"""Propagation: a write is done long before every reading shows it (10 to 20 seconds for a grant, in
the field).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.tenants.protocol import Failed

if TYPE_CHECKING:
    from reconciler.model.plans import Invocation
    from reconciler.tenants.simulated.faults import Faults
    from reconciler.tenants.simulated.world import World


class _Waiting(NamedTuple):
    captures: int
    invocation: Invocation


class Lag:
    """What captures show of a world: the world itself, or, with a lag, the world some writes ago.

    A direct grant may show before earlier writes to other objects. Everything else shows in the
    order it was written, and nothing shows before what it rests on.
    """

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._shown = world.copy() if faults.lag else world
        self._waiting: list[_Waiting] = []

    def written(self, invocation: Invocation, captures: int) -> None:
        """Note a write that the next `captures` captures do not show."""
        if self._faults.lag:
            self._waiting.append(_Waiting(captures, invocation))

    def shown(self) -> World:
        """What a capture shows now. Asking is one capture."""
        if self._waiting:
            self._waiting = self._ripened()
            if not self._waiting:
                self._shown = self._world.copy()
        return self._shown

    def _ripened(self) -> list[_Waiting]:
        waiting: list[_Waiting] = []
        blocked: set[object] = set()
        for captures, invocation in self._waiting:
            line = _line(invocation)
            if (
                captures
                or line in blocked
                or isinstance(self._shown.write(invocation, self._faults), Failed)
            ):
                blocked.add(line)
                waiting.append(_Waiting(max(captures - 1, 0), invocation))
        return waiting


def _line(invocation: Invocation) -> object:
    """Writes of one line show in their order: those to one user's grant, and all others."""
    is_grant = invocation.cmdlet.startswith("Grant-") and "Identity" in invocation.parameters
    return str(invocation.parameters["Identity"]).lower() if is_grant else None
