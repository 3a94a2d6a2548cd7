"""Members of the groups that Teams policies are granted to, as far as a directory knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.membership import UNKNOWN, Coverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.observed import Directory


def group_coverage(directory: Directory) -> Callable[[str], Coverage]:
    """Direct members of a group, by its object id: nested groups do not count (MicrosoftDocs Assign
    policies to users and groups).
    """

    def members(group_id: str) -> Coverage:
        group = directory.groups.get(group_id)
        if group is None or group.members is None:
            return UNKNOWN
        return Coverage(group.members, closed=True)

    return members
