"""`python -m tests.reports.output_schemas`: makes the schemas of what the tool prints for machines
from their types, whose docstrings describe them.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.model.event_records import EventRecord
from reconciler.model.outputs import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[2] / "schemas"
TYPES: Mapping[str, tuple[type, str]] = {
    "events.schema.json": (EventRecord, "Event of an apply"),
    "output.schema.json": (Output, "Output of a command"),
}
"""Each schema: the type that it is made from, and its title."""
ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)
ELSEWHERE = {"plan": {"$ref": "plan.schema.json"}}
"""Properties of the envelope that have a schema of their own."""


def made(name: str) -> str:
    """The text of one schema."""
    kind, title = TYPES[name]
    schema = msgspec.json.schema(kind, ref_template="#/definitions/{name}")
    definitions = {name: described(part) for name, part in schema["$defs"].items()}
    top = (
        definitions.pop(schema["$ref"].rpartition("/")[2])
        if "$ref" in schema
        else described(schema)
    )
    properties = top.get("properties", {})
    for attribute, reference in ELSEWHERE.items():
        if attribute in properties:
            properties[attribute] |= reference
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **top,
        "title": title,
        "definitions": dict(sorted(definitions.items())),
    }
    whole.pop("$defs", None)
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def described(part: dict[str, Any]) -> dict[str, Any]:
    """A definition with its docstring as descriptions: of itself, and of each attribute."""
    docstring = inspect.cleandoc(part.get("description", ""))  # Python 3.13 does it by itself
    if not docstring:
        return part
    words, _, attributes = docstring.partition("Attributes:\n")
    properties = dict(part.get("properties", {}))
    for name, text in ATTRIBUTE.findall(attributes):
        properties[name] = {"description": in_one_line(text), **properties[name]}
    more = {"properties": dict(sorted(properties.items()))} if properties else {}
    return {**part, "description": in_one_line(words), **more}


def in_one_line(text: str) -> str:
    return re.sub(r"\bNone\b", "null", " ".join(text.split()))


def main() -> None:
    for name in TYPES:
        (FOLDER / name).write_text(made(name), encoding="utf-8")


if __name__ == "__main__":
    main()
