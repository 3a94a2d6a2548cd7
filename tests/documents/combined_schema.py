"""The combined schema, made out of those of the kinds: `python -m tests.documents.combined_schema`
writes it anew in a checkout.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reconciler.documents.schemas import CHECKOUT, FILES, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json


_OF_FILES = frozenset(("$schema", "$id", "definitions", "defaultSnippets"))
"""What the whole of a file says, and a definition of the combined one does not repeat."""


def combined() -> dict[str, Any]:
    """Make the combined schema: self-contained, so that an editor needs one address only."""
    kinds = [kind for kind in FILES if kind is not None]
    shared: dict[str, Any] = {}
    for kind in kinds:
        shared |= schema(kind)["definitions"]
    bodies = {kind.value: _body(schema(kind)) for kind in kinds}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:reconciler:v1:document",
        "title": "Document",
        "description": (
            "Any document of this tool; `kind` decides. Made from the schemas of the kinds, not"
            " written by hand."
        ),
        "defaultSnippets": [
            snippet for kind in kinds for snippet in schema(kind).get("defaultSnippets", ())
        ],
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {
                "title": "Kind",
                "description": "What the document describes.",
                "enum": list(bodies),
            }
        },
        "allOf": [_branch(name) for name in bodies],
        "definitions": {**shared, **bodies},
    }


def spelled() -> str:
    """The combined schema as its file holds it."""
    return json.dumps(combined(), indent=2, ensure_ascii=False) + "\n"


def _body(whole: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key not in _OF_FILES}


def _branch(kind: str) -> dict[str, Json]:
    chosen: dict[str, Json] = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"if": chosen, "then": {"$ref": f"#/definitions/{kind}"}}


if __name__ == "__main__":
    (CHECKOUT / FILES[None]).write_text(spelled(), encoding="utf-8")
