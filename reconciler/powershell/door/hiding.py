"""Hides secrets in what comes back, before anything is kept of it."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.canonical import Json

HIDDEN: Final = "(hidden)"
SHORTEST: Final = 8
"""Shorter secrets cannot be hidden: everything would be full of them."""
_LONG: Final = 64
"""From this length on a secret is a token or a file: random text, of which no piece is found anywhere
by chance.
"""
_GRAM: Final = 8
_RUN: Final = 2 * _GRAM - 1
"""Pieces of a long secret that are hidden: any run of that many characters holds one whole block of
a text cut into grams.
"""
_VARIETY: Final = 4
"""Different characters that a gram needs: padding (`AAAAAAAA`) is in many files."""
_TOKEN: Final = 32
"""From this length on a secret without blanks is random text, as the key of an identity endpoint
is. A password may begin with an ordinary name, which messages need.
"""
BEGINNING: Final = 8
"""The shortest beginning of a token that is hidden in a text, as one that was cut leaves it."""


class Hiding:
    """Knows the secrets of one session.

    Reader threads ask it while the session teaches it: every state is replaced as a whole.
    """

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._whole: re.Pattern[str] | None = None
        self._grams: frozenset[str] = frozenset()
        self._beginnings = _Beginnings(())

    def __repr__(self) -> str:
        return f"<Hiding of {len(self._secrets)} secrets>"

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, too; what is shorter than `SHORTEST` is not hidden."""
        self._secrets |= {secret for secret in secrets if len(secret) >= SHORTEST}
        spellings = {secret: tuple(_spellings(secret)) for secret in self._secrets}
        self._grams = frozenset(
            gram
            for secret in self._secrets
            if len(secret) >= _LONG
            for spelling in spellings[secret]
            for gram in _grams(spelling)
        )
        self._beginnings = _Beginnings(
            spelling
            for secret in self._secrets
            if len(secret) >= _TOKEN and not any(map(str.isspace, secret))
            for spelling in spellings[secret]
        )
        whole = {spelling for each in spellings.values() for spelling in each}
        alternatives = sorted(whole, key=len, reverse=True)
        self._whole = re.compile("|".join(map(re.escape, alternatives))) if whole else None

    def text(self, text: str) -> str:
        """The text without any secret, and without any beginning or longer piece of a token, as a
        cut or a wrapped line leaves it.
        """
        if self._whole is None or len(text) < SHORTEST:
            return text
        return self._beginnings.hide(self._without_whole(text))

    def holds(self, value: Json) -> bool:
        """Whether a secret, or a longer piece of a token, is anywhere in a JSON value.

        A short beginning does not count: all tokens of one kind may have it.
        """
        if isinstance(value, dict):
            return any(self.holds(key) or self.holds(item) for key, item in value.items())
        if isinstance(value, list):
            return any(map(self.holds, value))
        return isinstance(value, str) and self._without_whole(value) != value

    def _without_whole(self, text: str) -> str:
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
        """The places of pieces of long secrets.

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


class _Beginnings:
    """Finds where texts begin that are cut off there."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts: dict[str, list[str]] = {}
        for text in texts:
            if len(text) >= BEGINNING:
                self._texts.setdefault(text[:BEGINNING], []).append(text)
        heads = "|".join(map(re.escape, self._texts))
        self._head = re.compile(heads) if heads else None

    def hide(self, text: str) -> str:
        """The text without any of them."""
        if self._head is None:
            return text
        kept, position = [], 0
        while match := self._head.search(text, position):
            kept += [text[position : match.start()], HIDDEN]
            length = max(
                _shared_length(text, match.start(), token) for token in self._texts[match.group()]
            )
            position = match.start() + length
        return "".join((*kept, text[position:]))


def _shared_length(text: str, start: int, other: str) -> int:
    """How many characters of a text, from `start` on, are the other's first ones."""
    length = BEGINNING
    while length < len(other) and text.startswith(other[length], start + length):
        length += 1
    return length


def _spellings(secret: str) -> Iterator[str]:
    """How a secret may be written inside another format: as it is, in JSON, HTML, a URL, a PowerShell
    literal, base64.
    """
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield html.escape(secret)
    yield quote(secret, errors="replace")
    for address in (quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")):
        yield address
        yield _ESCAPED.sub(lambda escape: escape.group().lower(), address)
    yield secret.replace("'", "''")
    for encoding in ("utf-8", "utf-16-le"):
        yield from _base64(secret.encode(encoding, "replace"))


_ESCAPED: Final = re.compile("%[0-9A-F]{2}")


def _base64(content: bytes) -> Iterator[str]:
    """What is the same of some bytes in base64, whatever is before and behind them.

    Three bytes make four characters, so there are three ways to begin; each end may share a
    character with what is beside it. PowerShell encodes UTF-16 (about_pwsh, -EncodedCommand).
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + content).rstrip(b"=")
        first = -(-before * 8 // 6)
        last = (before + len(content)) * 8 // 6
        piece = encoded[first:last].decode("ascii")
        if len(piece) >= SHORTEST:
            yield piece
            yield piece.translate(_URL_SAFE)


_URL_SAFE: Final = str.maketrans("+/", "-_")
