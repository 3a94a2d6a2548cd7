"""Mass-change limits: a number and a percentage, either refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.codes import RefusalRule
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.canonical import Json

PERCENTAGE_FROM = 10
"""Percentages hold from this many objects on: half of two is not a mass change."""


class Tally(NamedTuple):
    """How many of how many are deleted or lose something.

    `counted` says what they are; `concerned` is their address for people, "" for all of them.
    """

    counted: str
    concerned: str
    losing: int
    total: int


def exceeded(address: str, tally: Tally, most: int, percent: int) -> Iterator[Note]:
    """Yield a refusal if the tally is above the largest count, or above the largest share (0 to
    100), that pass.

    `address` is what the consent names: `teams.policy`, `teams.grant` or `exchange.policy`.
    """
    too_large_a_share = (
        tally.total >= PERCENTAGE_FROM and tally.losing * 100 > percent * tally.total
    )
    if tally.losing > most or too_large_a_share:
        details: dict[str, Json] = {
            "allow": f"{RefusalRule.LIMITS}:{address}",
            **tally._asdict(),
            "most": most,
            "percent": percent,
        }
        yield Note(RefusalRule.LIMITS, address, details)
