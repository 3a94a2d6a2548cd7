"""Test-ApplicationAccessPolicy of a simulated tenant: what its policies mean for one mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.verdicts import Denied, Granted
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.products import PRODUCTS
from reconciler.tenants.protocol import NotUnderstood

if TYPE_CHECKING:
    from reconciler.tenants.simulated.world import World


def policy_verdict(world: World, mailbox: str, application: str) -> bool | NotUnderstood:
    """Whether the policies let an application (client id) into a mailbox (address); not understood
    where the directory of the tenant does not decide it.
    """
    product = PRODUCTS["exchange"]
    state = product.parse(world.services["exchange"].section(), "$.exchange", FaultList())
    _, answer = product.judge(state, world.people.known)(application.lower(), mailbox.lower())
    match answer:
        case Granted():
            return True
        case Denied():
            return False
        case _:
            return NotUnderstood("the simulated directory does not decide it")
