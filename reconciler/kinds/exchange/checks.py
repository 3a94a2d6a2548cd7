"""What an Exchange transition opens, closes or leaves: refusals, warnings and what is unmanaged.

Nothing here changes the plan's steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.exchange.desired import scope_text
from reconciler.kinds.exchange.facts import SPACE_LIMIT, SPACE_WARNING
from reconciler.kinds.exchange.quarantine import ShuttingOut, shutting_key
from reconciler.kinds.limits import Tally, exceeded
from reconciler.model.addresses import exchange_application, exchange_policy
from reconciler.model.codes import ChangeReason, RefusalRule, WarningCode
from reconciler.model.documents import AccessRight
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.kinds.exchange.steps import Guarded
    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.model.desired import DesiredExchange
    from reconciler.model.documents import Limits
    from reconciler.model.observed import Directory, ExchangeState

POLICIES = "exchange.policy"


def refusals(
    observed: ExchangeState,
    target: ExchangeTarget,
    directory: Directory,
    limits: Limits,
    way: Guarded,
) -> Iterator[Note]:
    """Everything about the transition that needs a consent or cannot be done: `way` are its steps
    with their guards, or what guards lack.
    """
    for application, lacks in sorted(way.lacking.items()):
        yield Note(RefusalRule.NEEDS_GUARD, exchange_application(application), {"missing": lacks})
    yield from _undeclared(target, directory)
    yield from _lifted_denials(target)
    yield from _empty_scopes(target, directory)
    yield from exceeded(
        POLICIES,
        Tally("policies", "", _deletes(target), len(observed.policies)),
        limits.max_deletes,
        limits.max_delete_percent,
    )
    only_shuts = bool(target.shut) and target.shut == target.created.keys() and not way.guards
    peak = most_policies(observed, target) + way.guards
    if peak > SPACE_LIMIT and not only_shuts:
        details: Mapping[str, Json] = {
            "allow": f"{RefusalRule.POLICY_SPACE}:exchange",
            "policies": peak,
            "most": SPACE_LIMIT,
        }
        yield Note(RefusalRule.POLICY_SPACE, "exchange", details)


def _deletes(target: ExchangeTarget) -> int:
    """How many policies go for the limits: those of a quarantined application do not count."""
    return sum(application not in target.quarantined for application, _ in target.removed)


def most_policies(observed: ExchangeState, target: ExchangeTarget) -> int:
    """How many policies there are at once while the steps run: all that are created outright come
    before any goes.
    """
    opaque = {row for rows in observed.opaque.values() for row in rows}
    return len(observed.policies) + len(opaque) + len(target.created.keys() - target.flipped)


def unmanaged(
    observed: ExchangeState,
    target: ExchangeTarget,
    desired: DesiredExchange,
    shutting: ShuttingOut,
) -> Iterator[Note]:
    """Policies of applications that no document owns, but for keys stated absent, and for what a
    quarantine made or takes away.
    """
    ours = {shutting_key(application, shutting) for application in shutting.applications}
    for key in sorted(observed.policies):
        if key in ours or key in target.removed:
            continue
        if key[0] not in desired.owned and key not in desired.absent:
            policy = observed.policies[key]
            details = {
                "accessRight": policy.right.value,
                "scopeName": policy.scope_name,
                "description": policy.description,
            }
            yield Note("unmanaged", exchange_policy(*key), details)


def warnings(
    observed: ExchangeState, target: ExchangeTarget, way: Guarded, desired: DesiredExchange
) -> Iterator[Note]:
    """What a reviewer should know."""
    for address in desired.moved_on:
        yield Note(WarningCode.MOVED_ON, address, {})
    if own := target.created.keys() - target.shut:
        yield Note(WarningCode.LEGACY_MECHANISM, "exchange", {"policies": len(own)})
    if (
        target.created
        and SPACE_WARNING <= (peak := most_policies(observed, target) + way.guards) <= SPACE_LIMIT
    ):
        details = {"policies": peak, "from": SPACE_WARNING, "most": SPACE_LIMIT}
        yield Note(WarningCode.POLICY_SPACE, "exchange", details)


def _undeclared(target: ExchangeTarget, directory: Directory) -> Iterator[Note]:
    """Deleting is written down: what no document mentions may be somebody else's."""
    for key, reason in sorted(target.why_removed.items()):
        if reason is ChangeReason.NOT_DECLARED:
            address = exchange_policy(*key)
            details: Mapping[str, Json] = {
                "allow": f"{RefusalRule.UNDECLARED}:{address}",
                "application": key[0],
                "scope": scope_text(directory, key[1]),
            }
            yield Note(RefusalRule.UNDECLARED, address, details)


def _lifted_denials(target: ExchangeTarget) -> Iterator[Note]:
    """A DenyAccess that goes is asked about, whatever takes its place."""
    for key, policy in sorted(target.removed.items()):
        if policy.right is AccessRight.DENY:
            address = exchange_policy(*key)
            yield Note(RefusalRule.DENY, address, {"allow": f"{RefusalRule.DENY}:{address}"})


def _empty_scopes(target: ExchangeTarget, directory: Directory) -> Iterator[Note]:
    """A Restrict on a group without members blocks its application everywhere."""
    for key in sorted(target.created.keys() - target.shut):
        scope = directory.recipients.get(key[1])
        if (
            target.created[key].right is AccessRight.RESTRICT
            and scope is not None
            and scope.members == frozenset()
        ):
            address = exchange_policy(*key)
            yield Note(
                RefusalRule.EMPTY_SCOPE, address, {"allow": f"{RefusalRule.EMPTY_SCOPE}:{address}"}
            )
