"""The repository as the house rules see it: files, modules, imports, calls."""

from __future__ import annotations

import ast
import subprocess
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "reconciler"


class Call(NamedTuple):
    """A call of something by name: `print(...)` is ("", "print"), `path.read_text()` is (".",
    "read_text").
    """

    where: str
    dot: str
    name: str


@cache
def tracked() -> tuple[str, ...]:
    """Paths of every file that is in git, relative to the root.

    What somebody's own runs leave lying there is not ours to judge. An exported tree has no
    repository: there it is every file except what such runs are known to leave.
    """
    if not (ROOT / ".git").exists():
        return tuple(sorted(_exported()))
    listing = ["git", "ls-files", "-z"]
    names = (
        subprocess.run(listing, cwd=ROOT, capture_output=True, check=True)
        .stdout.decode()
        .split("\0")
    )
    return tuple(sorted(name for name in names if name and (ROOT / name).is_file()))


def _exported() -> Iterator[str]:
    ignored = [*(ROOT / ".gitignore").read_text(encoding="utf-8").replace("/\n", "\n").split()]
    for path in ROOT.rglob("*"):
        name = path.relative_to(ROOT)
        if path.is_file() and not any(
            fnmatch(part, pattern) for part in name.parts for pattern in ignored
        ):
            yield name.as_posix()


@cache
def modules() -> tuple[Path, ...]:
    """Every Python file of the package."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    """Dotted name of a module without the package: `kinds.teams.parse`, `cli` for
    `cli/__init__.py`.
    """
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Dotted names that a module imports, for type checking too, with lines: `import a.b` is `a.b`,
    `from a import b` is `a.b`.
    """
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = ("reconciler", *path.relative_to(PACKAGE).parts[:-1])
    return ".".join(
        (*package[: len(package) - node.level + 1], *((node.module,) if node.module else ()))
    )


def calls(path: Path) -> Iterator[Call]:
    """Every call by name in a module."""
    shown = path.relative_to(ROOT).as_posix()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield Call(f"{shown}:{node.lineno}", "", node.func.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield Call(f"{shown}:{node.lineno}", ".", node.func.attr)


def expect_none(found: list[str]) -> None:
    """Fail with every place found, one a line."""
    assert not found, "\n" + "\n".join(found)
