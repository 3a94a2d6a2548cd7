"""The part of a tenant's Exchange side that a plan's safety rests on: every policy of each touched
application and of `*`.

As in the Teams room: a snapshot is a flat mapping of a name for people to its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.access_bounds import bounds
from reconciler.kinds.exchange import access_delta, cmdlets
from reconciler.kinds.exchange.opaque import opaque_texts, told_opaque
from reconciler.kinds.snapshots import ScopeRight, opaque_snapshot, parameter_text
from reconciler.model.addresses import EVERY_APPLICATION, exchange_policy
from reconciler.model.baselines import (
    GUARD_SCOPE,
    GuardScope,
    StoredExchangePolicy,
    stored_policies,
)
from reconciler.model.codes import RefusalRule
from reconciler.model.documents import AccessRight
from reconciler.model.observed import NOTHING_KNOWN, ExchangePolicy, ExchangeState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.kinds.access_bounds import AccessBounds
    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.kinds.snapshots import Snapshot
    from reconciler.model.addresses import Address
    from reconciler.model.baselines import ExchangeBaseline
    from reconciler.model.plans import Step

_POLICY = "exchange.policy/"
_EVERY = exchange_policy(EVERY_APPLICATION, "")
_NEW_OR_REMOVE = frozenset(("New-ApplicationAccessPolicy", "Remove-ApplicationAccessPolicy"))


def baseline(
    observed: ExchangeState, target: ExchangeTarget, guard: GuardScope | None
) -> ExchangeBaseline:
    """Every policy of each touched application and of `*`, with what the service spelled; and the
    empty group that is the scope of guards and of what shuts an application out, if there is one.
    """
    touched = sorted(_touched(observed, target))
    policies = {application: _policies(observed, application) for application in touched}
    return policies if guard is None else {**policies, GUARD_SCOPE: guard}


def opaque(observed: ExchangeState, target: ExchangeTarget) -> Mapping[str, tuple[str, ...]]:
    """What was read of the policies of touched applications that are not understood."""
    return opaque_texts(observed, _touched(observed, target))


def _touched(observed: ExchangeState, target: ExchangeTarget) -> set[str]:
    """The applications that steps concern, those that shall reach nobody, and `*`. If policies of `*`
    come or go, every application is touched.
    """
    changed = {application for application, _ in target.created.keys() | target.removed.keys()}
    touched = changed | {application for application, _ in target.described} | {EVERY_APPLICATION}
    touched |= target.quarantined
    if EVERY_APPLICATION in changed:
        touched |= {application for application, _ in observed.policies} | observed.opaque.keys()
    return touched


def _policies(observed: ExchangeState, application: str) -> tuple[StoredExchangePolicy, ...]:
    return tuple(
        _stored(observed.policies[key])
        for key in sorted(observed.policies)
        if key[0] == application
    )


def _stored(policy: ExchangePolicy) -> StoredExchangePolicy:
    return StoredExchangePolicy(
        access_right=policy.right,
        description=policy.description,
        identity=policy.identity,
        scope=policy.scope,
        sid=policy.sid,
        stored_description=policy.stored_description,
    )


def sections(states: Sequence[ExchangeState]) -> Iterator[ExchangeBaseline]:
    """Every policy of each state, by application; each section names the applications of all."""
    applications = {application for state in states for application, _ in state.policies}
    for state in states:
        rows: dict[str, list[StoredExchangePolicy]] = {
            application: [] for application in sorted({*applications, EVERY_APPLICATION})
        }
        for key in sorted(state.policies):
            rows[key[0]].append(_stored(state.policies[key]))
        yield {application: tuple(policies) for application, policies in rows.items()}


def starting_snapshot(section: ExchangeBaseline) -> Snapshot:
    """The snapshot that a plan file's baseline describes, but for what is not understood."""
    return {
        exchange_policy(application, policy.scope): ScopeRight(
            policy.access_right, policy.description
        )
        for application, policies in stored_policies(section).items()
        for policy in policies
    }


def project(section: ExchangeBaseline, observed: ExchangeState, steps: Sequence[Step]) -> Snapshot:
    """The same part of a tenant as it is now; a policy that nobody expects shows too.

    If policies of `*` come or go, that is of every application: one that has got its first policy
    since the plan was made shows as well.
    """
    everything = _bear_on_all(steps)
    concerned = (
        policy
        for policy in observed.policies.values()
        if everything or policy.application in section
    )
    owners = observed.opaque.keys() if everything else section.keys()
    return opaque_snapshot(opaque_texts(observed, owners)) | {
        exchange_policy(policy.application, policy.scope): ScopeRight(
            policy.right, policy.description
        )
        for policy in concerned
    }


def _bear_on_all(steps: Sequence[Step]) -> bool:
    return any(step.address.startswith(_EVERY) and step.cmdlet in _NEW_OR_REMOVE for step in steps)


def effect(snapshot: Snapshot, step: Step) -> Snapshot:
    """What a step changes in a snapshot: only the entry of its address, None when the policy is
    gone.

    Raises:
        KeyError, TypeError, ValueError: the step does not follow from the snapshot.
    """
    given = step.parameters
    written = parameter_text(given.get("Description", ""))
    description = written if written.strip() else ""
    match step.cmdlet:
        case "New-ApplicationAccessPolicy":
            right = AccessRight(parameter_text(given["AccessRight"]))
            return {step.address: ScopeRight(right, description)}
        case "Set-ApplicationAccessPolicy":
            policy = snapshot[step.address]
            if isinstance(policy, ScopeRight):
                return {step.address: ScopeRight(policy.right, description)}
            raise ValueError(f"{step.address} does not exist")
        case "Remove-ApplicationAccessPolicy":
            return {step.address: None}
        case _:
            raise ValueError(f"{step.cmdlet} is not an Exchange write cmdlet")


def access_bounds(section: ExchangeBaseline, before: Snapshot, after: Snapshot) -> AccessBounds:
    """What a plan's baseline and steps alone say about access."""
    was, shall = (told_state(section, snapshot)[0] for snapshot in (before, after))
    return bounds(access_delta.delta(was, shall, NOTHING_KNOWN))


def deny_consents(before: Snapshot, steps: Sequence[Step]) -> frozenset[str]:
    """One for each DenyAccess that steps remove, to flip it too."""
    removed = {step.address.lower() for step in steps if step.cmdlet == cmdlets.REMOVE}
    policies = {address: before.get(address) for address in removed}
    return frozenset(
        f"{RefusalRule.DENY}:{address}"
        for address, policy in policies.items()
        if isinstance(policy, ScopeRight) and policy.right is AccessRight.DENY
    )


def shows(address: Address, values: Mapping[str, Json] | None, snapshot: Snapshot) -> bool:
    """Whether a change gives a policy the values that a snapshot has."""
    policy = snapshot.get(address.lower())
    if not isinstance(policy, ScopeRight) or values is None:
        return policy is None and values is None
    given = (values.get("accessRight"), values.get("description"))
    return given == (policy.right.value, policy.description)


def told_state(
    section: ExchangeBaseline, snapshot: Snapshot
) -> tuple[ExchangeState, frozenset[str]]:
    """What a snapshot tells of the Exchange side, and the applications that it tells of."""
    policies = {}
    for name, value in snapshot.items():
        if isinstance(value, ScopeRight):
            application, _, scope = name.removeprefix(_POLICY).partition("@")
            policies[application, scope] = ExchangePolicy(
                application, scope, "", value.right, "", "", "", ""
            )
    return ExchangeState(policies, told_opaque(snapshot)), frozenset(section) - {GUARD_SCOPE}
