"""One conversation with one PowerShell process: what the rest of the tool needs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reconciler.powershell.answers import Answer, Loaded, NotFound, Raised, Resolved, ServiceError
from reconciler.powershell.connecting import Connection
from reconciler.powershell.door.starting import converse
from reconciler.powershell.door.timeouts import Timeouts
from reconciler.powershell.faults import ConnectFault, DoorFault, OperationFailed, SessionLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from reconciler.canonical import Json
    from reconciler.model.plans import Invocation
    from reconciler.model.processes import RunnerProcess

__all__ = [
    "Answer",
    "ConnectFault",
    "Connection",
    "DoorFault",
    "Loaded",
    "NotFound",
    "OperationFailed",
    "Raised",
    "Resolved",
    "ServiceError",
    "Session",
    "SessionLost",
    "Timeouts",
    "start_session",
]


class Session(Protocol):
    """One process, opened.

    One operation at a time; any of them raises SessionLost when the process is gone, and then all
    that follow do.

    `failed` answers of the operations raise OperationFailed, answers of the gate RefusedText; the
    session goes on after both.
    """

    @property
    def powershell(self) -> str:
        """PowerShell's version."""
        ...

    @property
    def pid(self) -> int:
        """The process's id."""
        ...

    @property
    def process(self) -> RunnerProcess:
        """The process's id and start time, for the journal."""
        ...

    @property
    def outlived(self) -> bool:
        """Whether something that the process started runs on although it was killed, so that a
        write may still be under way.
        """
        ...

    def load(
        self, module: str, *, version: str | None = None, minimum: str | None = None
    ) -> Loaded | NotFound:
        """Import a module, `version` exactly, else the newest from `minimum` on."""
        ...

    def connect(self, connection: Connection) -> Mapping[str, Json]:
        """Sign in, once a process.

        Returns `{"output": [plain objects]}`, what the connect cmdlet put out.
        """
        ...

    def resolve(
        self, cmdlets: Iterable[str], modules: Iterable[str]
    ) -> Mapping[str, Resolved | None]:
        """Allow cmdlets for `run`, each from exactly one of the modules; None for what is absent or
        ambiguous.
        """
        ...

    def read(self, text: str) -> Invocation:
        """What PowerShell's own parser reads from a text; nothing runs. Raises RefusedText."""
        ...

    def run(
        self,
        invocation: Invocation,
        text: str,
        *,
        select: tuple[str, ...] = (),
        timeout: float | None = None,
        part: Callable[[int], None] | None = None,
    ) -> Answer:
        """Run one text, which must read as `invocation`. Errors of the cmdlet are in the answer.

        Args:
            invocation: The same call as data.
            text: What is executed, byte for byte.
            select: Names of properties to return; all when empty. What an object has not is named
                in its `(absent)`.
            timeout: Seconds of silence after which the session is lost; None for what suits the
                cmdlet.
            part: Called with the number of objects so far, whenever some arrive.

        Raises:
            RefusedText: the text is not exactly this invocation; nothing was executed.
            SessionLost: no answer; if it is a write, its outcome is unknown.
        """
        ...

    def tail(self) -> str:
        """The end of what the process printed beside its answers, redacted: for a person,
        untrusted.
        """
        ...

    def close(self) -> None:
        """Disconnect and end the process; waits until it is gone.

        Never raises, may be called twice.
        """
        ...


def start_session(
    executable: str | None = None,
    *,
    environment: Mapping[str, str],
    reads: Iterable[Path] = (),
    log: Path | None = None,
    pass_on: Iterable[str] = (),
    show: Callable[[str], None] | None = None,
    timeouts: Timeouts | None = None,
) -> Session:
    """Start PowerShell with the runner, and open the conversation.

    Args:
        executable: Absolute path of pwsh; None: RECONCILER_PWSH of `environment`, else `pwsh` on
            its PATH (`door/programs.py`).
        environment: This process's environment; the child gets only what is named in
            `environment.py`, with a home of its own.
        reads: Paths of documents, of a plan: nothing from their repository is started.
        log: File that what the process prints is added to, redacted.
        pass_on: Names of further variables that the child gets (`Connection.pass_on`).
        show: Called with each line that the process prints while a person signs in by device code,
            from another thread: untrusted text, without secrets and control characters.
        timeouts: How long to wait for what.

    Raises:
        DoorFault: there is no PowerShell, it is too old, or the log cannot be written.
        SessionLost: it did not open the conversation.
    """
    return converse(
        executable,
        environment=environment,
        reads=reads,
        log=log,
        pass_on=pass_on,
        show=show,
        timeouts=timeouts or Timeouts(),
    )
