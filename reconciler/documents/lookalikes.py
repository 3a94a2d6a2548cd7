"""Files beside the documents that look like documents and are not read: what somebody believes to be
declared is in no plan.
"""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.documents.file_trees import FileTree

_NAMED_AS_ONE: Final = re.compile(r"\.ya?ml(?:$|[^a-z0-9].*)", re.IGNORECASE | re.DOTALL)
"""`.YAML`, `.yaml.txt`, `.yml~`, `.yaml.bak`: of editors, of mail programs, of who sets one aside."""

_MAY_HOLD_ONE: Final = ("", ".json", ".jsonc", ".json5", ".txt", ".yaml", ".yml")
"""Suffixes of files that are documents if our version is anywhere in their beginning; the last two are
those of hidden files. Others may quote a document, and have to begin with it.
"""
_TEXTS: Final = (".md", ".markdown")
"""Suffixes of texts about documents, in which `#` is a heading."""
_DOCUMENTS: Final = (".yaml", ".yml")
_MOST_ENTRIES: Final = 1000
"""What is looked at of a hidden folder: it may be a repository of git, or an environment of Python."""

_OURS: Final = re.compile(rb"apiVersion[\"']?[ ]*:[ ]*[\"']?reconciler/")
_MARKS: Final = b"\xef\xbb\xff\xfe\xbf"
"""The bytes of byte order marks."""
_SCHEMA: Final = re.compile(rb"\"\$id\"[ ]*:[ ]*\"urn:reconciler:")
"""Of the schemas that editors read, which quote our apiVersion."""
_BEGINNING: Final = 4096
"""Bytes; a document begins with its version."""

_HIDDEN: Final = (
    "not read, because hidden files are skipped: rename it, or move it out of the folder"
)
_HIDDEN_FOLDER: Final = (
    "not read, because hidden folders are skipped, although `{name}` in it has our apiVersion: rename"
    " the folder, or move it out of this one"
)
_ANOTHER_FORM: Final = (
    "not read, although it has our apiVersion, because only *.yaml and *.yml files are documents:"
    " write it as YAML, or move it out of the folder"
)


def why_not_read(path: Path, files: FileTree) -> str | None:
    """Why a file that looks like a document is not read, and what to do; None if it does not look
    like one.

    Args:
        path: a file, a link or a hidden folder that is not read.
        files: what it is a path of.
    """
    if path.name.startswith("."):
        if files.is_folder(path):
            inner = _document_in(path, files)
            name = inner and inner.relative_to(path).as_posix()
            return _HIDDEN_FOLDER.format(name=name) if name else None
        return _HIDDEN if _declares(path, files) else None
    if path.name.lower().endswith((".yaml", ".yml")):
        return "not read, because its suffix is not in lower case: rename it to end in .yaml"
    if _NAMED_AS_ONE.search(path.name):
        return (
            "not read, because its name does not end in .yaml or .yml: rename it, or move it out of"
            " the folder"
        )
    return _ANOTHER_FORM if _declares(path, files) else None


def _document_in(folder: Path, files: FileTree) -> Path | None:
    """The first document that is found in a folder, or below it."""
    paths, looked_at = [folder], 0
    while paths and looked_at < _MOST_ENTRIES:
        path = paths.pop()
        looked_at += 1
        if path.name.endswith(_DOCUMENTS) and _declares(path, files):
            return path
        if files.is_folder(path) and files.real(path).is_relative_to(files.real(folder)):
            with suppress(OSError):
                paths += [path / name for name in sorted(files.names(path), reverse=True)]
    return None


def _declares(path: Path, files: FileTree) -> bool:
    """Whether a file has our apiVersion where a document has it, also in UTF-16; what cannot be read
    does not.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in _TEXTS or not stat.S_ISREG(files.mode(path)):
            return False
        beginning = files.read(path, _BEGINNING).replace(b"\0", b"")
    except OSError:
        return False
    if suffix not in _MAY_HOLD_ONE:
        return _OURS.match(_first_key(beginning)) is not None
    return _OURS.search(beginning) is not None and _SCHEMA.search(beginning) is None


def _first_key(beginning: bytes) -> bytes:
    """From the first key on: without byte order mark, comments, `---`, brace and quote."""
    for line in beginning.lstrip(_MARKS).splitlines():
        text = line.strip()
        if text and not text.startswith((b"#", b"---")):
            return text.lstrip(b"{ \"'")
    return b""
