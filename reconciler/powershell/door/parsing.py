"""Values of answers as the room's own types.

A value of another shape breaks the session: nothing is guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.plans import Invocation
from reconciler.powershell.answers import Loaded, NotFound, Raised, Resolved, ServiceError
from reconciler.processes.child import Broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.canonical import Json


def fields(value: Json) -> Mapping[str, Json]:
    """A JSON object.

    Raises:
        Broken: it is something else. So do all functions here.
    """
    if not isinstance(value, dict):
        raise Broken("its answer has an unknown format")
    return value


def array(value: Json) -> list[Json]:
    """A JSON array."""
    if not isinstance(value, list):
        raise Broken("its answer has an unknown format")
    return value


def text(value: Json) -> str:
    """A string; null is an empty one, as PowerShell has it."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Broken("its answer has an unknown format")
    return value


def texts(value: Json) -> tuple[str, ...]:
    """An array of strings."""
    return tuple(map(text, array(value)))


def count(value: Json) -> int:
    """A number of things."""
    if type(value) is not int or value < 0:
        raise Broken("its answer has an unknown format")
    return value


def module(name: str, value: Json) -> Loaded | NotFound:
    """The value of `load`."""
    report = fields(value)
    if report.get("found") is True:
        return Loaded(
            text(report.get("name")), text(report.get("version")), text(report.get("path"))
        )
    if report.get("found") is not False:
        raise Broken("its answer has an unknown format")
    return NotFound(name, texts(report.get("others")))


def resolved(cmdlets: Iterable[str], value: Json) -> dict[str, Resolved | None]:
    """The value of `resolve`: exactly the cmdlets that were asked for."""
    report = fields(value)
    if report.keys() != set(cmdlets):
        raise Broken("its answer has an unknown format")
    return {
        name: None if answer is None else _resolved(fields(answer))
        for name, answer in report.items()
    }


def _resolved(report: Mapping[str, Json]) -> Resolved:
    return Resolved(
        text(report.get("module")),
        text(report.get("version")),
        frozenset(texts(report.get("parameters"))),
    )


def invocation(value: Json) -> Invocation:
    """The value of `read`."""
    report = fields(value)
    return Invocation(text(report.get("cmdlet")), fields(report.get("parameters")))


def output_object(value: Json) -> Mapping[str, Json]:
    """One object of a `run`. What is not an object (a bare text, a number) is under `(value)`."""
    return value if isinstance(value, dict) else {"(value)": value}


def errors(value: Json) -> tuple[ServiceError, ...]:
    """An array of error records."""
    return tuple(map(error, array(value)))


def error(value: Json) -> ServiceError:
    """One error record."""
    report = fields(value)
    named = {
        name: text(report.get(name)) for name in ("id", "category", "reason", "target", "details")
    }
    raised = tuple(
        Raised(text(exception.get("type")), text(exception.get("message")))
        for exception in map(fields, array(report.get("exceptions")))
    )
    return ServiceError(
        **named,
        exceptions=raised,
        status=text(report.get("status")) or None,
        retry_after=text(report.get("retryAfter")) or None,
    )
