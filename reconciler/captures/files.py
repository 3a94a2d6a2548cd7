"""Capture files on disk: read with the place of every fault, written whole or not at all."""

from __future__ import annotations

import codecs
import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec

from reconciler import canonical
from reconciler.errors import CaptureFault
from reconciler.file_kinds import FileKind, file_kind, mistaken, told_apart, why_no_json
from reconciler.files import read_regular, write_atomically
from reconciler.kinds.capture_rows import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable

    from reconciler.canonical import Json

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def file_bytes(path: Path | Traversable) -> bytes:
    """Read a file whole.

    Raises:
        CaptureFault: it cannot be read.
    """
    try:
        return read_regular(path) if isinstance(path, Path) else path.read_bytes()
    except OSError as fault:
        raise CaptureFault(f"{path}: cannot read the file: {fault.strerror or fault}") from fault


def parse_object(data: bytes, place: str) -> dict[str, Any]:
    """Parse the bytes of a JSON file that holds one object: UTF-8, or UTF-16 with its byte order mark
    as Windows PowerShell writes it.

    Raises:
        CaptureFault: they do not; names `place`, line and column.
    """
    try:
        value = msgspec.json.decode(data)
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
    ):  # it takes less than `json` does, and says less of what is wrong
        value = _judged(data, place)
    if not isinstance(value, dict):
        raise CaptureFault(
            f"{place}: expected a JSON object, found {shown(value)}; write a capture with"
            " `reconciler fetch`"
        )
    return value


def object_of_kind(data: bytes, place: str, *wanted: FileKind) -> dict[str, Any]:
    """Parse like `parse_object` the bytes of a file that has to be of a kind, or of one of some kinds,
    the first as messages name it.

    Raises:
        CaptureFault: as `parse_object`, or it is a file of ours of another kind.
    """
    try:
        value = parse_object(data, place)
    except CaptureFault as fault:
        if other := told_apart(place, data, *wanted):
            raise CaptureFault(other) from fault
        raise
    kind = file_kind(value)
    if kind is not None and kind not in wanted:
        raise CaptureFault(f"{place}: {mistaken(kind, place, wanted[0])}")
    return value


def _judged(data: bytes, place: str) -> Any:
    """Parse what is perhaps no JSON, or not in UTF-8, with the place of every fault."""
    try:
        return json.loads(_decoded(data, place), parse_constant=_no_number)
    except json.JSONDecodeError as fault:
        raise CaptureFault(
            f"{place}:{fault.lineno}:{fault.colno}: invalid JSON: {fault.msg}"
        ) from fault
    except (ValueError, RecursionError) as fault:
        raise CaptureFault(f"{place}: invalid JSON: {why_no_json(fault)}") from fault


def write(path: Path, raw: Mapping[str, Json]) -> None:
    """Write a capture in canonical JSON. A reader sees the old file or the new one, never a part.

    Raises:
        CaptureFault: the file cannot be written.
    """
    write_pieces(path, (canonical.dumps(raw), b"\n"))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Put a new file in the place of an old one, making its folder where there is none.

    A new file is its owner's alone: it tells of people.

    Raises:
        CaptureFault: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, pieces, private=True)
    except OSError as fault:
        raise CaptureFault(f"{path}: cannot write the file: {fault.strerror or fault}") from fault


@cache
def capture_schema() -> Mapping[str, Any]:
    """The JSON Schema of captures: inside an installed package, or in `schemas/` of a checkout."""
    package = files("reconciler")
    for place in (package / "schemas", package / ".." / "schemas"):
        schema_file = place / "capture.schema.json"
        if schema_file.is_file():
            return parse_object(schema_file.read_bytes(), "capture.schema.json")
    raise CaptureFault(
        "capture.schema.json is missing from the installation: reinstall the package"
    )


def _decoded(data: bytes, place: str) -> str:
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in _BOMS if data.startswith(mark)), (b"", "utf-8")
    )
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise CaptureFault(
            f"{place}:{line}: byte {fault.start} is not valid {encoding.upper()}: save"
            " the file as UTF-8"
        ) from fault


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")
