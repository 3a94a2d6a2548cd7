"""Where documents are read from: the files of this machine, or any other tree of files."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, Protocol

from reconciler.files import open_regular, read_regular, real_path

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 64 << 20
"""What is read of a document, or of a list of users, at most: a million users have less."""


class FileTree(Protocol):
    """A tree of files, folders and links, by their paths. Links are followed."""

    def exists(self, path: Path) -> bool:
        """Whether there is anything at a path."""
        ...

    def real(self, path: Path) -> Path:
        """A path without links; one that leads in a circle or nowhere stays as far as it goes."""
        ...

    def is_folder(self, path: Path) -> bool:
        """Whether there is a folder."""
        ...

    def names(self, folder: Path) -> list[str]:
        """The names in a folder.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def mode(self, path: Path) -> int:
        """The type of what is at a path, as `stat` has it.

        Raises:
            OSError: there is nothing, or nothing can be seen.
        """
        ...

    def read(self, path: Path, most: int = -1) -> bytes:
        """The bytes of a file; at most so many from its beginning, if `most` is not negative.

        Raises:
            OSError: it cannot be read.
        """
        ...


class _Disk:
    """The files of this machine."""

    def exists(self, path: Path) -> bool:
        # Path.exists raises where the rights are missing
        return os.path.exists(path)  # noqa: PTH110

    def real(self, path: Path) -> Path:
        return real_path(path)

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def names(self, folder: Path) -> list[str]:
        return os.listdir(folder)  # noqa: PTH208  names only

    def mode(self, path: Path) -> int:
        return path.stat().st_mode

    def read(self, path: Path, most: int = -1) -> bytes:
        if most < 0:
            return read_regular(path, MOST_BYTES)
        with open_regular(path, sys.maxsize) as file:
            return file.read(most)


DISK: Final[FileTree] = _Disk()
