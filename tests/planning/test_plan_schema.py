"""The published schema of a plan file says what the types say, and nothing else: each is brought to
one form, in which every property, whether it is required, and every type, enumeration, pattern and
bound of the one must be in the other.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from reconciler.model.baselines import GUARD_SCOPE
from reconciler.model.plans import Plan
from reconciler.planning.planfile import PlanDigests

PUBLISHED = Path(__file__).parents[2] / "schemas/plan.schema.json"
FOR_PEOPLE = {"$schema", "title", "description", "examples", "default", "$defs", "definitions"}
BOUNDS = {"pattern", "minimum", "minItems", "maxItems"}


def form(schema: dict, root: dict) -> list[dict]:
    """The alternatives of a schema, references resolved, in an order of their own."""
    schema = resolved(schema, root)
    unknown = schema.keys() - FOR_PEOPLE - BOUNDS - SHAPE.keys() - {"type", "const", "required"}
    assert not unknown, unknown
    if "anyOf" in schema:
        found = [one for each in schema["anyOf"] for one in form(each, root)]
    else:
        types = schema.get("type")
        names = types if isinstance(types, list) else [types]
        found = [alternative({**schema, "type": name}, root) for name in names]
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


def resolved(schema: dict, root: dict) -> dict:
    """References and parts that hold together, as one schema."""
    if "$ref" in schema:
        _, place, name = schema["$ref"].split("/")
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**resolved(root[place][name], root), **rest}
    if "allOf" in schema:
        parts = [resolved(part, root) for part in schema["allOf"]]
        return {
            **{key: value for part in parts for key, value in part.items()},
            "required": [name for part in parts for name in part.get("required", ())],
            "properties": {
                name: inner for part in parts for name, inner in part.get("properties", {}).items()
            },
        }
    return schema


SHAPE = {
    "anyOf": None,
    "enum": lambda value, _: sorted(value),
    "items": form,
    "properties": lambda value, root: {
        name: form(inner, root) for name, inner in sorted(value.items())
    },
    "additionalProperties": lambda value, root: form({} if value is True else value, root),
}


def alternative(schema: dict, root: dict) -> dict:
    """One alternative: what says nothing is left out."""
    if "const" in schema:
        schema = {**schema, "enum": [schema["const"]]}
    found = {key: schema[key] for key in BOUNDS if key in schema}
    if schema["type"] is not None and "enum" not in schema:
        found["type"] = schema["type"]
    if schema.get("required"):
        found["required"] = sorted(schema["required"])
    for key, of in SHAPE.items():
        if of is not None and key in schema:
            found[key] = of(schema[key], root)
    return {key: value for key, value in found.items() if value not in ({}, [{}])}


def declared() -> list[dict]:
    """The form of the types: a file has the fields of a plan and of its digests."""
    (plan,), (digests,) = (
        form(schema, schema)
        for schema in (msgspec.json.schema(Plan), msgspec.json.schema(PlanDigests))
    )
    (baseline,) = plan["properties"]["baseline"]
    baseline["properties"]["exchange"] = [
        told_apart(one) for one in baseline["properties"]["exchange"]
    ]
    return [
        {
            **plan,
            "required": sorted(plan["required"] + digests["required"]),
            "properties": {**plan["properties"], **digests["properties"]},
        }
    ]


def told_apart(exchange: dict) -> dict:
    """The type of a mapping cannot say that one key has another type than all others; `Baseline`
    makes sure of it.
    """
    if "additionalProperties" not in exchange:
        return exchange
    several, one = exchange["additionalProperties"]
    assert (several["type"], one["type"]) == ("array", "object")
    return {**exchange, "additionalProperties": [several], "properties": {GUARD_SCOPE: [one]}}


def differences(ours: object, theirs: object, place: str = "$") -> list[str]:
    """Where two forms differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            found
            for key in sorted(ours.keys() | theirs.keys())
            for found in differences(ours.get(key), theirs.get(key), f"{place}.{key}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            found
            for index, pair in enumerate(zip(ours, theirs, strict=True))
            for found in differences(*pair, f"{place}[{index}]")
        ]
    return [] if ours == theirs else [f"{place}: {ours} in the types, {theirs} in the schema"]


def published() -> dict:
    return json.loads(PUBLISHED.read_text("utf-8"))


def test_the_schema_says_what_the_types_say() -> None:
    schema = published()
    assert differences(declared(), form(schema, schema)) == []


def without(schema: dict, *way: str) -> dict:
    """The schema with one of its parts taken out."""
    part = schema
    for key in way[:-1]:
        part = part[key]
    del part[way[-1]]
    return schema


@pytest.mark.parametrize(
    "way",
    [
        ("definitions", "step", "properties", "temporary"),
        ("definitions", "step", "properties", "id", "minimum"),
        ("definitions", "step", "properties", "cmdlet", "pattern"),
        ("definitions", "step", "required"),
        ("definitions", "gap", "properties", "subject", "properties", "and"),
        ("definitions", "subject", "properties", "kind", "enum"),
        ("definitions", "change", "properties", "actions", "maxItems"),
        ("definitions", "exchangeBaseline", "properties", "guardScope"),
        ("properties", "tool", "properties", "name", "const"),
        ("properties", "names", "additionalProperties"),
        ("properties", "digest"),
    ],
    ids="/".join,
)
def test_a_schema_that_says_less_differs(way: tuple[str, ...]) -> None:
    schema = without(published(), *way)
    assert differences(declared(), form(schema, schema)) != []
