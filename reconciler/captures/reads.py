"""`reads[]`: what was read and how many objects came. A count that disagrees with the rows means that rows are missing (law 1)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from reconciler.captures.faults import FaultList
from reconciler.captures.rows import listed
from reconciler.kinds.teams.parse import POLICY_TYPE, bare_name, granted_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
_ONE_POLICY: Final = re.compile(rf"\s*\{{?\s*{POLICY_TYPE}\s+-eq\s+'(?P<name>.*)'\s*\}}?\s*", re.IGNORECASE)


def check(product: Provider, section: Mapping[str, Any], path: str, faults: FaultList) -> None:
    """Hold the counts of every read against the rows of a product's lists. Reads by other cmdlets (of the directory) have no list here."""
    for key, cmdlet in LISTS[product].items():
        # The parser of the rows tells what is wrong with them, here they are only counted.
        rows = listed(section.get(key), path, FaultList())
        reads = {f"{path}.reads[{index}]": read for index, read in enumerate(section["reads"]) if read["cmdlet"] == cmdlet}
        if not any(_one_policy(read) is None for read in reads.values()):
            faults.add(f"{path}.reads", f"no read by {cmdlet} of all of `{key}`: the reading is not complete, fetch again")
        _counts(key, reads, rows, faults)


def _counts(key: str, reads: Mapping[str, Mapping[str, Any]], rows: Sequence[Any], faults: FaultList) -> None:
    holders: Counter[str] | None = None
    for path, read in reads.items():
        policy, expected = _one_policy(read), len(rows)
        if policy is not None:
            holders = _holders(rows) if holders is None else holders
            expected = holders[bare_name(policy).lower()]
        if read["count"] != expected:
            faults.add(
                f"{path}.count",
                f"{read['cmdlet']} returned {read['count']}, but `{key}` has {expected}: the reading is not complete, fetch again",
            )


def _one_policy(read: Mapping[str, Any]) -> str | None:
    """Name of the policy whose holders a read asked for, None for a read of everything. A filter of another kind holds for no policy."""
    asked = (read.get("parameters") or {}).get("Filter")
    if asked is None or _ANY_POLICY.fullmatch(str(asked)):
        return None
    found = _ONE_POLICY.fullmatch(str(asked))
    return str(asked) if found is None else found["name"].replace("''", "'")


def _holders(rows: Sequence[Any]) -> Counter[str]:
    granted = (granted_name(row) for row in rows if isinstance(row, dict))
    return Counter(bare_name(name).lower() for name in granted if isinstance(name, str))
