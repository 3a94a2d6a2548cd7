"""What a transition changes about access, for all products, as a plan file has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.products import PRODUCTS
from reconciler.model.access_rows import AccessDelta

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.audiences.subjects import Delta
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Directory, State


def delta(
    before: Mapping[Provider, State], after: Mapping[Provider, State], directory: Directory
) -> AccessDelta:
    """The access delta between any two states of a tenant; a product that one of them lacks
    contributes nothing.
    """
    deltas = {
        name: product.delta(before[name], after[name], directory)
        for name, product in PRODUCTS.items()
        if name in before and name in after
    }
    return of_products(deltas)


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
