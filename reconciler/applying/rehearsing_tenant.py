"""A simulated tenant made from nothing but a plan's baseline: enough of one for the plan's own
steps, and for nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.products import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.plans import Plan


def simulated_tenant(plan: Plan) -> Mapping[str, Json]:
    """The content of a simulated tenant's file, in which the plan's baseline is true and its steps
    can be run.

    What a baseline does not tell is made up by its product.
    """
    parts = {
        name: product.rehearsed(plan.baseline, plan.steps) for name, product in PRODUCTS.items()
    }
    return {
        "format_version": "1.0",
        "tenant": {
            "tenantId": plan.tenant.tenant_id,
            "organization": plan.tenant.organization,
        },
        "clock": plan.inputs.capture_taken_at,
        **{name: part.section for name, part in parts.items()},
        "directory": {
            "users": [row for part in parts.values() for row in part.users],
            "groups": [row for part in parts.values() for row in part.groups],
            "recipients": [row for part in parts.values() for row in part.recipients],
        },
    }
