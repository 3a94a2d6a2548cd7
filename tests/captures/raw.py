"""The content of a capture file, read the plain way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.captures import files

if TYPE_CHECKING:
    from pathlib import Path


def load_raw(path: Path) -> dict[str, Any]:
    return files.parse_object(files.file_bytes(path), str(path))
