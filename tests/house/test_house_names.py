"""Names that people and searches rely on: a public class is the only one of its name, and a
variable is named by a noun.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.house.tree import ROOT, expect_none, modules, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Names that do not say of what: `one` in `for one in policies` is a policy.
NOT_NOUNS = frozenset(
    {"found", "held", "it", "known", "one", "rest", "said", "told", "what", "which"}
)


def test_no_public_class_name_occurs_twice() -> None:
    names = Counter(
        node.name
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == set()


def _variables(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Names that functions, loops and patterns bind, and parameters, with lines. The fields of a
    class are read with what they belong to, `plan.held`, and are left out.
    """
    fields = {
        statement.target
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if node not in fields:
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case _:
                pass


def test_the_rule_sees_every_way_to_bind_a_name() -> None:
    tree = ast.parse(
        "class A:\n    held: int\n"
        "def f(known):\n    for one in x:\n        what = (said := 1)\n"
        "    match x:\n        case [it, *rest]: pass\n"
        "    try: pass\n    except E as found: pass\n"
        "lambda told: [which for which in x]\n"
    )
    assert {name for _, name in _variables(tree)} == NOT_NOUNS - {"held"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_variable_is_named_by_a_noun(path: Path) -> None:
    expect_none(
        [
            f"line {line}: {name}"
            for line, name in sorted(_variables(parsed(path)))
            if name in NOT_NOUNS
        ]
    )
