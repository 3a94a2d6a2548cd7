"""Filters of the reading cmdlets: a second language inside a literal, so it is built from values
and never from text.

`Get-CsOnlineUser -Filter` takes the syntax of Where-Object, `Get-Recipient -Filter` OPATH; both
quote with `'`. What no public source says how to quote is in `model.live_limits`, and never asked.
"""

from __future__ import annotations

from typing import Final

from reconciler.guids import GUID
from reconciler.kinds.teams.parse import POLICY_TYPE
from reconciler.model.live_limits import policy_name_limit

HOLDERS: Final = f"{POLICY_TYPE} -ne $null"
"""Users with a direct grant of any policy, one that does not exist any more included."""
NOT_DELETED: Final = "SoftDeletionTimestamp -eq $null"
"""Users who are not on their way out (Get-CsOnlineUser page)."""


def holders_of(name: str) -> str | None:
    """Users with a direct grant of one policy, named without `Tag:`; None if the name holds a
    character that nobody can prove to be quoted right.
    """
    return None if policy_name_limit(name) else f"{POLICY_TYPE} -eq '{name}'"


def any_of_ids(ids: tuple[str, ...]) -> str:
    """Recipients by their object ids in Entra; GUIDs need no quoting.

    Raises:
        ValueError: one of them is not a GUID in lower case.
    """
    if not ids or not all(map(GUID.fullmatch, ids)):
        raise ValueError("a filter takes object ids only")
    return " -or ".join(f"ExternalDirectoryObjectId -eq '{object_id}'" for object_id in ids)
