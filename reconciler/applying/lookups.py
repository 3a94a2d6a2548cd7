"""Which names must be looked up again before they are written, because the plan had to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import ExchangePolicyAddress, parse_address, teams_user_grant
from reconciler.model.baselines import guard_scope
from reconciler.model.codes import WarningCode
from reconciler.model.documents import AccessRight
from reconciler.model.observed import ExchangeState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model.observed import Directory, Observed
    from reconciler.model.plans import Plan, Step

CREATE_EXCHANGE = "New-ApplicationAccessPolicy"
REMOVE_EXCHANGE = "Remove-ApplicationAccessPolicy"


class ScopeName(Struct, frozen=True):
    """An SMTP address that must lead to this object id when the policy is created."""

    address: str
    scope: str


def may_widen(step: Step) -> bool:
    """Whether an application may reach more after a step than before it. False only for what does
    not depend on anybody's memberships: a denial, a Teams policy that nobody holds yet or any more,
    a shorter list, a description.
    """
    match step.cmdlet:
        case "New-ApplicationAccessPolicy":
            return step.parameters["AccessRight"] != AccessRight.DENY
        case "Set-CsApplicationAccessPolicy":
            edit = step.parameters.get("AppIds")
            return isinstance(edit, dict) and "Add" in edit
        case (
            "New-CsApplicationAccessPolicy"
            | "Remove-CsApplicationAccessPolicy"
            | "Set-ApplicationAccessPolicy"
        ):
            return False
        case _:
            return True


def users_before(plan: Plan, steps: Iterable[Step]) -> tuple[str, ...]:
    """Object ids of users that these steps grant to and that the plan's capture never looked for,
    sorted.
    """
    trusted = {
        str(note.details["user"])
        for note in plan.warnings
        if note.code == WarningCode.USER_NOT_LOOKED_FOR
    }
    addresses = {step.address for step in steps} if trusted else set()
    return tuple(sorted(user for user in trusted if teams_user_grant(user) in addresses))


def absent_users(users: Iterable[str], directory: Directory) -> tuple[str, ...]:
    """Those of the users, sorted, whom a directory that looked for them does not have."""
    return tuple(sorted(user for user in users if user not in directory.users))


def scope_before(step: Step) -> ScopeName | None:
    """The name to resolve just before a step; None for a step that creates no Exchange policy, or
    that names its scope by id.
    """
    if step.cmdlet != CREATE_EXCHANGE:
        return None
    name = _scope_name(step)
    return name if name.address.lower() != name.scope else None


def guard_before(step: Step, plan: Plan) -> ScopeName | None:
    """The group that has to be empty just before a step, because the step makes a temporary policy
    on it, or shuts a quarantined application out by it; None for any other step.
    """
    if step.cmdlet != CREATE_EXCHANGE:
        return None
    name = _scope_name(step)
    group = guard_scope(plan.baseline.of_exchange() or {})
    is_empty_group = group is not None and group.id == name.scope and _is_restrict(step)
    return name if step.temporary or is_empty_group else None


def _is_restrict(step: Step) -> bool:
    return step.parameters.get("AccessRight") == AccessRight.RESTRICT.value


def _scope_name(step: Step) -> ScopeName:
    policy = parse_address(step.address)
    if not isinstance(policy, ExchangePolicyAddress):
        raise TypeError(step.address)  # `reviewed` has proved it
    return ScopeName(str(step.parameters["PolicyScopeGroupId"]), policy.scope)


def still_empty(name: ScopeName, plan: Plan, directory: Directory) -> bool:
    """Say whether the group is the one that the plan was reviewed with, and known to have no
    members.
    """
    reviewed = guard_scope(plan.baseline.of_exchange() or {})
    recipient = directory.recipients.get(
        directory.recipients_by_address.get(name.address.lower(), name.address.lower())
    )
    if recipient is None or reviewed is None or recipient.id != name.scope:
        return False
    empty = recipient.members == frozenset()
    return bool(recipient.principal) and empty and recipient.sid == reviewed.sid


def identity_of(observed: Observed, address: str) -> str | None:
    """What the service calls the Exchange policy of an address; None if there is none."""
    key, state = parse_address(address), observed.state(ExchangeState)
    if not isinstance(key, ExchangePolicyAddress) or state is None:
        return None
    policy = state.policies.get((key.application, key.scope))
    return None if policy is None else policy.identity


def relied_on(plan: Plan) -> Mapping[int, int]:
    """For steps that take something away, the step that each relies on: the one that the plan warns
    about, or a later one that follows from its steps. A warning missing from the file never
    shortens a wait.
    """
    relying = {
        int(str(note.details["step"])): int(str(note.details["on"]))
        for note in plan.warnings
        if note.code == WarningCode.RELIES_ON
    }
    for provider, product in PRODUCTS.items():
        own = [step for step in plan.steps if step.provider == provider]
        for step, on in product.reliances(plan.baseline, own).items():
            relying[step] = max(on, relying.get(step, 0))
    return relying


def still_leads(name: ScopeName, directory: Directory) -> bool:
    """Say whether an address still resolves to the object that the plan was reviewed with."""
    return directory.recipients_by_address.get(name.address.lower()) == name.scope
