"""Whether an application reaches a mailbox: of a tenant, of documents alone, and what would change
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.audiences.membership import NOBODY
from reconciler.audiences.questions import Advice, Remedy
from reconciler.audiences.verdicts import (
    Ambiguous,
    Asked,
    Denied,
    Depends,
    Granted,
    Reason,
    Unnamed,
)
from reconciler.kinds.exchange.mailbox_access import (
    documented_verdict,
    limits_of,
    mailbox_verdict,
)
from reconciler.kinds.exchange.scopes import (
    has_mailbox,
    is_governed,
    is_mailbox,
    scope_coverage,
)
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    ExchangePolicyAddress,
    exchange_application,
    exchange_policy,
    parse_address,
)
from reconciler.model.documents import AccessRight
from reconciler.model.observed import ExchangePolicy, ExchangeState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.audiences.questions import Known, Question
    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.addresses import Address
    from reconciler.model.documents import Documents, ExchangePolicyDocument
    from reconciler.model.findings import Position
    from reconciler.model.observed import Directory, ExchangeKey


_EMPTY = ""
"""Stands for the scope of an empty group: no name is so."""


def mailbox_id(directory: Directory, name: str) -> str | Unnamed | Ambiguous:
    """The object id of a mailbox by any name, lower-case; why there is none otherwise."""
    if meanings := directory.two_meanings(name):
        return Ambiguous(meanings)
    recipient = directory.recipients.get(directory.recipients_by_address.get(name, name))
    if recipient is None:
        return Unnamed.MAILBOX_ABSENT if name in directory.absent else Unnamed.MAILBOX_UNKNOWN
    return recipient.id if has_mailbox(recipient) else Unnamed.NOT_A_MAILBOX


def ungoverned(directory: Directory, mailbox: str, application: str) -> Depends | None:
    """Why policies decide nothing about a mailbox, by its object id: they do not govern it, or
    nothing says that they do; None if they do, or if it is unknown what it is.
    """
    recipient = directory.recipients.get(mailbox)
    governed = True if recipient is None else is_governed(recipient)
    if governed:
        return None
    owner = exchange_application(application)
    return Depends((Reason(Asked.GOVERNED, owner, holds=governed),), (owner,))


def explained_verdict(question: Question, knowledge: Known, state: ExchangeState | None) -> Verdict:
    """The verdict on a question; what is not known makes it depend."""
    if state is None or not knowledge.tells("exchange", question.application):
        owner = exchange_application(question.application)
        return Depends((Reason(Asked.RESTRICTED, owner, holds=None),), (owner,))
    return ungoverned(
        knowledge.directory, question.subject, question.application
    ) or documented_verdict(state, question.application, _covers(question, knowledge.directory))


def _covers(question: Question, directory: Directory) -> Callable[[str], bool | None]:
    """Whether a scope covers the mailbox.

    One that nothing resolves can be in any scope that covers anybody.
    """
    coverage = scope_coverage(directory)
    if question.resolved:
        return lambda scope: coverage(scope).covers(question.subject)
    return lambda scope: False if coverage(scope) == NOBODY else None


def advice(
    question: Question, state: ExchangeState | None, verdict: Verdict, directory: Directory
) -> Iterator[Advice]:
    """What would change a verdict. Nobody can be added to a scope that is gone."""
    owner = exchange_application(question.application)
    covering = [
        reason.address
        for reason in verdict.path
        if reason.holds and reason.asked is not Asked.RESTRICTED
    ]
    match verdict:
        case Granted():
            yield from (
                Advice(Remedy.REPLACE_SCOPE, reason.address)
                for reason in verdict.path
                if reason.asked is Asked.DENY_COVERS and _is_dead(directory, reason.address)
            )
            yield from (Advice(Remedy.LEAVE_SCOPE, address) for address in covering)
            yield Advice(Remedy.DENY if covering else Remedy.RESTRICT, owner)
        case Denied():
            yield from (Advice(Remedy.LEAVE_SCOPE, address) for address in covering)
            joinable = () if covering else sorted(_restricts(state, question.application).values())
            yield from (
                Advice(_opening(directory, scope), exchange_policy(application, scope))
                for application, scope in joinable
            )
        case Depends(path) if path and path[0].asked is Asked.GOVERNED:
            return  # nothing that policies or a reading could say would decide it
        case Depends():
            yield from (Advice(Remedy.LEARN, address) for address in verdict.unknown)
        case _:
            assert_never(verdict)


def _is_dead(directory: Directory, address: Address) -> bool:
    policy = parse_address(address)
    return isinstance(policy, ExchangePolicyAddress) and directory.is_gone(policy.scope)


def _opening(directory: Directory, scope: str) -> Remedy:
    """How a RestrictAccess policy on a scope would come to cover one mailbox more."""
    if directory.is_gone(scope):
        return Remedy.REPLACE_SCOPE
    recipient = directory.recipients.get(scope)
    is_single = recipient is not None and is_mailbox(recipient)
    return Remedy.ADD_SCOPE if is_single else Remedy.JOIN_SCOPE


def _restricts(state: ExchangeState | None, application: str) -> Mapping[str, ExchangeKey]:
    return {} if state is None else limits_of(state, application).restricts


def declared_verdicts(documents: Documents) -> Callable[[str, str], Verdict]:
    """What documents alone decide, by application and the text that names a mailbox.

    A document without a right states a deletion. A quarantined application has its denials, and is
    restricted to an empty group.
    """
    policies = [
        policy
        for document in documents.exchange
        for policy in _policies(document)
        if policy.application not in documents.quarantined or policy.right is AccessRight.DENY
    ]
    policies += map(_shut_out, documents.quarantined)
    owned = {policy.application for policy in policies}
    state = ExchangeState({(policy.application, policy.scope): policy for policy in policies})

    def verdict(application: str, mailbox: str) -> Verdict:
        declared = mailbox_verdict(state, application, lambda scope: _is_covered(scope, mailbox))
        unowned = tuple(
            exchange_application(owner)
            for owner in (application, EVERY_APPLICATION)
            if owner not in owned
        )
        if not isinstance(declared, Granted) or not unowned:
            return declared
        # What no document declares could still deny it; nothing could grant what a Deny denies.
        unread = (Reason(Asked.RESTRICTED, owner, holds=None) for owner in unowned)
        return Depends((*declared.path, *unread), unowned)

    return verdict


def _shut_out(application: str) -> ExchangePolicy:
    return ExchangePolicy(application, _EMPTY, "", AccessRight.RESTRICT, "", "", "", _EMPTY)


def _is_covered(scope: str, mailbox: str) -> bool | None:
    """Whether a scope covers a mailbox, as far as their names tell."""
    if scope == _EMPTY:
        return False
    return True if scope == mailbox else None


def _policies(document: ExchangePolicyDocument) -> Iterator[ExchangePolicy]:
    scope = document.scope.text.lower()
    if document.right is not None:
        for application in document.applications:
            yield ExchangePolicy(application, scope, "", document.right, "", "", "", scope)


def declared_at(
    documents: Iterable[ExchangePolicyDocument], directory: Directory
) -> Iterator[tuple[Address, Position]]:
    """Where policies are declared."""
    for document in documents:
        name = document.scope.text.lower()
        scope = directory.recipients_by_address.get(name, name)
        for application in document.applications:
            yield exchange_policy(application, scope), document.scope.position
