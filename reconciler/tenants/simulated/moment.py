"""What a service knows while it carries out one write, besides its own state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.tenants.simulated.faults import Faults


class Moment(Struct, frozen=True):
    """The write's parameters, the simulated time (ISO 8601), and the service's quirks."""

    parameters: Mapping[str, Json]
    clock: str
    quirks: Faults

    def text(self, name: str) -> str:
        """A parameter as a text, `""` if it is null or was not given: PowerShell passes `$null` to
        a text parameter so.
        """
        value = self.parameters.get(name)
        return "" if value is None else str(value)
