"""What a transition changes about access, for both products, as a plan file has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.audiences.subjects import (
    Delta,
    TenantWide,
    row_json,
    row_of,
    subject_json,
    subject_of,
)
from reconciler.kinds.products import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Directory, State


def delta(
    before: Mapping[Provider, State], after: Mapping[Provider, State], directory: Directory
) -> Mapping[str, Json]:
    """The access delta between any two states of a tenant; a product that one of them lacks
    contributes nothing.
    """
    deltas = {
        name: product.delta(before[name], after[name], directory)
        for name, product in PRODUCTS.items()
        if name in before and name in after
    }
    return as_json(deltas)


def as_json(deltas: Mapping[Provider, Delta]) -> Mapping[str, Json]:
    """Deltas of products as a plan file has them."""
    products = sorted(deltas)
    return {
        "gained": [
            row_json(row, product) for product in products for row in deltas[product].gained
        ],
        "lost": [row_json(row, product) for product in products for row in deltas[product].lost],
        "tenant_wide": [
            _tenant_wide(one, product)
            for product in products
            for one in deltas[product].tenant_wide
        ],
    }


def read(value: Any, provider: Provider) -> Delta:
    """One product's delta of a plan file; None, which is not computed, has no row.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    if value is None:
        return Delta((), (), (), {})
    parts = {
        name: [row for row in value[name] if row["provider"] == provider]
        for name in ("gained", "lost", "tenant_wide")
    }
    wide = (
        TenantWide(row_of(row), tuple(map(subject_of, row["was"]))) for row in parts["tenant_wide"]
    )
    return Delta(
        tuple(map(row_of, parts["gained"])), tuple(map(row_of, parts["lost"])), tuple(wide), {}
    )


def _tenant_wide(one: TenantWide, provider: Provider) -> dict[str, Json]:
    return {**row_json(one.row, provider), "was": [subject_json(subject) for subject in one.was]}
