"""The part of GitHub's expression language that our workflows use: what is between `${{` and `}}`. That
of Azure Pipelines has functions for operators, and is otherwise the same.

Facts: GitHub Docs, *Evaluate expressions in workflows and actions*. Comparison ignores the case of
texts; a property that is missing is null; `&&` and `||` give one of their operands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOKEN: Final = re.compile(
    r"\s*(?:(&&|\|\||==|!=|[][!().,])|'((?:[^']|'')*)'|(\d+)|([A-Za-z_][\w-]*))"
)
EMBEDDED: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
WORDS: Final = {"true": True, "false": False, "null": None}


class _Expression:
    """A recursive descent through the tokens of one expression."""

    def __init__(
        self, text: str, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
    ) -> None:
        self._tokens: list[tuple[str, str, str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            token = TOKEN.match(text, place)
            assert token, f"not understood: {text[place:]!r} of {text!r}"
            self._tokens.append(token.groups(default=""))
            place = token.end()
        self._contexts, self._functions = contexts, functions

    def value(self) -> Any:
        result = self._either()
        assert not self._tokens, f"left over: {self._tokens}"
        return result

    def _take(self, sign: str) -> bool:
        if self._tokens and self._tokens[0][0] == sign:
            del self._tokens[0]
            return True
        return False

    def _either(self) -> Any:
        left = self._both()
        while self._take("||"):
            right = self._both()
            left = left or right
        return left

    def _both(self) -> Any:
        left = self._equality()
        while self._take("&&"):
            right = self._equality()
            left = left and right
        return left

    def _equality(self) -> Any:
        left = self._unary()
        if self._take("=="):
            return _alike(left, self._unary())
        if self._take("!="):
            return not _alike(left, self._unary())
        return left

    def _unary(self) -> Any:
        if self._take("!"):
            return not self._unary()
        if self._take("("):
            inner = self._either()
            assert self._take(")")
            return inner
        sign, text, number, word = self._tokens.pop(0)
        assert not sign, f"unexpected {sign}"
        if number:
            return int(number)
        if not word:
            return text.replace("''", "'")
        return self._named(word)

    def _named(self, word: str) -> Any:
        if word in WORDS:
            return WORDS[word]
        if self._take("("):
            arguments = []
            while not self._take(")"):
                arguments.append(self._either())
                self._take(",")
            return self._functions[word](*arguments)
        value: Any = self._contexts[word]
        while True:
            if self._take("."):
                key = self._tokens.pop(0)[3]
            elif self._take("["):
                key = self._tokens.pop(0)[1]
                assert self._take("]")
            else:
                return value
            value = value.get(key) if isinstance(value, dict) else None


def _alike(left: Any, right: Any) -> bool:
    texts = [value.lower() if isinstance(value, str) else value for value in (left, right)]
    return bool(texts[0] == texts[1])


def evaluated(
    text: str,
    contexts: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Any:
    """The value of an expression, with or without `${{ }}` around it."""
    inner = EMBEDDED.fullmatch(text.strip())
    return _Expression(inner[1] if inner else text, contexts, functions or {}).value()


def filled(value: Any, contexts: Mapping[str, Any]) -> str:
    """A text of a workflow with the values of its expressions."""
    return EMBEDDED.sub(lambda each: _text(evaluated(each[1], contexts)), _text(value))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
