"""Bytes of a file to text that is safe to look at: UTF-8, no tabs, nothing that hides or moves what
a reviewer sees.

Columns count code points, lines end at LF or CRLF, both count from 1. A byte order mark at the
start of a file is tolerated and not counted: editors on Windows write it, and it changes nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.characters import Unfit, unfit
from reconciler.documents import rules
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HARMLESS = bytes([0x0A, 0x0D, *range(0x20, 0x7F)])
# Also in comments: what YAML calls unacceptable, what ends a line in some readers only, what
# reorders text on a screen (CVE-2021-42574).
_FLAW = re.compile(
    "[\x00-\x09\x0b-\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f"
    "\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff]|\r(?!\n)"
)
_STANDS_IN = "\ufffd"


class Text(Struct, frozen=True):
    """A decoded file.

    In `text` every refused character is replaced, so that the rest of the file can still be judged.
    """

    text: str
    findings: tuple[Finding, ...]
    indented_by_tab: bool = False


def decode(raw: bytes, file: str) -> Text | Finding:
    """Decode the bytes of a file, or say where they stop being UTF-8.

    Args:
        raw: the whole file.
        file: its name, as findings shall spell it.
    """
    body = raw.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        return _not_utf8(body, fault.start, file)
    if not body.translate(None, _HARMLESS) and not _lone_return(text):
        return Text(text, ())
    return _judge(text, file)


def refusal(flaw: Unfit) -> str:
    """Say which character may not be where it is."""
    return f"U+{flaw.code_point:04X}, {flaw.why}, is not allowed: remove it"


def _not_utf8(body: bytes, start: int, file: str) -> Finding:
    bol = body.rfind(b"\n", 0, start) + 1
    column = len(body[bol:start].decode("utf-8")) + 1
    position = Position(file, body.count(b"\n", 0, start) + 1, column)
    hint = "it looks like UTF-16; " if body[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""
    return Finding(
        position,
        "$",
        rules.ENCODING.id,
        f"byte 0x{body[start]:02X} is not UTF-8: {hint}save the file as UTF-8",
    )


def _lone_return(text: str) -> bool:
    return "\r" in text and text.count("\r") != text.count("\r\n")


def _judge(text: str, file: str) -> Text:
    if not _FLAW.search(text):
        return Text(text, ())
    findings = tuple(
        finding
        for number, line in enumerate(text.split("\n"), 1)
        for finding in _flaws(line, number, file)
    )
    indented = any(line.lstrip(" ").startswith("\t") and line.strip() for line in text.split("\n"))
    return Text(_FLAW.sub(_replacement, text), findings, indented)


def _replacement(flaw: re.Match[str]) -> str:
    return " " if flaw[0] in "\t\r" else _STANDS_IN


def _flaws(line: str, number: int, file: str) -> Iterator[Finding]:
    for match in _FLAW.finditer(f"{line}\n"):
        position = Position(file, number, match.start() + 1)
        if match[0] == "\t":
            yield Finding(position, "$", rules.TAB.id, "a tab is not allowed: use blanks")
        else:
            # A lone CR has the line feed that follows it in some readers only; the pattern holds
            # nothing that `unfit` lets pass.
            flaw = unfit(match[0]) or Unfit(0, ord(match[0]), "a refused character")
            yield Finding(position, "$", rules.UNFIT_CHARACTER.id, refusal(flaw))
