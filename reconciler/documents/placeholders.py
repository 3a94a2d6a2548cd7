"""Placeholders of other tools that nobody filled in: a variable of a shell, a pipeline or a template,
and the all-zero GUID.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.documents import rules
from reconciler.guids import EMPTY_GUID

if TYPE_CHECKING:
    from reconciler.documents.rules import DocumentRule

_BRACES: Final = (
    r"\$\{\{ ?[\w.:-]{1,100} ?\}\}|\$\{ ?[\w.:-]{1,100} ?\}"
    r"|\{\{ ?[\w.]{1,100} ?\}\}|#\{ ?[\w.]{1,100} ?\}"
)
_ANYWHERE: Final = re.compile(
    rf"{_BRACES}|\$\([\w.]{{1,100}}\)"
    rf"|(?<![0-9a-fA-F-]){EMPTY_GUID}(?![0-9a-fA-F-])"
)
"""`${NAME}` of a shell, `${{ name }}` of GitHub, `$(name)` of Azure Pipelines, `{{ name }}` of
Jinja, `#{name}#` of Replace Tokens and Octopus, and the all-zero GUID.
"""
_WHOLE: Final = re.compile(
    r"^(?:\$(?:env:)?[A-Za-z_]\w{0,99}|%{1,2}\w{1,100}%{1,2}|__\w{1,100}__|<[\w .-]{1,100}>)$",
    re.MULTILINE,
)
"""What is a placeholder only if nothing is around it: `$NAME` and `$env:NAME` of PowerShell, `%NAME%`
of Windows, `__NAME__` of Replace Tokens, `<NAME>` of a guide.
"""
_IN_YAML: Final = re.compile(rf"{_BRACES}|%{{1,2}}\w{{1,100}}%{{1,2}}")
"""The forms that are not a plain text of YAML everywhere."""
_SIGNS: Final = ("$", "{{", "#{", "%", "__", "<", EMPTY_GUID)


def may_have_placeholder(text: str) -> bool:
    """Whether a text has what every placeholder has: looked at in a hundredth of the pattern's time."""
    return any(sign in text for sign in _SIGNS)


def placeholder_fault(text: str, *, secret: bool = False) -> tuple[DocumentRule, str] | None:
    """What is wrong with a placeholder that was never filled in: the rule that it breaks, and the
    message.

    Args:
        text: a value, or some that are joined by line breaks.
        secret: whether it may be one: what only looks like a placeholder is not repeated.
    """
    if not may_have_placeholder(text):
        return None
    placeholder = _ANYWHERE.search(text) or (None if secret else _WHOLE.search(text))
    if placeholder is None:
        return None
    if placeholder[0] == EMPTY_GUID:
        message = f"`{EMPTY_GUID}` does not identify an object: write the real id"
        return rules.EMPTY_GUID, message
    message = (
        f"`{placeholder[0]}` is a variable, and nothing replaces it: write the value, or have it"
        " replaced before the documents are read"
    )
    return rules.VARIABLE, message


def unquoted_variable(line: str) -> tuple[int, str] | None:
    """Where a line of YAML has a variable, and what is wrong with it: a parser stumbles over its
    braces, or over its first character.
    """
    variable = _IN_YAML.search(line)
    fault = placeholder_fault(variable[0]) if variable else None
    return (variable.start(), fault[1]) if variable and fault else None
