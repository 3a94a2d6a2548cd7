"""Text of others on a terminal or in a CI log: it must stay text (law 8).

A name in a tenant, a description in a pull request or a service's message may hold escape
sequences, characters that hide or turn around what follows, line ends, or the commands that GitHub
Actions and Azure Pipelines read from a job's output. Every line of a report goes through
`line`, so that no report can forget it; what `printing.raw` prints (JSON, scripts) has to make the
texts of others fit by itself, as `reports/json.py` does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.characters import plain, unfit

if TYPE_CHECKING:
    from re import Match

_ESCAPE_LIKE = "\\u{"
# actions/runner trims a line before it looks for `::`; it, as Azure's agent, finds `##[` and
# `##vso[` anywhere.
_RUNNER_COMMAND = re.compile(r"^(?P<indent>\s*):(?=:)|#(?=#(?:vso)?\[)", re.IGNORECASE)


def visible(text: str) -> str:
    r"""Show every character that is invisible, or does something, as `\u{HEX}`; a `\u{` that is in
    the text becomes `\u{5C}u{`.
    """
    text = text.replace(_ESCAPE_LIKE, "\\u{5C}u{")
    if unfit(text) is None:
        return text
    return "".join(char if plain(char) else escaped(char) for char in text)


def escaped(char: str) -> str:
    r"""One character as `\u{HEX}`."""
    return f"\\u{{{ord(char):X}}}"


def line(text: str) -> str:
    """Make one line of output: exactly one line, everything visible, and no command to the runner
    that logs it.
    """
    shown = visible(text)
    return _RUNNER_COMMAND.sub(_inert, shown) if "::" in shown or "##" in shown else shown


def _inert(match: Match[str]) -> str:
    indent = match["indent"]
    return escaped("#") if indent is None else indent + escaped(":")
