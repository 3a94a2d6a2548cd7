"""The access delta as a plan file has it."""

from __future__ import annotations

from msgspec import json

from reconciler.kinds.exchange import access_delta as exchange_delta
from reconciler.kinds.teams import access_delta as teams_delta
from reconciler.planning.access_deltas import of_products


def delta(before, after, directory) -> dict:
    """Lists and objects, not structs. A product that one of the states lacks contributes nothing."""
    deltas = {}
    if "teams" in before and "teams" in after:
        transition = teams_delta.transition(before["teams"], after["teams"], directory)
        deltas["teams"] = teams_delta.delta(transition)
    if "exchange" in before and "exchange" in after:
        deltas["exchange"] = exchange_delta.delta(before["exchange"], after["exchange"], directory)
    return json.decode(json.encode(of_products(deltas)))
