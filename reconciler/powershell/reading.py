"""A strict reader of what the renderer writes, and of nothing else.

It never reads a text differently from PowerShell 7.6.5 (tested against its recorded answers): where
PowerShell accepts more than the renderer writes, the text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.characters import unfit
from reconciler.errors import RefusedText, UnfitText
from reconciler.model.plans import Invocation
from reconciler.powershell.literals import DOUBLE_QUOTES, SINGLE_QUOTES, literal

if TYPE_CHECKING:
    from reconciler.canonical import Json

_CURLY: Final = (SINGLE_QUOTES + DOUBLE_QUOTES).replace("'", "").replace('"', "")
# Possessive throughout: a text is matched one way or not at all, in linear time.
_SINGLE: Final = f"'(?:[^{SINGLE_QUOTES}]|{'|'.join(quote * 2 for quote in SINGLE_QUOTES)})*+'"
_DOUBLE: Final = rf'"(?:[^"`${_CURLY}]|`[`$"nrt]|`u\{{[0-9A-F]{{1,6}}\}})*+"'
_STRING: Final = f"(?:{_SINGLE}|{_DOUBLE})"
_LIST: Final = rf"@\((?:{_STRING}(?:,{_STRING})*+)?+\)"

_NAME: Final = re.compile(r"[A-Z][A-Za-z]*-[A-Z][A-Za-z0-9]*(?= |\Z)")
_PARAMETER: Final = re.compile(r" -([A-Za-z][A-Za-z0-9]*):")
_VALUE: Final = re.compile(
    rf"(?:(?P<string>{_STRING})|(?P<constant>\$(?:true|false|null))"
    rf"|(?P<number>0|[1-9][0-9]{{0,17}})|(?P<list>{_LIST})"
    rf"|(?P<edit>@\{{(?:Add={_LIST}(?:;Remove={_LIST})?+|Remove={_LIST})\}}))(?= -|\Z)"
)
_STRINGS: Final = re.compile(_STRING)
_EDITS: Final = re.compile(f"(Add|Remove)=({_LIST})")
_DOUBLED: Final = re.compile(f"([{SINGLE_QUOTES}])\\1")
_ESCAPES: Final = re.compile(r"`(?:u\{([0-9A-F]+)\}|(.))")
_SHORT: Final = {"n": "\n", "r": "\r", "t": "\t"}
_CONSTANTS: Final[dict[str, bool | None]] = {"$true": True, "$false": False, "$null": None}


def read_invocation(text: str) -> Invocation:
    """Read one rendered invocation: the cmdlet and its parameters in the order of the text.

    Lists are lists.

    Which cmdlets and parameters exist is the catalogue's business, not the reader's.

    Raises:
        RefusedText: the text is not exactly `Cmdlet -Name:constant -Name:constant`, spelled as the
            renderer spells it.
    """
    name = _NAME.match(text)
    if name is None:
        raise _refused(text, 0, "expected a cmdlet name followed by one space or nothing")
    parameters: dict[str, Json] = {}
    seen: set[str] = set()
    position = name.end()
    while position < len(text):
        key, position = _parameter(text, position, seen)
        parameters[key], position = _value(text, position)
    return Invocation(name.group(), parameters)


def same_invocation(first: Invocation, second: Invocation) -> bool:
    """Whether two invocations are the same call to the last value, whatever the order in which
    their parameters are given.

    Values are equal in type too: `True` is not `1`. A list and a tuple are the same list.
    """
    return first.cmdlet == second.cmdlet and _typed(first.parameters) == _typed(second.parameters)


def _typed(value: Json) -> object:
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_typed(item) for item in value]
    return type(value), value


def _parameter(text: str, position: int, seen: set[str]) -> tuple[str, int]:
    match = _PARAMETER.match(text, position)
    if match is None:
        raise _refused(text, position, "expected one space and `-Name:`")
    name = match.group(1)
    if name.lower() in seen:  # PowerShell takes names of any case for one
        raise _refused(text, position, f"duplicate parameter {name}")
    seen.add(name.lower())
    return name, match.end()


def _value(text: str, position: int) -> tuple[Json, int]:
    match = _VALUE.match(text, position)
    if match is None:
        raise _refused(text, position, "expected one constant as the renderer writes it")
    try:
        return _constant(match), match.end()
    except _NotRendered as flaw:
        raise _refused(text, position, str(flaw)) from None


class _NotRendered(Exception):
    """A token has the right shape, but the renderer would not have written it."""


def _constant(match: re.Match[str]) -> Json:
    token = match.group()
    match match.lastgroup:
        case "string":
            return _text(token)
        case "constant":
            return _CONSTANTS[token]
        case "number":
            return int(token)
        case "list":
            return _list(token)
        case _:
            return {key: _list(values) for key, values in _EDITS.findall(token)}


def _list(token: str) -> list[str]:
    return [_text(item) for item in _STRINGS.findall(token)]


def _text(token: str) -> str:
    raw = token[1:-1]
    if token[0] == '"':
        return _escaped(token, raw)
    flaw = unfit(raw)
    if flaw is not None:
        raise _NotRendered(f"in the literal, {flaw}")
    return raw.replace("''", "'") if raw.isascii() else _DOUBLED.sub(r"\1", raw)


def _escaped(token: str, raw: str) -> str:
    value = _ESCAPES.sub(_unescape, raw)
    try:
        rendered = literal(value)
    except UnfitText as flaw:
        raise _NotRendered(str(flaw)) from None
    if rendered != token:
        raise _NotRendered("the renderer writes this value differently")
    return value


def _unescape(match: re.Match[str]) -> str:
    number, char = match.groups()
    if number is None:
        return _SHORT.get(char, char)
    if int(number, 16) > 0x10FFFF:  # noqa: PLR2004  the last code point there is
        raise _NotRendered(f"`u{{{number}}} is not a code point")
    return chr(int(number, 16))


def _refused(text: str, position: int, why: str) -> RefusedText:
    excerpt = (
        ascii(text[position : position + 40]) if position < len(text) else "the end of the text"
    )
    return RefusedText(
        f"the text is not in the renderer's form: at character {position + 1}, {why};"
        f" found {excerpt}"
    )
