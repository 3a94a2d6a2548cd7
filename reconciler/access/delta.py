"""What a transition changes about access, for all products, as a plan file has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.access_rows import AccessDelta

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.audiences.subjects import Delta
    from reconciler.model.addresses import Provider


def of_products(deltas: Mapping[Provider, Delta]) -> AccessDelta:
    """Deltas of products as a plan file has them, sorted by product; which groups are named although
    nobody is concerned, only the steps of a plan tell.
    """
    ordered = [deltas[product] for product in sorted(deltas)]
    return AccessDelta(
        gained=tuple(row for delta in ordered for row in delta.gained),
        lost=tuple(row for delta in ordered for row in delta.lost),
        tenant_wide=tuple(row for delta in ordered for row in delta.tenant_wide),
        unpopulated=(),
    )
