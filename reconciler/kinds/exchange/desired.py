"""Exchange documents and a directory -> desired state with object ids, and the faults that show
only then.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.guids import guid
from reconciler.kinds.near_addresses import near_addresses
from reconciler.model.addresses import (
    ExchangePolicyAddress,
    exchange_application,
    exchange_policy,
    parse_address,
)
from reconciler.model.codes import Unfound
from reconciler.model.desired import DesiredExchange, DesiredExchangePolicy, Unresolved
from reconciler.model.documents import Kind
from reconciler.model.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.addresses import Address
    from reconciler.model.documents import ExchangePolicyDocument
    from reconciler.model.observed import Directory, ExchangeKey, ExchangePolicy

SAME_SCOPE = "exchange.duplicate"
"""Rule id of two documents that turn out to name the same application and scope once names are ids.
"""
MOVED_FROM = "exchange.moved-from"
"""Rule id of a `movedFrom` that turns out to name a policy that a document declares."""


def resolve(
    documents: Sequence[ExchangePolicyDocument],
    directory: Directory,
    observed: Mapping[ExchangeKey, ExchangePolicy],
    quarantined: frozenset[str] = frozenset(),
) -> tuple[DesiredExchange, tuple[Finding, ...]]:
    """Resolve the scopes of all Exchange documents.

    Args:
        documents: validated documents.
        directory: what the capture knows; matching ignores case and looks at all addresses.
        observed: the policies that the tenant has: their scopes resolve themselves. One that is
            gone does so for what exists on it and for deletions; nothing can be created on it.
        quarantined: applications that shall reach nobody: none of their names is needed, and nothing
            waits for one.

    Returns:
        The desired state, and one finding for each (application, scope) that is named twice under
            two names, or that is both declared and moved from.
    """
    reading = _Reading(directory, observed)
    for document in documents:
        reading.read(document)
    reading.compare_moves()
    named = (name for name in reading.unresolved if _owner(name.address) not in quarantined)
    desired = DesiredExchange(
        owned=_owned(documents),
        policies=reading.policies,
        absent=frozenset(reading.absent),
        unresolved=tuple(sorted(named, key=lambda name: (name.address, name.reason))),
        awaited={
            application: tuple(sorted(addresses))
            for application, addresses in sorted(reading.awaited.items())
            if application not in quarantined
        },
        moved={new: old for new, old in reading.moved.items() if old in observed},
        moves=dict(reading.moved),
        moved_on=tuple(
            sorted(each for each in reading.moved_on() if _owner(each) not in quarantined)
        ),
        quarantined=quarantined,
    )
    return desired, tuple(sorted(reading.findings))


def _owned(documents: Iterable[ExchangePolicyDocument]) -> frozenset[str]:
    """The applications of which documents declare all policies."""
    return frozenset(
        application
        for document in documents
        if not document.absent
        for application in document.applications
    )


def _owner(address: Address) -> str:
    """The application of a policy's address."""
    policy = parse_address(address)
    return policy.application if isinstance(policy, ExchangePolicyAddress) else ""


def scope_text(directory: Directory, scope: str) -> str:
    """How a scope is written in a text: its primary SMTP address, or its object id when the
    directory does not know it, or another recipient has it too.
    """
    recipient = directory.recipients.get(scope)
    if recipient is None or not recipient.primary or recipient.primary.lower() in directory.unclear:
        return scope
    return recipient.primary


class _Reading:
    def __init__(
        self, directory: Directory, observed: Mapping[ExchangeKey, ExchangePolicy]
    ) -> None:
        self._directory = directory
        self._observed = observed
        self._observed_scopes = frozenset(scope for _, scope in observed)
        self._seen: dict[ExchangeKey, ExchangePolicyDocument] = {}
        self.policies: dict[ExchangeKey, DesiredExchangePolicy] = {}
        self.absent: set[ExchangeKey] = set()
        self.moved: dict[ExchangeKey, ExchangeKey] = {}
        self.unresolved: list[Unresolved] = []
        self.awaited: dict[str, set[Address]] = {}
        self.findings: list[Finding] = []

    def read(self, document: ExchangePolicyDocument) -> None:
        name = document.scope.text.lower()
        scope = self._scope(name)
        if isinstance(scope, Unfound) and document.absent and guid(name):
            # A policy is stored under its scope's id, and no observed one has this: it is absent.
            scope = name
        if not isinstance(scope, Unfound) and not document.absent and self._unfit(scope):
            is_known = self._directory.recipients[scope].principal is not None
            name = scope
            scope = Unfound.SCOPE_NOT_PRINCIPAL if is_known else Unfound.SCOPE_UNCLEAR
        for application in document.applications:
            if isinstance(scope, Unfound):
                self._leave(document, application, name, scope)
            elif self._is_created_on_nothing(document, (application, scope)):
                is_gone = self._directory.is_gone(scope)
                reason = Unfound.SCOPE_ABSENT if is_gone else Unfound.SCOPE_UNCLEAR
                self._leave(document, application, scope, reason)
                self._keep((application, scope), document)
            else:
                self._place(document, (application, scope))

    def _leave(
        self, document: ExchangePolicyDocument, application: str, name: str, reason: Unfound
    ) -> None:
        address, owner = exchange_policy(application, name), exchange_application(application)
        # What else the application may do is not known without this scope.
        if reason in {Unfound.SCOPE_ABSENT, Unfound.SCOPE_UNCLEAR}:
            self.awaited.setdefault(application, set()).add(address)
        recipient = self._directory.recipients.get(name)
        self.unresolved.append(
            Unresolved(
                address,
                document.scope.text,
                reason,
                owner,
                may_be=self._may_be(name),
                whole=owner,
                recipient_type="" if recipient is None else recipient.type,
            )
        )

    def _may_be(self, name: str) -> tuple[str, ...]:
        """Who may be meant by a name: those who have it, or have one like it."""
        directory = self._directory
        if name in directory.recipients:
            return ()
        held_by = directory.unclear.get(name) or directory.two_meanings(name)
        return held_by or near_addresses(name, directory)

    def _keep(self, key: ExchangeKey, document: ExchangePolicyDocument) -> None:
        """Declare a policy unchanged, so that what cannot take its place does not remove it."""
        present = self._observed.get(key)
        if present is not None:
            self._place(replace(document, right=present.right, description=None), key)

    def _is_created_on_nothing(self, document: ExchangePolicyDocument, key: ExchangeKey) -> bool:
        """Whether the service would have to create a policy on a scope that is gone, or may be."""
        present = self._observed.get(key)
        stands = present is not None and present.right is document.right
        return document.right is not None and self._directory.is_missing(key[1]) and not stands

    def _scope(self, name: str) -> str | Unfound:
        """The object id of a scope; an address that is another user's principal name could mean
        either's mailbox.
        """
        directory = self._directory
        if name in directory.unclear:
            return Unfound.SCOPE_UNCLEAR
        if name in directory.recipients or name in self._observed_scopes:
            return name
        if name in directory.recipients_by_address:
            is_two = directory.two_meanings(name) is not None
            return Unfound.SCOPE_AMBIGUOUS if is_two else directory.recipients_by_address[name]
        return Unfound.SCOPE_ABSENT if name in directory.absent else Unfound.SCOPE_UNKNOWN

    def _unfit(self, scope: str) -> bool:
        """Whether the service would refuse the scope; one that an observed policy has was accepted
        once.
        """
        recipient = self._directory.recipients.get(scope)
        return (
            recipient is not None and not recipient.principal and scope not in self._observed_scopes
        )

    def _place(self, document: ExchangePolicyDocument, key: ExchangeKey) -> None:
        if key in self._seen:
            self._twice(document, key)
            return
        self._seen[key] = document
        if document.right is None:
            self.absent.add(key)
            return
        if document.moved_from is not None:
            self._move(document, document.moved_from.text.lower(), key)
        text = scope_text(self._directory, key[1])
        self.policies[key] = DesiredExchangePolicy(*key, document.right, document.description, text)

    def _move(self, document: ExchangePolicyDocument, name: str, key: ExchangeKey) -> None:
        """Note which policy a new one takes the place of; an unknown old scope has none."""
        old = self._scope(name)
        if old is Unfound.SCOPE_AMBIGUOUS:
            self._leave(document, key[0], name, old)
        self.moved[key] = (key[0], name if isinstance(old, Unfound) else old)

    def moved_on(self) -> Iterator[Address]:
        """What documents move from, where no application of the document has a policy."""
        moved = defaultdict(list)
        for new, old in self.moved.items():
            moved[self._seen[new].name].append(old)
        for olds in moved.values():
            if not any(old in self._observed for old in olds):
                yield from (exchange_policy(*old) for old in olds)

    def compare_moves(self) -> None:
        """Report moves from what a document declares, once names are ids."""
        for new, old in self.moved.items():
            declared = self._seen.get(old)
            if declared is not None:
                self._moved_from_declared(self._seen[new], old, declared)

    def _moved_from_declared(
        self, document: ExchangePolicyDocument, old: ExchangeKey, declared: ExchangePolicyDocument
    ) -> None:
        moved_from = document.moved_from or document.scope
        message = (
            f"the scope {moved_from.text!r} of application {old[0]} is {old[1]}, which document"
            f" {declared.name!r} at {declared.position} still declares as"
            f" {declared.scope.text!r}; remove `movedFrom`, or that document"
        )
        subject = f"{Kind.EXCHANGE_POLICY}/{document.name}"
        self.findings.append(
            Finding(moved_from.position, moved_from.path, MOVED_FROM, message, subject=subject)
        )

    def _twice(self, document: ExchangePolicyDocument, key: ExchangeKey) -> None:
        first = self._seen[key]
        message = (
            f"the scope {document.scope.text!r} of application {key[0]} is {key[1]}, which"
            f" document {first.name!r} at {first.position} already declares as"
            f" {first.scope.text!r}; keep one"
        )
        subject = f"{Kind.EXCHANGE_POLICY}/{document.name}"
        self.findings.append(
            Finding(
                document.scope.position, document.scope.path, SAME_SCOPE, message, subject=subject
            )
        )
