"""Filters of the reading cmdlets: a second language inside a literal, so it is built from values
and never from text.

`Get-CsOnlineUser -Filter` takes the syntax of Where-Object, `Get-Recipient -Filter` OPATH; both
quote with `'`. How either doubles a quote, or what the Teams module makes of the characters that
mean something in a URL, no public source says: a name that holds one is refused.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.errors import TenantFault
from reconciler.guids import GUID
from reconciler.kinds.teams.parse import POLICY_TYPE

HOLDERS: Final = f"{POLICY_TYPE} -ne $null"
"""Users with a direct grant of any policy, one that does not exist any more included."""
NOT_DELETED: Final = "SoftDeletionTimestamp -eq $null"
"""Users who are not on their way out (Get-CsOnlineUser page)."""
_PROVEN: Final = re.compile(r"[\w .,()@-]+")
"""Characters of names that stand in a quoted text and mean nothing to either language."""


def holders_of(name: str) -> str:
    """Users with a direct grant of one policy, named without `Tag:`.

    Raises:
        TenantFault: the name holds a character that nobody can prove to be quoted right.
    """
    if not _PROVEN.fullmatch(name):
        raise TenantFault(
            f"teams: the holders of policy {name!a} cannot be queried: its name contains a"
            " character that may be special in a filter. Create the policy under a name of"
            " letters, digits, blanks and .,()@_- and move its grants there"
        )
    return f"{POLICY_TYPE} -eq '{name}'"


def any_of_ids(ids: tuple[str, ...]) -> str:
    """Recipients by their object ids in Entra; GUIDs need no quoting.

    Raises:
        ValueError: one of them is no GUID in lower case.
    """
    if not ids or not all(map(GUID.fullmatch, ids)):
        raise ValueError("a filter takes object ids only")
    return " -or ".join(f"ExternalDirectoryObjectId -eq '{object_id}'" for object_id in ids)
