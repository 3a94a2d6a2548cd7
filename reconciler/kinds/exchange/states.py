"""The part of a tenant's Exchange side that a plan's safety rests on: every policy of each touched
application and of `*`.

The Exchange twin of the Teams room's standings: a flat mapping of a name for people -> its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.model.addresses import EVERY_APPLICATION, exchange_policy
from reconciler.model.baselines import GUARD_SCOPE, StoredExchangePolicy, stored_policies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.kinds.exchange.guards import Guard
    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.model.baselines import ExchangeBaseline
    from reconciler.model.observed import ExchangeState
    from reconciler.model.plans import Step

Standing = dict[str, object]

_EVERY = exchange_policy(EVERY_APPLICATION, "")
_NEW_OR_REMOVE = frozenset(("New-ApplicationAccessPolicy", "Remove-ApplicationAccessPolicy"))


def baseline(
    observed: ExchangeState, target: ExchangeTarget, guard: Guard | None
) -> ExchangeBaseline:
    """Every policy of each touched application and of `*`, with what the service spelled; and the
    guards' group, if there are any.

    If policies of `*` come or go, every application is touched.
    """
    changed = {application for application, _ in target.created.keys() | target.removed.keys()}
    touched = changed | {application for application, _ in target.described} | {EVERY_APPLICATION}
    if EVERY_APPLICATION in changed:
        touched |= {application for application, _ in observed.policies}
    policies = {application: _policies(observed, application) for application in sorted(touched)}
    return policies if guard is None else {**policies, GUARD_SCOPE: guard.baseline()}


def _policies(observed: ExchangeState, application: str) -> tuple[StoredExchangePolicy, ...]:
    policies = (
        observed.policies[key] for key in sorted(observed.policies) if key[0] == application
    )
    return tuple(
        StoredExchangePolicy(
            access_right=policy.right,
            description=policy.description,
            identity=policy.identity,
            scope=policy.scope,
            sid=policy.sid,
            stored_description=policy.stored_description,
        )
        for policy in policies
    )


def start(section: ExchangeBaseline) -> Standing:
    """The standing that a plan file's baseline describes."""
    return {
        exchange_policy(application, policy.scope): (
            policy.access_right.value,
            policy.description,
        )
        for application, policies in stored_policies(section).items()
        for policy in policies
    }


def bear_on_all(steps: Sequence[Step]) -> bool:
    """Whether policies of `*` come or go, which concerns every application."""
    return any(step.address.startswith(_EVERY) and step.cmdlet in _NEW_OR_REMOVE for step in steps)


def project(section: ExchangeBaseline, observed: ExchangeState, *, everything: bool) -> Standing:
    """The same part of a tenant as it is now; a policy that nobody expects shows too.

    Args:
        section: the Exchange part of a plan's baseline.
        observed: the tenant.
        everything: whether the plan bears on all applications: then one that has got its first
            policy since the plan was made shows as well.
    """
    concerned = (
        policy
        for policy in observed.policies.values()
        if everything or policy.application in section
    )
    return {
        exchange_policy(one.application, one.scope): (one.right.value, one.description)
        for one in concerned
    }


def effect(standing: Standing, step: Step) -> Standing:
    """What a step changes in a standing: only the entry of its address, None when the policy is
    gone.
    """
    given = step.parameters
    description = str(given.get("Description", "")).strip() and str(given["Description"])
    match step.cmdlet:
        case "New-ApplicationAccessPolicy":
            return {step.address: (given["AccessRight"], description)}
        case "Set-ApplicationAccessPolicy":
            right, _ = cast("tuple[str, str]", standing[step.address])
            return {step.address: (right, description)}
        case "Remove-ApplicationAccessPolicy":
            return {step.address: None}
        case _:
            raise ValueError(f"{step.cmdlet} is no Exchange step")
