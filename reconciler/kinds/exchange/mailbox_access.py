"""Exchange: an application reaches every mailbox unless policies narrow it.

Five rules, in this order: a Deny outranks a Restrict; a Deny that covers the mailbox denies; a
Restrict that covers it grants; an application with Restricts of which none covers it is denied;
otherwise it is granted (MicrosoftDocs New-ApplicationAccessPolicy). A policy of `*` counts for
every application, as one of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from reconciler.audiences.clauses import Clause, Partition, audience
from reconciler.audiences.verdicts import Asked, Denied, Depends, Granted, Reason
from reconciler.model.addresses import EVERY_APPLICATION, exchange_application, exchange_policy
from reconciler.model.documents import AccessRight
from reconciler.model.observed import limiting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.addresses import Address
    from reconciler.model.observed import ExchangeKey, ExchangeState


class ScopeLimits(NamedTuple):
    """The policies that count for one application, by scope: keys of its own come before those of
    `*`.
    """

    denies: dict[str, ExchangeKey]
    restricts: dict[str, ExchangeKey]

    @property
    def scopes(self) -> tuple[frozenset[str], frozenset[str]]:
        """Scopes that are denied, and that it is restricted to: two applications with equal ones
        reach the same mailboxes.
        """
        return frozenset(self.denies), frozenset(self.restricts)


def limits(state: ExchangeState) -> Mapping[str, ScopeLimits]:
    """The limits of every application that has policies, and of `*`: of every other one."""
    own: dict[str, ScopeLimits] = {EVERY_APPLICATION: ScopeLimits({}, {})}
    for key in sorted(state.policies, key=lambda key: (key[0] != EVERY_APPLICATION, key)):
        if key[0] not in own:
            every = own[EVERY_APPLICATION]
            own[key[0]] = ScopeLimits(dict(every.denies), dict(every.restricts))
        right = state.policies[key].right
        scopes = own[key[0]].denies if right is AccessRight.DENY else own[key[0]].restricts
        scopes[key[1]] = key
    return own


def limits_of(state: ExchangeState, application: str) -> ScopeLimits:
    """The limits of one application: a client id in lower case, or `*`."""
    own = limits(state)
    return own.get(application, own[EVERY_APPLICATION])


def mailbox_partition(of_application: ScopeLimits) -> Partition:
    """The mailboxes that an application reaches, and those that it does not, by scope."""
    denied, restricted = of_application.scopes
    inside = (
        [Clause(frozenset({scope}), denied) for scope in restricted]
        if restricted
        else [Clause(outside=denied)]
    )
    beyond = [Clause(outside=restricted)] if restricted else []
    return Partition(
        audience(inside), audience([*(Clause(frozenset({scope})) for scope in denied), *beyond])
    )


def mailbox_verdict(
    state: ExchangeState, application: str, covers: Callable[[str], bool | None]
) -> Verdict:
    """Whether an application reaches a mailbox.

    Args:
        state: the Exchange side.
        application: client id in lower case, or `*` for one without policies of its own.
        covers: whether a scope, by its object id, covers the mailbox; None is not known. A scope
            that is gone covers nobody. Where a policy is not understood, only a Deny decides. What
            policies would say that wait for their scope is left out, and they end the way.
    """
    verdict = _limited(state, application, covers)
    waiting = _waiting(state, application)
    return replace(verdict, path=(*verdict.path, *waiting)) if waiting else verdict


def documented_verdict(
    state: ExchangeState, application: str, covers: Callable[[str], bool | None]
) -> Verdict:
    """The same once the documents are applied as a whole: what waits for its scope decides as well,
    in an unknown way, unless a Deny does.
    """
    verdict = mailbox_verdict(state, application, covers)
    waiting = _waiting(state, application)
    if not waiting or (isinstance(verdict, Denied) and _is_denied(verdict)):
        return verdict
    return Depends(verdict.path, tuple(reason.address for reason in waiting))


def _is_denied(verdict: Denied) -> bool:
    return any(reason.asked is Asked.DENY_COVERS and reason.holds for reason in verdict.path)


def _waiting(state: ExchangeState, application: str) -> tuple[Reason, ...]:
    return tuple(
        Reason(Asked.SCOPE_FOUND, address, holds=False)
        for owner in limiting(state.awaited, application)
        for address in state.awaited[owner]
    )


def _limited(
    state: ExchangeState, application: str, covers: Callable[[str], bool | None]
) -> Verdict:
    denies, restricts = limits_of(state, application)
    denying = _asked(Asked.DENY_COVERS, denies, covers)
    if denying and denying[-1].holds:
        return Denied(denying, denying[-1].address)
    if owners := state.opaque_limits(application):
        addresses = tuple(map(exchange_application, owners))
        unread = (Reason(Asked.UNDERSTOOD, address, holds=None) for address in addresses)
        return Depends((*denying, *unread), addresses)
    granting = _asked(Asked.RESTRICT_COVERS, restricts, covers)
    if granting and granting[-1].holds:
        return _granted_unless_denied((*denying, *granting), granting[-1].address)
    owner = exchange_application(application)
    path = (*denying, *granting, Reason(Asked.RESTRICTED, owner, holds=bool(restricts)))
    if not restricts:
        return _granted_unless_denied(path, owner)
    # Who is in a scope that is denied as well is denied: whether a Restrict of that scope covers
    # the mailbox makes no difference.
    open_to = (
        reason
        for reason, scope in zip(granting, sorted(restricts), strict=True)
        if scope not in denies
    )
    return (
        Depends(path, _unknown(path))
        if any(reason.holds is None for reason in open_to)
        else Denied(path, owner)
    )


def _granted_unless_denied(path: tuple[Reason, ...], decided_by: Address) -> Verdict:
    """Granted, if no Deny may cover the mailbox."""
    denies = any(reason.holds is None and reason.asked is Asked.DENY_COVERS for reason in path)
    return Depends(path, _unknown(path)) if denies else Granted(path, decided_by)


def _unknown(path: tuple[Reason, ...]) -> tuple[Address, ...]:
    return tuple(reason.address for reason in path if reason.holds is None)


def _asked(
    asked: Asked, policies: Mapping[str, ExchangeKey], covers: Callable[[str], bool | None]
) -> tuple[Reason, ...]:
    """Policies in the order of their scopes, up to the first that covers the mailbox."""
    path: list[Reason] = []
    for scope, key in sorted(policies.items()):
        path.append(Reason(asked, exchange_policy(*key), covers(scope)))
        if path[-1].holds:
            break
    return tuple(path)
