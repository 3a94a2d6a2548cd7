"""PATHs of the command line to the YAML files below them: each once, in one order, none from
outside.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents import rules
from reconciler.errors import UsageFault
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SUFFIXES = (".yaml", ".yml")


_ELSEWHERE = (
    "the link leads out of every PATH: move what it names here, or add that folder as a PATH"
)
_NO_FILE = "is a pipe, a socket or a device, no file: put a regular file here, or rename it"


class _Walking(Struct, frozen=True):
    roots: tuple[Path, ...]
    seen: set[Path]
    findings: list[Finding]


class Walked(Struct, frozen=True):
    """The files to read, sorted, with the resolved folders that they and `usersFrom` have to lie
    in.
    """

    files: tuple[Path, ...]
    roots: tuple[Path, ...]
    findings: tuple[Finding, ...]


def walk(paths: Sequence[Path]) -> Walked:
    """Find every `*.yaml` and `*.yml` at or below the paths.

    Hidden files and folders are skipped, links are followed.

    A file that is given itself counts whatever its name, and makes its own folder a root.

    Raises:
        UsageFault: a path does not exist, or there is no document file at all.
    """
    for path in paths:
        # Path.exists raises where the rights are missing
        if not os.path.exists(path):  # noqa: PTH110
            raise UsageFault(f"PATH {path} does not exist: name a file or folder of YAML documents")
    walking = _Walking(tuple(sorted({_folder(path) for path in paths})), set(), [])
    found = {
        file for path in paths for file in (_below(path, walking) if path.is_dir() else (path,))
    }
    if not found and not walking.findings:
        raise UsageFault(
            f"no *.yaml or *.yml file at or below {', '.join(map(str, paths)) or 'no PATH'}"
        )
    files = _sift(sorted(found, key=lambda file: file.as_posix()), walking)
    return Walked(files, walking.roots, tuple(walking.findings))


def real(path: Path) -> Path:
    """A path without links; one that leads in a circle or nowhere stays as far as it goes."""
    return Path(os.path.realpath(path))


def inside(path: Path, roots: Iterable[Path]) -> bool:
    """Whether a resolved path lies in one of the resolved folders."""
    return any(path.is_relative_to(root) for root in roots)


def _folder(path: Path) -> Path:
    resolved = real(path)
    return resolved if resolved.is_dir() else resolved.parent


def _below(folder: Path, walking: _Walking) -> Iterator[Path]:
    """Files below a folder.

    Each folder is entered once, by whatever link: circles end, and so do links of links.
    """
    resolved = real(folder)
    if resolved in walking.seen:
        return
    walking.seen.add(resolved)
    if not inside(resolved, walking.roots):
        walking.findings.append(_fault(rules.OUTSIDE, folder, _ELSEWHERE))
        return
    for path in _entries(folder, walking):
        if path.is_dir():
            yield from _below(path, walking)
        elif path.name.endswith(SUFFIXES):
            yield path


def _entries(folder: Path, walking: _Walking) -> list[Path]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  names only
        return [folder / name for name in names if not name.startswith(".")]
    except OSError as fault:
        walking.findings.append(
            _fault(
                rules.UNREADABLE, folder, f"the folder cannot be read: {fault.strerror or fault}"
            )
        )
        return []


def _sift(candidates: Iterable[Path], walking: _Walking) -> tuple[Path, ...]:
    """Drop a file that was reached before, and refuse one that lies elsewhere or is none."""
    files: dict[Path, Path] = {}
    for path in candidates:
        resolved = real(path)
        if not inside(resolved, walking.roots):
            walking.findings.append(_fault(rules.OUTSIDE, path, _ELSEWHERE))
        elif _never_ends(resolved):
            walking.findings.append(_fault(rules.UNREADABLE, path, _NO_FILE))
        else:
            files.setdefault(resolved, path)
    return tuple(files.values())


def _never_ends(path: Path) -> bool:
    """Whether something is there that is no regular file: reading a pipe that nobody writes into
    waits for ever. What is not there is told later.
    """
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _fault(rule: rules.Rule, path: Path, message: str) -> Finding:
    return Finding(Position(path.as_posix(), 1, 1), "$", rule.id, message)
