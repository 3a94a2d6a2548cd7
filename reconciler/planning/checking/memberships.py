"""For whom of unknown group membership an application is out of reach, without trying 2^64
combinations of groups.

A user without a direct grant gets the policy of the first group in rank order that he is a member
of, else Global. Asked is: is there a set of groups whose members the application reaches at no
given moment (before the plan, after it, or both)?

Take the largest candidate, all groups of a pool. If the first of them at some moment has the
application, no set that fits can hold that group: it would be the first of any part of the
candidate that it is in. So it is struck out, and so on until at every moment the first one lacks
the application: then what is left fits, and every set that fits is a part of it. If a moment runs
out of groups and Global has the application, nothing fits, not even membership in none. Each group
is struck out at most once, so this costs one walk through each list.

What is left may be cut down to the group that is asked about and the first one at each moment: no
other member of a set decides anything. So sets of at most three groups tell all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.planning.checking.teams_steps import TeamsModel


class GroupOrder(Struct, frozen=True):
    """Groups in rank order, and the applications of the policy of each; behind them those of
    Global.
    """

    groups: tuple[str, ...]
    reached: tuple[frozenset[str], ...]

    def first(self, pool: set[str], place: int) -> int:
        """The place of the first group of a pool, at or behind a place; behind the last one if
        there is none.
        """
        while place < len(self.groups) and self.groups[place] not in pool:
            place += 1
        return place


def moment(teams: TeamsModel, everyone: str) -> GroupOrder:
    """Group grants as they are now."""
    reached = (*(teams.reach(policy) for _, policy in teams.groups), teams.reach(everyone))
    return GroupOrder(tuple(group for group, _ in teams.groups), reached)


def out_of_reach(
    application: str,
    pool: Iterable[str],
    moments: Sequence[GroupOrder],
    member_of: str | None = None,
) -> tuple[str, ...] | None:
    """Find a set of groups from a pool whose members the application reaches at none of the
    moments.

    Args:
        application: a client id.
        pool: groups that the set may be made of.
        moments: when it must be out of reach.
        member_of: a group of the pool that must be in the set.

    Returns: At most one group a moment beside `member_of`, sorted; None if there is no such set.
    """
    left = set(pool)
    places = [each.first(left, 0) for each in moments]
    struck = True
    while struck:
        struck = False
        for index, each in enumerate(moments):
            place = each.first(left, places[index])
            while application in each.reached[place]:
                if place == len(each.groups):
                    return None
                left.discard(each.groups[place])
                struck = True
                place = each.first(left, place)
            places[index] = place
    if member_of is not None and member_of not in left:
        return None
    deciding = {
        each.groups[place]
        for each, place in zip(moments, places, strict=True)
        if place < len(each.groups)
    }
    return tuple(sorted(deciding | ({member_of} if member_of is not None else set())))
