"""What the runner's gate accepts of a text, in Python: wider than the product's own reader, no
wider than PowerShell's parser.

Held against every recorded answer of the `read` operation. Where no recording says otherwise it
refuses; the reasons are shorter than PowerShell's.
"""

from __future__ import annotations

import re
from typing import Any

Json = Any

SINGLE = "'\u2018\u2019\u201a\u201b"
DOUBLE = '"\u201c\u201d\u201e'
DASH = "\\-\u2013\u2014\u2015"  # for the inside of brackets, as BLANK is
BLANK = "\t\x0b\x0c \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
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
# Words that begin something other than a command.
KEYWORDS = frozenset(
    [
        "begin",
        "break",
        "catch",
        "class",
        "clean",
        "configuration",
        "continue",
        "data",
        "define",
        "do",
        "dynamicparam",
        "else",
        "elseif",
        "end",
        "enum",
        "exit",
        "filter",
        "finally",
        "for",
        "foreach",
        "from",
        "function",
        "hidden",
        "if",
        "in",
        "inlinescript",
        "interface",
        "module",
        "namespace",
        "parallel",
        "param",
        "process",
        "private",
        "public",
        "return",
        "sequence",
        "static",
        "switch",
        "throw",
        "trap",
        "try",
        "type",
        "until",
        "using",
        "var",
        "while",
        "workflow",
    ]
)

_BLANKS = re.compile(rf"(?:[{BLANK}]|`[{BLANK}])*")
_LAYOUT = re.compile(rf"[{BLANK}\r\n]*")
_BETWEEN = re.compile(rf"[{BLANK}\r\n;]*")
_LAYOUT_OR_END = re.compile(rf"(?=[{BLANK}\r\n;]|\Z)")
_PARAMETER = re.compile(
    rf"[{DASH}]([^\W\d][^\0\t-\r &().,:;\[{{|}}{BLANK}{SINGLE}{DOUBLE}]*|_[^\0\t-\r"
    rf" &().,:;\[{{|}}{BLANK}{SINGLE}{DOUBLE}]*):"
)
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,17})")
_CONSTANT = re.compile(r"\$(true|false|null)")
_CONSTANTS = {"true": True, "false": False, "null": None}
_KEY = re.compile(r"(?:Add|Remove)")
_HEX = re.compile(r"u\{([0-9A-Fa-f]{1,6})\}")
_NOT_FIRST = re.compile(rf"[\t-\r \"#$&'()\,\-;<>@`{{|}}\]\[0-9:{BLANK}{SINGLE}{DOUBLE}{DASH}]")
_ENDS_NAME = re.compile(rf"[\0\t-\r &()\,;{{|}}{BLANK}]")


class Refused(Exception):
    """The gate refuses; nothing of the text is executed."""


def read(text: str) -> tuple[str, dict[str, Json]]:
    """The cmdlet and its parameters in the order of the text.

    Raises:
        Refused: the text is anything but one command with constant arguments.
    """
    return _Text(text).command()


class _Text:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    # ---- steps

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        assert match
        self.at = match.end()

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def next(self, count: int = 1) -> str:
        return self.text[self.at : self.at + count]

    def expect(self, chars: str) -> None:
        if self.next(len(chars)) != chars:
            raise Refused(f"gate: {chars} was expected")
        self.at += len(chars)

    def follows(self, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.match(self.text, self.at))

    # ---- the command

    def command(self) -> tuple[str, dict[str, Json]]:
        self.skip(_BETWEEN)
        name = self.name()
        parameters: dict[str, Json] = {}
        while True:
            self.skip(_BLANKS)
            match = self.take(_PARAMETER)
            if match is None:
                break
            if match[1].lower() in {known.lower() for known in parameters}:
                raise Refused("gate: parameter twice")
            parameters[match[1]] = self.argument()
        self.skip(_BETWEEN)
        if self.at < len(self.text):
            raise Refused("gate: more than one command with named constants")
        return name, parameters

    def name(self) -> str:
        first = self.next()
        escaped = first == "`" and not self.follows(re.compile(rf"`[{BLANK}\r\n]|`\Z"))
        if (
            not first
            or (_NOT_FIRST.match(first) and not escaped)
            or self.follows(re.compile(rf"\.(?=[{BLANK}\r\n]|\Z)"))
        ):
            raise Refused("gate: command form")
        name = "".join(iter(self.name_piece, None))
        if name.lower() in KEYWORDS or not self.follows(_LAYOUT_OR_END):
            raise Refused("gate: command form")
        return name

    def name_piece(self) -> str | None:
        char = self.next()
        if not char or _ENDS_NAME.match(char):
            return None
        if char in SINGLE:
            return self.single()
        if char in DOUBLE:
            return self.double()
        if char == "`":
            return self.escape()
        self.at += 1
        return char

    # ---- constants

    def argument(self) -> Json:
        """The value of a parameter, in argument mode: what stands right behind a bare value belongs
        to it.
        """
        self.skip(_BLANKS)
        bare = self.next() not in SINGLE + DOUBLE + "@" if self.next() else True
        value = self.list() if self.next(2) == "@(" else self.constant()
        if bare and not self.follows(_LAYOUT_OR_END):
            raise Refused("gate: string form BareWord")
        if not bare and not self.follows(re.compile(rf"[{BLANK}\r\n;{DASH}`]|\Z")):
            raise Refused("gate: expression")
        return value

    def constant(self) -> Json:
        char = self.next()
        if char and char in SINGLE:
            return self.single()
        if char and char in DOUBLE:
            return self.double()
        if self.next(2) == "@{":
            return self.edit()
        match = self.take(_CONSTANT)
        if match:
            return _CONSTANTS[match[1]]
        match = self.take(_NUMBER)
        if match:
            return int(match[0])
        raise Refused("gate: not a constant")

    def list(self) -> list[Json]:
        self.expect("@(")
        self.skip(_BETWEEN)
        items: list[Json] = []
        if self.next() != ")":
            alone = self.next() == ","
            if alone:
                self.at += 1
                self.skip(_LAYOUT)
            items.append(self.item())
            while not alone and self.separated():
                items.append(self.item())
        self.skip(_BETWEEN)
        self.expect(")")
        return items

    def separated(self) -> bool:
        """Blanks, a comma, and layout: a line end before the comma would begin another statement."""
        start = self.at
        self.skip(_BLANKS)
        if self.next() != ",":
            self.at = start
            return False
        self.at += 1
        self.skip(_LAYOUT)
        return True

    def item(self) -> Json:
        value = self.constant()
        if not self.follows(re.compile(rf"[{BLANK}\r\n;,)]")):
            raise Refused("gate: array element")
        return value

    def edit(self) -> dict[str, Json]:
        self.expect("@{")
        self.skip(_LAYOUT)
        pairs: dict[str, Json] = {}
        while self.next() != "}":
            key = self.key()
            if key in pairs:
                raise Refused("gate: map key twice")
            pairs[key] = self.pair_value()
            if self.next() != "}" and not self.take(
                re.compile(rf"[{BLANK}]*[;\r\n][{BLANK}\r\n;]*")
            ):
                self.skip(_BLANKS)
                self.expect("}")
                self.at -= 1
        self.at += 1
        if not pairs:
            raise Refused("gate: empty map")
        return pairs

    def key(self) -> str:
        char = self.next()
        if char and char in SINGLE + DOUBLE:
            key = self.single() if char in SINGLE else self.double()
        else:
            match = self.take(_KEY)
            key = match[0] if match else ""
        if key not in {"Add", "Remove"}:
            raise Refused("gate: map key")
        return key

    def pair_value(self) -> list[Json]:
        self.skip(_BLANKS)
        self.expect("=")
        self.skip(_LAYOUT)
        value = self.list()
        if not self.follows(re.compile(rf"[{BLANK}\r\n;}}]")):
            raise Refused("gate: map value")
        return value

    # ---- texts

    def single(self) -> str:
        return _joined(iter(lambda: self.quoted_piece(SINGLE), None), self)

    def double(self) -> str:
        return _joined(iter(lambda: self.quoted_piece(DOUBLE), None), self)

    def quoted_piece(self, quotes: str) -> str | None:
        char = self.next()
        if not char:
            raise Refused("gate: syntax TerminatorExpectedAtEndOfString")
        if char in quotes:
            self.at += 1
            if not self.next() or self.next() not in quotes:
                return None
            char = self.next()
        elif quotes == DOUBLE and char == "`":
            return self.escape()
        elif quotes == DOUBLE and char == "$" and self.expands():
            raise Refused("gate: expression ExpandableStringExpressionAst")
        self.at += 1
        return char

    def expands(self) -> bool:
        behind = self.text[self.at + 1 : self.at + 2]
        return bool(behind) and (behind.isalnum() or behind in "_?^$:({")

    def escape(self) -> str:
        self.at += 1
        char = self.next()
        if char == "u":
            match = self.take(_HEX)
            if match is None or int(match[1], 16) > 0x10FFFF:
                raise Refused("gate: syntax InvalidUnicodeEscapeSequence")
            return chr(int(match[1], 16))
        if not char:
            raise Refused("gate: syntax TerminatorExpectedAtEndOfString")
        self.at += 1
        return "`\0" if char == "\0" else ESCAPES.get(char, char)


def _joined(pieces: Json, text: _Text) -> str:
    """The content of a literal; halves of a surrogate pair that meet are one character."""
    text.at += 1
    return "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
