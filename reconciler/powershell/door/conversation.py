"""A session over one child process: operations out, typed answers back, secrets hidden, and an end
at the first thing that is not right.
"""

from __future__ import annotations

import base64
import secrets
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from reconciler.errors import RefusedText
from reconciler.powershell.answers import Answer, Loaded, NotFound, Resolved
from reconciler.powershell.connecting import certificate
from reconciler.powershell.door import parsing
from reconciler.powershell.door.framing import End, decode_line, encode_line
from reconciler.powershell.faults import OperationFailed, SessionLost
from reconciler.powershell.reading import read_invocation, same_invocation
from reconciler.processes.child import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.plans import Invocation
    from reconciler.model.processes import RunnerProcess
    from reconciler.powershell.connecting import Connection
    from reconciler.powershell.door.log import Log
    from reconciler.powershell.door.timeouts import Timeouts
    from reconciler.processes.child import Child

_TOLD = 300
"""Characters of the log's end that a message repeats."""


class Conversation:
    """The `Session` of a real process.

    `cleanup` holds what goes when the process has gone: its home, its script.
    """

    def __init__(
        self,
        child: Child,
        log: Log,
        timeouts: Timeouts,
        cleanup: ExitStack,
        *,
        show: Callable[[str], None] | None = None,
    ) -> None:
        self._child, self._log, self._timeouts, self._cleanup, self._show = (
            child,
            log,
            timeouts,
            cleanup,
            show,
        )
        self._hiding = log.hiding
        self._nonce = secrets.token_hex(16)
        self._number = 0
        self._end = ""
        self.powershell = ""

    def __repr__(self) -> str:
        return (
            f"<PowerShell {self.powershell or '?'}, process"
            f" {self.pid}{', ended' if self._end else ''}>"
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._child.pid

    @property
    def process(self) -> RunnerProcess:
        """The process's id and start time."""
        return self._child.identity

    @property
    def outlived(self) -> bool:
        """Whether something that the process started runs on although it was killed."""
        return self._child.outlived

    def open(self) -> None:
        """Begin: the answer tells the version of PowerShell."""
        with self._understood():
            value = parsing.fields(
                self._asked("open", {"nonce": self._nonce}, self._timeouts.start)
            )
            self.powershell = parsing.text(value.get("powershell"))

    def load(
        self, module: str, *, version: str | None = None, minimum: str | None = None
    ) -> Loaded | NotFound:
        """Import a module: of that version, else the newest from `minimum` on."""
        wanted: dict[str, Json] = {"version": version} if version else {"minimum": minimum or "0.0"}
        with self._understood():
            return parsing.module(
                module, self._asked("load", {"module": module, **wanted}, self._timeouts.load)
            )

    def connect(self, connection: Connection) -> Mapping[str, Json]:
        """Sign in. The secrets are known to whatever keeps anything before they leave.

        Raises:
            ConnectFault: the certificate's file cannot be read.
            OperationFailed: the service or the module refuses.
        """
        message: dict[str, Json] = {
            "cmdlet": connection.cmdlet,
            "module": connection.module,
            "parameters": connection.parameters,
        }
        self._hiding.learn(connection.secrets)
        if connection.certificate:
            pfx = base64.b64encode(certificate(connection)).decode("ascii")
            self._hiding.learn([pfx])
            message |= {
                "pfx": pfx,
                "pfxPassword": connection.certificate_password,
                "certificateParameter": "Certificate",
            }
        with self._understood(), self._shown(connection):
            seconds = self._timeouts.device if connection.interactive else self._timeouts.connect
            return parsing.fields(self._hiding.value(self._asked("connect", message, seconds)))

    def resolve(
        self, cmdlets: Iterable[str], modules: Iterable[str]
    ) -> Mapping[str, Resolved | None]:
        """Allow cmdlets."""
        names = tuple(cmdlets)
        with self._understood():
            answer = self._asked(
                "resolve", {"cmdlets": names, "modules": tuple(modules)}, self._timeouts.answer
            )
            return parsing.resolved(names, answer)

    def read(self, text: str) -> Invocation:
        """What PowerShell's parser makes of a text; what our own reader refuses is not sent."""
        ours = read_invocation(text)
        with self._understood():
            theirs = parsing.invocation(self._asked("read", {"text": text}, self._timeouts.answer))
        _same(theirs, ours, "PowerShell reads it as")
        return theirs

    def run(
        self,
        invocation: Invocation,
        text: str,
        *,
        select: tuple[str, ...] = (),
        timeout: float | None = None,
        part: Callable[[int], None] | None = None,
    ) -> Answer:
        """Run one text."""
        ours = read_invocation(text)
        _same(ours, invocation, "it is")
        message: dict[str, Json] = {
            "text": text,
            "cmdlet": ours.cmdlet,
            "parameters": ours.parameters,
        }
        if select:
            message["select"] = select
        objects: list[Mapping[str, Json]] = []
        with self._understood():
            seconds = self._timeouts.of(ours.cmdlet) if timeout is None else timeout
            value = parsing.fields(
                self._asked(
                    "run", message, seconds, lambda rows: self._collect(rows, objects, part)
                )
            )
            if parsing.count(value.get("objects")) != len(objects):
                raise Broken("it returned fewer objects than it counted")
            report = parsing.fields(self._hiding.value(value))
            kept = (
                parsing.texts(report.get("warnings")),
                parsing.errors(report.get("errors")),
                parsing.errors(report.get("swallowed")),
            )
            return Answer(objects, *kept)

    def tail(self) -> str:
        """The end of the log."""
        return self._log.tail()

    def close(self) -> None:
        """Let the process disconnect and end."""
        if not self._end:
            self._end = "it was closed"
            self._child.end(self._timeouts)
        self._cleanup.close()

    def _collect(
        self,
        rows: list[Json],
        objects: list[Mapping[str, Json]],
        part: Callable[[int], None] | None,
    ) -> None:
        """An object that holds a secret is not a reading of a tenant: hiding it would change names
        that plans are made of.
        """
        if self._hiding.holds(rows):
            raise Broken(
                "an object of its answer holds a credential's value (a certificate's password must"
                " not be an ordinary word)"
            )
        objects += map(parsing.output_object, rows)
        if part:
            part(len(objects))

    def _asked(
        self,
        operation: str,
        fields: Mapping[str, Json],
        seconds: float,
        part: Callable[[list[Json]], None] | None = None,
    ) -> Json:
        """The value that ends an operation.

        Raises:
            RefusedText: the gate refused.
            OperationFailed: the operation failed.
        """
        self._send(operation, fields, seconds)
        end = self._answer(seconds, part)
        if end.kind == "value":
            return end.content
        content = self._hiding.value(end.content)
        if end.kind == "refused":
            raise RefusedText(f"PowerShell's gate refuses the text: {parsing.text(content)}")
        error = parsing.error(content)
        raise OperationFailed(f"{operation} failed: {error.message}", error)

    def _send(self, operation: str, fields: Mapping[str, Json], seconds: float) -> None:
        if self._end:
            raise SessionLost(f"the PowerShell process has ended: {self._end}", sent=False)
        line = encode_line(self._number + 1, operation, fields)
        if self._child.spoke:
            self._lose("it printed something unexpected, or exited", sent=False)
        self._number += 1
        self._child.send(line, seconds)

    def _answer(self, seconds: float, part: Callable[[list[Json]], None] | None) -> End:
        while True:
            answer = decode_line(self._child.line(seconds), self._number, self._nonce)
            if isinstance(answer, End):
                return answer
            if part is None:
                raise Broken("its answer has an unknown format")
            part(answer.objects)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Ends the process at the first thing that is not right, and at whatever interrupts us: its
        next line would be taken for another's.
        """
        try:
            yield
        except Broken as why:
            self._lose(str(why), sent=True)
        except (SessionLost, OperationFailed, RefusedText):
            raise
        except BaseException:
            self._gone("it was interrupted")
            raise

    def _lose(self, why: str, *, sent: bool) -> None:
        self._gone(why)
        printed = self._log.tail()[-_TOLD:].strip()
        output = f"; its last output: {printed}" if printed else ""
        raise SessionLost(f"the PowerShell process was lost: {why}{output}", sent=sent) from None

    def _gone(self, why: str) -> None:
        self._end = why
        self._child.kill()
        self._cleanup.close()

    @contextmanager
    def _shown(self, connection: Connection) -> Iterator[None]:
        self._log.show = self._show if connection.interactive else None
        try:
            yield
        finally:
            self._log.show = None


def _same(parsed: Invocation, wanted: Invocation, who: str) -> None:
    if not same_invocation(parsed, wanted):
        raise RefusedText(
            f"the text does not match its step: {who} an invocation other than {wanted.cmdlet}"
            " with its parameters"
        )
