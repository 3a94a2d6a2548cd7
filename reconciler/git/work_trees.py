"""In which repository the PATHs of a command line lie, and where in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence


def located(paths: Sequence[Path]) -> tuple[Path, tuple[Path, ...]]:
    """The work tree that holds some paths, and the same paths relative to it.

    The last name of a path may be a link that is itself in the repository: it is followed in the
    commit that is read. Links before it are followed here.

    Raises:
        UsageFault: a path is in no work tree of git, or they are in several.
    """
    places = [_place(path) for path in paths]
    (first, top), *others = ((path, tree) for path, (tree, _) in zip(paths, places, strict=True))
    for path, tree in others:
        if tree != top:
            raise UsageFault(
                f"--since: PATH {path} is in the git repository {tree}, and PATH {first} in {top}:"
                " plan the documents of one repository at a time"
            )
    return top, tuple(inner for _, inner in places)


def _place(path: Path) -> tuple[Path, Path]:
    whole = Path(os.path.realpath(path))
    named = path.name not in ("", "..")
    written = Path(os.path.realpath(path.parent)) / path.name if named else whole
    for place in dict.fromkeys((written, whole)):
        top = work_tree(place)
        if top is not None:
            return top, place.relative_to(top)
    raise UsageFault(
        f"--since: PATH {path} is not in a git repository: run it where the documents are checked"
        " out, or without --since"
    )


def work_tree(place: Path) -> Path | None:
    """The innermost folder with `.git` around what lies at a place, or around a link there."""
    folders = place.parents if place.is_symlink() or not place.is_dir() else (place, *place.parents)
    return next((folder for folder in folders if os.path.lexists(folder / ".git")), None)
