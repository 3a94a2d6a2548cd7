"""A session in memory: what a PowerShell process with the stub modules answers, without the
process.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from reconciler.model.processes import RunnerProcess
from reconciler.powershell import catalogue
from reconciler.powershell.answers import Answer, Loaded, NotFound, Raised, Resolved, ServiceError
from reconciler.powershell.faults import OperationFailed, SessionLost
from reconciler.powershell.reading import read_invocation
from tests.live.service import MODULE, Drop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.plans import Invocation
    from reconciler.powershell.connecting import Connection
    from tests.live.service import Item, Service

PIDS = itertools.count(70_000)


def service_error(item: Item) -> ServiceError:
    """An error record as the runner would tell it."""
    raised = item["exception"]
    answered = raised.get("response") or {}
    return ServiceError(
        id=item["id"],
        category=item["category"],
        reason=item.get("reason", ""),
        target="",
        details=item.get("details", ""),
        exceptions=(Raised(raised["type"], raised["message"]),),
        status=str(answered["status"]) if answered else None,
        retry_after=str(answered["retryAfter"]) if answered.get("retryAfter") is not None else None,
    )


class FakeSession:
    """Implements `powershell.session.Session` on a service."""

    powershell = "7.6.5"

    def __init__(
        self,
        service: Service,
        *,
        versions: dict[str, str] | None = None,
        missing: Iterable[str] = (),
    ) -> None:
        self.service, self.missing = service, frozenset(missing)
        self.versions = versions or {
            "MicrosoftTeams": "7.7.0",
            "ExchangeOnlineManagement": "3.10.1",
        }
        self.pid = next(PIDS)
        self.outlived = False
        self.closed = False
        self.gone: str | None = None
        self.allowed: set[str] = set()
        self.connection: Connection | None = None

    @property
    def process(self) -> RunnerProcess:
        return RunnerProcess(self.pid, "")

    def load(
        self, module: str, *, version: str | None = None, minimum: str | None = None
    ) -> Loaded | NotFound:
        assert version is None
        assert minimum is not None
        found = self.versions.get(module)
        if found is None or _numbers(found) < _numbers(minimum):
            return NotFound(module, (found,) if found else ())
        return Loaded(module, found, "/modules")

    def connect(self, connection: Connection) -> dict[str, Any]:
        self.connection = connection
        items = list(
            self.service({"cmdlet": connection.cmdlet, "parameters": dict(connection.parameters)})
        )
        errors = [service_error(item) for item in items if item["stream"] == "error"]
        if errors:
            raise OperationFailed("connect failed", errors[0])
        return {"output": [item["value"]["properties"] for item in items]}

    def resolve(self, cmdlets: Iterable[str], modules: Iterable[str]) -> dict[str, Resolved | None]:
        return {name: self._resolved(name, list(modules)) for name in cmdlets}

    def _resolved(self, name: str, modules: list[str]) -> Resolved | None:
        if name in self.missing:
            return None
        self.allowed.add(name)
        known = catalogue.cmdlet(name)
        return Resolved(modules[0], "1.0", frozenset({*known.parameters, "Verbose"}))

    def read(self, text: str) -> Invocation:
        return read_invocation(text)

    def run(
        self,
        invocation: Invocation,
        text: str,
        *,
        select: tuple[str, ...] = (),
        timeout: float | None = None,
        part: Any = None,
    ) -> Answer:
        if self.gone is not None:
            raise SessionLost(self.gone, sent=False)
        assert (
            read_invocation(text) == invocation or read_invocation(text).cmdlet == invocation.cmdlet
        )
        assert invocation.cmdlet in self.allowed
        try:
            items = list(
                self.service(
                    {
                        "cmdlet": invocation.cmdlet,
                        "parameters": read_invocation(text).parameters,
                        "connections": [{"ModuleName": MODULE}],
                    }
                )
            )
        except Drop:
            self.gone = "the process was lost"
            raise SessionLost(self.gone, sent=True) from None
        objects = [
            _selected(item["value"]["properties"], select)
            for item in items
            if item["stream"] == "output"
        ]
        if part is not None and objects:
            part(len(objects))
        errors, kept = (
            [service_error(item) for item in items if item["stream"] == stream]
            for stream in ("error", "swallowed")
        )
        warnings = tuple(item["message"] for item in items if item["stream"] == "warning")
        return Answer(objects, warnings, tuple(errors), tuple(kept))

    def tail(self) -> str:
        return ""

    def close(self) -> None:
        self.closed = True
        self.gone = "it was closed"


def _selected(properties: dict[str, Any], select: tuple[str, ...]) -> dict[str, Any]:
    if not select:
        return properties
    absent = [name for name in select if name not in properties]
    return {name: properties[name] for name in select if name in properties} | (
        {"(absent)": absent} if absent else {}
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
