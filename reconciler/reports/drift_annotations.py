"""Drift at the places of files, for pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.access.rules import DIFFERS, NOT_AS_ACCEPTED, NOT_READ, UNMANAGED
from reconciler.model.codes import DriftCode
from reconciler.reports.annotated import Annotated, Annotation, Level
from reconciler.reports.drifts import (
    block_phrase,
    drift_headline,
    unmanaged_phrase,
    unread_phrase,
    what_phrase,
)
from reconciler.reports.wrapping import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.documents.rules import DocumentRule
    from reconciler.model.findings import Position
    from reconciler.model.plans import Note
    from reconciler.reports.drifts import DriftTold
    from reconciler.reports.review.naming import Naming
    from reconciler.reports.review.value import Phrase, Review

_RULES: Mapping[str, DocumentRule] = {
    DriftCode.NEW: UNMANAGED,
    DriftCode.CHANGED: NOT_AS_ACCEPTED,
    DriftCode.GONE: NOT_AS_ACCEPTED,
    DriftCode.NOT_READ: NOT_READ,
}


def drift_annotations(
    review: Review, drifted: DriftTold, naming: Naming, places: Mapping[str, Position]
) -> Annotated:
    """The same for a pipeline: at the document of what differs, at the entry of what was accepted,
    and at the Tenant document of what nobody accepted.

    Args:
        review: the plan that leads back to the documents.
        drifted: the rest.
        naming: names for ids of both.
        places: where documents and entries are, by address; the Tenant document under an empty one.
    """
    layout = Layout(1 << 16, advising=False)
    annotations = [
        Annotation(
            Level.ERROR,
            _RULES[note.code].id,
            _RULES[note.code].title,
            layout.text(_told_of(note, naming)),
            None if note.code == DriftCode.NOT_READ else places.get(note.address, places.get("")),
            advice=(_RULES[note.code].why,),
            identity=(note.code, note.address),
        )
        for note in (*drifted.unread, *drifted.objects)
    ]
    annotations += [
        Annotation(
            Level.ERROR,
            DIFFERS.id,
            DIFFERS.title,
            layout.text(block_phrase(replace(block, declared_at=""))),
            places.get(block.address),
            advice=(DIFFERS.why,),
            identity=(DIFFERS.id, block.address),
        )
        for block in review.blocks
    ]
    return Annotated(
        "drift", "The tenant", tuple(annotations), drift_headline(drifted), review.simulated
    )


def _told_of(note: Note, naming: Naming) -> Phrase:
    if note.code == DriftCode.NOT_READ:
        return unread_phrase(note, naming)
    return (*unmanaged_phrase(note.address, naming), ": ", *what_phrase(note, naming))
