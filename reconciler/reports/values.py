"""How single values are written: quoted texts, ids with the names that people know them by,
addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.canonical import Json


def quoted(value: Json) -> str:
    """A JSON value on one line: texts in double quotes with `"` and the backslash escaped, lists in
    brackets.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case int():
            return str(value)
        case Mapping():
            return "{" + ", ".join(f"{key} = {quoted(value[key])}" for key in sorted(value)) + "}"
        case _:
            return "[" + ", ".join(quoted(item) for item in value) + "]"


def with_name(identifier: str, names: Mapping[str, str]) -> str:
    """An id with its name beside it, where the plan knows one."""
    name = names.get(identifier.lower())
    return f"{identifier} ({name})" if name else identifier


def of(address: str, names: Mapping[str, str]) -> str:
    """The names of the ids in an address: `(crm on sales@contoso.com)`, empty when none is known."""
    known_names = [name for part in parts(address) if (name := names.get(part.lower()))]
    return f" ({' on '.join(known_names)})" if known_names else ""


def parts(address: str) -> tuple[str, ...]:
    """The ids in an address, outermost first."""
    kind, _, tail = address.partition("/")
    if kind == "exchange.policy":
        application, _, scope = tail.partition("@")
        return application, scope
    return (
        (tail.removeprefix("user:").removeprefix("group:"),) if kind == "teams.grant" else (tail,)
    )


def member(value: Json, names: Mapping[str, str]) -> str:
    """One member of a list: an id with its name, anything else quoted."""
    return with_name(value, names) if isinstance(value, str) else quoted(value)


def short_list(value: Json, names: Mapping[str, str], most: int = 10) -> str:
    """A detail of a note on one line: ids with names, long lists cut with a count of the rest."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return with_name(value, names) if isinstance(value, str) else quoted(value)
    shown = ", ".join(member(item, names) for item in value[:most])
    more = len(value) - most
    return f"{shown} and {more} more" if more > 0 else shown or "none"
