"""A live tenant over sessions in memory, on a simulated tenant."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import field

from reconciler import canonical
from reconciler.processes.programs import Chosen
from reconciler.tenants.live import Live, Start
from reconciler.tenants.simulated import Faults, Simulator
from tests.live.service import Service
from tests.live.sessions import FakeSession
from tests.live.signing import ENVIRONMENT, SETTINGS
from tests.strategies.tenants import empty

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.model.target_tenant import TargetTenant
    from reconciler.powershell.connecting import Connection
    from reconciler.processes.programs import Choice
    from reconciler.tenants.live import Progress


class FakeStart(Start, frozen=True, kw_only=True):
    """Starts sessions in memory, and keeps them."""

    make: Callable[[Connection | None], FakeSession]
    sessions: list[FakeSession] = field(default_factory=list)

    def __call__(self, connection: Connection | None) -> FakeSession:
        self.sessions.append(self.make(connection))
        return self.sessions[-1]

    def bare(self) -> FakeSession:
        return self(None)

    def program(self) -> Choice:
        return Chosen("/usr/bin/pwsh", "PATH", (), "")


@dataclass
class Stage:
    """A tenant's service, the sessions that were started for it, and the waits."""

    path: Path
    faults: Faults | None = None
    language: int = 0
    waits: list[float] = dataclasses.field(default_factory=list)
    told: list[Progress] = dataclasses.field(default_factory=list)
    service: Service = dataclasses.field(init=False)
    begin: FakeStart = dataclasses.field(init=False)

    def set(self, **state: Any) -> None:
        """Make the tenant anew, with whole sections replaced."""
        self.path.write_bytes(canonical.dumps({**empty(), **state}))
        self.service = Service(Simulator(self.path, faults=self.faults), language=self.language)
        self.begin = FakeStart(ENVIRONMENT, make=lambda _connection: FakeSession(self.service))

    def live(
        self,
        *,
        writes: bool = False,
        settings: TargetTenant = SETTINGS,
        clock: Callable[[], float] = lambda: 1_760_000_000.0,
    ) -> Live:
        return Live(
            settings,
            self.begin,
            writes=writes,
            sleep=self.waits.append,
            tell=self.told.append,
            clock=clock,
        )
