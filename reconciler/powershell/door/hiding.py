"""Hides secrets in what comes back, before anything is kept of it."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.canonical import Json

HIDDEN: Final = "(hidden)"
SHORTEST: Final = 8
"""Shorter secrets cannot be hidden: everything would be full of them."""
_LONG: Final = 64
"""From this length on a secret is a token or a file: random text, of which no piece stands anywhere
by chance.
"""
_GRAM: Final = 8
_RUN: Final = 2 * _GRAM - 1
"""Pieces of a long secret that are hidden: any run of that many characters holds one whole block of
a text cut into grams.
"""
_VARIETY: Final = 4
"""Different characters that a gram needs: padding (`AAAAAAAA`) is in many files."""


class Hiding:
    """Knows the secrets of one session.

    Reader threads ask it while the session teaches it: every state is replaced as a whole.
    """

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._whole: re.Pattern[str] | None = None
        self._grams: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Hiding of {len(self._secrets)} secrets>"

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, too; what is shorter than `SHORTEST` is not hidden."""
        self._secrets |= {secret for secret in secrets if len(secret) >= SHORTEST}
        self._grams = frozenset(
            gram for secret in self._secrets if len(secret) >= _LONG for gram in _grams(secret)
        )
        spellings = sorted(
            {spelling for secret in self._secrets for spelling in _spellings(secret)},
            key=len,
            reverse=True,
        )
        self._whole = re.compile("|".join(map(re.escape, spellings))) if spellings else None

    def text(self, text: str) -> str:
        """The text without any secret, and without any longer piece of a token, as a cut or a
        wrapped line leaves it.
        """
        if self._whole is None or len(text) < SHORTEST:
            return text
        return self._without_pieces(self._whole.sub(HIDDEN, text))

    def value(self, value: Json) -> Json:
        """The same in a whole JSON value, keys included."""
        if self._whole is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def _without_pieces(self, text: str) -> str:
        if not self._grams:
            return text
        kept, position = [], 0
        for start, end in self._pieces(text):
            kept += [text[position:start], HIDDEN]
            position = end
        return "".join((*kept, text[position:])) if kept else text

    def _pieces(self, text: str) -> Iterator[tuple[int, int]]:
        """Where pieces of long secrets stand.

        Every block of a gram's length is looked up, and a hit is followed to both sides.
        """
        position = start = 0
        while position + _GRAM <= len(text):
            if text[position : position + _GRAM] in self._grams:
                begin, end = self._widened(text, position, start)
                if end - begin >= _RUN:
                    yield begin, end
                    start = end
                position = max(end, position + _GRAM)
            else:
                position += _GRAM

    def _widened(self, text: str, position: int, least: int) -> tuple[int, int]:
        begin, end = position, position + _GRAM
        while begin > least and text[begin - 1 : begin - 1 + _GRAM] in self._grams:
            begin -= 1
        while end < len(text) and text[end - _GRAM + 1 : end + 1] in self._grams:
            end += 1
        return begin, end


def _grams(secret: str) -> Iterator[str]:
    for start in range(len(secret) - _GRAM + 1):
        gram = secret[start : start + _GRAM]
        if len(set(gram)) >= _VARIETY:
            yield gram


def _spellings(secret: str) -> Iterator[str]:
    """How a secret may stand inside another format: as it is, in JSON, HTML, a URL, a PowerShell
    literal.
    """
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield html.escape(secret)
    yield quote(secret, errors="replace")
    yield quote(secret, safe="", errors="replace")
    yield secret.replace("'", "''")
