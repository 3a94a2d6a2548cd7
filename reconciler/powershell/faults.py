"""What can go wrong between the reconciler and one PowerShell process. None of these messages holds a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.powershell.answers import ServiceError


class DoorFault(ReconcilerError):
    """PowerShell or one of its modules is missing or too old; the message has the line that installs it."""


class OperationFailed(ReconcilerError):
    """The operation itself failed, as the process says in `error`; nothing was run, and the session goes on."""

    def __init__(self, message: str, error: ServiceError) -> None:
        super().__init__(message)
        self.error = error


class SessionLost(ReconcilerError):
    """The process died, was silent too long or broke its protocol. It is gone; the outcome of a write in flight is unknown."""
