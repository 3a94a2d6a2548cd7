"""Rules about names: those of documents, and those of the applications that policies and tests
refer to.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.raw_documents import Claim, clashes, nearest, shown
from reconciler.guids import guid
from reconciler.model.addresses import EVERY_APPLICATION, name_key
from reconciler.model.documents import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.findings import Finding

APP_ID: Steps = ("spec", "appId")

_NAME: Steps = ("metadata", "name")
_APPLICATIONS = ("spec", "applications")
_TAG = "tag:"
_TEMPLATE = "default"


class Applications(Struct, frozen=True):
    """Declared names: key of each name to its lower-case client id, None where documents do not say
    exactly one.
    """

    ids: Mapping[str, str | None]
    names: tuple[str, ...]

    def resolve(self, text: str) -> str | None:
        """The lower-case client id of a reference; None if it has none."""
        return guid(text) or self.ids.get(name_key(text))

    def doubtful(self, text: str) -> bool:
        """Whether a text is a declared name that leads to no client id, because its document has a
        fault.
        """
        return name_key(text) in self.ids and self.resolve(text) is None


def declared_applications(documents: Sequence[RawDocument]) -> Applications:
    """Collect the names that Application documents declare."""
    ids: dict[str, str | None] = {}
    names = []
    for document in documents:
        if document.kind is Kind.APPLICATION and document.name is not None:
            key = name_key(document.name)
            ids[key] = None if key in ids else guid(document.at(*APP_ID))
            names += [document.name] if document.name else []
    return Applications(ids, tuple(sorted(names)))


def has_client_id(document: RawDocument) -> bool:
    """Whether an Application says a client id of the right form."""
    return document.kind is Kind.APPLICATION and guid(document.at(*APP_ID)) is not None


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
    documents: Sequence[RawDocument], applications: Applications
) -> Iterator[Finding]:
    """Judge the applications that policies and tests name: declared ones only, in the list of a
    policy each once.
    """
    for document in documents:
        references = _references(document)
        for steps, text in references:
            message = _reference_message(document.kind, text, applications)
            if message:
                yield document.finding(rules.UNKNOWN_APPLICATION, steps, message)
        if document.kind is not Kind.ACCESS_TEST:
            claims = (
                (applications.resolve(text) or name_key(text), Claim(document, steps))
                for steps, text in references
            )
            yield from clashes(claims, rules.DUPLICATE_APPLICATION, _same_application)


def expectations(document: RawDocument, key: str) -> Iterator[Steps]:
    """The ways to a key's value in each expectation of a test, where it is a text that says
    something.
    """
    items = document.at("spec", "expect")
    for index in range(len(items) if isinstance(items, list) else 0):
        text = document.at("spec", "expect", index, key)
        if isinstance(text, str) and text.strip(" "):
            yield "spec", "expect", index, key


def _references(document: RawDocument) -> list[tuple[Steps, str]]:
    """The names and client ids of applications that a document refers to, each with its way."""
    match document.kind:
        case Kind.TEAMS_POLICY | Kind.EXCHANGE_POLICY:
            texts = document.texts(*_APPLICATIONS)
            return [(steps, text) for steps, text in texts if text.strip(" ")]
        case Kind.ACCESS_TEST:
            named = expectations(document, "application")
            return [(steps, str(document.at(*steps))) for steps in named]
        case Kind.TENANT | Kind.APPLICATION | None:
            return []
        case _ as other:
            assert_never(other)


def _own_name(document: RawDocument, name: str) -> Iterator[Finding]:
    if unicodedata.normalize("NFC", name) != name:
        message = f"{shown(name)} has separate combining accents: retype it in Unicode form NFC"
        yield document.finding(rules.NOT_NFC, _NAME, message)
    match document.kind:
        case Kind.APPLICATION:
            yield from _like_client_id(document, name)
        case Kind.TEAMS_POLICY:
            yield from _reserved(document, name)
        case Kind.TENANT | Kind.EXCHANGE_POLICY | Kind.ACCESS_TEST | None:
            pass
        case _ as other:
            assert_never(other)


def _like_client_id(document: RawDocument, name: str) -> Iterator[Finding]:
    if guid(name.strip(" {}")):
        message = f"{shown(name)} looks like a client id: give the application a readable name"
        yield document.finding(rules.LIKE_GUID, _NAME, message)


def _reserved(document: RawDocument, name: str) -> Iterator[Finding]:
    if name_key(name) == _TEMPLATE:
        message = f"{shown(name)} is the name of a template of the service: use another name"
        yield document.finding(rules.RESERVED_NAME, _NAME, message)
    if name_key(name).startswith(_TAG):
        message = f"{shown(name)} starts with `Tag:`, a prefix of the service: remove the prefix"
        yield document.finding(rules.RESERVED_NAME, _NAME, message)


def _reference_message(kind: Kind | None, text: str, applications: Applications) -> str | None:
    """What is wrong with a reference to an application; None if nothing is."""
    if text == EVERY_APPLICATION:
        return _every_application_message(kind)
    if applications.resolve(text):
        return None
    if applications.doubtful(text):
        return (
            f"the client id of Application {shown(text)} is not known because its document has"
            " faults: correct that document"
        )
    return (
        f"Application {shown(text)} not found{nearest(text, applications.names)}: declare it, or"
        " write a client id"
    )


def _every_application_message(kind: Kind | None) -> str | None:
    match kind:
        case Kind.EXCHANGE_POLICY:
            return None
        case Kind.TEAMS_POLICY:
            return "Teams has no policy for every application: list the applications"
        case Kind.ACCESS_TEST:
            return "an expectation is about one application: write its name or client id"
        case Kind.TENANT | Kind.APPLICATION | None:
            return None  # they refer to no application
        case _ as other:
            assert_never(other)


def _same_name(claim: Claim, other: Claim) -> str:
    return (
        f"name {shown(claim.document.name)} is also used at {other.position}; names are unique per"
        " kind, ignoring case: rename one"
    )


def _same_application(claim: Claim, other: Claim) -> str:
    there = shown(other.value)
    return (
        f"{shown(claim.value)} is listed twice, first as {there} on line"
        f" {other.position.line}: remove one"
    )
