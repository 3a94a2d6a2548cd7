"""What Exchange's own check of access (Test-ApplicationAccessPolicy) answers, by its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.kinds.capture_rows import shown
from reconciler.tenants.protocol import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.canonical import Json

_RESULTS: Final[Mapping[str, bool]] = {"granted": True, "denied": False}
"""Values of AccessCheckResult, the names of an enumeration, which no language changes
(Test-ApplicationAccessPolicy page).
"""


def checked_access(results: Sequence[Json]) -> bool | NotUnderstood:
    """Whether the AccessCheckResult of each row says that access is granted; what is neither of its
    two values, or more than one of them, is not understood.
    """
    values = [
        _RESULTS.get(result.lower()) if isinstance(result, str) else None for result in results
    ]
    verdict = values[0] if values else None
    if verdict is None or any(value is not verdict for value in values):
        return NotUnderstood(", ".join(map(shown, results)) or "nothing")
    return verdict
