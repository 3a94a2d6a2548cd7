"""What kind of file of ours a content is, for the message where another kind was expected."""

from __future__ import annotations

import json
import re
import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class FileKind(StrEnum):
    """A file that the tool writes or reads, as a message names it."""

    PLAN = "a plan"
    CAPTURE = "a capture"
    TENANT = "a simulated tenant"
    OUTPUT = "what --format json printed"
    JOURNAL = "the journal of an apply"
    DOCUMENT = "a document"
    PAGE = "a page of --format html"
    CONFLICT = "two files in one, because of a merge conflict"


_TELLING: Final = (
    (FileKind.OUTPUT, {"command", "exit_code"}),
    (FileKind.PLAN, {"steps", "content_digest"}),
    (FileKind.CAPTURE, {"taken_at", "tenant"}),
    (FileKind.TENANT, {"clock", "tenant"}),
    (FileKind.JOURNAL, {"plan", "pid", "already"}),
    (FileKind.DOCUMENT, {"apiVersion", "kind"}),
)
"""Members that all files of a kind have, and none of the kinds after it."""
RESOLVE_CONFLICT: Final = (
    "keep one side of it, and delete the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`"
)
"""What to do with a file in which git left a merge conflict."""
_CONFLICT: Final = re.compile(rb"^(?:<{7}|>{7})(?=[ \r\n]|\Z)", re.MULTILINE)
_DOCUMENT: Final = re.compile(rb"^[\"']?apiVersion[\"']?[ ]*:[ ]*[\"']?reconciler/", re.MULTILINE)
_PAGE: Final = b"<!doctype html"

_THEN: Final[Mapping[FileKind, str]] = {
    FileKind.PLAN: "to see it: reconciler show {name}",
    FileKind.CAPTURE: "to plan on it: reconciler plan --tenant {name} --out plan.json",
    FileKind.TENANT: "to plan on it: reconciler plan --tenant sim:{name} --out plan.json",
    FileKind.OUTPUT: (
        "`reconciler plan --out FILE` keeps a plan, `reconciler fetch --out FILE` a capture"
    ),
    FileKind.JOURNAL: "pass it with --journal to `reconciler undo`",
    FileKind.DOCUMENT: "pass its folder as PATH: reconciler plan {folder}",
    FileKind.PAGE: "open it in a browser; `reconciler plan --out FILE` keeps a plan",
    FileKind.CONFLICT: RESOLVE_CONFLICT,
}
"""What to do with a file of each kind."""


def file_kind(value: Any) -> FileKind | None:
    """The kind of a file that holds this JSON value; None if it is none of ours."""
    if not isinstance(value, dict):
        return None
    return next((kind for kind, members in _TELLING if members <= value.keys()), None)


def file_kind_of_bytes(content: bytes) -> FileKind | None:
    """The kind of a file with this content; None if it is none of ours."""
    if _CONFLICT.search(content):
        return FileKind.CONFLICT
    if content[: len(_PAGE)].lower() == _PAGE:
        return FileKind.PAGE
    first, _, _ = content.partition(b"\n")
    kinds = (file_kind(_json(text)) for text in (content, first))
    kind = next((kind for kind in kinds if kind is not None), None)
    return kind or (FileKind.DOCUMENT if _DOCUMENT.search(content) else None)


def told_apart(place: str, content: bytes, *wanted: FileKind) -> str | None:
    """What a file is where another kind was expected, and what to do with it: one sentence.

    Args:
        place: the file, as the message names it.
        content: of the file.
        wanted: what it was expected to be, the first as the message names it.

    Returns: None if it is none of ours, or what was wanted.
    """
    kind = file_kind_of_bytes(content)
    return (
        None if kind is None or kind in wanted else f"{place}: {mistaken(kind, place, wanted[0])}"
    )


def why_no_json(fault: ValueError | RecursionError) -> str:
    """What keeps a text from being JSON, in words for a person."""
    match fault:
        case json.JSONDecodeError():
            return f"line {fault.lineno}, column {fault.colno}: {fault.msg}"
        case UnicodeDecodeError():
            return f"byte {fault.start} is not valid UTF-8"
        case RecursionError():
            return "nested too deeply"
        case _:
            return str(fault)


def mistaken(kind: FileKind, place: str, wanted: FileKind) -> str:
    """Say that a file is of one kind and not of another, and what to do with it."""
    name, folder = shlex.quote(place), shlex.quote(Path(place).parent.as_posix())
    return f"not {wanted} but {kind}; {_THEN[kind].format(name=name, folder=folder)}"


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
