"""Documents of Exchange policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.documents import rules
from reconciler.documents.raw_documents import Claim, clashes, short_value
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.documents import AccessRight, ExchangePolicyDocument, Located

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.documents.applications import Applications
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.findings import Finding

_SCOPE: Steps = ("spec", "scope")
_MOVED_FROM: Steps = ("spec", "movedFrom")


def check(documents: Sequence[RawDocument], applications: Applications) -> Iterator[Finding]:
    """One document for each application and scope, and no accidental confinement of every
    application.
    """
    declared = [pair for document in documents for pair in _pairs(document, applications, _SCOPE)]
    moved = [pair for document in documents for pair in _pairs(document, applications, _MOVED_FROM)]
    yield from clashes(declared, rules.DUPLICATE_SCOPE, _same_pair)
    yield from clashes(moved, rules.MOVED_FROM, _both_moved)
    yield from _moved_from_declared(declared, moved)
    for document in documents:
        restricts = document.at("spec", "accessRight") == AccessRight.RESTRICT
        if restricts and not document.has("spec", "allowEveryApplication"):
            yield from _every_application(document)


def _pairs(
    document: RawDocument, applications: Applications, place: Steps
) -> Iterator[tuple[object, Claim]]:
    """The (application, scope) pairs of a document, with the scope at `place`; one that it lists
    twice is a fault of its list, not of the pair.
    """
    scope = document.at(*place)
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


def _both_moved(claim: Claim, other: Claim) -> str:
    return (
        f"the policy of {short_value(claim.value)} on"
        f" {short_value(claim.document.at(*_MOVED_FROM))} also moves at {other.position}; one policy"
        " takes the place of another: keep one `movedFrom`"
    )


def _moved_from_declared(
    declared: Iterable[tuple[object, Claim]], moved: Iterable[tuple[object, Claim]]
) -> Iterator[Finding]:
    """A policy that moves is gone afterwards: no document can declare it."""
    present = dict(declared)
    seen = set()
    for pair, claim in moved:
        other = present.get(pair)
        if other is None or claim.document.start in seen:
            continue
        seen.add(claim.document.start)
        message = (
            f"{short_value(claim.document.at(*_MOVED_FROM))} is also declared for"
            f" {short_value(claim.value)} at {other.position}: `movedFrom` deletes the policy that it"
            " names; remove one of the two"
        )
        yield claim.document.finding(rules.MOVED_FROM, _MOVED_FROM, message)


def _moved_from(document: RawDocument) -> Located | None:
    scope = document.at(*_MOVED_FROM)
    if not isinstance(scope, str):
        return None
    return Located(scope, document.position(_MOVED_FROM), "$.spec.movedFrom")


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
        moved_from=_moved_from(document),
        limited="tenants" in spec,
    )
