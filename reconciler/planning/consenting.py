"""Consents: which are given, and which a plan uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.products import PRODUCTS
from reconciler.model.codes import WarningCode
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.documents import Documents


def given_consents(documents: Documents, allow: Sequence[str]) -> tuple[str, ...]:
    """Those of the Tenant document, which are standing, and those of the command line."""
    standing = documents.tenant.consents if documents.tenant is not None else ()
    return (*standing, *allow)


def consented(
    documents: Documents,
    allow: Sequence[str],
    refusals: Sequence[Note],
    used_already: frozenset[str],
    *,
    in_part: bool,
) -> tuple[tuple[Note, ...], tuple[str, ...], tuple[Note, ...]]:
    """Refusals that no consent lifts, the consents that were used, and a warning for each that was
    not; a standing one may be for what is left out, or for a product that no document is of.
    `used_already`: by what was planned; `in_part`: something is left out.
    """
    given = {compared_consent(text): text for text in given_consents(documents, allow)}
    asked = {
        compared_consent(str(note.details["allow"])): note
        for note in refusals
        if "allow" in note.details
    }
    lifted = {str(note.details["allow"]) for key, note in asked.items() if key in given}
    used = tuple(sorted(lifted | used_already))
    standing = given_consents(documents, ())
    expected = [text for text in standing if not in_part and _is_expected(text, documents)]
    unused = tuple(
        Note(WarningCode.UNUSED_CONSENT, text, {})
        for key, text in sorted(
            {compared_consent(text): text for text in (*expected, *allow)}.items()
        )
        if key not in asked and key not in used_already
    )
    left = tuple(
        note for note in refusals if compared_consent(str(note.details.get("allow"))) not in given
    )
    return left, used, unused


def _is_expected(consent: str, documents: Documents) -> bool:
    """Whether a plan of the documents may need a consent: it is of no product, or of one of theirs."""
    name = consent.partition(":")[2].partition(".")[0]
    product = next((each for each in PRODUCTS.values() if each.provider == name), None)
    return product is None or product.is_named(documents)


def compared_consent(text: str) -> str:
    """Consents are compared without case, as the names in them are."""
    return text.lower()
