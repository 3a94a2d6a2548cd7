"""Texts of a tenant as words that can name a file or a document on every system: ASCII letters,
digits and dashes.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container

_LETTERS: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
"""Letters that Unicode does not take apart into an ASCII letter and a mark."""
_BETWEEN: Final = re.compile(r"[^a-z0-9]+")
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|conin|conout|clock|com[0-9]|lpt[0-9])")
"""Names that Windows takes for devices, whatever their suffix (Microsoft, Naming Files, Paths, and
Namespaces).
"""
LONGEST: Final = 48


def dashed(text: str, otherwise: str) -> str:
    """A text as lower-case words with dashes between them, at most `LONGEST` characters.

    Args:
        text: any text.
        otherwise: the words of a text that has no letter and no digit of ours.
    """
    apart = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    letters = "".join(char for char in apart if not unicodedata.combining(char))
    plain = _BETWEEN.sub("-", letters).strip("-")[:LONGEST].strip("-")
    return plain or otherwise


def stem(text: str, otherwise: str) -> str:
    """The name of a file without its suffix: no device of Windows, no hidden file, no path."""
    plain = dashed(text, otherwise)
    return f"{plain}-{otherwise}" if _RESERVED.fullmatch(plain) else plain


def free(wanted: str, taken: Container[str], suffix: str = "") -> str:
    """The first of `wanted`, `wanted-2`, `wanted-3` and so on that is not taken.

    Args:
        wanted: lower-case words.
        taken: what is taken, each with `suffix`, in lower case.
        suffix: what follows each.
    """
    number, name = 1, wanted
    while f"{name}{suffix}" in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
