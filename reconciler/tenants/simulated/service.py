"""What a simulated tenant asks of the service of one product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.tenants.protocol import Outcome
    from reconciler.tenants.simulated.moment import Moment

Row: TypeAlias = "Mapping[str, Any]"


class ServiceRead(Struct, frozen=True):
    """One call of a Get cmdlet, and how many objects came."""

    cmdlet: str
    parameters: Mapping[str, Json]
    count: int


class ServiceReading(Struct, frozen=True):
    """What reading a whole service gives: the rows by their names in a capture, and the calls."""

    rows: Mapping[str, Sequence[Row | str]]
    reads: tuple[ServiceRead, ...]


class NamedByRows(Struct, frozen=True):
    """Object ids of everybody whom the rows of a service name."""

    users: Collection[str] = ()
    groups: Collection[str] = ()
    scopes: Collection[str] = ()


class SimulatedService(Protocol):
    """The service of one product: its objects, and what its cmdlets do to them."""

    @property
    def writes(self) -> Mapping[str, Callable[[Moment], Outcome]]:
        """Every cmdlet that writes, by its name."""

    def section(self) -> Mapping[str, Sequence[Row]]:
        """All rows, as the tenant's file keeps them."""

    def read(self, seed: int) -> ServiceReading:
        """All rows, as its Get cmdlets return them; `seed` draws what nobody can foresee.

        Raises:
            TenantFault: the service refuses.
        """

    def effective(self, users: Iterable[str], clock: str) -> Sequence[Row]:
        """What is effective for single users, as far as the tenant knows who is in groups."""

    def named(self) -> NamedByRows:
        """Whom its rows name."""
