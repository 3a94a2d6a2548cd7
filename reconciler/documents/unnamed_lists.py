"""Lists of users beside the documents that no document names: who is in one is granted nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.documents import rules
from reconciler.documents.users import listed_users
from reconciler.model.findings import Finding, Position, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.documents.file_trees import FileTree
    from reconciler.documents.raw_documents import RawDocument

_BEGINNING: Final = 1 << 16
"""Bytes of a file that tell whether it is a list of users."""
_UNNAMED: Final = (
    "not read, although it lists users, because no document names it: name it in `usersFrom`, or"
    " move it out of the folder"
)


def unnamed_lists(
    lists: Sequence[Path], documents: Iterable[RawDocument], files: FileTree
) -> Iterator[Finding]:
    """A warning for each list of users that no document names. A file that lists anything else is
    none.

    Args:
        lists: files that may be such lists.
        documents: all documents, also those of other tenants.
        files: what the lists are paths of.
    """
    named = {*_named(documents, files)} if lists else set()
    for path in lists:
        if files.real(path) not in named and _begins_as_list(path, files):
            position = Position(path.as_posix(), 1, 1)
            yield Finding(position, "$", rules.NOT_READ.id, _UNNAMED, Severity.WARNING)


def _named(documents: Iterable[RawDocument], files: FileTree) -> Iterator[Path]:
    for document in documents:
        name = document.at("spec", "grants", "usersFrom")
        if isinstance(name, str):
            with suppress(OSError, ValueError):  # a name that no file can have
                # also in a form that is a fault of its own
                yield files.real(Path(document.file).parent / name.replace("\\", "/"))


def _begins_as_list(path: Path, files: FileTree) -> bool:
    try:
        raw = files.read(path, _BEGINNING)
    except OSError:
        return False
    whole_lines = raw if len(raw) < _BEGINNING else raw[: raw.rfind(b"\n") + 1]
    return bool(listed_users(whole_lines, path.as_posix()))
