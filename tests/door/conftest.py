"""The door in front of a process: the stand-in always, a real PowerShell with the stub modules
where there is one.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.powershell.connecting import connections
from reconciler.powershell.session import Session, Timeouts, start_session
from tests.powershell.conftest import pwsh  # noqa: F401  a fixture
from tests.standin.places import Place
from tests.standin.stubs.make_stubs import make_stubs
from tests.standin.stubs.stub_server import StubServer, output, thing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
TOKENS = {
    "GRAPH_TOKEN": "canary-graph." + "kQ7zR2" * 20,
    "TEAMS_TOKEN": "canary-teams." + "Xw9bT4" * 20,
}
BY_TOKENS = {"teams": {"accessTokens": {"graph": "GRAPH_TOKEN", "teams": "TEAMS_TOKEN"}}}
QUICK = Timeouts(
    start=60, load=60, connect=60, device=60, answer=60, read=60, write=60, close=20, terminate=5
)


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stub modules on disk."""
    folder = tmp_path_factory.mktemp("modules")
    make_stubs(folder)
    return folder


@pytest.fixture(params=["stand-in", pytest.param("pwsh", marks=pytest.mark.pwsh)])
def place(request: pytest.FixtureRequest) -> Place:
    """Every test of processes runs in both."""
    if request.param == "stand-in":
        return Place()
    return Place((request.getfixturevalue("pwsh"),), request.getfixturevalue("modules"))


class Service:
    """What stands behind the stubs: answers with `items`, remembers what was asked."""

    def __init__(self) -> None:
        self.items: Iterable[Any] = []
        self.seen: list[Any] = []

    def __call__(self, request: Any) -> Iterable[Any]:
        self.seen.append(request)
        if request["cmdlet"].startswith(("Connect-", "Disconnect-")) and not self.items:
            return [output(thing("Context", {"TenantId": TENANT}))]
        if request["cmdlet"] == "Get-ConnectionInformation":
            return [
                output(thing("Information", {**one, "TenantID": TENANT}))
                for one in request["connections"]
            ]
        return self.items

    def calls(self, cmdlet: str) -> list[Any]:
        """Its parameters, call by call."""
        return [request["parameters"] for request in self.seen if request["cmdlet"] == cmdlet]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[StubServer]:
    with StubServer(service) as running:
        yield running


@pytest.fixture
def started(place: Place, server: StubServer, tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Starts sessions and closes them."""
    with contextlib.ExitStack() as stack:

        def one(**more: Any) -> Session:
            executable = place.executable(tmp_path, server)
            session = start_session(
                executable, **{"environment": os.environ, "timeouts": QUICK, **more}
            )
            stack.callback(session.close)
            return session

        yield one


@pytest.fixture
def teams(started: Callable[..., Session]) -> Session:
    """Opened, loaded, connected, with the cmdlets of policies resolved."""
    return ready(started())


POLICY = tuple(
    f"{verb}-CsApplicationAccessPolicy" for verb in ("Get", "New", "Set", "Remove", "Grant")
)


def ready(session: Session) -> Session:
    session.load("MicrosoftTeams", minimum="7.0")
    session.connect(connections(BY_TOKENS, TENANT, None, TOKENS)["teams"])
    session.resolve((*POLICY, "Get-CsOnlineUser"), ["MicrosoftTeams"])
    return session
