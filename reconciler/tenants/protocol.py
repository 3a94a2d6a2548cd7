"""What the rest of the tool needs of a tenant: read it, and run one step.

Simulated and live tenants are the same to it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from reconciler.model.requests import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Origin
    from reconciler.model.plans import Invocation
    from reconciler.model.processes import RunnerProcess

__all__ = [
    "CaptureRequest",
    "Checking",
    "Done",
    "Failed",
    "Fault",
    "Lost",
    "NotUnderstood",
    "Outcome",
    "Remote",
    "Tenant",
]


class Fault(StrEnum):
    """Classes of errors of a service, as far as a caller may act on them."""

    NOT_FOUND = "not-found"
    EXISTS = "exists"
    ASSIGNED = "assigned"
    SCOPE_INVALID = "scope-invalid"
    STORE_FULL = "store-full"
    DENIED = "denied"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    INVALID = "invalid"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


class Done(Struct, frozen=True):
    """The service accepted the write."""


class Failed(Struct, frozen=True):
    """The service refused; nothing was changed. `message` is the service's own, untrusted text."""

    fault: Fault
    message: str


class Lost(Struct, frozen=True):
    """No answer arrived: whether the write happened is unknown until the tenant is read again."""

    message: str


Outcome: TypeAlias = Done | Failed | Lost


class NotUnderstood(Struct, frozen=True):
    """An answer of a service that has none of the values it is known to have: what it said."""

    text: str


class Tenant(Protocol):
    """A tenant that can be read and written. One write is in flight at a time."""

    @property
    def source(self) -> Origin:
        """`simulated` or `live`."""
        ...

    @property
    def tenant_id(self) -> str:
        """The tenant's id, lower-case, as the tenant itself says it."""
        ...

    def capture(self, request: CaptureRequest) -> Mapping[str, Json]:
        """Read the tenant: the content of a capture file.

        Raises:
            TenantFault: it could not be read completely.
        """
        ...

    def run(self, invocation: Invocation, text: str) -> Outcome:
        """Run one write.

        `text` is what is executed; it must read as `invocation` or nothing happens.

        Raises:
            RefusedText: the text is not exactly this invocation.
        """
        ...


@runtime_checkable
class Checking(Protocol):
    """A tenant that says itself whether its Exchange policies let an application in."""

    def verdict(self, mailbox: str, application: str) -> bool | NotUnderstood | None:
        """As `Remote.verdict`.

        Raises:
            TenantFault: it could not be asked.
        """
        ...


@runtime_checkable
class Remote(Protocol):
    """What a tenant has besides that is reached through processes of our own and with a credential
    that ends.
    """

    def prove(self, steps: Iterable[tuple[Invocation, str]]) -> None:
        """Have each text read by what will run it, without running anything.

        Raises:
            RefusedText: a text does not read as its invocation.
            TenantFault: nothing could be read.
        """
        ...

    def runner(self, provider: Provider) -> RunnerProcess:
        """The process that runs this product's writes from now on; it is started if there is none.

        Raises:
            TenantFault: it cannot be started.
        """
        ...

    def lasts_until(self, provider: Provider) -> int | None:
        """When this product's credential ends (unix seconds) and nothing renews it; None if that is
        not known, or never.

        Raises:
            TenantFault: there is no session, and none can be opened.
        """
        ...

    def verdict(self, mailbox: str, application: str) -> bool | NotUnderstood | None:
        """Whether the service's own check of Exchange policies grants an application (client id) a
        mailbox (address); None: there is no such check here.

        It speaks of what is configured, not of what is in effect already
        (Test-ApplicationAccessPolicy page).

        Raises:
            TenantFault: it could not be asked.
        """
        ...

    def close(self) -> None:
        """End the processes."""
        ...
