"""What a process prints beside its answers: a log with an end, without secrets, without control
characters.
"""

from __future__ import annotations

import os
import re
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.powershell.door.hiding import Hiding

_KEPT: Final = 64 * 1024
"""Characters kept in memory."""
_LONGEST: Final = 64 * 1024
"""Bytes of one line that are looked at, half of it is kept: a secret that a cut divides was seen
whole.
"""
_FILE: Final = 8 * 1024 * 1024
"""Bytes written to the file in one run."""
_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Log:
    """Takes bytes as they come, keeps whole lines. `show` gets each line as long as it is set."""

    def __init__(self, hiding: Hiding, file: Path | None = None) -> None:
        self.show: Callable[[str], None] | None = None
        self.hiding = hiding
        self._lines: deque[str] = deque()
        self._size = 0
        self._rest = b""
        self._cut = False
        self._left = _FILE
        self._file: BinaryIO | None = _opened(file) if file else None

    def feed(self, block: bytes) -> None:
        """Take what the process printed."""
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > _LONGEST:
            self._line(self._rest)
            self._rest, self._cut = b"", True

    def close(self) -> None:
        """The process prints no more."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""
        if self._file:
            self._file.close()
            self._file = None

    def tail(self) -> str:
        """The last lines."""
        return "\n".join(tuple(self._lines))

    def _line(self, raw: bytes) -> None:
        if self._cut:  # the rest of a line whose beginning was too long already
            self._cut = False
            return
        text = _CONTROL.sub("", _SEQUENCE.sub("", raw[:_LONGEST].decode("utf-8", "replace")))
        text = self.hiding.text(text)[: _LONGEST // 2]
        self._keep(text)
        self._write(text)
        if self.show:
            self._shown(text, self.show)

    def _keep(self, text: str) -> None:
        self._lines.append(text)
        self._size += len(text) + 1
        while self._size > _KEPT:
            self._size -= len(self._lines.popleft()) + 1

    def _write(self, text: str) -> None:
        if self._file is None or self._left <= 0:
            return
        line = text.encode("utf-8", "replace") + b"\n"
        self._left -= len(line)
        self._file.write(line if self._left > 0 else b"(the log ends here: it is full)\n")
        self._file.flush()

    def _shown(self, text: str, show: Callable[[str], None]) -> None:
        try:
            show(text)
        # a terminal that is gone must not stop the reading: the process would stall
        except Exception:  # noqa: BLE001
            self.show = None


def _opened(path: Path) -> BinaryIO:
    """Opened for adding, readable by this user only."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
