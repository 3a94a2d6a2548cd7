"""Listed users whom the tenant does not have: who such a name may be now, renamed, and whose grant is
therefore not taken away.

A principal name can change, and be given to somebody else later; an object id never does.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING, Final

from reconciler.guids import GUID
from reconciler.model.addresses import (
    TeamsGroupGrantAddress,
    TeamsUserGrantAddress,
    name_key,
    parse_address,
)
from reconciler.model.observed import is_opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.desired import Unresolved
    from reconciler.model.observed import Directory, User

_PART: Final = re.compile(r"[^\W\d_]{3,}+")
"""Parts of a name that say who it is: a first name, a family name, a department."""
_ALIKE: Final = 0.7
"""How like two names before the @ must be to be one mistyped (difflib's ratio): two letters of six
give 0.67.
"""
MOST_ALIKE: Final = 10
"""Users who are named beside a name that leads to nobody."""
MOST_ABSENT: Final = 10
"""Absent names in a plan; more of them are taken for a wrong reading, and may be anybody."""


def absent_rows(unresolved: Iterable[Unresolved]) -> tuple[Unresolved, ...]:
    """Names of users that are left out of a plan: they were looked for and lead to nobody."""
    return tuple(
        name
        for name in unresolved
        if name.left_out and isinstance(parse_address(name.address), TeamsUserGrantAddress)
    )


class MayBeRenamed:
    """Whom the absent names of a plan may be."""

    def __init__(self, names: Sequence[Unresolved], directory: Directory) -> None:
        self._names = names
        self._directory = directory
        self._near = cache(self._is_near)

    def __bool__(self) -> bool:
        """Whether there are any such names."""
        return bool(self._names)

    def names_of(self, user: str, policy: str) -> tuple[str, ...]:
        """The absent names, as they are written, that a holder may be whose grant no document lists.

        Args:
            user: the holder's object id.
            policy: key of the policy that is to be taken away.

        Returns: More names than are taken for leavers may be anybody: some of them.
        """
        if len(self._names) > MOST_ABSENT:
            return tuple(name.text for name in self._names[:MOST_ABSENT])
        return tuple(name.text for name in self._names if self._may_be(name, user, policy))

    def _may_be(self, name: Unresolved, user: str, policy: str) -> bool:
        if GUID.fullmatch(name.text.lower()):
            return name.text.lower() == user
        if name_key(name.policy) == policy or user in name.may_be:
            return True
        return any(map(is_opaque, name.may_be)) or self._near(name.text.lower(), user)

    def _is_near(self, name: str, user: str) -> bool:
        """Whether a holder may have had a name; of whom no name is known, nobody can tell."""
        row = self._directory.users.get(user)
        return row is None or not row.upn or is_near(name, row)


def is_near(name: str, user: User) -> bool:
    """Whether a user may be who a lower-case name meant: mistyped, or with one part of it changed, as
    by marriage.
    """
    local = _local(name)
    own = f"{_local(user.upn)} {user.display_name}".lower()
    if {*_PART.findall(local)} & {*_PART.findall(own)}:
        return True
    return _is_alike(local, _local(user.upn).lower())


def _local(name: str) -> str:
    return name.partition("@")[0]


def _is_alike(first: str, second: str) -> bool:
    matcher = SequenceMatcher(None, first, second)
    return (
        matcher.real_quick_ratio() >= _ALIKE
        and matcher.quick_ratio() >= _ALIKE
        and matcher.ratio() >= _ALIKE
    )


def guesses(name: str, candidates: Sequence[str], directory: Directory) -> tuple[str, ...]:
    """Object ids of users who may be meant by a name that leads to nobody, the likeliest first.

    Args:
        name: in lower case.
        candidates: object ids of users.
        directory: knows their names.
    """
    near = (user for user in _known(candidates, directory) if is_near(name, user))
    ranked = sorted(near, key=lambda user: (-_ratio(name, user), user.id))
    return tuple(user.id for user in ranked[:MOST_ALIKE])


def _known(candidates: Iterable[str], directory: Directory) -> Iterator[User]:
    rows = (directory.users.get(user) for user in candidates)
    return (row for row in rows if row is not None and row.upn)


def _ratio(name: str, user: User) -> float:
    return SequenceMatcher(None, _local(name), _local(user.upn).lower()).ratio()


def names_group(name: Unresolved) -> bool:
    """Whether a name in a document is a group's."""
    return isinstance(parse_address(name.address), TeamsGroupGrantAddress)
