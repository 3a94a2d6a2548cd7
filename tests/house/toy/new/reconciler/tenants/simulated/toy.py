"""The toy's service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import as_list
from reconciler.tenants.protocol import Done, Failed, Fault, Outcome
from reconciler.tenants.simulated.service import NamedByRows, Row, ServiceRead, ServiceReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.tenants.simulated.moment import Moment


class ToyService:
    """Names, in the order they were made."""

    def __init__(self, section: Row) -> None:
        rows = as_list(section.get("names"), "", FaultList())
        self._names: dict[str, Row] = {row["Identity"]: row for row in rows}

    @property
    def writes(self) -> Mapping[str, Callable[[Moment], Outcome]]:
        """The cmdlets that write."""
        return {"New-ToyName": self.new, "Remove-ToyName": self.remove}

    def section(self) -> Mapping[str, Sequence[Row]]:
        """All names."""
        return {"names": list(self._names.values())}

    def read(self, seed: int) -> ServiceReading:
        """All names."""
        return ServiceReading(self.section(), (ServiceRead("Get-ToyName", {}, len(self._names)),))

    def effective(self, users: Iterable[str], clock: str) -> Sequence[Row]:
        """Nothing."""
        return ()

    def named(self) -> NamedByRows:
        """Nobody."""
        return NamedByRows()

    def new(self, moment: Moment) -> Outcome:
        """New-ToyName."""
        name = moment.text("Identity")
        if name in self._names:
            return Failed(Fault.EXISTS, "The name exists.")
        self._names = {**self._names, name: {"Identity": name}}
        return Done()

    def remove(self, moment: Moment) -> Outcome:
        """Remove-ToyName."""
        name = moment.text("Identity")
        if name not in self._names:
            return Failed(Fault.NOT_FOUND, "There is no such name.")
        self._names = {key: row for key, row in self._names.items() if key != name}
        return Done()
