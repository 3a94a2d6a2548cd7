"""PowerShell's own way of scanning strings, apart from the product's reader: an oracle that is
itself tested against the recordings.

Any single quote of the five opens and closes; two in a row are one, the second. Double quotes
likewise among their four, with backtick escapes.
"""

import re

SINGLE = "'\u2018\u2019\u201a\u201b"
DOUBLE = '"\u201c\u201d\u201e'
ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


class NoString(Exception):
    """PowerShell would not take this for a constant string."""


def skeleton(text: str) -> tuple[str, list[str]]:
    """The text with every string literal replaced by `''`, and the values of the literals in order."""
    rest, values, position = [], [], 0
    while position < len(text):
        if text[position] in SINGLE + DOUBLE:
            value, position = scan(text, position)
            values.append(value)
            rest.append("''")
        else:
            rest.append(text[position])
            position += 1
    return "".join(rest), values


def scan(text: str, position: int) -> tuple[str, int]:
    """The value of the literal that opens at a position, and the position after it."""
    quotes = SINGLE if text[position] in SINGLE else DOUBLE
    value, position = [], position + 1
    while position < len(text):
        char, after = text[position], text[position + 1 : position + 2]
        if char in quotes and after and after in quotes:
            value.append(after)
            position += 2
        elif char in quotes:
            return "".join(value), position + 1
        elif quotes is DOUBLE and char == "`":
            piece, position = _escape(text, position + 1)
            value.append(piece)
        elif quotes is DOUBLE and char == "$" and re.match(r"[\w?^$:({]", after):
            raise NoString("an expansion")
        else:
            value.append(char)
            position += 1
    raise NoString("no closing quote")


def _escape(text: str, position: int) -> tuple[str, int]:
    if match := re.compile(r"u\{([0-9A-Fa-f]{1,6})\}").match(text, position):
        return chr(int(match[1], 16)), match.end()
    if position == len(text):
        raise NoString("a backtick at the end")
    return ESCAPES.get(text[position], text[position]), position + 1
