"""Rules about names: those of documents, and those of the applications that policies and tests
refer to.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from reconciler.documents import rules
from reconciler.documents.kinds import rules_of
from reconciler.documents.raw_documents import Claim, clashes, nearest, short_value
from reconciler.model.addresses import EVERY_APPLICATION, name_key
from reconciler.model.documents import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.documents.applications import Applications
    from reconciler.documents.kinds import KindRules
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.findings import Finding

_NAME: Steps = ("metadata", "name")


def name_findings(documents: Sequence[RawDocument]) -> Iterator[Finding]:
    """Judge every document's own name, and names used twice."""
    for document in documents:
        if document.name:
            yield from _own_name(document, document.name)
    claims = (
        ((document.kind, name_key(document.name)), Claim(document, _NAME))
        for document in documents
        if document.kind and document.name and document.kind is not Kind.TENANT
    )
    yield from clashes(claims, rules.DUPLICATE_NAME, _same_name)


def reference_findings(
    documents: Sequence[RawDocument],
    applications: Applications,
    elsewhere: Sequence[RawDocument] = (),
) -> Iterator[Finding]:
    """Judge the applications that policies and tests name: declared ones only, in the list of a
    policy each once; `elsewhere` are documents of other tenants.
    """
    others = {
        name_key(document.name): document
        for document in elsewhere
        if document.kind is Kind.APPLICATION and document.name
    }
    for document in documents:
        if document.kind is None:
            continue
        own = rules_of(document.kind)
        references = own.references(document)
        for steps, text in references:
            message = _reference_message(own, text, applications, others)
            if message:
                yield document.finding(rules.UNKNOWN_APPLICATION, steps, message)
        if own.lists_once:
            claims = (
                (applications.resolve(text) or name_key(text), Claim(document, steps))
                for steps, text in references
            )
            yield from clashes(claims, rules.DUPLICATE_APPLICATION, _same_application)


def _own_name(document: RawDocument, name: str) -> Iterator[Finding]:
    if unicodedata.normalize("NFC", name) != name:
        message = (
            f"{short_value(name)} has separate combining accents: retype it in Unicode form NFC"
        )
        yield document.finding(rules.NOT_NFC, _NAME, message)
    if document.kind is not None:
        yield from rules_of(document.kind).own_name(document, name)


def _reference_message(
    own: KindRules, text: str, applications: Applications, others: Mapping[str, RawDocument]
) -> str | None:
    """What is wrong with a reference to an application; None if nothing is."""
    if text == EVERY_APPLICATION:
        return own.every_application
    if applications.resolve(text):
        return None
    if applications.doubtful(text):
        return (
            f"the client id of Application {short_value(text)} is not known because its document has"
            " faults: correct that document"
        )
    if other := others.get(name_key(text)):
        return (
            f"Application {short_value(text)} is declared for other tenants only, at {other.start}:"
            " add this tenant to its `spec.tenants`, or declare one for it"
        )
    return (
        f"Application {short_value(text)} not found{nearest(text, applications.names)}: declare it, or"
        " write a client id"
    )


def _same_name(claim: Claim, other: Claim) -> str:
    return (
        f"name {short_value(claim.document.name)} is also used at {other.position}; names are unique per"
        " kind, ignoring case: rename one"
    )


def _same_application(claim: Claim, other: Claim) -> str:
    there = short_value(other.value)
    return (
        f"{short_value(claim.value)} is listed twice, first as {there} on line"
        f" {other.position.line}: remove one"
    )
