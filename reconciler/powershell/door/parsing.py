"""Values of answers as the room's own types.

A value of another shape breaks the session: nothing is guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.plans import Invocation
from reconciler.powershell.answers import Loaded, NotFound, Raised, Resolved, ServiceError
from reconciler.powershell.door.framing import Broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.canonical import Json


def fields(value: Json) -> Mapping[str, Json]:
    """A JSON object.

    Raises:
        Broken: it is something else. So do all functions here.
    """
    if not isinstance(value, dict):
        raise Broken("it gave an answer of an unknown form")
    return value


def rows(value: Json) -> list[Json]:
    """A JSON array."""
    if not isinstance(value, list):
        raise Broken("it gave an answer of an unknown form")
    return value


def text(value: Json) -> str:
    """A string; null is an empty one, as PowerShell has it."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Broken("it gave an answer of an unknown form")
    return value


def texts(value: Json) -> tuple[str, ...]:
    """An array of strings."""
    return tuple(map(text, rows(value)))


def count(value: Json) -> int:
    """A number of things."""
    if type(value) is not int or value < 0:
        raise Broken("it gave an answer of an unknown form")
    return value


def module(name: str, value: Json) -> Loaded | NotFound:
    """The value of `load`."""
    told = fields(value)
    if told.get("found") is True:
        return Loaded(text(told.get("name")), text(told.get("version")), text(told.get("path")))
    if told.get("found") is not False:
        raise Broken("it gave an answer of an unknown form")
    return NotFound(name, texts(told.get("others")))


def resolved(cmdlets: Iterable[str], value: Json) -> dict[str, Resolved | None]:
    """The value of `resolve`: exactly the cmdlets that were asked for."""
    told = fields(value)
    if told.keys() != set(cmdlets):
        raise Broken("it gave an answer of an unknown form")
    return {name: None if one is None else _resolved(fields(one)) for name, one in told.items()}


def _resolved(told: Mapping[str, Json]) -> Resolved:
    names, sets = texts(told.get("parameters")), texts(told.get("parameterSets"))
    return Resolved(
        text(told.get("module")), text(told.get("version")), frozenset(names), frozenset(sets)
    )


def invocation(value: Json) -> Invocation:
    """The value of `read`."""
    told = fields(value)
    return Invocation(text(told.get("cmdlet")), fields(told.get("parameters")))


def found(value: Json) -> Mapping[str, Json]:
    """One object of a `run`. What is no object (a bare text, a number) stands under `(value)`."""
    return value if isinstance(value, dict) else {"(value)": value}


def errors(value: Json) -> tuple[ServiceError, ...]:
    """An array of error records."""
    return tuple(map(error, rows(value)))


def error(value: Json) -> ServiceError:
    """One error record."""
    told = fields(value)
    named = {
        name: text(told.get(name))
        for name in ("id", "category", "reason", "activity", "target", "details")
    }
    raised = tuple(
        Raised(text(one.get("type")), text(one.get("message")))
        for one in map(fields, rows(told.get("exceptions")))
    )
    return ServiceError(
        **named,
        exceptions=raised,
        status=text(told.get("status")) or None,
        retry_after=text(told.get("retryAfter")) or None,
    )
