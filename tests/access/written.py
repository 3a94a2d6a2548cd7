"""The access delta as a plan file has it."""

from __future__ import annotations

from msgspec import json

from reconciler.access import delta as of_values


def delta(before, after, directory) -> dict:
    """Lists and objects, not structs."""
    return json.decode(json.encode(of_values.delta(before, after, directory)))
