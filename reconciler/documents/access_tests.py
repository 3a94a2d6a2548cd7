"""AccessTest documents: expectations that can all be true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.raw_documents import Claim, clashes, short_value
from reconciler.documents.trees import json_path
from reconciler.kinds.facts import facts, in_turn
from reconciler.model.addresses import name_key
from reconciler.model.documents import Access, AccessTestDocument, Expectation, Located

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.documents.applications import Applications
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.addresses import Provider
    from reconciler.model.findings import Finding

EVERY_APPLICATION_REFUSED = "an expectation is about one application: write its name or client id"

SUBJECTS: dict[str, Provider] = {
    key: name for name in in_turn() if (key := facts(name).subject_key) is not None
}
"""The keys that say who is reached, and the product that decides it."""


def _expectations(document: RawDocument, key: str) -> Iterator[Steps]:
    """The ways to a key's value in each expectation of a test, where it is a text that says
    something.
    """
    items = document.at("spec", "expect")
    for index in range(len(items) if isinstance(items, list) else 0):
        text = document.at("spec", "expect", index, key)
        if isinstance(text, str) and text.strip(" "):
            yield "spec", "expect", index, key


def references(document: RawDocument) -> list[tuple[Steps, str]]:
    """The applications of the expectations, each with its way."""
    named = _expectations(document, "application")
    return [(steps, str(document.at(*steps))) for steps in named]


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


def check(documents: Sequence[RawDocument], applications: Applications) -> Iterator[Finding]:
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
        for steps in _expectations(document, key):
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
        f"{short_value(claim.value)} is expected for {_about(claim)}, but the opposite is expected at"
        f" {other.position}: keep one"
    )


def _about(claim: Claim) -> str:
    expectation = claim.document.at(*claim.steps[:-1])
    if not isinstance(expectation, dict):
        return ""
    subject = next(expectation[key] for key in SUBJECTS if key in expectation)
    return f"{short_value(expectation['application'])} and {short_value(subject)}"


def build(document: RawDocument, applications: Applications) -> AccessTestDocument:
    """The test of a document without a fault."""
    expected = (
        _expectation(document, index, spec, applications)
        for index, spec in enumerate(document.spec["expect"])
    )
    ordered = sorted(
        expected,
        key=lambda each: (each.application, each.product, each.subject.text.lower(), each.access),
    )
    return AccessTestDocument(document.name or "", tuple(ordered), document.position(()))


def _expectation(
    document: RawDocument, index: int, spec: Mapping[str, Any], applications: Applications
) -> Expectation:
    key = next(key for key in SUBJECTS if key in spec)
    steps = ("spec", "expect", index, key)
    return Expectation(
        application=applications.resolve(spec["application"]) or "",
        product=SUBJECTS[key],
        subject=Located(spec[key], document.position(steps), json_path(steps)),
        access=Access(spec["access"]),
    )
