"""Rules that documents of one kind keep among themselves: one Tenant, one name for a client id, one
policy for a user, a group or a scope, expectations that can all be true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.checks_names import (
    APP_ID,
    Applications,
    expectations,
    has_client_id,
)
from reconciler.documents.raw_documents import Claim, clashes, shown
from reconciler.kinds.facts import facts, in_turn
from reconciler.kinds.teams.facts import MOST_GROUPS
from reconciler.model.addresses import EVERY_APPLICATION, GLOBAL, name_key
from reconciler.model.documents import AccessRight, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.addresses import Provider
    from reconciler.model.findings import Finding


SUBJECTS: dict[str, Provider] = {
    key: name for name in in_turn() if (key := facts(name).subject_key) is not None
}
"""The keys that say who is reached, and the product that decides it."""

_NAME: Steps = ("metadata", "name")
_GRANTS: Steps = ("spec", "grants")
_GROUPS: Steps = (*_GRANTS, "groups")
_TENANT: Steps = (*_GRANTS, "tenant")
_ENSURE: Steps = ("spec", "ensure")


def _tenant_findings(documents: Sequence[RawDocument], _: Applications) -> Iterator[Finding]:
    """There is one Tenant document at most."""
    claims = ((None, Claim(document, ("kind",))) for document in documents)
    yield from clashes(claims, rules.SECOND_TENANT, _same_tenant)


def _same_tenant(_: Claim, other: Claim) -> str:
    return (
        f"there is another Tenant document at {other.position}; a run has one tenant: remove one,"
        " or pass fewer PATHs"
    )


def _application_findings(documents: Sequence[RawDocument], _: Applications) -> Iterator[Finding]:
    """A client id has one name."""
    claims = (
        (str(document.at(*APP_ID)).lower(), Claim(document, APP_ID))
        for document in documents
        if has_client_id(document)
    )
    yield from clashes(claims, rules.TWO_NAMES, _same_client)


def _same_client(claim: Claim, other: Claim) -> str:
    return (
        f"{shown(claim.value)} is also named {shown(other.document.name)} at"
        f" {other.position}; a client id has one name: keep one"
    )


def _teams_findings(documents: Sequence[RawDocument], _: Applications) -> Iterator[Finding]:
    """Global, groups, ranks and the tenant-wide grant; users are judged by `users`."""
    for document in documents:
        if _is_global(document):
            yield from _global(document)
    yield from _groups(documents)
    yield from _tenant_grants(documents)


def _is_global(document: RawDocument) -> bool:
    return document.name is not None and name_key(document.name) == GLOBAL


def _global(document: RawDocument) -> Iterator[Finding]:
    if document.at(*_ENSURE) == "absent":
        message = "the service never deletes Global: to revoke access, declare `applications: []`"
        yield document.finding(rules.GLOBAL_ABSENT, _ENSURE, message)
    if document.has("spec", "grants"):
        message = (
            "Global applies to everyone without a grant and cannot be granted: list its"
            " applications, or grant another policy"
        )
        yield document.finding(rules.GLOBAL_GRANTS, _GRANTS, message, key=True)


def _groups(documents: Sequence[RawDocument]) -> Iterator[Finding]:
    entries = [
        Claim(document, (*_GROUPS, index))
        for document in documents
        for index in range(_length(document.at(*_GROUPS)))
    ]
    groups = [Claim(entry.document, (*entry.steps, "group")) for entry in entries]
    ranks = [Claim(entry.document, (*entry.steps, "rank")) for entry in entries]
    ids = [(claim.value.lower(), claim) for claim in groups if isinstance(claim.value, str)]
    numbers = [(claim.value, claim) for claim in ranks if type(claim.value) is int]
    yield from clashes(
        ((group, claim) for group, claim in ids if group), rules.DUPLICATE_GROUP, _same_group
    )
    yield from clashes(numbers, rules.DUPLICATE_RANK, _same_rank)
    if len(entries) > MOST_GROUPS:
        yield from _too_many(entries)


def _length(value: Json) -> int:
    return len(value) if isinstance(value, list) else 0


def _too_many(entries: list[Claim]) -> Iterator[Finding]:
    """Report every policy with groups: nothing says which of them is one too many."""
    message = (
        f"{len(entries)} groups across all policies, Teams allows at most {MOST_GROUPS}: remove some,"
        " or move their members into fewer groups"
    )
    for document in {entry.document.start: entry.document for entry in entries}.values():
        yield document.finding(rules.TOO_MANY_GROUPS, _GROUPS, message, key=True)


def _same_group(claim: Claim, other: Claim) -> str:
    return (
        f"{shown(claim.value)} is also granted at {other.position}; a group can have only one policy:"
        " remove one"
    )


def _same_rank(claim: Claim, other: Claim) -> str:
    return (
        f"rank {claim.value} is also used at {other.position}; ranks are unique across the groups of"
        " all policies: choose another rank"
    )


def _tenant_grants(documents: Sequence[RawDocument]) -> Iterator[Finding]:
    granted = [Claim(document, _TENANT) for document in documents if document.at(*_TENANT) is True]
    granted.sort(key=lambda claim: claim.position)
    yield from clashes(((None, claim) for claim in granted), rules.TWO_TENANT_GRANTS, _both_granted)
    for document in documents:
        if _is_global(document) and (
            document.has("spec", "applications") or document.has("spec", "description")
        ):
            rivals = [claim for claim in granted if claim.document is not document]
            if rivals:
                yield from _both_manage_global(document, rivals[0])


def _both_granted(_: Claim, other: Claim) -> str:
    return f"another policy is also granted tenant-wide at {other.position}: keep one of them"


def _both_manage_global(document: RawDocument, rival: Claim) -> Iterator[Finding]:
    here = Claim(document, _NAME)
    message = (
        f"`Global` is also overwritten by the tenant-wide grant at {rival.position}: keep one of"
        " the two"
    )
    yield document.finding(rules.TENANT_GRANT_AND_GLOBAL, here.steps, message)
    message = (
        f"the tenant-wide grant overwrites `Global`, which is declared at {here.position}: keep"
        " one of the two"
    )
    yield rival.document.finding(rules.TENANT_GRANT_AND_GLOBAL, rival.steps, message)


def _exchange_findings(
    documents: Sequence[RawDocument], applications: Applications
) -> Iterator[Finding]:
    """One document for each application and scope, and no accidental confinement of every
    application.
    """
    pairs = (pair for document in documents for pair in _pairs(document, applications))
    yield from clashes(pairs, rules.DUPLICATE_SCOPE, _same_pair)
    for document in documents:
        restricts = document.at("spec", "accessRight") == AccessRight.RESTRICT
        if restricts and not document.has("spec", "allowEveryApplication"):
            yield from _every_application(document)


def _pairs(document: RawDocument, applications: Applications) -> Iterator[tuple[object, Claim]]:
    """The (application, scope) pairs of a document; one that it lists twice is a fault of its list,
    not of the pair.
    """
    scope = document.at("spec", "scope")
    seen: set[str] = set()
    for steps, text in document.texts("spec", "applications"):
        application = applications.resolve(text) or text.lower()
        if isinstance(scope, str) and application not in seen:
            seen.add(application)
            yield (application, scope.lower()), Claim(document, steps)


def _same_pair(claim: Claim, other: Claim) -> str:
    pair = f"{shown(claim.value)} on {shown(claim.document.at('spec', 'scope'))}"
    return (
        f"{pair} is also declared at {other.position}; the service has one policy for an"
        " application and scope: remove one"
    )


def _every_application(document: RawDocument) -> Iterator[Finding]:
    for steps, text in document.texts("spec", "applications"):
        if text == EVERY_APPLICATION:
            message = (
                "`*` with RestrictAccess restricts every application, including future ones: add"
                " `allowEveryApplication: true` if this is intended"
            )
            yield document.finding(rules.EVERY_APPLICATION, steps, message)


class _ReadableExpectation(Struct, frozen=True):
    """One expectation, as far as it can be read: what it is about, and what it expects."""

    application: str
    product: Provider
    subject: str
    access: str
    claim: Claim

    @property
    def about(self) -> tuple[str, str, str]:
        return self.application, self.product, self.subject


def _test_findings(
    documents: Sequence[RawDocument], applications: Applications
) -> Iterator[Finding]:
    """Within one test each expectation once, and none against another one.

    Subjects are compared as written, without case; two names of one user or mailbox are told apart
    only by a reading of the tenant.
    """
    expected = [
        expectation
        for document in documents
        for expectation in _readable_expectations(document, applications)
    ]
    within = (
        ((each.claim.document.start, each.about, each.access), each.claim) for each in expected
    )
    yield from clashes(within, rules.DUPLICATE_EXPECTATION, _same_expectation)
    first = {(each.about, each.access): each for each in reversed(expected)}
    contradicting = ((each.about, each.claim) for each in first.values())
    yield from clashes(contradicting, rules.CONTRADICTION, _opposite)


def _readable_expectations(
    document: RawDocument, applications: Applications
) -> Iterator[_ReadableExpectation]:
    for key, product in SUBJECTS.items():
        for steps in expectations(document, key):
            application = document.at(*steps[:-1], "application")
            access = document.at(*steps[:-1], "access")
            if application and isinstance(application, str) and access and isinstance(access, str):
                yield _ReadableExpectation(
                    application=applications.resolve(application) or name_key(application),
                    product=product,
                    subject=str(document.at(*steps)).lower(),
                    access=access,
                    claim=Claim(document, (*steps[:-1], "access")),
                )


def _same_expectation(claim: Claim, other: Claim) -> str:
    return f"duplicate expectation for {_about(claim)}, first on line {other.position.line}: remove one"


def _opposite(claim: Claim, other: Claim) -> str:
    return (
        f"{shown(claim.value)} is expected for {_about(claim)}, but the opposite is expected at"
        f" {other.position}: keep one"
    )


def _about(claim: Claim) -> str:
    expectation = claim.document.at(*claim.steps[:-1])
    if not isinstance(expectation, dict):
        return ""
    subject = next(expectation[key] for key in SUBJECTS if key in expectation)
    return f"{shown(expectation['application'])} and {shown(subject)}"


CHECKS: Mapping[Kind, Callable[[Sequence[RawDocument], Applications], Iterator[Finding]]] = {
    Kind.TENANT: _tenant_findings,
    Kind.APPLICATION: _application_findings,
    Kind.TEAMS_POLICY: _teams_findings,
    Kind.EXCHANGE_POLICY: _exchange_findings,
    Kind.ACCESS_TEST: _test_findings,
}
"""The check of each kind, given all documents of the kind and the declared applications."""


def kind_findings(
    documents: Sequence[RawDocument], applications: Applications
) -> Iterator[Finding]:
    """Judge the documents of each kind by the rules of that kind."""
    for kind, check in CHECKS.items():
        of_kind = [document for document in documents if document.kind is kind]
        yield from check(of_kind, applications)
