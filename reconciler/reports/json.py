"""The JSON format: for machines, and safe to print where people and runners of jobs look on."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from reconciler.characters import plain, unfit

if TYPE_CHECKING:
    from reconciler.canonical import Json

_RUNNER_COMMAND = re.compile(r"#(?=#(?:vso)?\[)", re.IGNORECASE)


def printable(text: str) -> str:
    r"""JSON text for a terminal or a log: the same value, with unfit characters and a runner's
    commands as `\uXXXX`.

    Canonical text without such characters stays as it is, so a plan that was printed is still the
    plan file.
    """
    text = _RUNNER_COMMAND.sub("\\\\u0023", text)
    head, end = (text[:-1], "\n") if text.endswith("\n") else (text, "")
    if unfit(head) is None:
        return text
    return "".join(char if plain(char) else _escaped(char) for char in head) + end


def json_text(value: Json) -> str:
    """Any report that is a JSON value, as one text with a final LF: keys sorted, no blanks."""
    # not `canonical`: a fault may quote a lone surrogate, which has no UTF-8 and is escaped here
    return printable(
        json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
    )


def _escaped(char: str) -> str:
    code = ord(char)
    if code <= 0xFFFF:  # noqa: PLR2004  the last code point that one UTF-16 unit holds
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
