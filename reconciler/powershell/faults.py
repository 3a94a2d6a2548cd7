"""What can go wrong between the reconciler and one PowerShell process.

None of these messages holds a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.powershell.answers import ServiceError


class DoorFault(ReconcilerError):
    """PowerShell, one of its modules or a credential is missing or wrong; the message says what to
    install or to set.
    """


class ConnectFault(DoorFault):
    """`spec.connect` cannot be used as it is: variables that are not set, by name and never by
    value, or a way that cannot work.
    """


class OperationFailed(ReconcilerError):
    """The operation itself failed, as the process says in `error`; nothing was run, and the session
    goes on.
    """

    def __init__(self, message: str, error: ServiceError) -> None:
        super().__init__(message)
        self.error = error


class SessionLost(ReconcilerError):
    """The process died, was silent too long or broke its protocol, and is gone now.

    `sent`: whether the request had left; the outcome of a write is unknown if it had, and it was
    not tried if it had not.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent
