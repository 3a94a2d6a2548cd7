"""Exchange policies, and whether documents own them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.addresses import exchange_policy
from reconciler.model.unmanaged import UnmanagedObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.desired import DesiredExchange
    from reconciler.model.observed import ExchangeState


def unmanaged_objects(state: ExchangeState, desired: DesiredExchange) -> Iterator[UnmanagedObject]:
    """Every policy, sorted; one of an application that documents own, or quarantine, has no open parts.

    A scope that is recreated under its address has another object id, and another policy then.
    """
    ours = desired.owned | desired.quarantined
    for key in sorted(state.policies):
        policy = state.policies[key]
        if key[0] in ours or key in desired.absent:
            yield UnmanagedObject(exchange_policy(*key), {}, idle=True)
        else:
            parts = {"accessRight": policy.right.value, "sid": policy.sid}
            yield UnmanagedObject(exchange_policy(*key), parts)
