"""The table of live readings."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.tenants.live import questions, reading_exchange, reading_teams
from reconciler.tenants.live.part import LiveReading

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider


def live_reading(provider: Provider) -> LiveReading:
    """How a product is read from a live tenant."""
    match provider:
        case "teams":
            return LiveReading(
                read=reading_teams.read_teams,
                unread=reading_teams.unread,
                names=lambda request: request.users,
                tried=questions.TEAMS_POLICIES,
                unqueried=reading_teams.unqueried_policies,
            )
        case "exchange":
            return LiveReading(
                read=lambda ask, request, _settle: reading_exchange.read_exchange(ask, request),
                unread=reading_exchange.unread,
                names=lambda request: request.recipients,
                tried=questions.EXCHANGE_POLICIES,
            )
        case _:
            assert_never(provider)
