"""Who holds which policy directly, counted: 100,000 direct grants are never looked at one by one
where a count will do.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.model.observed import TeamsState


def staying(state: TeamsState, changing: Collection[str]) -> Counter[str]:
    """How many hold a policy directly, by its key, whose grant does not change; a policy that nobody
    holds is left out.

    Args:
        state: the Teams side.
        changing: users whose direct grant changes; whether they have one now or not.
    """
    users = state.users
    return state.holder_counts - Counter(users[user] for user in changing if user in users)


def differing(wanted: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """Users of `wanted` who hold another policy, or none, in `present`."""
    return list(compress(wanted, map(ne, wanted.values(), map(present.get, wanted))))
