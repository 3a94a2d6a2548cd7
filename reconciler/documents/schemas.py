"""The JSON Schemas: where they lie, what they say, and the validators made of them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.model.documents import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.resources.abc import Traversable


def _file(kind: Kind) -> str:
    """`teams-application-access-policy.schema.json` for TeamsApplicationAccessPolicy."""
    return f"{re.sub('(?<=[a-z])(?=[A-Z])', '-', kind.value).lower()}.schema.json"


FILES: Mapping[Kind | None, str] = {
    **{kind: _file(kind) for kind in Kind},
    None: "document.schema.json",
}
"""File of each kind's schema; under None the combined one, which picks by `kind`."""


EDITORS = frozenset(
    ("markdownDescription", "enumDescriptions", "patternErrorMessage", "defaultSnippets")
)
"""Keywords of editors: yaml-language-server and VS Code show them, and no validator reads them."""

_ANNOTATIONS = frozenset(("title", "description", "examples", "default")) | EDITORS
"""Keywords that say nothing about whether a document fits."""

CHECKOUT = Path(__file__).resolve().parents[2] / "schemas"
"""Where the schemas are edited; not there once the package is installed."""


def folder() -> Traversable | Path:
    """Where the schemas lie: in the installed package, or beside it in a checkout."""
    from importlib.resources import files  # noqa: PLC0415  lazy: only a run with documents needs it

    installed = files("reconciler") / "schemas"
    return installed if installed.is_dir() else CHECKOUT


def schema_text(kind: Kind | None) -> str:
    """The schema of a kind as it is written; None is the combined one."""
    return (folder() / FILES[kind]).read_text(encoding="utf-8")


@cache
def schema(kind: Kind | None) -> Mapping[str, Any]:
    """The parsed schema of a kind; None is the combined one."""
    parsed: Mapping[str, Any] = json.loads(schema_text(kind))
    return parsed


@cache
def validator(kind: Kind) -> Any:
    """The jsonschema validator of a kind's documents, JSON Schema draft 2020-12."""
    from jsonschema import (  # noqa: PLC0415
        Draft202012Validator,
    )

    whole = schema(kind)
    return Draft202012Validator(
        _inlined(
            {
                key: value
                for key, value in whole.items()
                if key not in {"$schema", "$id", "definitions"}
            },
            whole,
        )
    )


def _inlined(part: Any, whole: Mapping[str, Any]) -> Any:
    """A part of a schema with every definition in the place of its reference, and without what is
    written for people: following references takes as long as all the rest, and passing over
    annotations a quarter of it.
    """
    if isinstance(part, list):
        return [_inlined(item, whole) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(whole["definitions"][part["$ref"].removeprefix("#/definitions/")], whole)
    return {
        key: {name: _inlined(inner, whole) for name, inner in value.items()}
        if key == "properties"
        else _inlined(value, whole)
        for key, value in part.items()
        if key not in _ANNOTATIONS
    }


@cache
def user_validator() -> Any:
    """The jsonschema validator of one user of a list."""
    from jsonschema import (  # noqa: PLC0415
        Draft202012Validator,
    )

    return Draft202012Validator(_user_schema())


@cache
def user_check() -> Callable[[str], re.Match[str] | None]:
    """The same judgement of one text as `user_validator`, compiled: truthy if it may name a user."""
    user = _user_schema()
    form = user["pattern"].removeprefix("^").removesuffix("$")
    return re.compile(f"(?=.{{{user['minLength']},{user['maxLength']}}}\\Z)(?:{form})\\Z").match


@cache
def users_from_form() -> re.Pattern[str]:
    """The pattern of `usersFrom`; where it does not match, the shape is reported and no file read."""
    grants = schema(Kind.TEAMS_POLICY)["properties"]["spec"]["properties"]["grants"]
    return re.compile(grants["properties"]["usersFrom"]["pattern"])


def takes(form: Mapping[str, Any], text: str) -> bool:
    """Whether a schema of a text, with `maxLength` and `pattern`, takes this one."""
    return len(text) <= form["maxLength"] and re.search(form["pattern"], text) is not None


def _user_schema() -> Mapping[str, Any]:
    user: Mapping[str, Any] = schema(Kind.TEAMS_POLICY)["definitions"]["user"]
    return user
