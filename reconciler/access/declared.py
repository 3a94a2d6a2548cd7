"""What the documents alone decide about access, whatever the tenant has: only what no unmanaged
object and no membership can change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.access.testing import DEPENDS, KINDS, Result, of_documents, ordered
from reconciler.audiences.verdicts import Asked, Depends, Granted, Reason
from reconciler.documents.rules import Rule
from reconciler.kinds.exchange import mailbox_access
from reconciler.kinds.teams import effective_policy
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    exchange_application,
    name_key,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.documents import Kind
from reconciler.model.findings import Finding
from reconciler.model.observed import ExchangePolicy, ExchangeState, TeamsPolicy, TeamsState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.access.testing import Expected
    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.documents import Documents, ExchangePolicyDocument, TeamsPolicyDocument

FAILED = Rule(
    "access-test.failed",
    "The documents contradict an access test",
    "A test says what must stay true, whatever anyone edits. This one fails whatever the tenant"
    " has; what only a tenant decides, `plan` and `test` judge.",
)


def judge(documents: Documents) -> tuple[Result, ...]:
    """Judge the tests of documents on what they declare, as it will be once it is applied as a
    whole.

    A user is known by the very text that a policy lists, a mailbox by the very text of a scope:
    that two names mean one object only a tenant knows.

    Args:
        documents: documents without faults; with one left out, what it declares would be missing.
    """
    meetings, mailboxes = _Teams(documents.teams), _Exchange(documents.exchange)

    def verdict(one: Expected) -> Verdict:
        return meetings.verdict(one) if one.product == "teams" else mailboxes.verdict(one)

    return ordered(Result(one, one.subject, verdict(one)) for one in of_documents(documents.tests))


def findings(results: Iterable[Result]) -> Iterator[Finding]:
    """A fault for each expectation of a document that is decided, and not as expected."""
    for result in results:
        one = result.expected
        if one.written is not None and not result.passed and result.verdict != DEPENDS:
            message = (
                f"the documents make it {result.verdict} for application {one.application} and the"
                f" {KINDS[one.product]} `{one.written.text}`, `{one.access}` is expected: correct"
                " the test or what it contradicts"
            )
            yield Finding(
                one.written.position,
                one.written.path,
                FAILED.id,
                message,
                subject=f"{Kind.ACCESS_TEST}/{one.test}",
            )


class _Teams:
    """Policies with a declared list, and who is listed as their holder."""

    def __init__(self, documents: Iterable[TeamsPolicyDocument]) -> None:
        self._lists: dict[str, TeamsPolicy] = {}
        self._users: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for document in documents:
            key = name_key(document.name)
            self._names[key] = document.name
            self._users |= {
                text.lower(): key for listing in document.users or () for text in listing.texts
            }
            if document.applications is not None:
                self._lists[key] = TeamsPolicy(
                    document.name, {one: one for one in document.applications}, ""
                )

    def verdict(self, one: Expected) -> Verdict:
        held = self._users.get(one.subject)
        if held is not None and held not in self._lists:
            policy = teams_policy(self._names[held])
            grant = Reason(Asked.DIRECT_GRANT, teams_user_grant(one.subject), holds=True)
            return Depends((grant, Reason(Asked.LISTED, policy, holds=None)), (policy,))
        state = TeamsState(self._lists, (), self._users, {})
        return effective_policy.user_verdict(
            state, one.application, one.subject, lambda _: None, direct_known=False
        )


class _Exchange:
    """Declared policies, by application and the text of their scope.

    A document without a right states a deletion.
    """

    def __init__(self, documents: Iterable[ExchangePolicyDocument]) -> None:
        policies = [policy for document in documents for policy in _policies(document)]
        self._owned = {policy.application for policy in policies}
        self._state = ExchangeState(
            {(policy.application, policy.scope): policy for policy in policies}
        )

    def verdict(self, one: Expected) -> Verdict:
        found = mailbox_access.mailbox_verdict(
            self._state, one.application, lambda scope: True if scope == one.subject else None
        )
        unowned = tuple(
            exchange_application(owner)
            for owner in (one.application, EVERY_APPLICATION)
            if owner not in self._owned
        )
        if (
            isinstance(found, Granted) and unowned
        ):  # what no document declares could deny it still; nothing could grant what a Deny denies
            return Depends(
                (*found.path, *(Reason(Asked.RESTRICTED, owner, holds=None) for owner in unowned)),
                unowned,
            )
        return found


def _policies(document: ExchangePolicyDocument) -> Iterator[ExchangePolicy]:
    scope = document.scope.text.lower()
    if document.right is not None:
        for application in document.applications:
            yield ExchangePolicy(application, scope, "", document.right, "", "", "", scope)
