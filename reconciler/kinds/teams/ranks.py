"""The order of group grants.

Rank is an order, not a number: the service stores 1..n densely (MicrosoftDocs
New-CsGroupPolicyAssignment).

Two questions, kept apart: in which order the groups shall be in the end (`final_order`), and by
which moves they get there (`moves`).

The moves are safe after each one: a member of several groups gets the policy that was first before
or the one that is first afterwards, never a third. Upward moves and grants in place run from the
strongest rank down, so what passes ahead is already what shall be first. Moves downward, and groups
that lose their policy, run from the weakest rank up, so nothing is uncovered that has not found its
place. Do not merge the two passes: a group that moves down past one that is still to go shows that
one's policy to their common members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence


class Move(Struct, frozen=True):
    """One group grant: the position (from 1) that the group takes at that moment, None if it loses
    its policy.
    """

    group: str
    rank: int | None


def final_order(
    observed: Sequence[str], declared: Sequence[str], dropped: Collection[str]
) -> tuple[str, ...]:
    """The groups in the order they shall have, strongest first.

    The longest run of managed groups that is already in the declared order stays; every other
    one goes directly behind its predecessor, the first one directly before its successor; if none
    stays, last. Unmanaged groups keep their order.

    Args:
        observed: groups as the tenant has them, strongest first.
        declared: managed groups in declared order.
        dropped: observed groups that shall lose their policy.
    """
    stay = _staying(observed, declared)
    order = [
        group
        for group in observed
        if group not in dropped and (group in stay or group not in declared)
    ]
    successor = next((group for group in declared if group in stay), None)
    previous: str | None = None
    for group in declared:
        if group not in stay:
            order.insert(_turn(order, previous, successor), group)
        previous = group
    return tuple(order)


def moves(
    observed: Sequence[str],
    final: Sequence[str],
    granted: Collection[str],
    managed: Collection[str],
) -> tuple[Move, ...]:
    """The fewest group steps from the observed list to the final one, in a safe order.

    Args:
        observed: groups as the tenant has them, strongest first.
        final: the order of `final_order`; observed groups that are not in it lose their policy.
        granted: groups of `final` that need a grant anyway, because their policy changes.
        managed: groups that may be moved at all.
    """
    fixed = unmoved(observed, final, granted, managed)
    place = {group: index for index, group in enumerate(final)}
    downward = {
        group
        for group in observed
        if group in place and group not in fixed and _goes_down(group, observed, place, fixed)
    }
    current = list(observed)
    placed = [group for group in final if group in fixed]
    upward = [
        group
        for group in final
        if group not in downward and (group in granted or group not in fixed)
    ]
    later = [group for group in reversed(observed) if group in downward or group not in place]
    return (*_upward(upward, current, placed, place), *_downward(later, current, placed, place))


def stepped(
    observed: Sequence[str],
    final: Sequence[str],
    granted: Collection[str],
    managed: Collection[str],
) -> tuple[str, ...]:
    """The groups that need a step, the fewest that do: arguments as for `moves`, in no order that
    means anything.
    """
    fixed = unmoved(observed, final, granted, managed)
    kept = set(final)
    return (
        *(group for group in final if group in granted or group not in fixed),
        *(group for group in observed if group not in kept),
    )


def _staying(observed: Sequence[str], declared: Sequence[str]) -> frozenset[str]:
    """The longest run of declared groups that is already in the declared order; of equal ones
    the lowest addresses.

    Lowest means: the smallest address in which two runs differ is in the chosen one. So a plan made
    after a stop chooses the same run again.
    """
    position = {group: index for index, group in enumerate(observed)}
    present = [group for group in declared if group in position]
    return frozenset(_best_run(present, position, dict.fromkeys(present, 1)))


def unmoved(
    observed: Sequence[str],
    final: Sequence[str],
    granted: Collection[str],
    managed: Collection[str],
) -> frozenset[str]:
    """The groups that no step moves: the unmanaged ones, and the run that saves most steps.

    A group that is granted anyway saves none.
    """
    position = {group: index for index, group in enumerate(observed)}
    present = [group for group in final if group in position]
    unmanaged = [group for group in present if group not in managed]
    fitting = [
        group for group in present if group in managed and _fits(group, unmanaged, final, position)
    ]
    worth = {group: 0 if group in granted else 1 for group in fitting}
    return frozenset(unmanaged) | frozenset(_best_run(fitting, position, worth))


def _fits(
    group: str, unmanaged: Sequence[str], final: Sequence[str], position: dict[str, int]
) -> bool:
    """Whether the group is on the right side of every group that cannot be moved."""
    place = final.index(group)
    return all(
        (final.index(other) < place) == (position[other] < position[group]) for other in unmanaged
    )


def _best_run(
    groups: Sequence[str], position: dict[str, int], worth: dict[str, int]
) -> tuple[str, ...]:
    """The increasing run of positions that is worth most; then the longest, then the lowest
    addresses.
    """

    def preference(run: tuple[str, ...]) -> tuple[int, int, list[str]]:
        return (-sum(worth[group] for group in run), -len(run), sorted(run))

    def preferred(runs: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        return min(runs, key=preference, default=())

    best: dict[str, tuple[str, ...]] = {}
    for index, group in enumerate(groups):
        best[group] = (
            *preferred(
                best[other] for other in groups[:index] if position[other] < position[group]
            ),
            group,
        )
    return preferred(best.values())


def _goes_down(
    group: str, observed: Sequence[str], place: dict[str, int], fixed: Collection[str]
) -> bool:
    """Whether a group that shall be first of the two is below this one and is not moved."""
    below = observed[observed.index(group) + 1 :]
    return any(other in fixed and place[other] < place[group] for other in below)


def _upward(
    groups: Sequence[str], current: list[str], placed: list[str], place: dict[str, int]
) -> Iterator[Move]:
    """Grants from the strongest rank down; a group that is not moved is granted at its own rank."""
    for group in groups:
        if group in placed:
            yield Move(group, current.index(group) + 1)
            continue
        if group in current:
            current.remove(group)
        yield Move(group, _insert(group, current, placed, place))


def _downward(
    groups: Sequence[str], current: list[str], placed: list[str], place: dict[str, int]
) -> Iterator[Move]:
    """Moves down and losses of a policy, from the weakest rank up."""
    for group in groups:
        current.remove(group)
        yield Move(group, _insert(group, current, placed, place) if group in place else None)


def _insert(group: str, current: list[str], placed: list[str], place: dict[str, int]) -> int:
    """Put the group directly behind the last placed one that shall come before it, else first;
    return its rank.
    """
    before = [other for other in placed if place[other] < place[group]]
    predecessor = max(before, key=lambda other: place[other], default=None)
    index = 0 if predecessor is None else current.index(predecessor) + 1
    current.insert(index, group)
    placed.append(group)
    return index + 1


def _turn(current: Sequence[str], previous: str | None, successor: str | None) -> int:
    if previous is not None:
        return current.index(previous) + 1
    return len(current) if successor is None else current.index(successor)
