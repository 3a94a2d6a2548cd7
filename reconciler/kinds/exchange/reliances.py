"""Which steps of a plan rely on which, told from the steps alone: whoever waits for the service
between two steps must not depend on what else a file says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.exchange import cmdlets
from reconciler.kinds.ordering.components import components
from reconciler.kinds.ordering.orders import reliances_of
from reconciler.model.addresses import EVERY_APPLICATION, ExchangePolicyAddress, parse_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.plans import Step


def reliances(steps: Sequence[Step]) -> Mapping[int, int]:
    """For Exchange steps that remove a policy, the earlier step that they rely on.

    An application's steps belong together; all of them do if `*` is among the applications.
    """
    moving = [step for step in steps if step.cmdlet in {cmdlets.NEW, cmdlets.REMOVE}]
    owners = [_application(step) for step in moving]
    together = EVERY_APPLICATION in owners
    relying: dict[int, int] = {}
    for part in components([(EVERY_APPLICATION if together else owner,) for owner in owners]):
        chosen = [moving[number] for number in part]
        roles = ((step.cmdlet == cmdlets.NEW, step.cmdlet == cmdlets.REMOVE) for step in chosen)
        for reliance in reliances_of(roles, 0):
            relying[chosen[reliance.step - 1].id] = chosen[reliance.on - 1].id
    return relying


def _application(step: Step) -> str:
    policy = parse_address(step.address.lower())
    return policy.application if isinstance(policy, ExchangePolicyAddress) else EVERY_APPLICATION
