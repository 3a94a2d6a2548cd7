"""The table of simulated services."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.tenants.simulated.exchange import ExchangeService
from reconciler.tenants.simulated.teams import TeamsService

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider
    from reconciler.tenants.simulated.people import SimulatedPeople
    from reconciler.tenants.simulated.service import Row, SimulatedService


def service(
    provider: Provider, section: Row, people: SimulatedPeople, tenant: Row
) -> SimulatedService:
    """The service of a product, with the objects of its section of a tenant's file."""
    match provider:
        case "teams":
            return TeamsService(section, people)
        case "exchange":
            return ExchangeService(section, people, tenant)
        case _:
            assert_never(provider)
