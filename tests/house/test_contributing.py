"""CONTRIBUTING names the files that know a product by its name, and explains words that are used."""

from __future__ import annotations

import ast
import re

from reconciler.model.addresses import PROVIDERS
from tests.house.tree import PACKAGE, ROOT, expect_none, modules

OWN_ROOMS = tuple(
    f"reconciler/{room}/{name}" for room in ("kinds", "planning/checking") for name in PROVIDERS
)
"""A product's own modules, by how their paths begin."""


def _listed() -> frozenset[str]:
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Adding a product\n", 1)[1].split("\n## ", 1)[0]
    return frozenset(re.findall(r"`((?:reconciler|schemas)/[^`]+\.[a-z]+)`", section))


def _spells_a_product(source: str) -> bool:
    return any(
        isinstance(node, ast.Constant) and node.value in PROVIDERS
        for node in ast.walk(ast.parse(source))
    )


def test_every_module_that_spells_a_product_is_listed() -> None:
    spelling = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if path.is_relative_to(PACKAGE) and _spells_a_product(path.read_text(encoding="utf-8"))
    }
    assert spelling
    expect_none(sorted(name for name in spelling - _listed() if not name.startswith(OWN_ROOMS)))


def test_every_listed_file_exists() -> None:
    assert _listed()
    expect_none(sorted(name for name in _listed() if not (ROOT / name).is_file()))


def _glossary() -> list[str]:
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Glossary\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE)
    return [word.strip() for row in rows[1:] for word in row.split(",")]


def test_the_glossary_is_sorted_and_has_each_word_once() -> None:
    words = _glossary()
    assert len(words) >= 50
    rows = [word for word in words if word != "narrowing"]
    assert rows == sorted(set(rows))


def test_the_glossary_explains_words_that_are_used() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8").lower() for path in modules())
    unused = [
        word
        for word in _glossary()
        if not re.search(r"[-_\s]".join(re.split(r"[- ]", word)), sources)
    ]
    expect_none(unused)
