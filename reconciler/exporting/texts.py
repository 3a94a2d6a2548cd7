"""Texts of a tenant as YAML values, comments and CSV cells: whatever they hold, they stay text
(law 8).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.characters import plain, unfit
from reconciler.guids import GUID

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN_SCALAR: Final = re.compile(r"[^\W\d_](?:[\w ._@/()+&'’–-]*[\w.@/)'’])?")
"""What needs no quotes anywhere, also between braces: it begins with a letter, as no number and no
date does, and holds nothing that YAML gives a meaning.
"""
_TYPED: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
"""Words that some version of YAML takes for something else than a text."""
_DIRECTIVE: Final = re.compile(
    r"[:=$<>{}\"]|^(?:yamllint|noqa|nosec|pragma|gitleaks)\b", re.IGNORECASE
)
"""What an editor or a linter may take for an instruction when it is in a comment."""
_FORMULA: Final = "=+-@＝＋－＠"
"""How a cell begins that a spreadsheet calculates (OWASP, CSV Injection), in both widths."""
_LONGEST: Final = 100
REPLACEMENT: Final = "\ufffd"


def is_expressible(text: str) -> bool:
    """Whether a document may hold a text: one line of characters that can be seen."""
    return unfit(text) is None


def scalar(text: str) -> str:
    """A text that `is_expressible` as a YAML value of one line, which our reader and any other reads
    as that text.
    """
    if _is_plain(text):
        return text
    return "'" + text.replace("'", "''") + "'"


def _is_plain(text: str) -> bool:
    if GUID.fullmatch(text):
        return True
    return _PLAIN_SCALAR.fullmatch(text) is not None and text.lower() not in _TYPED


def flow_list(texts: Sequence[str]) -> str:
    """Texts as a YAML list on one line."""
    return f"[{', '.join(map(scalar, texts))}]"


def one_line(text: str) -> str:
    """A text on one line, in which everything that cannot be seen is replaced, cut if it is long."""
    if unfit(text) is not None:
        text = "".join(char if plain(char) else REPLACEMENT for char in text)
    line = text.strip()
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def comment(text: str) -> str:
    """A text as it is written behind `# `: it cannot leave the comment, and nobody takes it for an
    instruction.
    """
    line = one_line(text)
    return f"“{line}”" if _DIRECTIVE.search(line) else line


def cell(text: str) -> str:
    """A text as a cell of a CSV file, which no spreadsheet calculates: not even one that takes `;`
    for the separator.
    """
    line = one_line(text).replace(";", ",")
    if line[:1] in _FORMULA and line:
        line = f"'{line}"
    return '"' + line.replace('"', '""') + '"' if "," in line or '"' in line else line
