"""Names that people and searches rely on: a public class or function is the only one of its name,
and a variable is named by a noun.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from reconciler.model.addresses import PROVIDERS
from tests.house.tree import ROOT, expect_none, modules, name_of, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Names that do not say of what: `one` in `for one in policies` is a policy.
NOT_NOUNS = frozenset(
    {"found", "held", "it", "known", "one", "rest", "said", "told", "what", "which"}
)

# Functions that are alike on purpose: somebody looks for the name in each of several modules.
ALIKE = {
    "command": "each module of `cli/commands`",
    "main": "the entry points of the package and of the installed program",
    "build": "each kind of document, for the table of kinds",
    "check": "each kind of document, for the table of kinds",
    "own_name": "each kind of document whose name is checked, for the table of kinds",
}


def test_no_public_class_name_occurs_twice() -> None:
    names = Counter(
        node.name
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == set()


def test_a_public_function_is_the_only_one_of_its_name_but_for_its_twin_of_another_product() -> (
    None
):
    homes: dict[str, list[str]] = {}
    for path in modules():
        for node in parsed(path).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name_of(path))
    expect_none(
        [
            f"{name}: {', '.join(names)}"
            for name, names in sorted(homes.items())
            if name not in ALIKE
            and len(names) > 1
            and len({_of_any_product(home) for home in names}) > 1
        ]
    )


def _of_any_product(home: str) -> str:
    for provider in PROVIDERS:
        home = home.replace(provider, "PRODUCT")
    return home


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
