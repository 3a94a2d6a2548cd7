"""PATHs of the command line to the YAML files below them: each once, in one order, none from outside."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from reconciler.documents import rules
from reconciler.errors import UsageFault
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

SUFFIXES = (".yaml", ".yml")


class Walked(NamedTuple):
    """The files to read, sorted, with the resolved folders that they and `usersFrom` have to lie in."""

    files: tuple[Path, ...]
    roots: tuple[Path, ...]
    findings: tuple[Finding, ...]


def walk(paths: Sequence[Path]) -> Walked:
    """Find every `*.yaml` and `*.yml` at or below the paths. Hidden files and folders are skipped, links are followed.

    A file that is given itself counts whatever its name, and makes its own folder a root.

    Raises:
        UsageFault: a path does not exist, or there is no document file at all.
    """
    for path in paths:
        if not path.exists():
            raise UsageFault(f"PATH {path} does not exist: name a file or folder of YAML documents")
    roots = tuple(sorted({_folder(path) for path in paths}))
    candidates = sorted(dict.fromkeys(file for path in paths for file in _below(path)), key=lambda file: file.as_posix())
    files, findings = _sift(candidates, roots)
    if not candidates:
        raise UsageFault(f"no *.yaml or *.yml file at or below {', '.join(map(str, paths)) or 'no PATH'}")
    return Walked(files, roots, findings)


def inside(path: Path, roots: Iterable[Path]) -> bool:
    """Whether a resolved path lies in one of the resolved folders."""
    return any(path.is_relative_to(root) for root in roots)


def _folder(path: Path) -> Path:
    resolved = path.resolve()
    return resolved if resolved.is_dir() else resolved.parent


def _below(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from _files(path, frozenset())
    else:
        yield path


def _files(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Files below a folder; `above` holds the resolved folders on the way here, so that a link in a circle ends."""
    resolved = folder.resolve()
    if resolved in above:
        return
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    for name in names:
        path = folder / name
        if path.is_dir():
            yield from _files(path, above | {resolved})
        elif name.endswith(SUFFIXES):
            yield path


def _sift(candidates: Iterable[Path], roots: tuple[Path, ...]) -> tuple[tuple[Path, ...], tuple[Finding, ...]]:
    """Drop a file that was reached before, and refuse one that lies elsewhere."""
    files: dict[Path, Path] = {}
    findings: list[Finding] = []
    for path in candidates:
        resolved = path.resolve()
        if inside(resolved, roots):
            files.setdefault(resolved, path)
        else:
            message = "the link leads out of every PATH: move the file here, or add its folder as a PATH"
            findings.append(Finding(Position(path.as_posix(), 1, 1), "$", rules.OUTSIDE.id, message))
    return tuple(files.values()), tuple(findings)
