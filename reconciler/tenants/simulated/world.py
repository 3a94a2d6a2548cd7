"""Everything a simulated tenant is, in memory: the services, the people, and a clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from reconciler.errors import RefusedText
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import is_time
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import PROVIDERS
from reconciler.tenants.protocol import Done, Outcome
from reconciler.tenants.simulated.moment import Moment
from reconciler.tenants.simulated.people import SimulatedPeople
from reconciler.tenants.simulated.services import service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Invocation
    from reconciler.tenants.simulated.faults import Faults
    from reconciler.tenants.simulated.service import SimulatedService

WRITE_TAKES: Final = timedelta(seconds=15)
"""Simulated time of one write: 10 to 20 seconds in the field."""


class World:
    """The state of a simulated tenant. Pure: files and faults of the line are others' business."""

    def __init__(self, raw: Mapping[str, Any], people: SimulatedPeople) -> None:
        self._raw = raw
        self.people = people
        self.tenant: Mapping[str, Any] = raw["tenant"]
        self.clock: str = raw["clock"]
        self.services: Mapping[Provider, SimulatedService] = {
            name: service(name, raw[name], people, self.tenant) for name in PROVIDERS
        }
        self._writes: Mapping[str, Callable[[Moment], Outcome]] = {
            cmdlet: write
            for each in self.services.values()
            for cmdlet, write in each.writes.items()
        }

    def write(self, invocation: Invocation, quirks: Faults) -> Outcome:
        """Carry out one write. Only one that was done moves the clock.

        Raises:
            RefusedText: the cmdlet writes nothing that is simulated.
        """
        cmdlet = self._writes.get(invocation.cmdlet)
        if cmdlet is None:
            raise RefusedText(
                f"{invocation.cmdlet} is not a write cmdlet; expected one of"
                f" {', '.join(sorted(self._writes))}"
            )
        outcome = cmdlet(Moment(invocation.parameters, self.clock, quirks))
        if isinstance(outcome, Done):
            self.clock = (
                (datetime.fromisoformat(self.clock) + WRITE_TAKES)
                .isoformat()
                .replace("+00:00", "Z")
            )
        return outcome

    def state(self) -> dict[str, Json]:
        """The content of the tenant's file."""
        return {
            **self._raw,
            "clock": self.clock,
            **{name: each.section() for name, each in self.services.items()},
        }

    def copy(self) -> World:
        """A second world in the same state; rows are shared, since nothing changes them."""
        return World(self.state(), self.people)


def world(raw: Mapping[str, Any], place: str) -> World:
    """Check the content of a tenant's file and bring it to life.

    Raises:
        CaptureFault: it is not what such a file holds; one line per fault.
    """
    faults = FaultList()
    normal = _normal(raw, faults)
    faults.refuse(place)
    people = SimulatedPeople(normal["directory"], faults)
    for name, product in PRODUCTS.items():
        # A capture may serve as a tenant: what was read to make it says nothing of what there is.
        rows = {key: value for key, value in normal[name].items() if key != "reads"}
        product.parse(rows, f"$.{name}", faults)
    faults.refuse(place)
    return World(normal, people)


def _normal(raw: Mapping[str, Any], faults: FaultList) -> dict[str, Any]:
    """The file with every section in its place; a capture's clock is the time it was taken at."""
    sections = {key: raw.get(key) or {} for key in ("tenant", *PROVIDERS, "directory")}
    for key, section in sections.items():
        if not isinstance(section, dict) or section.get("complete") is False:
            faults.add(f"$.{key}", "must be complete: a simulated tenant has no other source")
    tenant, clock = sections["tenant"], raw.get("clock", raw.get("taken_at"))
    if isinstance(tenant, dict) and not isinstance(tenant.get("tenantId"), str):
        faults.add("$.tenant.tenantId", "is missing: add the id of the simulated tenant, a GUID")
    if not is_time(clock):
        faults.add("$.clock", "is not a time like 2026-11-02T09:00:00Z")
    kept = {
        key: value for key, value in raw.items() if key not in {"simulated", "taken_at", "tool"}
    }
    return {**kept, **sections, "clock": clock}
