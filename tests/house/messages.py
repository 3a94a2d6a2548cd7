"""Every text of the tool that a person may read, for reading them through in one go:
`python -m tests.house.messages` prints them with their places, one a line.

A text is a string of two words or more in the package that is no docstring, no pattern and no
type; the docstring of a command, which is its help; what a template writes by itself; and the
titles and descriptions of the JSON Schemas. What an f-string fills in is shown as {expression}.
"""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tests.house.tree import PACKAGE, ROOT, modules, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = re.compile(r"[^\W\d_]\S*\s+\S|\s[^\W\d_]|[^\W\d_]\s")
"""Two words, or one that is put beside others."""

PATTERNS = frozenset({"compile", "fullmatch", "match", "search", "sub"})
"""Calls whose first argument is a regular expression."""


class Text(NamedTuple):
    """One text and where it is written."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@cache
def texts() -> tuple[Text, ...]:
    """All of them, by place."""
    found = dict.fromkeys((*_python(), *_templates(), *_schemas()))
    return tuple(sorted(found, key=lambda one: (one.file, one.line)))


def _python() -> Iterator[Text]:
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        tree = parsed(path)
        skipped = set(_not_texts(tree))
        yield from (Text(name, line, text) for line, text in _strings(tree, skipped))
        yield from (Text(name, line, text) for line, text in _helps(tree))


def _strings(node: ast.AST, skipped: set[ast.AST]) -> Iterator[tuple[int, str]]:
    """The texts below a node, each whole: the parts of an f-string are not texts of their own, but
    what is put together inside its braces may be.
    """
    if node in skipped:
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        text = _shown(node)
        if WORDS.search(text):
            yield node.lineno, text
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
            yield from _strings(child, skipped)


def _shown(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ""
    else:
        text = "".join(map(_part, node.values))
    return text.replace("\n", "\\n")


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "{" + ast.unparse(node.value) + "}" if isinstance(node, ast.FormattedValue) else ""


def _not_texts(tree: ast.Module) -> Iterator[ast.AST]:
    """Docstrings, patterns and types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node
        elif isinstance(node, ast.Call) and _called(node.func) in PATTERNS and node.args:
            yield node.args[0]
        elif isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            yield node.annotation


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _helps(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Docstrings of commands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(one, ast.Call) and _called(one.func) in {"command", "group"}
            for one in node.decorator_list
        ):
            yield from (
                (node.body[0].lineno, " ".join(part.split()))
                for part in (ast.get_docstring(node) or "").split("\n\n")
            )


def _templates() -> Iterator[Text]:
    for path in sorted(PACKAGE.rglob("*.j2")):
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            written = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", line).strip()
            if WORDS.search(re.sub(r"\{\{.*?\}\}", "{}", written)):
                yield Text(name, number, written)


def _schemas() -> Iterator[Text]:
    for path in sorted((ROOT / "schemas").glob("*.json")):
        name = path.relative_to(ROOT).as_posix()
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for text in _described(json.loads(source)):
            quoted = json.dumps(text, ensure_ascii=False)
            for number, line in enumerate(lines, 1):
                if quoted in line:
                    yield Text(name, number, text)


def _described(node: object) -> Iterator[str]:
    match node:
        case dict():
            for key, value in node.items():
                if key in {"title", "description"} and isinstance(value, str):
                    yield value
                else:
                    yield from _described(value)
        case list():
            for one in node:
                yield from _described(one)
        case _:
            return


if __name__ == "__main__":
    for one in texts():
        print(one)
