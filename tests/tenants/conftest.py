"""A simulated tenant with people and no policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from reconciler import canonical
from reconciler.tenants.simulated import Faults, Simulator
from tests.strategies.tenants import empty

if TYPE_CHECKING:
    from pathlib import Path


class Make(Protocol):
    """Makes a tenant; `state` overrides whole sections of an empty one."""

    def __call__(
        self, faults: Faults | None = None, log_from: int = ..., **state: Any
    ) -> Simulator: ...


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(faults: Faults | None = None, log_from: int = 1_000_000, **state: Any) -> Simulator:
        path = tmp_path / "tenant.json"
        path.write_bytes(canonical.dumps({**empty(), **state}))
        return Simulator(path, faults=faults, log_from=log_from)

    return made


@pytest.fixture
def tenant(make: Make) -> Simulator:
    return make()
