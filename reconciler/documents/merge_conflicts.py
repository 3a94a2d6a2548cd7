"""Conflicts of git that nobody resolved: the sides are two files in one, so neither is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.documents import rules
from reconciler.file_kinds import RESOLVE_CONFLICT
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFLICT = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|\Z)", re.MULTILINE)
_CONFLICT_END = re.compile(r"^(?:<{7}|>{7})(?=[ \r\n]|\Z)", re.MULTILINE)
_SIGNS = ("<" * 7, ">" * 7)
"""One of these is in every text that the patterns match: looked for in a hundredth of their time."""


def conflicts(text: str, file: str) -> Iterator[Finding]:
    """The first line of each merge conflict in the text of a file."""
    if not any(sign in text for sign in _SIGNS):
        return
    opened, line, counted_to = False, 1, 0
    for marker in _CONFLICT.finditer(text) if _CONFLICT_END.search(text) else ():
        opens = marker[0].startswith("<")
        line += text.count("\n", counted_to, marker.start())
        counted_to = marker.start()
        if opens or not opened:
            yield Finding(
                Position(file, line, 1),
                "$",
                rules.CONFLICT.id,
                f"merge conflict: {RESOLVE_CONFLICT}",
            )
        opened = opens or (opened and not marker[0].startswith(">"))
