"""The schemas as another validator sees them: valid by themselves, and right about the sample
without any code of ours.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

from tests.house.tree import ROOT

SCHEMAS = sorted((ROOT / "schemas").glob("*.json"))
DOCUMENTS = [
    pytest.param(
        document, id=f"{path.relative_to(ROOT / 'policies')}:{document['metadata']['name']}"
    )
    for path in sorted((ROOT / "policies").rglob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]

WRONG = {
    "an unknown key": lambda document: {**document, "unknown": 1},
    "an unknown key of spec": lambda document: {
        **document,
        "spec": {**document["spec"], "unknown": 1},
    },
    "another version": lambda document: {**document, "apiVersion": "reconciler/v0"},
    "no name": lambda document: {**document, "metadata": {}},
    "an empty name": lambda document: {**document, "metadata": {"name": ""}},
    "null for spec": lambda document: {**document, "spec": None},
    "a list for spec": lambda document: {**document, "spec": []},
    "another kind": lambda document: {**document, "kind": "Policy"},
}


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((ROOT / "schemas" / name).read_text(encoding="utf-8"))
    return schema


def _of_kind(kind: str) -> dict[str, Any]:
    (found,) = [
        schema
        for path in SCHEMAS
        if (schema := _schema(path.name)).get("properties", {}).get("kind", {}).get("const") == kind
    ]
    return found


def _accepts(schema: dict[str, Any], document: Any) -> bool:
    return bool(validator_for(schema)(schema).is_valid(document))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_every_schema_is_one(path: Any) -> None:
    schema = _schema(path.name)
    validator_for(schema).check_schema(schema)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_sample_is_accepted_by_its_own_schema_and_by_the_combined_one(document: Any) -> None:
    assert _accepts(_of_kind(document["kind"]), document)
    assert _accepts(_schema("document.schema.json"), document)


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_wrong_document_is_refused(document: Any, fault: str) -> None:
    wrong = WRONG[fault](document)
    assert not _accepts(_of_kind(document["kind"]), wrong)
    assert not _accepts(_schema("document.schema.json"), wrong)
