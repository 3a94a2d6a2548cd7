"""The files of a commit, as a tree of files: read from git's objects, never checked out, so that no
filter or attribute of a repository changes them.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.git.program import GitFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.git.program import Repository

_LINK, _FOLDER, _SUBMODULE, _TYPE = 0o120000, 0o040000, 0o160000, 0o170000
"""Types of entries of a tree (git-fast-import(1), `filemodify`), and the bits that hold them."""
_MOST_LINKS: Final = 40
_OUTSIDE: Final = Path(os.sep)
"""Where a link leads that leaves the repository: into no folder of it."""
_READ_AT_ONCE: Final = (".yaml", ".yml", ".csv", ".txt")


class _Entry(NamedTuple):
    mode: int
    name: str


class CommitFiles:
    """The files of one commit, by paths relative to the repository's top folder."""

    def __init__(self, repository: Repository, commit: str, folders: Sequence[Path]) -> None:
        """List the files of a commit.

        Args:
            repository: where.
            commit: its whole hash.
            folders: where most of what will be read lies.

        Raises:
            GitFault: the commit cannot be read.
        """
        self._repository, self._commit = repository, commit
        self._folders = tuple(folder.as_posix() for folder in folders)
        self._contents: dict[str, bytes] = {}
        self._entries: dict[str, _Entry] = {".": _Entry(_FOLDER, "")}
        self._within: dict[str, list[str]] = {".": []}
        listed = repository.answer("ls-tree", "-r", "-t", "-z", "--full-tree", commit)
        for path, entry in _entries(listed):
            self._entries[path] = entry
            parent, _, name = path.rpartition("/")
            self._within.setdefault(parent or ".", []).append(name)

    def leads_out(self, path: Path) -> bool:
        """Whether a link on the way leads out of the repository."""
        return self._resolved(path) == PurePosixPath(_OUTSIDE)

    def exists(self, path: Path) -> bool:
        """Whether the commit has anything at a path."""
        return self._entry(path) is not None

    def real(self, path: Path) -> Path:
        """A path without links, relative to the repository; `/` if it leads out of it."""
        return Path(self._resolved(path))

    def is_folder(self, path: Path) -> bool:
        """Whether the commit has a folder there; a submodule counts as one."""
        entry = self._entry(path)
        return entry is not None and entry.mode & _TYPE in {_FOLDER, _SUBMODULE}

    def names(self, folder: Path) -> list[str]:
        """The names in a folder.

        Raises:
            OSError: there is none, or it is a submodule, whose files are in another repository.
        """
        entry = self._stored(folder)
        if entry.mode & _TYPE == _SUBMODULE:
            raise OSError(errno.EXDEV, "it is a submodule, whose files are in another repository")
        return list(self._within.get(self._resolved(folder).as_posix(), ()))

    def mode(self, path: Path) -> int:
        """The type of what is at a path, as `stat` has it.

        Raises:
            OSError: there is nothing.
        """
        kind = self._stored(path).mode & _TYPE
        return stat.S_IFDIR if kind in {_FOLDER, _SUBMODULE} else stat.S_IFREG

    def read(self, path: Path, most: int = -1) -> bytes:
        """The bytes of a file, as they were committed.

        Raises:
            OSError: there is no file.
            GitFault: this clone does not have them.
        """
        entry = self._stored(path)
        if stat.S_ISDIR(self.mode(path)):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if entry.name not in self._contents:
            self._read_objects(dict.fromkeys((entry.name, *self._likely())))
        content = self._contents[entry.name]
        return content if most < 0 else content[:most]

    def _entry(self, path: Path) -> _Entry | None:
        return self._entries.get(self._resolved(path).as_posix())

    def _stored(self, path: Path) -> _Entry:
        entry = self._entry(path)
        if entry is None or entry.mode & _TYPE == _LINK:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return entry

    def _likely(self) -> Iterator[str]:
        """Files that are read with the first one: a process for each would take long."""
        for path, entry in self._entries.items():
            inside = any(
                folder in {".", path} or path.startswith(f"{folder}/") for folder in self._folders
            )
            regular = entry.mode & _TYPE == stat.S_IFREG
            if inside and regular and path.endswith(_READ_AT_ONCE):
                yield entry.name

    def _resolved(self, path: Path) -> PurePosixPath:
        """Follow links, `.` and `..`; `/` outside of the repository."""
        done: list[str] = []
        pending = [*reversed(PurePosixPath(path.as_posix()).parts)]
        links = 0
        while pending:
            part = pending.pop()
            if part.startswith("/") or (part == ".." and not done):
                return PurePosixPath(_OUTSIDE)
            if part == "..":
                done.pop()
                continue
            here = "/".join((*done, part))
            entry = self._entries.get(here)
            if entry is None or entry.mode & _TYPE != _LINK or links >= _MOST_LINKS:
                done.append(part)
                continue
            links += 1
            target = self._target(entry.name)
            pending += reversed(PurePosixPath(target).parts)
        return PurePosixPath("/".join(done) or ".")

    def _target(self, name: str) -> str:
        if name not in self._contents:
            self._read_objects((name,))
        return self._contents[name].decode("utf-8", "surrogateescape")

    def _read_objects(self, names: Iterable[str]) -> None:
        wanted = [name for name in names if name not in self._contents]
        request = "".join(f"{name}\n" for name in wanted).encode()
        printed = self._repository.ask("cat-file", "--batch", request=request)
        self._contents.update(batch_objects(printed.printed))
        if printed.code or any(name not in self._contents for name in wanted):
            raise GitFault(
                f"this clone lacks files of commit {self._commit}, as a partial clone may: run `git"
                " fetch --refetch --no-filter`, then try again"
            )


def _entries(listed: bytes) -> Iterator[tuple[str, _Entry]]:
    """`MODE TYPE NAME<TAB>PATH<NUL>` (git-ls-tree(1))."""
    for row in listed.split(b"\0"):
        if row:
            head, _, path = row.partition(b"\t")
            mode, _, name = head.decode("ascii").split(" ")
            yield path.decode("utf-8", "surrogateescape"), _Entry(int(mode, 8), name)


def batch_objects(printed: bytes) -> Iterator[tuple[str, bytes]]:
    """What `cat-file --batch` prints, by name; an object that is missing is left out.

    `NAME TYPE SIZE<LF>CONTENT<LF>`, or `NAME missing<LF>` (git-cat-file(1)).
    """
    at = 0
    while (end := printed.find(b"\n", at)) >= 0:
        fields = printed[at:end].decode("ascii", "replace").split(" ")
        at = end + 1
        if len(fields) == 3 and fields[2].isdecimal():  # noqa: PLR2004
            size = int(fields[2])
            if len(printed) < at + size + 1:
                return
            yield fields[0], printed[at : at + size]
            at += size + 1
