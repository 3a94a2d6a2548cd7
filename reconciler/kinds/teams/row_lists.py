"""The lists of the Teams section of a capture, and the filters with which holders are asked for."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reconciler.kinds.capture_reads import RowList
from reconciler.kinds.teams.parse import (
    POLICY_TYPE,
    GrantRow,
    bare_name,
    granted_name,
    is_silent,
    told_name,
)
from reconciler.model.addresses import name_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ANY_POLICY: Final = re.compile(rf"{POLICY_TYPE}\s++-ne\s++\$null", re.IGNORECASE)
_ONE_POLICY: Final = re.compile(rf"{POLICY_TYPE}\s++-eq\s++'(?P<name>.*)'", re.IGNORECASE)
_UNLIMITED: Final = frozenset({"unlimited", "2147483647"})
"""No limit, as Exchange says it, and the most that Get-CsOnlineUser takes (its page)."""


class HolderList(RowList, frozen=True):
    """Users with their direct grant: reads may be filtered by any policy, or by one."""

    def reads_all(self, read: Mapping[str, Any]) -> bool:
        """Whether a read is of all who hold a policy."""
        return _one_policy(read) is None

    def expected_counts(
        self, reads: Sequence[Mapping[str, Any]], rows: Sequence[Any]
    ) -> Sequence[int]:
        """Of a read for one policy its holders, and as many more as there are users whose row does not
        say what they hold; of one for any policy all holders.
        """
        everybody = any(_filter(read) is None for read in reads)
        if not any(_is_counted_by_holders(read, everybody=everybody) for read in reads):
            return [len(rows)] * len(reads)
        holders = _holders(rows)
        counts = [_expected(read, holders, len(rows), everybody=everybody) for read in reads]
        return [
            min(max(count, read["count"]), count + holders.untold) if _one_policy(read) else count
            for read, count in zip(reads, counts, strict=True)
        ]


class _Holders(NamedTuple):
    """How many users hold each policy, by its key, and any; and of how many the row does not say
    which one, or whether they do.
    """

    of: Mapping[str, int]
    any: int
    untold: int


def _is_counted_by_holders(read: Mapping[str, Any], *, everybody: bool) -> bool:
    """Whether a read returned fewer than there are rows: holders of one policy, or of any while
    another read was of everybody.
    """
    return _one_policy(read) is not None or (everybody and _filter(read) is not None)


def _expected(read: Mapping[str, Any], holders: _Holders, rows: int, *, everybody: bool) -> int:
    if not _is_counted_by_holders(read, everybody=everybody):
        return rows
    policy = _one_policy(read)
    return holders.any if policy is None else holders.of.get(name_key(bare_name(policy)), 0)


def _is_known_filter(value: object) -> bool:
    filters = (_ANY_POLICY, _ONE_POLICY)
    return value is None or any(pattern.fullmatch(_bare(str(value))) for pattern in filters)


def _bare(filter_: str) -> str:
    """A filter without the braces of a script block and the blanks around and in them."""
    return filter_.strip().removeprefix("{").removesuffix("}").strip()


USERS: Final = HolderList(
    "users",
    "Get-CsOnlineUser",
    {
        "filter": _is_known_filter,
        "properties": lambda _value: True,
        "resultsize": lambda value: str(value).lower() in _UNLIMITED,
    },
)
LISTS: Final = (
    RowList("policies", "Get-CsApplicationAccessPolicy"),
    RowList(
        "groupAssignments",
        "Get-CsGroupPolicyAssignment",
        {"policytype": lambda value: str(value).lower() == POLICY_TYPE.lower()},
    ),
    USERS,
)


def has_holders_only(section: Mapping[str, Any]) -> bool:
    """Whether `users` of the section are, by what was read, exactly those who hold a policy."""
    filters = [
        _filter(read)
        for read in section.get("reads") or ()
        if read["cmdlet"] == USERS.cmdlet and not USERS.narrowing(read)
    ]
    return None not in filters and any(
        _ANY_POLICY.fullmatch(_bare(asked)) for asked in filters if asked is not None
    )


def _filter(read: Mapping[str, Any]) -> str | None:
    values = (
        str(value)
        for name, value in (read.get("parameters") or {}).items()
        if name.lower() == "filter" and value is not None
    )
    return next(values, None)


def _one_policy(read: Mapping[str, Any]) -> str | None:
    """Name of the policy whose holders a read asked for, None for a read of everything."""
    match = _ONE_POLICY.fullmatch(_bare(_filter(read) or ""))
    return None if match is None else match["name"].replace("''", "'")


def _holders(rows: Sequence[Any]) -> _Holders:
    objects = [row for row in rows if isinstance(row, dict | GrantRow)]
    granted = [row.granted if isinstance(row, GrantRow) else granted_name(row) for row in objects]
    holders: Counter[str] = Counter()
    for spelling, count in Counter(name for name in granted if isinstance(name, str)).items():
        if (name := told_name(spelling)) is not None:
            holders[name_key(name)] += count
    some = sum(name is not None for name in granted)
    return _Holders(holders, some, some - holders.total() + sum(map(is_silent, objects)))
