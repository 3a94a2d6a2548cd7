"""Names that people and searches rely on: a public class is the only one of its name."""

from __future__ import annotations

import ast
from collections import Counter

from tests.house.tree import modules


def test_no_public_class_name_occurs_twice() -> None:
    names = Counter(
        node.name
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == set()
