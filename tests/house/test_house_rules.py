"""The package's architecture, counted: who may import, print, spawn a process, touch files; how
long things may be.
"""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from tests.house.rooms import LEVEL, room_of
from tests.house.tree import PACKAGE, ROOT, calls, expect_none, imports, modules, name_of, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from pathlib import Path

PROCESS_MODULES = {"subprocess", "multiprocessing", "pty", "asyncio"}
PROCESS_CALLS = {"system", "popen", "fork", "execv", "execvp", "spawnv", "posix_spawn"}
FILE_CALLS = {
    *(
        "read_text",
        "write_text",
        "read_bytes",
        "write_bytes",
        "mkdir",
        "unlink",
        "rename",
        "touch",
        "rmdir",
    ),
    *("iterdir", "glob", "rglob", "exists", "is_file", "is_dir", "stat", "lstat", "fsync"),
}
FILE_ROOMS = (
    "files",
    "documents",
    "captures.files",
    "tenants.simulated",
    "applying",
    "planning.planfile",
    "cli",
    "powershell",
    "processes",
    "git",
)

# Words that say nothing about what a thing is.
EMPTY_WORDS = {
    "util",
    "utils",
    "helper",
    "helpers",
    "manager",
    "managers",
    "handler",
    "handlers",
    "misc",
    "common",
    "stuff",
}


def _within(name: str, room: str) -> bool:
    """`tenants.simulated` holds for itself, its submodules and its siblings `tenants.simulated_x`."""
    return name == room or name.startswith((f"{room}.", f"{room}_"))


def _allowed(importer: str, imported: str) -> bool:
    own, other = room_of(importer), room_of(imported)
    return own == other or LEVEL.get(other, 0) < LEVEL[own]


def _ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(), ids=_ids)
def test_imports_point_one_way(path: Path) -> None:
    upward = [
        f"line {line}: {imported}"
        for imported, line in imports(path)
        if imported.startswith("reconciler.")
        and not _allowed(name_of(path), imported.removeprefix("reconciler."))
    ]
    expect_none(upward)


def test_no_two_modules_import_each_other() -> None:
    """Directly or in a circle, imports for type checking included: a reader follows them too."""
    known = {name_of(path): path for path in modules()}
    edges = {name: set(_inner_imports(path, known)) & known.keys() for name, path in known.items()}
    try:
        tuple(TopologicalSorter(edges).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def _inner_imports(path: Path, known: Container[str]) -> Iterator[str]:
    for imported, _ in imports(path):
        inner = imported.removeprefix("reconciler.")
        if inner != imported:
            yield inner if inner in known else inner.rpartition(".")[0]


def test_every_module_stands_in_aroom_of() -> None:
    homeless = [name_of(path) for path in modules() if name_of(path) and not room_of(name_of(path))]
    expect_none(homeless)


def test_the_protocol_of_tenants_knows_the_model_only() -> None:
    path = PACKAGE / "tenants" / "protocol.py"
    known = {
        room_of(imported.removeprefix("reconciler."))
        for imported, _ in imports(path)
        if imported.startswith("reconciler.")
    }
    assert known <= {"model", "canonical", "errors"}


def test_only_the_command_line_prints() -> None:
    loud = [
        call.where
        for path in modules()
        if not _within(name_of(path), "cli")
        for call in calls(path)
        if (call.dot, call.name) in {("", "print"), ("", "input"), (".", "echo"), (".", "secho")}
    ]
    expect_none(loud)


def test_only_one_room_starts_processes() -> None:
    rooms = [path for path in modules() if not _within(name_of(path), "processes")]
    imported = [
        _ids(path)
        for path in rooms
        for name, _ in imports(path)
        if name.split(".")[0] in PROCESS_MODULES
    ]
    called = [
        call.where
        for path in rooms
        for call in calls(path)
        if call.dot and call.name in PROCESS_CALLS
    ]
    expect_none(imported + called)


def test_only_the_rim_touches_files() -> None:
    touching = [
        f"{call.where}: {call.name}"
        for path in modules()
        if not any(_within(name_of(path), room) for room in FILE_ROOMS)
        for call in calls(path)
        if call.name in FILE_CALLS or (call.dot, call.name) == ("", "open")
    ]
    expect_none(touching)


def _words(path: Path) -> Iterator[tuple[str, str]]:
    """Every name that a module gives: its own, its classes', its functions'."""
    yield _ids(path), path.stem
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{_ids(path)}:{node.lineno}", node.name


def test_names_say_something() -> None:
    empty = [
        f"{where}: {name}"
        for path in modules()
        for where, name in _words(path)
        if EMPTY_WORDS & set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))
    ]
    expect_none(empty)


EACH_A_CASE = 8
"""Cases of a `match` from which on a function is a table: it is as long as its sum type."""


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, without its signature and its docstring."""
    first = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if any(isinstance(part, ast.Match) and len(part.cases) >= EACH_A_CASE for part in first):
        return 0
    return (node.end_lineno or node.lineno) - first[0].lineno + 1 if first else 0


def test_functions_are_short() -> None:
    long = [
        f"{_ids(path)}:{node.lineno}: {node.name} has {lines} lines"
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := _lines(node)) > 40
    ]
    expect_none(long)


def test_files_are_short() -> None:
    long = [
        f"{_ids(path)} has {lines} lines"
        for path in modules()
        if (lines := path.read_text(encoding="utf-8").count("\n")) > 500
    ]
    expect_none(long)


def _chained(node: ast.AST) -> bool:
    return isinstance(node, ast.IfExp) and any(
        isinstance(part, ast.IfExp) for part in (node.test, node.body, node.orelse)
    )


def _reads_underscore(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "_" and isinstance(node.ctx, ast.Load)


def _deletes_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Delete) and any(isinstance(it, ast.Name) for it in node.targets)


def _is_identity(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "id"


@pytest.mark.parametrize("short_cut", [_chained, _reads_underscore, _deletes_name, _is_identity])
def test_no_short_cut_that_a_reader_pays_for(short_cut: Callable[[ast.AST], bool]) -> None:
    """Chained conditional expressions, `_` as a variable, `del` of a name, `id(x)` as a key."""
    expect_none(
        [
            f"{_ids(path)}:{node.lineno}"
            for path in modules()
            for node in ast.walk(parsed(path))
            if short_cut(node)
        ]
    )
