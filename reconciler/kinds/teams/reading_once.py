"""What a reading of Teams could not read in a second way, as its capture says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.live_limits import unqueried

if TYPE_CHECKING:
    from collections.abc import Iterable


def read_once(names: Iterable[str]) -> dict[str, list[str]]:
    """The member of a section that lists the policies whose holders cannot be queried by name; none
    if there is no such policy.

    Args:
        names: the policies that were read, without `Tag:`.
    """
    odd = sorted(unqueried(names))
    return {"readOnce": odd} if odd else {}
