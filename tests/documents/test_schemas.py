"""The schemas: readable by editors, self-contained, explained, and the same judgement wherever they
are used.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents import schemas
from reconciler.documents.input_files import Text, decode_text
from reconciler.documents.parsing import parse_yaml
from reconciler.documents.rules import BY_ID
from reconciler.documents.schemas import EDITORS, FILES, schema, user_check, user_validator
from reconciler.model.documents import Kind
from tests.documents.cases import FAULTS, VALID
from tests.documents.combined_schema import combined, spelled
from tests.strategies.documents import users
from tests.thoroughness import samples

KEYWORDS = {
    "$schema",
    "$id",
    "$comment",
    "$ref",
    "title",
    "description",
    "default",
    "examples",
    "definitions",
    "type",
    "const",
    "enum",
    "required",
    "properties",
    "additionalProperties",
    "propertyNames",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "oneOf",
    "allOf",
    "if",
    "then",
    "else",
    *EDITORS,
}
"""What draft-07 and draft 2020-12 understand alike.

Editors read a few more, and validators skip those. Not among them: `dependencies`, a list of `items`,
`$ref` beside anything.
"""

ALL = list(FILES)


def parts(node: Any, where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, with its place."""
    if isinstance(node, dict):
        yield where, node
        for key in ("additionalProperties", "propertyNames", "items", "if", "then", "else"):
            yield from parts(node.get(key), f"{where}/{key}")
        for key in ("oneOf", "allOf"):
            for index, inner in enumerate(node.get(key, ())):
                yield from parts(inner, f"{where}/{key}/{index}")
        for key in ("properties", "definitions"):
            for name, inner in node.get(key, {}).items():
                yield from parts(inner, f"{where}/{key}/{name}")


def read(path: Path) -> list[Any]:
    decoded = decode_text(path.read_bytes(), "f")
    return (
        [tree.value for tree in parse_yaml(decoded.text, "f").trees]
        if isinstance(decoded, Text) and not decoded.indented_by_tab
        else []
    )


DOCUMENTS = [
    value
    for folder in [*FAULTS, *VALID]
    for path in sorted(folder.rglob("*.yaml"))
    for value in read(path)
]


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_schema_is_valid_in_both_drafts(kind: Kind | None):
    jsonschema.Draft7Validator.check_schema(schema(kind))
    jsonschema.Draft202012Validator.check_schema(
        {key: value for key, value in schema(kind).items() if key != "$schema"}
    )


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_schema_uses_only_what_both_drafts_understand_alike(kind: Kind | None):
    for where, part in parts(schema(kind)):
        assert part.keys() <= KEYWORDS, where
        assert "$ref" not in part or part.keys() == {"$ref"}, where
        assert isinstance(part.get("items", {}), dict), where


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_every_value_is_titled_and_described_and_every_map_is_closed(kind: Kind | None):
    for where, part in parts(schema(kind)):
        says_something = part.keys() & {"type", "const", "enum"} and not re.search(
            r"/(if|then|else|propertyNames)\b", where
        )
        assert not says_something or {"title", "description"} <= part.keys(), where
        if part.get("type") == "object" and (kind is not None or where != "#"):
            assert part["additionalProperties"] is False, where


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_editors_are_told_what_a_value_means_and_what_to_write(kind: Kind | None):
    for where, part in parts(schema(kind)):
        if "pattern" in part:
            assert part["patternErrorMessage"].startswith("Write "), where
        if "enum" in part and "title" in part and where != "#/properties/kind":
            assert len(part["enumDescriptions"]) == len(part["enum"]), where


def test_every_schema_has_an_id_and_a_snippet_that_fits():
    assert len({schema(kind)["$id"] for kind in ALL}) == len(ALL)
    for kind in Kind:
        (snippet,) = schema(kind)["defaultSnippets"]
        assert snippet["body"]["kind"] == kind
        shape = jsonschema.Draft7Validator(schema(kind))
        wrong = {error.validator for error in shape.iter_errors(snippet["body"])}
        assert wrong <= {"pattern"}, "what is still to be filled in is no id yet"


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_patterns_mean_the_same_to_every_validator(kind: Kind | None):
    """Anchored, and without the classes that Python and ECMAScript read differently."""
    for where, part in parts(schema(kind)):
        if pattern := part.get("pattern"):
            assert pattern.startswith("^"), where
            assert pattern.endswith("$"), where
            assert not re.search(r"\\[wdsWDSbBAZ]", pattern), where


@pytest.mark.parametrize("kind", list(Kind))
def test_examples_are_valid(kind: Kind):
    whole = schema(kind)
    assert whole["examples"]
    for where, part in parts(whole):
        for example in part.get("examples", ()):
            root = {**part, "definitions": whole["definitions"]}
            assert jsonschema.Draft202012Validator(
                {key: value for key, value in root.items() if key != "$schema"}
            ).is_valid(example), where


@pytest.mark.parametrize("kind", list(Kind))
def test_rules_named_in_comments_exist(kind: Kind):
    named = [part["$comment"] for _, part in parts(schema(kind)) if "$comment" in part]
    assert named
    assert {comment.removeprefix("rule: ") for comment in named} <= BY_ID.keys()


def test_the_combined_schema_is_made_from_the_others():
    assert schemas.schema_text(None) == spelled(), "run `python -m tests.documents.combined_schema`"


def test_definitions_of_one_name_are_the_same_everywhere():
    for kind in Kind:
        for name, definition in schema(kind)["definitions"].items():
            assert combined()["definitions"][name] == definition


def test_the_combined_schema_refers_to_itself_only():
    assert all(
        part["$ref"].startswith("#/definitions/")
        for _, part in parts(schema(None))
        if "$ref" in part
    )


@pytest.mark.parametrize("validator", [jsonschema.Draft7Validator, jsonschema.Draft202012Validator])
def test_the_combined_schema_judges_as_the_kinds_do(validator: Any):
    assert len(DOCUMENTS) > 150
    whole = validator({key: value for key, value in schema(None).items() if key != "$schema"})
    for value in DOCUMENTS:
        kind = next(
            (kind for kind in Kind if isinstance(value, dict) and value.get("kind") == kind), None
        )
        assert whole.is_valid(value) == (
            kind is not None and schemas.validator(kind).is_valid(value)
        ), value


def test_the_readme_names_every_schema():
    readme = (schemas.CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert all(f"`{file}`" in readme for file in FILES.values())
    assert {path.name for path in schemas.CHECKOUT.glob("*.schema.json")} >= set(FILES.values())


def test_an_installed_package_brings_its_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / FILES[None]).write_text('{"title": "installed"}')
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    assert json.loads(schemas.schema_text(None)) == {"title": "installed"}


LISTED = [
    item
    for value in DOCUMENTS
    if isinstance(value, dict)
    and isinstance(value.get("spec"), dict)
    and isinstance(grants := value["spec"].get("grants"), dict)
    for item in grants.get("users") or ()
    if isinstance(item, str) and "\n" not in item
]


def test_the_compiled_check_judges_the_corpus_as_jsonschema_does():
    assert len(LISTED) > 100
    for text in LISTED:
        assert bool(user_check()(text)) == user_validator().is_valid(text), text


near_users = st.tuples(
    users,
    st.integers(0, 40),
    st.text(alphabet="@.-'#!~ a0Z\u00e9;$`*", max_size=3),
    st.integers(0, 3),
).map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + parts[3] :])
long_users = st.tuples(st.integers(55, 70), st.integers(30, 50)).map(
    lambda lengths: f"{'a' * lengths[0]}@{'b' * lengths[1]}.com"
)


@given(st.one_of(users, near_users, long_users, st.text(max_size=120)))
@settings(max_examples=samples(400))
def test_the_compiled_check_judges_as_jsonschema_does(text: str):
    """But for line breaks, which no value may hold and which `$` means differently in Python."""
    if "\n" not in text:
        assert bool(user_check()(text)) == user_validator().is_valid(text)
