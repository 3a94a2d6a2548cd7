"""Documents of the toy: each name in one document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.documents import rules
from reconciler.documents.raw_documents import Claim, clashes, short_value
from reconciler.model.documents import ToyNamesDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.documents.applications import Applications
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.model.findings import Finding


def check(documents: Sequence[RawDocument], _: Applications) -> Iterator[Finding]:
    """No name twice."""
    claims = (
        (text, Claim(document, steps))
        for document in documents
        for steps, text in document.texts("spec", "names")
    )
    yield from clashes(claims, rules.DUPLICATE_NAME, _same_name)


def _same_name(claim: Claim, other: Claim) -> str:
    return f"{short_value(claim.value)} is also listed at {other.position}: remove one"


def build(document: RawDocument) -> ToyNamesDocument:
    """The list of a document without a fault."""
    names = tuple(sorted(document.spec["names"]))
    return ToyNamesDocument(document.name or "", names, document.position(()))
