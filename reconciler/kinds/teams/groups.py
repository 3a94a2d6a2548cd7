"""Members of the groups that Teams policies are granted to, as far as a directory knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.membership import NOBODY, UNKNOWN, Coverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.observed import Directory


def is_gone(directory: Directory, group: str) -> bool:
    """Whether a reading knows that a group no longer exists: one without any group, as of a live
    tenant, knows of none whether it does, and may have looked for it as a recipient only.
    """
    return bool(directory.groups) and directory.is_gone(group)


def group_coverage(directory: Directory) -> Callable[[str], Coverage]:
    """Direct members of a group, by its object id: nested groups do not count (MicrosoftDocs Assign
    policies to users and groups). Exchange lists those members only that are recipients. A group that
    is gone has none.
    """

    def members(group_id: str) -> Coverage:
        group = directory.groups.get(group_id)
        if group is not None and group.members is not None:
            return Coverage(group.members, closed=True)
        if is_gone(directory, group_id):
            return NOBODY
        recipient = directory.recipients.get(group_id)
        if recipient is None or recipient.members is None:
            return UNKNOWN
        return Coverage(recipient.members, closed=False)

    return members
