"""A document as it was read, before anything is known to be right: rules look at it without minding
its shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents.trees import json_path, place_of
from reconciler.model.documents import Kind
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.canonical import Json
    from reconciler.documents.rules import Rule
    from reconciler.documents.trees import Steps, Tree

_KINDS = {kind.value: kind for kind in Kind}


class Draft(Struct, frozen=True):
    """One document of a file.

    `kind` and `name` are None where the document does not say them properly.
    """

    file: str
    tree: Tree
    kind: Kind | None
    name: str | None

    @property
    def subject(self) -> str:
        """`KIND/NAME`, or nothing while one of them is unknown."""
        return f"{self.kind}/{self.name}" if self.kind and self.name is not None else ""

    def at(self, *steps: str | int) -> Json:
        """The value at the end of a way, None where there is none."""
        return at(self.tree.value, steps)

    def texts(self, *steps: str) -> Iterator[tuple[Steps, str]]:
        """The texts of a list, each with its way; items of other types are a matter of the schema."""
        found = self.at(*steps)
        for index, item in enumerate(found) if isinstance(found, list) else ():
            if isinstance(item, str):
                yield (*steps, index), item

    def has(self, *steps: str) -> bool:
        """Whether a key stands in the document, whatever its value."""
        holder = self.at(*steps[:-1])
        return isinstance(holder, dict) and steps[-1] in holder

    def position(self, steps: Steps, *, key: bool = False) -> Position:
        """Where a value stands, or the key that it is the value of."""
        return Position(self.file, *place_of(self.tree, steps, key=key))

    def finding(self, rule: Rule, steps: Steps, message: str, *, key: bool = False) -> Finding:
        """A fault of this document."""
        return Finding(
            self.position(steps, key=key), json_path(steps), rule.id, message, subject=self.subject
        )


def draft(file: str, tree: Tree) -> Draft:
    """Look who a document says it is."""
    kind, name = at(tree.value, ("kind",)), at(tree.value, ("metadata", "name"))
    return Draft(
        file,
        tree,
        _KINDS.get(kind) if isinstance(kind, str) else None,
        name if isinstance(name, str) else None,
    )


def at(value: Json, steps: Steps) -> Json:
    """Follow keys and indexes into a value as far as they lead; None where they lead nowhere."""
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
