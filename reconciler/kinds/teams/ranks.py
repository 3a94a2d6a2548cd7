"""The order of group grants. Rank is an order, not a number: the service stores 1..n densely (MicrosoftDocs New-CsGroupPolicyAssignment)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

MOST_GROUPS = 64
"""Groups that can hold an application access policy, over all policies (MicrosoftDocs New-CsGroupPolicyAssignment)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One in-place group grant: the group and the position (from 1) it takes at that moment."""

    group: str
    rank: int


def staying(observed: Sequence[str], declared: Sequence[str]) -> frozenset[str]:
    """The longest run of declared groups that already stands in the declared order; of equal ones the lowest addresses.

    Lowest means: the smallest address in which two runs differ is in the chosen one. So a plan made after a stop chooses the same run again.
    """
    position = {group: index for index, group in enumerate(observed)}
    present = [group for group in declared if group in position]
    best: dict[str, tuple[str, ...]] = {}
    for index, group in enumerate(present):
        earlier = [best[other] for other in present[:index] if position[other] < position[group]]
        best[group] = (*_preferred(earlier), group)
    return frozenset(_preferred(best.values()))


def _preferred(runs: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return min(runs, key=_preference, default=())


def _preference(run: tuple[str, ...]) -> tuple[int, list[str]]:
    return (-len(run), sorted(run))


def final_order(observed: Sequence[str], declared: Sequence[str], dropped: Collection[str]) -> tuple[str, ...]:
    """The groups in the order they shall have, strongest first (design §2: ranks).

    Args:
        observed: groups as the tenant has them, strongest first.
        declared: managed groups in declared order.
        dropped: observed groups that shall lose their policy.
    """
    placed, _ = _place([group for group in observed if group not in dropped], declared, staying(observed, declared))
    return tuple(placed)


def placements(observed: Sequence[str], declared: Sequence[str], policy_changes: Mapping[str, bool]) -> tuple[Placement, ...]:
    """The grants that bring the managed groups into order, in the order they run; groups still to be dropped count as standing.

    A group that already stands right at its turn and keeps its policy (`policy_changes[group]` is False) gets none.
    """
    stay = staying(observed, declared)
    _, ranks = _place(list(observed), declared, stay)
    return tuple(Placement(group, ranks[group]) for group in declared if group not in stay or policy_changes[group])


def _place(current: list[str], declared: Sequence[str], stay: frozenset[str]) -> tuple[list[str], dict[str, int]]:
    """Walk the declared order; return the list at the end and the position each group had at its turn."""
    ranks: dict[str, int] = {}
    successor = next((group for group in declared if group in stay), None)
    previous: str | None = None
    for group in declared:
        if group not in stay:
            if group in current:
                current.remove(group)
            current.insert(_turn(current, previous, successor), group)
        ranks[group] = current.index(group) + 1
        previous = group
    return current, ranks


def _turn(current: Sequence[str], previous: str | None, successor: str | None) -> int:
    if previous is not None:
        return current.index(previous) + 1
    return len(current) if successor is None else current.index(successor)
