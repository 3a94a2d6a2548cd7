"""What an apply did, written before and after each step, so that it is known even if the process is
killed at any instant (law 10).

One file an apply, `apply-NNNNNN.jsonl` in a directory of the tenant, one JSON object a line, pure
ASCII. The lines, by their keys:

- "format_version", "tool", "plan", "content", "tenant", "source", "steps", "already", "pid",
  "process", "host", "namespace", "at": the first line.
- "state": "started", "step", "address", "attempt", "at": on the disk before the step runs.
- "state": "done", "step", "seen", "at": `seen`: no answer said so, the tenant read afterwards shows
  it.
- "state": "failed", "step", "fault", "message", "at": the service refused, nothing was changed.
- "state": "unknown", "step", "message", "at": no answer, and the tenant does not show it.
- "without": a step that was refused for good, "at": the apply goes on with what does not depend on
  it, so that the plan cannot be resumed.
- "runner": a product, "pid", "process", "at": a process that runs steps for us; PowerShell, or a
  shim that started it and may have ended since.
- "end": how, "at": the apply ended by itself.

`already` counts the steps that earlier applies of the plan had done. A reader ignores what it does
not know.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct, field

from reconciler.applying import identity
from reconciler.applying.identity import ProcessIdentity
from reconciler.errors import ReconcilerError
from reconciler.files import UnfitFile, open_regular, sync_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from reconciler.model.addresses import Provider
    from reconciler.model.processes import RunnerProcess

FORMAT_VERSION = "1.0"
LONGEST_MESSAGE = 500
"""Characters of a service's message that are kept: enough to act on, and a huge answer cannot fill
the disk.
"""
_BINARY = getattr(os, "O_BINARY", 0)
"""Windows would write a carriage return before each end of line, and count it."""
_NAME = re.compile(r"apply-([0-9]+)\.jsonl")

_Line: TypeAlias = dict[str, Any]


class StepState(StrEnum):
    """What a journal says of a step; a step it does not name was not tried.

    `STARTED` alone: in flight when the process ended.
    """

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ApplyEnd(StrEnum):
    """How an apply ended by itself."""

    CONVERGED = "converged"
    NOT_VERIFIED = "not-verified"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


class Header(Struct, frozen=True):
    """What an apply is about.

    `plan`, `content`: digests as they are written for people; `already`: steps done before it.
    """

    tool: str
    plan: str
    content: str
    tenant: str
    source: str
    steps: int
    already: int


class Journal:
    """A journal that is being written.

    Every method appends one line; `started` returns when the line is on the disk.

    Raises (every method):
        ReconcilerError: the line cannot be written; the step it announces must not run.
    """

    def __init__(self, path: Path, descriptor: int, clock: Callable[[], float]) -> None:
        """Take over an open file; `create` is how a journal begins."""
        self.path = path
        self._descriptor = descriptor
        self._clock = clock
        self._runners: dict[Provider, RunnerProcess] = {}

    @classmethod
    def create(cls, directory: Path, header: Header, clock: Callable[[], float]) -> Self:
        """Begin the next journal of a tenant; the caller holds the tenant's lock.

        Args:
            directory: Where the tenant's journals go.
            header: What the apply is about.
            clock: Seconds since 1970, UTC.
        """
        path = directory / f"apply-{_newest_number(directory) + 1:06d}.jsonl"
        try:
            descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _BINARY, 0o600
            )
        except OSError as error:
            raise _unwritable(path, str(error.strerror)) from error
        journal = cls(path, descriptor, clock)
        first = {name: getattr(header, name) for name in Header.__struct_fields__}
        own = identity.own()
        journal._append(
            {
                "format_version": FORMAT_VERSION,
                **first,
                "pid": own.pid,
                "process": own.started,
                "host": own.host,
                "namespace": own.namespace,
            }
        )
        journal._to_disk()
        sync_directory(directory)
        return journal

    def __enter__(self) -> Self:
        """Keep the file open for a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file. Only `ended` marks an end."""
        os.close(self._descriptor)

    def started(self, step: int, attempt: int, address: str = "") -> None:
        """Announce a step (id, attempt from 1, what it changes); nothing may be sent before this
        returns.
        """
        self._append(
            {"state": StepState.STARTED, "step": step, "attempt": attempt, "address": address}
        )
        self._to_disk()

    def done(self, step: int, *, seen: bool) -> None:
        """Say that a step is done; `seen`: known from reading the tenant, not from an answer."""
        self._append({"state": StepState.DONE, "step": step, "seen": seen})

    def failed(self, step: int, fault: str, message: str) -> None:
        """Say that the service refused a step; its message is kept as text, cut to
        `LONGEST_MESSAGE`.
        """
        self._append(
            {
                "state": StepState.FAILED,
                "step": step,
                "fault": fault,
                "message": message[:LONGEST_MESSAGE],
            }
        )

    def unknown(self, step: int, message: str) -> None:
        """Say that a step may or may not have happened."""
        self._append(
            {"state": StepState.UNKNOWN, "step": step, "message": message[:LONGEST_MESSAGE]}
        )

    def without(self, step: int) -> None:
        """Say that the apply goes on without a step; nothing more is sent before this returns."""
        self._append({"without": step})
        self._to_disk()

    def runner(self, provider: Provider, process: RunnerProcess) -> None:
        """Name the process that will run this product's steps, once; the next apply must not read
        before it, and all that it started, is gone.
        """
        if self._runners.get(provider) != process:
            self._append({"runner": provider, "pid": process.pid, "process": process.started})
            self._to_disk()
            self._runners[provider] = process

    def ended(self, how: ApplyEnd) -> None:
        """Say how the apply ended."""
        self._append({"end": how})
        self._to_disk()

    def _append(self, content: Mapping[str, object]) -> None:
        line = (
            json.dumps(
                {**content, "at": _stamp(self._clock())}, sort_keys=True, separators=(",", ":")
            ).encode("ascii")
            + b"\n"
        )
        try:
            # One write for the whole line: a process that is killed leaves all of it or nothing, a
            # full disk at worst a torn last line.
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise _unwritable(self.path, str(error.strerror)) from error
        if written < len(line):
            raise _unwritable(self.path, "the disk is full")

    def _to_disk(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise _unwritable(self.path, str(error.strerror)) from error


class EarlierApply(Struct):
    """What an earlier apply left behind.

    `states` has the last state of every step it tried, `addresses` what it changes, `times` when
    (seconds since 1970) that was written, `last_write` the time of the last line about a step, None
    if there is none, `began` that of the first line. `tenant` is the tenant's id, `steps` how many
    steps the plan has. `process`
    is the one that applied; its host is empty in journals of earlier versions. `runners` are the
    processes (product, id, start time as `processes.started` gives it) that ran its steps.
    `without` are the steps that it went on without. `end` is
    None when the process was killed. `damaged`: lines other than a torn last one cannot be read, so
    steps may be missing; `last_write` is then no earlier than the last change of the file.
    """

    path: Path
    plan: str = ""
    content: str = ""
    tenant: str = ""
    source: str = ""
    steps: int = 0
    already: int = 0
    began: float = 0.0
    process: ProcessIdentity = ProcessIdentity("", 0)
    states: dict[int, StepState] = field(default_factory=dict)
    addresses: dict[int, str] = field(default_factory=dict)
    times: dict[int, float] = field(default_factory=dict)
    last_write: float | None = None
    runners: tuple[tuple[str, int, str], ...] = ()
    without: tuple[int, ...] = ()
    end: str | None = None
    damaged: bool = False

    @property
    def reached(self) -> int:
        """The number of steps, from the first one, that are known to be done."""
        k = self.already
        while self.states.get(k + 1) is StepState.DONE:
            k += 1
        return k

    @property
    def open_step(self) -> int | None:
        """The step that may or may not have happened: in flight when the process ended, or
        unknown. There is at most one.
        """
        return next(
            (
                step
                for step, state in self.states.items()
                if state in (StepState.STARTED, StepState.UNKNOWN)
            ),
            None,
        )


def read_journal(path: Path) -> EarlierApply:
    """Read a journal as far as it can be read; a torn last line is nothing that happened.

    Raises:
        ReconcilerError: the file cannot be opened.
    """
    past = EarlierApply(path)
    for line in _lines(path):
        _take(past, line)
    if past.damaged:
        past.last_write = max(past.last_write or 0.0, _changed_at(path))
    return past


def newest(paths: Iterable[Path]) -> EarlierApply | None:
    """The journal of the last apply of a tenant, of whatever plan, that tried a step; None if there
    was none.

    `paths`: the journals of one directory, newest first.
    """
    return next(_trying(paths), None)


def newest_of(paths: Iterable[Path], plan: str) -> EarlierApply | None:
    """The same for one plan; `plan` is its digest as the header has it."""
    return newest(path for path in paths if _first_line(path).get("plan") == plan)


def source(path: Path) -> str:
    """Which kind of tenant an apply was of, as its first line says; empty if that cannot be read.

    Raises:
        ReconcilerError: the file cannot be opened.
    """
    return str(_first_line(path).get("source", ""))


def _trying(paths: Iterable[Path]) -> Iterator[EarlierApply]:
    return (past for path in paths if (past := read_journal(path)).states or past.damaged)


def _take(past: EarlierApply, line: bytes) -> None:
    if not line.endswith(b"\n"):
        return  # torn: its write was cut short, so what it announces was never sent
    parsed = _parsed(line)
    try:
        _take_line(past, parsed or {})
    except (KeyError, TypeError, ValueError):
        parsed = None
    past.damaged |= parsed is None


def _take_line(past: EarlierApply, line: _Line) -> None:
    if "format_version" in line:
        if str(line["format_version"]).partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
            raise ValueError("a later version wrote it: what its lines mean is not known")
        past.plan, past.content = str(line["plan"]), str(line["content"])
        past.source, past.already = str(line["source"]), int(line["already"])
        past.tenant, past.steps = str(line.get("tenant", "")), int(line.get("steps", 0))
        past.began = datetime.fromisoformat(line["at"]).timestamp()
        past.process = ProcessIdentity(
            host=str(line.get("host", "")),
            pid=int(line["pid"]),
            started=str(line["process"]),
            namespace=str(line.get("namespace", "")),
        )
    elif "state" in line:
        step = int(line["step"])
        past.last_write = past.times[step] = datetime.fromisoformat(line["at"]).timestamp()
        past.states[step] = StepState(line["state"])
        past.addresses[step] = str(line.get("address", past.addresses.get(step, "")))
    elif "without" in line:
        past.without += (int(line["without"]),)
    elif "runner" in line:
        past.runners += ((str(line["runner"]), int(line["pid"]), str(line["process"])),)
    elif "end" in line:
        past.end = str(line["end"])


def _parsed(line: bytes) -> _Line | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _first_line(path: Path) -> _Line:
    return _parsed(next(_lines(path), b"")) or {}


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with open_regular(path) as lines:
            yield from lines
    except OSError as error:
        raise _unreadable(path, error) from error


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError as error:
        raise _unreadable(path, error) from error


def journal_files(directory: Path) -> list[Path]:
    """All journals of a directory, newest first."""
    numbered = [
        (int(match[1]), path)
        for path in directory.iterdir()
        if (match := _NAME.fullmatch(path.name))
    ]
    return [path for _, path in sorted(numbered, reverse=True)]


def _newest_number(directory: Path) -> int:
    newest_first = journal_files(directory)
    match = _NAME.fullmatch(newest_first[0].name) if newest_first else None
    return int(match[1]) if match else 0


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _unreadable(path: Path, error: OSError) -> ReconcilerError:
    advice = error.advice if isinstance(error, UnfitFile) else "make the file readable"
    return ReconcilerError(
        f"{path}: cannot read the journal of an earlier apply: {error.strerror}; {advice}"
    )


def _unwritable(path: Path, why: str) -> ReconcilerError:
    return ReconcilerError(
        f"{path}: cannot write the journal: {why}; no step runs without it. Free disk space, then"
        " apply the same plan again"
    )
