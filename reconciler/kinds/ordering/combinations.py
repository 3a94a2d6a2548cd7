"""Combinations of groups or scopes that somebody could be in, while the steps of a component run."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Combination = tuple[str, ...]
"""Groups or scopes that somebody is in at once; none for everyone else."""


def combinations_of(names: Sequence[str], most: int) -> list[Combination]:
    """All combinations of at most so many names, smallest first."""
    return [some for size in range(most + 1) for some in combinations(names, size)]


def steps_within(spans: Iterable[tuple[int, int, int]], pair: int) -> tuple[int, ...]:
    """The steps after which a pair is missing or exposed.

    Args:
        spans: (first step, last step, bits of pairs), ascending.
        pair: the bit of the pair.
    """
    return tuple(
        step for first, last, pairs in spans if pairs & pair for step in range(first, last + 1)
    )


def unimplied(
    rows: Iterable[tuple[Combination, tuple[int, ...]]],
) -> Iterator[tuple[Combination, tuple[int, ...]]]:
    """Combinations with the steps that concern them, but for those of which their parts say all.

    `rows`: smallest combinations first.
    """
    reported: dict[Combination, set[int]] = {}
    for combination, steps in rows:
        implied = set().union(
            *(reported[part] for part in reported if set(part) < set(combination))
        )
        if set(steps) - implied:
            reported[combination] = set(steps)
            yield combination, steps
