"""What a PowerShell process answers, as values.

Everything in them is the service's own text: never to be trusted, free of secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json


class Loaded(Struct, frozen=True):
    """A module that is imported now: exact version, and the folder that it is in."""

    name: str
    version: str
    path: str


class NotFound(Struct, frozen=True):
    """No installed version of a module is the wanted one; `others` are the versions that are
    installed, maybe none.
    """

    module: str
    others: tuple[str, ...]


class Resolved(Struct, frozen=True):
    """An installed cmdlet: the module that it comes from, and its parameters, common ones included."""

    module: str
    version: str
    parameters: frozenset[str]


class Raised(Struct, frozen=True):
    """One .NET exception: full type name, message."""

    type: str
    message: str


class ServiceError(Struct, frozen=True):
    """One error record.

    `exceptions` outermost first; `status` and `retry_after` (text as sent) only where an HTTP
    answer is known.
    """

    id: str
    category: str
    reason: str
    target: str
    details: str
    exceptions: tuple[Raised, ...]
    status: str | None = None
    retry_after: str | None = None

    @property
    def message(self) -> str:
        """The outermost exception's message, else the id."""
        return self.exceptions[0].message if self.exceptions else self.id


class Answer(Struct, frozen=True):
    """The end of a `run`.

    Errors: the call failed, even if objects came. `swallowed`: the module went on after these;
    distrust emptiness.
    """

    objects: list[Mapping[str, Json]]
    warnings: tuple[str, ...]
    errors: tuple[ServiceError, ...]
    swallowed: tuple[ServiceError, ...]
