"""Values as PowerShell literals: the only place that quotes.

Facts about PowerShell's tokenizer were observed on 7.6.5. A single-quoted literal opens, closes and
escapes with any of five characters, so each of them is doubled; nothing else is special in it. What
is not plain but legitimate in some field (a line break in a description) is written visibly, in a
double-quoted literal without expansion. The rest is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.characters import plain, unfit
from reconciler.errors import RenderFault, UnfitText

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.canonical import Json

SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
DOUBLE_QUOTES = '"\u201c\u201d\u201e'
LARGEST_INTEGER = 10**18 - 1
"""Eighteen digits: all that the runner's gate takes for a number, well inside Int64."""

_QUOTE = re.compile(f"([{SINGLE_QUOTES}])")
# Legitimate in a description or a display name of some language, and only ever shown as an escape:
# line breaks and the tab, spaces of other widths, the joiners of Persian and Indic writing and of
# emoji, and the selectors of emoji and text presentation.
_ESCAPED = re.compile("[\t\n\r\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u200c\u200d\ufe0e\ufe0f]")
# GitHub's and Azure's runners take these for commands anywhere in a line that a job prints, and a
# step's text is printed as it is.
_RUNNER_COMMAND = re.compile(r"#(?=#(?:vso)?\[)", re.IGNORECASE)
_SHORT_ESCAPES = {"\n": "`n", "\r": "`r", "\t": "`t", "`": "``", "$": "`$", '"': '`"'}
_CURLY = frozenset((SINGLE_QUOTES + DOUBLE_QUOTES).replace("'", "").replace('"', ""))
_EDIT_KEYS = ("Add", "Remove")


def literal(value: Json) -> str:
    """Write a value as one PowerShell constant on one physical line.

    str, bool, int from 0 to `LARGEST_INTEGER`, None, a list or tuple of str, or a mapping of `Add`
    and `Remove` to such lists.

    Raises:
        UnfitText: a string holds a character that is never rendered.
        RenderFault: the value is of another type or range.
    """
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, list | tuple):
        return _list(value)
    if isinstance(value, Mapping):
        return _edit(value)
    raise RenderFault(f"a value of type {type(value).__name__} has no PowerShell literal")


def _text(value: str) -> str:
    # The characters themselves, whatever a subclass (an enumeration) makes of them
    text = str.__str__(value)
    flaw = unfit(text)
    if flaw is None and "#" in text and _RUNNER_COMMAND.search(text):
        return (
            '"'
            + "`u{23}".join("".join(map(_escape, part)) for part in _RUNNER_COMMAND.split(text))
            + '"'
        )
    if flaw is None:
        return (
            "'" + (text.replace("'", "''") if text.isascii() else _QUOTE.sub(r"\1\1", text)) + "'"
        )
    flaw = unfit(_ESCAPED.sub(" ", text))  # one character for one: the index stays right
    if flaw is not None:
        raise UnfitText(f"the text cannot be rendered for PowerShell: {flaw}; remove it")
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    return char if plain(char) and char not in _CURLY else f"`u{{{ord(char):X}}}"


def _integer(value: int) -> str:
    number = int(value)
    if not 0 <= number <= LARGEST_INTEGER:
        raise RenderFault(
            f"{number} has no PowerShell literal: must be from 0 to {LARGEST_INTEGER}"
        )
    return str(number)


def _list(values: Iterable[Json]) -> str:
    return f"@({','.join(map(_item, values))})"


def _item(value: Json) -> str:
    if not isinstance(value, str):
        raise RenderFault(
            f"a list contains a value of type {type(value).__name__}: its items must be strings"
        )
    return _text(value)


def _edit(edit: Mapping[str, Json]) -> str:
    if not edit or not edit.keys() <= set(_EDIT_KEYS):
        raise RenderFault(
            f"a map of {sorted(map(str, edit))} has no PowerShell literal: its keys must be Add,"
            " Remove or both"
        )
    return f"@{{{';'.join(f'{key}={_edited(edit[key])}' for key in _EDIT_KEYS if key in edit)}}}"


def _edited(values: Json) -> str:
    if not isinstance(values, list | tuple):
        raise RenderFault("Add and Remove of a map must be lists")
    return _list(values)
