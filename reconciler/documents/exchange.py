"""Documents of Exchange policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.documents import rules
from reconciler.documents.raw_documents import Claim, clashes, short_value
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.documents import AccessRight, ExchangePolicyDocument, Located

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.documents.applications import Applications
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.model.findings import Finding


def check(documents: Sequence[RawDocument], applications: Applications) -> Iterator[Finding]:
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
    pair = f"{short_value(claim.value)} on {short_value(claim.document.at('spec', 'scope'))}"
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


def build(document: RawDocument, applications: Applications) -> ExchangePolicyDocument:
    """The policy of a document without a fault."""
    spec = document.spec
    return ExchangePolicyDocument(
        name=document.name or "",
        absent="ensure" in spec,
        applications=applications.client_ids(spec["applications"]),
        scope=Located(spec["scope"], document.position(("spec", "scope")), "$.spec.scope"),
        right=AccessRight(spec["accessRight"]) if "accessRight" in spec else None,
        description=document.description,
        position=document.position(()),
    )
