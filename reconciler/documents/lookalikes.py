"""Files beside the documents that look like documents and are not read: what somebody believes to be
declared is in no plan.
"""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.documents.file_trees import FileTree

_NAMED_AS_ONE: Final = re.compile(r"\.ya?ml(?:$|[^a-z0-9].*)", re.IGNORECASE | re.DOTALL)
"""`.YAML`, `.yaml.txt`, `.yml~`, `.yaml.bak`: of editors, of mail programs, of who sets one aside."""

_MAY_HOLD_ONE: Final = ("", ".json", ".jsonc", ".json5", ".txt", ".yaml", ".yml")
"""Suffixes of files whose beginning is looked at; the last two are those of hidden files."""

_OURS: Final = re.compile(rb"apiVersion[\"']?[ ]*:[ ]*[\"']?reconciler/")
_SCHEMA: Final = re.compile(rb"\"\$id\"[ ]*:[ ]*\"urn:reconciler:")
"""Of the schemas that editors read, which quote our apiVersion."""
_BEGINNING: Final = 4096
"""Bytes; a document begins with its version."""

_HIDDEN: Final = (
    "not read, because hidden files are skipped: rename it, or move it out of the folder"
)
_ANOTHER_FORM: Final = (
    "not read, although it has our apiVersion, because only *.yaml and *.yml files are documents:"
    " write it as YAML, or move it out of the folder"
)


def why_not_read(path: Path, files: FileTree) -> str | None:
    """Why a file that looks like a document is not read, and what to do; None if it does not look
    like one.

    Args:
        path: a file or link that is not read as a document.
        files: what it is a path of.
    """
    if path.name.startswith("."):
        return _HIDDEN if _declares(path, files) else None
    if path.name.lower().endswith((".yaml", ".yml")):
        return "not read, because its suffix is not in lower case: rename it to end in .yaml"
    if _NAMED_AS_ONE.search(path.name):
        return (
            "not read, because its name does not end in .yaml or .yml: rename it, or move it out of"
            " the folder"
        )
    return _ANOTHER_FORM if _declares(path, files) else None


def _declares(path: Path, files: FileTree) -> bool:
    """Whether a file begins with our apiVersion, also in UTF-16; what cannot be read does not."""
    if path.suffix.lower() not in _MAY_HOLD_ONE:
        return False
    try:
        if not stat.S_ISREG(files.mode(path)):
            return False
        beginning = files.read(path, _BEGINNING).replace(b"\0", b"")
    except OSError:
        return False
    return _OURS.search(beginning) is not None and _SCHEMA.search(beginning) is None
