"""No regular expression of ours takes more than linear time, on whatever text."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pytest

from reconciler.kinds.products import PRODUCTS
from reconciler.tenants.live import classes
from tests.house.backtracking import faults
from tests.house.tree import ROOT, expect_none

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "reconciler"
FILES = sorted(PACKAGE.rglob("*.py"))
MADE_ELSEWHERE: Final = {
    ("files.py", "sweep"): "a file's name, escaped",
    ("planning/concerned.py", "_is_named"): "names, escaped",
    ("powershell/door/hiding.py", "learn"): "secrets, escaped",
    ("powershell/door/hiding.py", "__init__"): "secrets, escaped",
    ("documents/schemas.py", "_file"): "of one place, on names of ours",
    ("documents/schemas.py", "user_check"): "a pattern of a schema, which is judged there",
    ("documents/schemas.py", "users_from_form"): "a pattern of a schema, which is judged there",
    ("documents/schemas.py", "takes"): "patterns of the schemas, which are judged here",
    ("planning/selection.py", "is_consent"): "the forms of consents, which are judged here",
    ("reports/redaction.py", "__init__"): "what people without an id are called, escaped",
    ("reports/redaction.py", "_without_free_texts"): "display names, escaped",
    ("tenants/live/classes.py", "_found"): "the table of errors, which is judged here",
}
"""Where patterns are not constants of a module, and why that is right."""
ON_WHAT_WAS_MATCHED: Final = {
    "_STRINGS": "only ever on what `_VALUE` has matched to the end, so that no search fails",
    "_EDITS": "only ever on what `_VALUE` has matched to the end, so that no search fails",
}
_ANEW = frozenset({"search", "sub", "subn", "finditer", "findall", "split"})


def _module(path: Path) -> Any:
    return import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def _uses() -> dict[str, set[str]]:
    """The methods that are called of each name, anywhere."""
    uses = defaultdict(set)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                uses[node.value.id].add(node.attr)
    return uses


def _constants() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    for path in FILES:
        if path.name != "__main__.py":
            for name, value in vars(_module(path)).items():
                if isinstance(value, re.Pattern):
                    yield path.relative_to(PACKAGE).as_posix(), name, value


def _of_schemas(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "pattern" and isinstance(item, str):
                yield item
            yield from _of_schemas(item)
    elif isinstance(value, list):
        for item in value:
            yield from _of_schemas(item)


@pytest.mark.parametrize(
    ("pattern", "flags", "shapes"),
    [
        (r"(a+)*b", 0, {"nested"}),
        (r"(?:a|b+)+c", 0, {"nested"}),
        (r"(?:a*,?)*", 0, {"nested"}),
        (r"\s*\{?\s*x", 0, {"shared"}),
        (r"\s*AppId:\s*\S+;\s*Sid:\s*\S+;", 0, {"shared"}),
        (r".*x.*y", 0, {"shared"}),
        (r"\w+\d+!", 0, {"shared"}),
        (r"[a-z]*[A-Z]*!", re.IGNORECASE, {"shared"}),
        (r"^\s*#", re.MULTILINE, {"restarted"}),
        (r"\s+$", 0, {"restarted"}),
        (r"'OU=.*\\\*'", re.DOTALL, {"restarted"}),
        (r"\d+%", 0, {"restarted"}),
        (r"\d++%", 0, {"restarted"}),
    ],
)
def test_shapes_that_backtrack_are_found(pattern: str, flags: int, shapes: set[str]) -> None:
    assert shapes <= set(faults(pattern, flags))


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        (r"^\s*#", 0),
        (r"^[ \t]*+#", re.MULTILINE),
        (r"(?:[^']|'')*+", 0),
        (r"^(?>\s*)\{?(?>\s*)x", 0),
        (r"^(?:a.*b|c[^ ]+d)$", 0),
        (r"[a-z]+(?:\.[a-z]+)*", 0),
        (r"^[a-z]+(?:\.[a-z]+)*@[a-z]+$", 0),
        (r"AADSTS\d+", 0),
        (r"(?:[a-z]{1,63}\.){1,8}x", 0),
    ],
)
def test_shapes_that_do_not_are_not(pattern: str, flags: int) -> None:
    assert not faults(pattern, flags)


@pytest.mark.parametrize("pattern", [r"\s*\{?\s*x", r"\S+;\S+;", r"(a+)*b"])
def test_an_anchor_is_no_excuse_for_the_other_shapes(pattern: str) -> None:
    assert faults(pattern, searching=False)


def test_patterns_of_modules() -> None:
    uses = _uses()
    expect_none(
        [
            f"{file}: {name}: {', '.join(wrong)}: {pattern.pattern}"
            for file, name, pattern in _constants()
            if name not in ON_WHAT_WAS_MATCHED
            and (
                wrong := faults(pattern.pattern, pattern.flags, searching=bool(uses[name] & _ANEW))
            )
        ]
    )


def test_patterns_of_schemas_and_of_the_model() -> None:
    written = {
        pattern
        for path in sorted((ROOT / "schemas").glob("*.json"))
        for pattern in _of_schemas(json.loads(path.read_text(encoding="utf-8")))
    }
    written |= {
        keyword.value.value
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "pattern" and isinstance(keyword.value, ast.Constant)
    }
    assert len(written) > 20
    expect_none([f"{wrong}: {one}" for one in sorted(written) if (wrong := faults(one))])


def test_patterns_of_tables() -> None:
    texts = [row.texts for row in classes.TABLE] + [row.types for row in classes.TABLE]
    forms = [form for product in PRODUCTS.values() for form in product.consent_forms]
    expect_none(
        [f"{wrong}: {one}" for one in texts if (wrong := faults(one, re.IGNORECASE))]
        + [
            f"{wrong}: {one}"
            for one in forms
            if (wrong := faults(one, re.IGNORECASE, searching=False))
        ]
    )


def test_a_pattern_is_a_constant_of_its_module() -> None:
    """Else nobody judges it."""
    found = set()
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                found |= {
                    (path.relative_to(PACKAGE).as_posix(), function.name)
                    for node in ast.walk(function)
                    if isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "re"
                    and node.func.attr != "escape"
                }
    assert found == MADE_ELSEWHERE.keys()
