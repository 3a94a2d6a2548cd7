"""The schemas of what machines read are made from the types, and say no less than these."""

from __future__ import annotations

import json

import msgspec
import pytest

from reconciler import errors
from reconciler.model.outputs import EXIT_NAMES, ExitName
from tests.planning.test_plan_schema import differences, form, without
from tests.reports.output_schemas import FOLDER, TYPES, made

PLAN = {"$ref": "plan.schema.json"}


def published(name: str) -> dict:
    schema: dict = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return schema


@pytest.mark.parametrize("name", TYPES)
def test_a_schema_is_what_its_types_make(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == made(name), (
        "run python -m tests.reports.output_schemas"
    )


def comparable(name: str) -> dict:
    """A published schema without the reference to another file."""
    schema = published(name)
    if "plan" in schema.get("properties", {}):
        plan = schema["properties"]["plan"]
        assert plan.pop("$ref") == PLAN["$ref"]
    return schema


@pytest.mark.parametrize("name", TYPES)
def test_a_schema_says_what_the_types_say(name: str) -> None:
    declared = msgspec.json.schema(TYPES[name][0])
    schema = comparable(name)
    assert differences(form(declared, declared), form(schema, schema)) == []


@pytest.mark.parametrize(
    "way",
    [
        ("properties", "exit_name"),
        ("properties", "summary", "additionalProperties", "minimum"),
        ("properties", "format_version", "pattern"),
        ("definitions", "OutputFinding", "required"),
        ("definitions", "Applied", "properties", "left_out"),
        ("definitions", "ExitName", "enum"),
    ],
    ids="/".join,
)
def test_a_schema_that_says_less_differs(way: tuple[str, ...]) -> None:
    declared = msgspec.json.schema(TYPES["output.schema.json"][0])
    schema = without(comparable("output.schema.json"), *way)
    assert differences(form(declared, declared), form(schema, schema)) != []


def test_every_exit_code_has_a_name_and_every_name_a_code() -> None:
    codes = {
        fault.exit_code
        for fault in vars(errors).values()
        if isinstance(fault, type) and issubclass(fault, errors.ReconcilerError)
    } | {errors.SUCCESS, errors.CHANGES_PENDING}
    assert codes == EXIT_NAMES.keys()
    assert sorted(EXIT_NAMES.values()) == sorted(ExitName)
