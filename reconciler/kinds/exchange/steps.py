"""Target -> steps in the fixed order, jointly over `*` and all applications (one application after the other is unsafe).

Create Denies; create Restricts; flips Restrict to Deny, each remove and create adjacent; flips Deny to Restrict; remove Restricts; remove
Denies; descriptions. No prefix opens more than before or after, except where `needs_guard` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.exchange import cmdlets
from reconciler.model.addresses import EVERY_APPLICATION, exchange_policy
from reconciler.model.codes import StepReason
from reconciler.model.documents import AccessRight
from reconciler.model.plans import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.model.observed import ExchangeKey, ExchangeState


def steps(observed: ExchangeState, target: ExchangeTarget) -> Iterator[Draft]:
    """The steps from the observed state to the target."""
    flipped = target.flipped
    created = sorted(target.created.keys() - flipped)
    removed = sorted(target.removed.keys() - flipped)
    for right, reason in ((AccessRight.DENY, StepReason.CREATE_DENY), (AccessRight.RESTRICT, StepReason.CREATE_RESTRICT)):
        yield from (_create(target, key, reason) for key in created if target.created[key].right is right)
    for right in (AccessRight.RESTRICT, AccessRight.DENY):
        for key in sorted(key for key in flipped if target.removed[key].right is right):
            yield _remove(target, key, StepReason.FLIP_REMOVE)
            yield _create(target, key, StepReason.FLIP_CREATE)
    for right, reason in ((AccessRight.RESTRICT, StepReason.REMOVE_RESTRICT), (AccessRight.DENY, StepReason.REMOVE_DENY)):
        yield from (_remove(target, key, reason) for key in removed if target.removed[key].right is right)
    for key in sorted(target.described):
        invocation = cmdlets.describe(observed.policies[key].identity, target.described[key])
        yield Draft(exchange_policy(*key), invocation, StepReason.DESCRIBE)


def needs_guard(observed: ExchangeState, target: ExchangeTarget) -> tuple[str, ...]:
    """Applications that some prefix would open to everyone: their Restricts all turn to Denies while new Restricts all come from Denies.

    Between the two flips nothing would restrict them. `*` stands for every application without policies of its own, and counts for all.
    """
    applications = {application for application, _ in target.flipped}
    if EVERY_APPLICATION in applications:
        applications |= {application for application, _ in observed.policies}
    return tuple(sorted(one for one in applications if _opens_between(observed, target, one)))


def _opens_between(observed: ExchangeState, target: ExchangeTarget, application: str) -> bool:
    concerned = {application, EVERY_APPLICATION}
    old = {key for key, policy in observed.policies.items() if key[0] in concerned and policy.right is AccessRight.RESTRICT}
    staying = {key for key in old if key not in target.removed}
    new = {key for key, creation in target.created.items() if key[0] in concerned and creation.right is AccessRight.RESTRICT}
    return bool(old and new) and not staying and old <= target.flipped and new <= target.flipped


def _create(target: ExchangeTarget, key: ExchangeKey, reason: StepReason) -> Draft:
    creation = target.created[key]
    return Draft(exchange_policy(*key), cmdlets.new(key[0], creation.scope_text, creation.right, creation.description), reason)


def _remove(target: ExchangeTarget, key: ExchangeKey, reason: StepReason) -> Draft:
    return Draft(exchange_policy(*key), cmdlets.remove(target.removed[key].identity), reason)
