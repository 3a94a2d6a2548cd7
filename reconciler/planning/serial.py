"""Desired state and a plan's parts as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.products import PRODUCTS
from reconciler.model import figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.desired import Desired
    from reconciler.model.documents import TenantDocument
    from reconciler.model.plans import Change, Note, Step


def desired_json(tenant: TenantDocument | None, desired: Desired) -> Json:
    """The resolved desired state, for the documents digest: no names for people, no positions,
    nothing that depends on an order.
    """
    rows: dict[str, Json] = {
        name: product.desired_rows(desired[name]) for name, product in PRODUCTS.items()
    }
    return {**rows, "tenant": None if tenant is None else _tenant(tenant)}


def _tenant(tenant: TenantDocument) -> Json:
    limits = tenant.limits
    return {
        "connect": tenant.connect,
        "consents": sorted(tenant.consents),
        "guardScope": tenant.guard_scope and tenant.guard_scope.lower(),
        "limits": [
            limits.max_deletes,
            limits.max_delete_percent,
            limits.max_removals,
            limits.max_removal_percent,
            limits.max_people,
            limits.unknown_groups.value,
        ],
        "organization": tenant.organization,
        "prune": sorted(tenant.prune),
        **({"refusesAbsentUsers": True} if tenant.refuses_absent_users else {}),
        "tenantId": tenant.tenant_id,
    }


def summary(
    changes: Sequence[Change], unmanaged: Sequence[Note], steps: Sequence[Step]
) -> Mapping[str, int]:
    """The figures of the closing lines, as a plan file has them."""
    return figures.plan_figures(changes, steps, unmanaged).as_mapping()
