"""A document as it was read, before anything is known to be right: rules look at it without minding
its shape, report faults at its places, and find what documents claim more than once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.documents.trees import json_path, place_of
from reconciler.model.documents import Kind
from reconciler.model.findings import Finding, Position, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.rules import DocumentRule
    from reconciler.documents.trees import Steps, Tree

_KINDS = {kind.value: kind for kind in Kind}


class RawDocument(Struct, frozen=True):
    """One document of a file.

    `kind` and `name` are None where the document does not say them properly.
    """

    file: str
    tree: Tree
    kind: Kind | None
    name: str | None

    @property
    def start(self) -> Position:
        """Where the document begins, which no two documents of a run share."""
        return Position(self.file, self.tree.first_line, 1)

    @property
    def subject(self) -> str:
        """`KIND/NAME`, or nothing while one of them is unknown."""
        return f"{self.kind}/{self.name}" if self.kind and self.name is not None else ""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The `spec` of a document whose shape is known to be right."""
        spec: Any = self.at("spec")
        return spec  # type: ignore[no-any-return]  # the schema has said that it is a map

    @property
    def description(self) -> str | None:
        """None if the document does not say it; null and blanks are an empty description."""
        if "description" not in self.spec:
            return None
        text = self.spec["description"] or ""
        return str(text) if text.strip(" ") else ""

    def at(self, *steps: str | int) -> Json:
        """The value at the end of a way, None where there is none."""
        return value_at(self.tree.value, steps)

    def texts(self, *steps: str) -> Iterator[tuple[Steps, str]]:
        """The texts of a list, each with its way; items of other types are a matter of the schema."""
        items = self.at(*steps)
        for index, item in enumerate(items) if isinstance(items, list) else ():
            if isinstance(item, str):
                yield (*steps, index), item

    def has(self, *steps: str) -> bool:
        """Whether the document has a key, whatever its value."""
        holder = self.at(*steps[:-1])
        return isinstance(holder, dict) and steps[-1] in holder

    def position(self, steps: Steps, *, key: bool = False) -> Position:
        """Where a value is, or its key."""
        return Position(self.file, *place_of(self.tree, steps, key=key))

    def finding(
        self,
        rule: DocumentRule,
        steps: Steps,
        message: str,
        *,
        key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        """A fault of this document."""
        return Finding(
            self.position(steps, key=key),
            json_path(steps),
            rule.id,
            message,
            severity,
            self.subject,
        )


def raw_document(file: str, tree: Tree) -> RawDocument:
    """Read which kind and name a document says it has."""
    kind, name = value_at(tree.value, ("kind",)), value_at(tree.value, ("metadata", "name"))
    return RawDocument(
        file,
        tree,
        _KINDS.get(kind) if isinstance(kind, str) else None,
        name if isinstance(name, str) else None,
    )


def value_at(value: Json, steps: Steps) -> Json:
    """Follow keys and indexes into a value as far as they lead; None where they lead nowhere."""
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


class Claim(Struct, frozen=True):
    """A place in a document that claims something which only one place may claim."""

    document: RawDocument
    steps: Steps

    @property
    def position(self) -> Position:
        """Where it is."""
        return self.document.position(self.steps)

    @property
    def value(self) -> Json:
        """The value at the place."""
        return self.document.at(*self.steps)


def clashes(
    claims: Iterable[tuple[object, Claim]],
    rule: DocumentRule,
    message: Callable[[Claim, Claim], str],
) -> Iterator[Finding]:
    """Report what is claimed more than once.

    Within one document the later places are reported, each naming the first. Where documents
    contradict each other every place is reported, so that each document is known to be in doubt;
    the first names the second, the others name the first.

    Args:
        claims: keys that compare equal when two claims contradict each other.
        rule: the rule that is broken.
        message: says what is wrong at the first argument, given the place to look at beside it.
    """
    by_key: dict[object, list[Claim]] = {}
    for key, claim in claims:
        by_key.setdefault(key, []).append(claim)
    for rivals in by_key.values():
        if len(rivals) > 1:
            yield from _contradictions(rivals, rule, message)


def _contradictions(
    rivals: list[Claim], rule: DocumentRule, message: Callable[[Claim, Claim], str]
) -> Iterator[Finding]:
    first, *others = sorted(rivals, key=lambda claim: claim.position)
    if any(claim.document is not first.document for claim in others):
        yield first.document.finding(rule, first.steps, message(first, others[0]))
    for claim in others:
        yield claim.document.finding(rule, claim.steps, message(claim, first))


def short_value(value: Any) -> str:
    """A value of a document, short enough for a message."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a map"
    if isinstance(value, str):
        # a line's worth
        return f"`{value}`" if len(value) <= 80 else f"`{value[:77]}...`"  # noqa: PLR2004
    if value is None or isinstance(value, bool):
        return f"`{spelled_scalar(value)}`"
    return f"the number {str(value)[:20]}"


def spelled_scalar(value: Json) -> str:
    """A scalar as a document spells it, texts without quotes."""
    return value if isinstance(value, str) else json.dumps(value)


def nearest(word: Json, allowed: Sequence[str]) -> str:
    """Suggest the allowed word that is most like a mistyped one."""
    from difflib import get_close_matches  # noqa: PLC0415  lazy: only faults need it

    names = {name.lower(): name for name in reversed(allowed)}
    matches = get_close_matches(str(word).lower()[:80], list(names), 1, 0.6)
    return f" (did you mean `{names[matches[0]]}`?)" if matches else ""
