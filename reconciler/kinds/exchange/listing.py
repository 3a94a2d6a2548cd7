"""Which mailboxes an application reaches, by policy; and the policies of a tenant as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.reached import ReachedPart
from reconciler.kinds.exchange.mailbox_access import limits_of
from reconciler.kinds.exchange.scopes import is_governed, is_mailbox, scope_coverage
from reconciler.model.access_rows import SubjectKind, SubjectPart
from reconciler.model.addresses import EVERY_APPLICATION, exchange_application, exchange_policy
from reconciler.model.inventories import ListedPolicy
from reconciler.model.observed import is_opaque, limiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.desired import DesiredExchange
    from reconciler.model.observed import Directory, ExchangeState


def reached_by_rule(
    state: ExchangeState, directory: Directory, application: str
) -> Iterator[ReachedPart]:
    """Each scope that the application is restricted to, or every mailbox, without those that are
    denied; nothing is certain where a policy is not understood or waits for its scope.
    """
    coverage = scope_coverage(directory)
    denies, restricts = limits_of(state, application)
    denied = [coverage(scope) for scope in denies]
    doubtful = bool(state.opaque_limits(application) or limiting(state.awaited, application))
    closed = not doubtful and all(scope.closed for scope in denied)
    excepted = tuple(SubjectPart(_kind(directory, scope), scope) for scope in sorted(denies))
    if not restricts:
        rule = exchange_application(application)
        yield ReachedPart(
            "exchange", SubjectKind.EVERYONE, (), rule, None, certain=closed, excepted=excepted
        )
    for scope, key in sorted(restricts.items()):
        if scope in denies:
            continue
        own = coverage(scope)
        surely = _governed(directory, own.inside) if closed else frozenset[str]()
        yield ReachedPart(
            "exchange",
            _kind(directory, scope),
            (scope,),
            exchange_policy(*key),
            surely.difference(*(other.inside for other in denied)),
            certain=closed and own.closed,
            excepted=excepted,
        )


def _kind(directory: Directory, scope: str) -> SubjectKind:
    recipient = directory.recipients.get(scope)
    single = recipient is not None and is_mailbox(recipient)
    return SubjectKind.MAILBOX if single else SubjectKind.GROUP_MEMBERS


def _governed(directory: Directory, mailboxes: frozenset[str]) -> frozenset[str]:
    """Those for whom policies hold, as far as is known."""
    rows = directory.recipients
    return frozenset(
        mailbox for mailbox in mailboxes if mailbox not in rows or is_governed(rows[mailbox])
    )


def listed_applications(state: ExchangeState) -> frozenset[str]:
    """Client ids that have policies."""
    owners = {application for application, _ in state.policies} | state.opaque.keys()
    return frozenset(
        owner for owner in owners if owner != EVERY_APPLICATION and not is_opaque(owner)
    )


def inventory(state: ExchangeState, desired: DesiredExchange | None) -> Iterator[ListedPolicy]:
    """Every policy, sorted by application and scope, then what could not be understood."""
    for key in sorted(state.policies):
        policy = state.policies[key]
        owned = desired is not None and (key[0] in desired.owned or key in desired.absent)
        yield ListedPolicy(
            provider="exchange",
            address=exchange_policy(*key),
            name=policy.scope_name,
            managed=owned,
            applications=(policy.application,),
            right=policy.right.value,
            scope=policy.scope,
            description=policy.description,
        )
    for owner in sorted(state.opaque):
        for row in sorted(state.opaque[owner]):
            yield ListedPolicy(
                provider="exchange",
                address=exchange_application(owner),
                name=row.text,
                managed=False,
                applications=(owner,),
                understood=False,
            )
