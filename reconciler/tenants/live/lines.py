"""One product's conversation with the service: opened when it is first needed, and opened again
after it was lost.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, field

from reconciler.errors import RefusedText, TenantFault
from reconciler.kinds.capture_rows import shown
from reconciler.model.plans import Invocation
from reconciler.powershell import rendering
from reconciler.powershell.reading import same_invocation
from reconciler.powershell.session import SessionLost
from reconciler.tenants.live.classes import (
    PASSING,
    ErrorClass,
    advised,
    leading,
    meaning,
    write_outcome,
)
from reconciler.tenants.live.opening import NotNow
from reconciler.tenants.live.warnings import doubtful, sign_of_truncation
from reconciler.tenants.protocol import Failed, Fault, Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.powershell.session import Answer, ServiceError
    from reconciler.tenants.live.opening import Opened
    from reconciler.tenants.live.questions import TenantQuestion
    from reconciler.tenants.protocol import Outcome

_QUOTED = 3
"""Warnings that a message quotes."""
ABSENT = "(absent)"
"""Key under which the runner names the properties that an object has not."""


class Progress(Struct, frozen=True):
    """How many objects of a reading have arrived."""

    provider: Provider
    cmdlet: str
    objects: int


class RowsRead(Struct, frozen=True):
    """All objects of a reading, and the warnings that are not known to be harmless."""

    rows: Sequence[Mapping[str, Json]]
    warnings: tuple[str, ...] = ()


class Patience(Struct, frozen=True):
    """How often a reading, or signing in, is tried again, and after how many seconds: few times,
    because the modules try again by themselves.

    `unsettled`: while two readings of the same thing do not agree, because a write is not visible
    everywhere (10 to 20 s are usual). `longest`: more than this the service may not ask for.
    """

    throttled: tuple[float, ...] = (10.0, 30.0, 60.0)
    passing: tuple[float, ...] = (2.0, 10.0)
    unsettled: tuple[float, ...] = (10.0, 20.0, 30.0)
    longest: float = 300.0


class SessionLine(Struct):
    """The way to one product. One call at a time; not to be used by two threads at once."""

    provider: Provider
    open: Callable[[], Opened]
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], object] | None = None
    tell: Callable[[Progress], None] = lambda _progress: None
    _opened: Opened | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _outlived: int | None = None

    @property
    def opened(self) -> Opened:
        """The session; opened now if there is none.

        Raises:
            TenantFault: it cannot be opened, leads to another tenant, or is not wanted any more; or
                the one before was killed and what it started runs on, so that two could write.
        """
        if self._outlived is not None:
            raise TenantFault(
                f"{self.provider}: process {self._outlived} was killed, but something that it"
                " started is still running and may be writing; end it, then run this again"
            )
        pauses = iter(self.patience.passing)
        while self._opened is None:
            if self._over.is_set():
                raise TenantFault(f"{self.provider}: interrupted")
            try:
                self._opened = self.open()
            except NotNow:
                pause = next(pauses, None)
                if pause is None:
                    raise
                self.pause(pause)
            if self._over.is_set():
                self.close()  # abandoned while it was opened
        return self._opened

    def abandon(self) -> None:
        """End the session for good; may be called from another thread, while a call waits for its
        answer.
        """
        self._over.set()
        self.close()

    def close(self) -> None:
        """End the session, if there is one; the next use opens another."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.session.close()
            if opened.session.outlived:
                self._outlived = opened.session.pid

    def ask(self, question: TenantQuestion) -> RowsRead:
        """Read, completely or not at all; whether warnings are consented to, whoever asks judges.

        Raises:
            TenantFault: refused, not answered, or answered in a way that does not prove to be all
                there is.
        """
        throttled, passing = iter(self.patience.throttled), iter(self.patience.passing)
        while True:
            answered = self._attempt(question)
            if not isinstance(answered, _Missed):
                return answered
            pause = (
                next(throttled if answered.meaning is ErrorClass.THROTTLED else passing, None)
                if answered.meaning in PASSING
                else None
            )
            if pause is None:
                raise TenantFault(
                    f"{self.provider}: {question.cmdlet} {answered.said}: {answered.message}"
                )
            self.pause(min(max(pause, answered.wait), self.patience.longest))

    def pause(self, seconds: float) -> None:
        """Wait, but no longer once the line is abandoned."""
        (self.sleep or self._over.wait)(seconds)

    def write(self, invocation: Invocation, text: str) -> Outcome:
        """Run one write.

        Raises:
            RefusedText: the text is not exactly this invocation; nothing was run.
            TenantFault: there is no session, and none can be opened; nothing was run.
        """
        session = self.opened.session
        try:
            answer = session.run(invocation, text)
        except SessionLost as lost:
            self.close()
            return Lost(str(lost)) if lost.sent else Failed(Fault.TRANSIENT, str(lost))
        self._leave_if_expired(answer, invocation.cmdlet)
        return write_outcome(answer, invocation.cmdlet)

    def prove(self, invocation: Invocation, text: str) -> None:
        """Have PowerShell's own parser read a text, without running it.

        Raises:
            RefusedText: it does not read as this invocation.
            TenantFault: the session cannot be used.
        """
        session = self.opened.session
        try:
            read = session.read(text)
        except SessionLost as lost:
            self.close()
            raise TenantFault(
                f"{self.provider}: PowerShell was lost while it read the steps: {lost}. Nothing was"
                " written"
            ) from lost
        if not same_invocation(read, invocation):
            raise RefusedText(f"PowerShell reads another call than the step's from {text!a}")

    def _attempt(self, question: TenantQuestion) -> RowsRead | _Missed:
        invocation = Invocation(question.cmdlet, question.parameters)
        session = self.opened.session
        try:
            answer = session.run(
                invocation,
                rendering.render(invocation),
                select=question.select,
                part=lambda count: self._told(question, count),
            )
        except SessionLost as lost:
            self.close()
            return _Missed(ErrorClass.NO_ANSWER, "got no answer", str(lost))
        self._leave_if_expired(answer, question.cmdlet)
        return _judged(question, answer)

    def _leave_if_expired(self, answer: Answer, cmdlet: str) -> None:
        if any(meaning(error, cmdlet) is ErrorClass.EXPIRED for error in answer.errors):
            self.close()

    def _told(self, question: TenantQuestion, count: int) -> None:
        self.tell(Progress(self.provider, question.cmdlet, count))


class _Missed(Struct, frozen=True):
    """A reading that did not succeed: its class, what happened in words, what the service said, how
    long it wants to be left alone.
    """

    meaning: ErrorClass
    said: str
    message: str
    wait: float = 0.0


def _judged(question: TenantQuestion, answer: Answer) -> RowsRead | _Missed:
    """The objects of an answer, unless something suggests that they are not all (law 1)."""
    if answer.errors:
        error_class, error = leading(answer.errors, question.cmdlet)
        if error_class in question.nothing and not answer.objects:
            return _checked(question, answer)
        return _Missed(
            error_class,
            f"failed ({error_class})",
            advised(error_class, error.message),
            _wait(error),
        )
    if answer.swallowed:
        return _doubted(question, answer)
    return _checked(question, answer)


def _doubted(question: TenantQuestion, answer: Answer) -> RowsRead | _Missed:
    """The module suppressed an error: objects may be missing if none arrived, or if the error is
    one that ends a reading early.
    """
    error_class, error = leading(answer.swallowed, question.cmdlet)
    if error_class in question.nothing and not answer.objects:
        return _checked(question, answer)
    if answer.objects and error_class not in PASSING and error_class is not ErrorClass.DENIED:
        return _checked(question, answer)
    doubt = (
        f"returned {len(answer.objects) or 'nothing'}, but the module suppressed an error"
        f" ({error_class}), so the result may be incomplete"
    )
    return _Missed(error_class, doubt, advised(error_class, error.message), _wait(error))


def _checked(question: TenantQuestion, answer: Answer) -> RowsRead | _Missed:
    if cut := sign_of_truncation(question, answer):
        return _Missed(ErrorClass.UNKNOWN, cut, _quoted(answer.warnings))
    needed = frozenset(question.needed)
    lacking = {name for row in answer.objects for name in _absent(row) if name in needed}
    lacking -= _lacked_by_some(question, answer)
    if not lacking:
        return RowsRead(answer.objects, doubtful(question, answer.warnings))
    return _Missed(
        ErrorClass.UNKNOWN,
        f"returned objects without {', '.join(sorted(lacking))}",
        "the module has another version or returned another kind of object; `reconciler doctor`"
        " shows which versions are known",
    )


def _quoted(warnings: Sequence[str]) -> str:
    quotes = "; ".join(map(shown, warnings[:_QUOTED])) or "no warning"
    return (
        f"{quotes}. The reading is not known to be all there is, and no consent changes that: try"
        " again later; if it stays so, the service does not list everything"
    )


def _lacked_by_some(question: TenantQuestion, answer: Answer) -> set[str]:
    """Properties that some objects lack and others have, where that makes an object odd and not the
    answer.
    """
    lacked = Counter(name for row in answer.objects for name in _absent(row))
    return {name for name in question.single if lacked[name] < len(answer.objects)}


def _absent(row: Mapping[str, Json]) -> Sequence[str]:
    named = row.get(ABSENT)
    return [str(name) for name in named] if isinstance(named, list) else ()


def _wait(error: ServiceError) -> float:
    """Seconds that the service asks callers to wait; 0 if it does not say, or names a date."""
    asked = error.retry_after or ""
    return float(asked) if asked.isascii() and asked.isdigit() else 0.0
