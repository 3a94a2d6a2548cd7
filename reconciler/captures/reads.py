"""`reads[]`: what was read and how many objects came.

A count that disagrees with the rows means that rows are missing (law 1).

A read is one of everything only if each of its parameters is known to leave nothing out: what else
may narrow a read, nobody can list.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import listed
from reconciler.kinds.teams.parse import POLICY_TYPE, GrantRow, bare_name, granted_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.model.addresses import Provider

LISTS: Final[Mapping[Provider, Mapping[str, str]]] = {
    "teams": {
        "policies": "Get-CsApplicationAccessPolicy",
        "groupAssignments": "Get-CsGroupPolicyAssignment",
        "users": "Get-CsOnlineUser",
    },
    "exchange": {"policies": "Get-ApplicationAccessPolicy"},
}
"""Per product, each list of rows and the cmdlet that reads it."""
_ANY_POLICY: Final = re.compile(rf"\s*\{{?\s*{POLICY_TYPE}\s+-ne\s+\$null\s*\}}?\s*", re.IGNORECASE)
_ONE_POLICY: Final = re.compile(
    rf"\s*\{{?\s*{POLICY_TYPE}\s+-eq\s+'(?P<name>.*)'\s*\}}?\s*", re.IGNORECASE
)
_UNLIMITED: Final = frozenset({"unlimited", "2147483647"})
"""No limit, as Exchange says it, and the most that Get-CsOnlineUser takes (its page)."""
_FREE: Final[Mapping[str, Mapping[str, Callable[[Any], bool]]]] = {
    "Get-CsApplicationAccessPolicy": {},
    "Get-CsGroupPolicyAssignment": {
        "policytype": lambda value: str(value).lower() == POLICY_TYPE.lower()
    },
    "Get-CsOnlineUser": {
        "filter": lambda value: (
            value is None
            or any(known.fullmatch(str(value)) for known in (_ANY_POLICY, _ONE_POLICY))
        ),
        "properties": lambda _: True,
        "resultsize": lambda value: str(value).lower() in _UNLIMITED,
    },
    "Get-ApplicationAccessPolicy": {},
}
"""Per cmdlet, the parameters (in lower case) and which of their values leave out nobody but those
without a policy, or without one policy.
"""


def check(product: Provider, section: Mapping[str, Any], path: str, faults: FaultList) -> None:
    """Hold the counts of every read against the rows of a product's lists.

    Reads by other cmdlets (of the directory) have no list here.
    """
    for key, cmdlet in LISTS[product].items():
        # The parser of the rows tells what is wrong with them, here they are only counted.
        rows = listed(section.get(key), path, FaultList())
        reads = {
            f"{path}.reads[{index}]": read
            for index, read in enumerate(section["reads"])
            if read["cmdlet"] == cmdlet
        }
        whole = {here: read for here, read in reads.items() if not _narrowed(here, read, faults)}
        if not any(_one_policy(read) is None for read in whole.values()):
            faults.add(
                f"{path}.reads",
                f"no read by {cmdlet} of all of `{key}`: the reading is not complete, fetch again",
            )
        _counts(key, whole, rows, faults)


def of_holders_only(section: Mapping[str, Any]) -> bool:
    """Whether `users` of the Teams section are by what was read those who hold a policy, and nobody
    else.
    """
    filters = [
        _filter(read)
        for read in section["reads"]
        if read["cmdlet"] == LISTS["teams"]["users"] and not _narrowing(read)
    ]
    return None not in filters and any(
        _ANY_POLICY.fullmatch(asked) for asked in filters if asked is not None
    )


def _narrowed(path: str, read: Mapping[str, Any], faults: FaultList) -> bool:
    """Whether a read left out nobody knows what; a fault if it did."""
    names = _narrowing(read)
    if names:
        faults.add(
            f"{path}.parameters",
            f"{read['cmdlet']} was narrowed by {', '.join(names)}: what it left out is not known,"
            " fetch again without",
        )
    return bool(names)


def _narrowing(read: Mapping[str, Any]) -> list[str]:
    """The parameters of a read, as they are spelled, that may leave out rows."""
    free, parameters = _FREE[read["cmdlet"]], read.get("parameters") or {}
    twice = len({name.lower() for name in parameters}) < len(
        parameters
    )  # no call can have been so: which value counted is not known
    return [
        name
        for name, value in parameters.items()
        if twice or name.lower() not in free or not free[name.lower()](value)
    ]


def _counts(
    key: str, reads: Mapping[str, Mapping[str, Any]], rows: Sequence[Any], faults: FaultList
) -> None:
    holders: Counter[str] | None = None
    everybody = any(_filter(read) is None for read in reads.values())
    for path, read in reads.items():
        expected = len(rows)
        if (everybody and _filter(read) is not None) or _one_policy(read) is not None:
            holders = _holders(rows) if holders is None else holders
            policy = _one_policy(read)
            expected = holders.total() if policy is None else holders[bare_name(policy).lower()]
        if read["count"] != expected:
            faults.add(
                f"{path}.count",
                f"{read['cmdlet']} returned {read['count']}, but `{key}` has {expected}: the"
                " reading is not complete, fetch again",
            )


def _filter(read: Mapping[str, Any]) -> str | None:
    found = (
        str(value)
        for name, value in (read.get("parameters") or {}).items()
        if name.lower() == "filter" and value is not None
    )
    return next(found, None)


def _one_policy(read: Mapping[str, Any]) -> str | None:
    """Name of the policy whose holders a read asked for, None for a read of everything."""
    found = _ONE_POLICY.fullmatch(_filter(read) or "")
    return None if found is None else found["name"].replace("''", "'")


def _holders(rows: Sequence[Any]) -> Counter[str]:
    granted = (granted_name(row) for row in rows if isinstance(row, dict | GrantRow))
    return Counter(bare_name(name).lower() for name in granted if isinstance(name, str))
