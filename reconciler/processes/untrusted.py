"""Folders from which nothing is started, and the file system that the choice of a program asks."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from reconciler.files import real_path
from reconciler.processes.programs import POSIX, Flavour, UntrustedFolder, windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_MOST_LINKS: Final = 40
"""Links that one path may lead through; Linux refuses more (path_resolution(7))."""


def flavour_here(environ: Mapping[str, str]) -> Flavour:
    """How this system spells paths."""
    return windows(environ) if sys.platform == "win32" else POSIX


def working_directory() -> Path | None:
    """The working directory; None if it was removed, so that nothing is in it."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


def untrusted_folders(reads: Iterable[Path], working: Path | None) -> tuple[UntrustedFolder, ...]:
    """Where nothing may be started from.

    Args:
        reads: What a command reads: folders and files of documents, a plan. The git repository that
            holds one, else the folder itself.
        working: The working directory, and the git repository that holds it.
    """
    folders: list[UntrustedFolder] = []
    if working is not None:
        folders.append(UntrustedFolder(working, "the working directory", whole=False))
        folders += _around(working)
    for path in reads:
        # A link leads from one repository into another: neither is trusted.
        for place in dict.fromkeys((path.absolute(), real_path(path))):
            folder = place if place.is_dir() else place.parent
            folders += tuple(_around(folder)) or (
                UntrustedFolder(folder, "the folder of the documents", whole=folder == place),
            )
    return tuple(dict.fromkeys(folders))


def _around(folder: Path) -> Iterator[UntrustedFolder]:
    return (
        UntrustedFolder(root, "the git repository", whole=True) for root in _repositories(folder)
    )


def _repositories(folder: Path) -> Iterator[Path]:
    """The work tree that a folder is in. A submodule's `.git` is a file, and the repository around
    it says which commit of it is there.
    """
    for root in (folder, *folder.parents):
        mark = root / ".git"
        if os.path.lexists(mark):
            yield root
            if mark.is_dir():
                return


class RealDisk:
    """The file system of this machine. Unverified on Windows."""

    def starts(self, path: PurePath) -> bool:
        """Whether this is a file that this user may start."""
        mode = _mode(path)
        return mode is not None and stat.S_ISREG(mode) and os.access(path, os.X_OK)

    def trail(self, path: PurePath) -> Sequence[PurePath]:
        """Every place that a path leads through."""
        places: list[PurePath] = [path]
        here, pending = Path(path.anchor), list(reversed(path.parts[1:]))
        while pending and len(places) <= _MOST_LINKS:
            part = pending.pop()
            here = here.parent if part == ".." else here / part
            target = _link(here)
            if target is not None:
                places.append(here)
                here = Path(target.anchor) if target.is_absolute() else here.parent
                pending += reversed(target.parts[1:] if target.is_absolute() else target.parts)
        return (*places, Path(os.path.realpath(path)))

    def same(self, folder: PurePath, other: PurePath) -> bool:
        """Whether two paths are one folder: a file system may ignore case, or know short names."""
        try:
            return Path(folder).samefile(other)
        except OSError:
            return False

    def anybody_writes(self, path: PurePath) -> bool:
        """Whether everybody may write here; not known on Windows, which has other lists of rights."""
        mode = _mode(path)
        return sys.platform != "win32" and mode is not None and bool(mode & stat.S_IWOTH)


def _mode(path: PurePath) -> int | None:
    """What is at a path, through links; None if nothing can be seen there."""
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return None


def _link(path: Path) -> Path | None:
    try:
        return Path(str(path.readlink()).removeprefix("\\\\?\\"))
    except OSError:
        return None
