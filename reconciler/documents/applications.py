"""Application documents: names for client ids, which policies and tests refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.raw_documents import Claim, clashes, short_value
from reconciler.guids import guid
from reconciler.model.addresses import EVERY_APPLICATION, name_key
from reconciler.model.documents import ApplicationDocument, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.findings import Finding

_APP_ID: Steps = ("spec", "appId")
_NAME: Steps = ("metadata", "name")


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

    def client_ids(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The client ids of references without a fault, sorted; `*` stands for itself."""
        return tuple(
            sorted(
                text if text == EVERY_APPLICATION else self.resolve(text) or "" for text in texts
            )
        )


def declared_applications(documents: Sequence[RawDocument]) -> Applications:
    """Collect the names that Application documents declare."""
    ids: dict[str, str | None] = {}
    names = []
    for document in documents:
        if document.kind is Kind.APPLICATION and document.name is not None:
            key = name_key(document.name)
            ids[key] = None if key in ids else guid(document.at(*_APP_ID))
            names += [document.name] if document.name else []
    return Applications(ids, tuple(sorted(names)))


def has_client_id(document: RawDocument) -> bool:
    """Whether an Application says a client id of the right form."""
    return document.kind is Kind.APPLICATION and guid(document.at(*_APP_ID)) is not None


def listed(document: RawDocument) -> list[tuple[Steps, str]]:
    """The applications in the list of a policy, each with its way; blanks are a matter of the
    schema.
    """
    texts = document.texts("spec", "applications")
    return [(steps, text) for steps, text in texts if text.strip(" ")]


def own_name(document: RawDocument, name: str) -> Iterator[Finding]:
    """A name is not a client id."""
    if guid(name.strip(" {}")):
        message = (
            f"{short_value(name)} looks like a client id: give the application a readable name"
        )
        yield document.finding(rules.LIKE_GUID, _NAME, message)


def check(documents: Sequence[RawDocument], _: Applications) -> Iterator[Finding]:
    """A client id has one name."""
    claims = (
        (str(document.at(*_APP_ID)).lower(), Claim(document, _APP_ID))
        for document in documents
        if has_client_id(document)
    )
    yield from clashes(claims, rules.TWO_NAMES, _same_client)


def _same_client(claim: Claim, other: Claim) -> str:
    return (
        f"{short_value(claim.value)} is also named {short_value(other.document.name)} at"
        f" {other.position}; a client id has one name: keep one"
    )


def build(document: RawDocument) -> ApplicationDocument:
    """The Application of a document without a fault."""
    spec = document.spec
    return ApplicationDocument(
        document.name or "",
        spec["appId"].lower(),
        tuple(sorted(spec.get("permissions", ()))),
        document.position(()),
        quarantined=spec.get("quarantine", False),
    )
