"""What a plan does to access, for all products, as a plan file has it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.access_rows import AccessDelta
from reconciler.planning.consequences import unpopulated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.audiences.subjects import Delta
    from reconciler.model.addresses import Provider
    from reconciler.model.baselines import Baseline
    from reconciler.model.plans import Step


def access_delta(
    deltas: Mapping[Provider, Delta], baseline: Baseline, steps: Sequence[Step]
) -> AccessDelta:
    """What the steps of a plan do to access."""
    access = of_products(deltas)
    return replace(access, unpopulated=unpopulated(baseline, steps, access))


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


def access_sizes(deltas: Mapping[Provider, Delta]) -> Mapping[str, int]:
    """How many people the rows of access stand for, by their keys: `access teams gained
    policy-holders NAME`.
    """
    return {
        f"access {provider} {name}": number
        for provider, delta in deltas.items()
        for name, number in delta.sizes.items()
    }


def access_ids(deltas: Mapping[Provider, Delta]) -> Iterator[str]:
    """The ids that the rows of access mention."""
    return chain.from_iterable(delta.ids() for delta in deltas.values())
