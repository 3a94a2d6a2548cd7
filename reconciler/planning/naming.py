"""Ids of a plan -> names for people. Nothing may branch on a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.guids import GUID
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import EVERY_APPLICATION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from reconciler.canonical import Json
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Directory, Observed
    from reconciler.model.plans import Change, Note


def names(
    documents: Documents,
    observed: Observed,
    changes: Sequence[Change],
    notes: Sequence[Note],
    *,
    mentioned: Iterable[str],
) -> dict[str, str]:
    """A name for every id that the plan mentions and the documents or the capture name.

    `mentioned` are ids beside those of changes and notes.
    """
    ids = {*GUID.findall("\n".join(_texts(changes, notes)).lower()), *mentioned}
    known_names = known(ids, documents, observed) | {EVERY_APPLICATION: "every application"}
    return dict(sorted(known_names.items()))


def known(ids: Collection[str], documents: Documents | None, observed: Observed) -> dict[str, str]:
    """Names for people of these ids, sorted: those that the documents give, else the capture's; what
    has none is left out.
    """
    own = {} if documents is None else declared(documents)
    known_names = of_ids(observed, ids) | {
        name_id: name for name_id, name in own.items() if name_id in ids
    }
    return {name_id: name for name_id, name in sorted(known_names.items()) if name}


def declared(documents: Documents) -> dict[str, str]:
    """Names that the documents themselves give: to applications, and labels to groups."""
    labels = {
        group: label
        for product in PRODUCTS.values()
        for group, label in product.labels(documents).items()
    }
    return labels | {document.application: document.name for document in documents.applications}


def _texts(changes: Sequence[Change], notes: Sequence[Note]) -> Iterator[str]:
    for change in changes:
        yield change.address
        for content in (change.before, change.after):
            if content is not None:
                yield from _strings(content.values())
    for note in notes:
        yield note.address
        yield from _strings(note.details.values())


def _strings(values: Iterable[Json]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from (text for text in value if isinstance(text, str))


def of_ids(observed: Observed, ids: Iterable[str]) -> dict[str, str]:
    """A user's name and principal name, a group's or a scope's display name; "" where the capture
    has none.
    """
    printed = {
        object_id: name
        for product, state in observed.states.items()
        for object_id, name in PRODUCTS[product].names(state).items()
    }
    return {
        object_id: _of_directory(observed.directory, object_id) or printed.get(object_id, "")
        for object_id in ids
    }


def _of_directory(directory: Directory, object_id: str) -> str:
    if user := directory.users.get(object_id):
        return f"{user.display_name} <{user.upn}>" if user.display_name else user.upn
    if group := directory.groups.get(object_id):
        return group.display_name
    if recipient := directory.recipients.get(object_id):
        return recipient.primary or recipient.display_name
    return ""
