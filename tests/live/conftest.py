"""A live tenant over sessions in memory, and one behind processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from reconciler.applying.host import Host
from reconciler.tenants.live.lines import SessionLine
from tests.door.conftest import modules  # noqa: F401  a fixture
from tests.door.conftest import place as program  # noqa: F401  a fixture
from tests.live.places import Place, settle
from tests.live.signing import ENVIRONMENT
from tests.live.stages import Stage
from tests.powershell.conftest import pwsh  # noqa: F401  a fixture
from tests.standin.stubs.stub_server import StubServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Run
    from tests.standin.places import Place as Program


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "tenant.json")
    made.set()
    yield made
    assert all(session.closed or session.gone is None for session in made.begin.sessions)


@pytest.fixture
def place(
    tmp_path: Path,
    run: Run,
    program: Program,  # noqa: F811  the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    made = settle(tmp_path / "place", run)
    (tmp_path / "bin").mkdir()
    for waiting in (
        SessionLine,
        Host,
    ):  # how long is tested elsewhere; here other processes only need a moment
        monkeypatch.setattr(waiting, "pause", lambda _self, _seconds: time.sleep(0.01))
    with StubServer(made.answer) as server:
        monkeypatch.setenv("RECONCILER_PWSH", program.executable(tmp_path / "bin", server))
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        yield made
