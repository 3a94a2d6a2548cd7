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


def staying(users: Mapping[str, str], changing: Collection[str]) -> frozenset[str]:
    """Keys of the policies that somebody holds directly whose grant does not change.

    Args:
        users: direct grants, user id to policy key.
        changing: users whose direct grant changes; whether they have one now or not.
    """
    grants = Counter(users.values())
    grants.subtract(users[user] for user in changing if user in users)
    return frozenset(+grants)


def differing(wanted: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """Users of `wanted` who hold another policy, or none, in `present`."""
    return list(compress(wanted, map(ne, wanted.values(), map(present.get, wanted))))
