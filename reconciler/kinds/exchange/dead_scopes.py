"""Policies whose scope no longer exists, as far as a reading knows: what they do without it, and what
this plan does with them.

A scope is named by its object id for good: a group that is recreated, even under the same address,
is another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.exchange.mailbox_access import limits_of
from reconciler.kinds.exchange.target import state_reached
from reconciler.model.addresses import exchange_policy
from reconciler.model.codes import WarningCode
from reconciler.model.documents import AccessRight
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.model.observed import Directory, ExchangeKey, ExchangeState


def dead_scope_warnings(
    observed: ExchangeState, target: ExchangeTarget, directory: Directory
) -> Iterator[Note]:
    """A note for each policy whose scope is gone: what follows for access if it stays, and if it
    goes.
    """
    reached = state_reached(observed, target)
    successors = {old: new for new, old in target.replaced.items()}
    for key, policy in sorted(observed.policies.items()):
        if not directory.is_gone(policy.scope):
            continue
        address, scope = exchange_policy(*key), {"scopeName": policy.scope_name}
        if key in successors:
            details = {**scope, "instead": exchange_policy(*successors[key])}
            yield Note(WarningCode.SCOPE_RECREATED, address, details)
        elif key in target.removed:
            yield Note(_REMOVED[policy.right], address, scope)
        else:
            yield Note(_standing(reached, key, directory), address, scope)


_REMOVED = {
    AccessRight.DENY: WarningCode.DEAD_DENY_REMOVED,
    AccessRight.RESTRICT: WarningCode.DEAD_RESTRICT_REMOVED,
}


def _standing(reached: ExchangeState, key: ExchangeKey, directory: Directory) -> WarningCode:
    """What a policy that stays does: a dead Restrict blocks its application everywhere unless
    another one has a scope that may cover somebody.
    """
    if reached.policies[key].right is AccessRight.DENY:
        return WarningCode.DEAD_DENY
    restricts = limits_of(reached, key[0]).restricts
    if all(map(directory.is_gone, restricts)):
        return WarningCode.DEAD_RESTRICT
    return WarningCode.DEAD_RESTRICT_AMONG_OTHERS
