"""A live tenant behind the same interface as a simulated one: one PowerShell process for each
product, started when it is needed.
"""

from __future__ import annotations

import queue
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Self

from reconciler import __version__
from reconciler.errors import TenantFault
from reconciler.kinds.capture_rows import shown
from reconciler.kinds.facts import writing_product
from reconciler.model.addresses import PROVIDERS
from reconciler.model.target_tenant import connected_products
from reconciler.tenants.live import questions
from reconciler.tenants.live.access_checks import checked_access
from reconciler.tenants.live.asking import Ask
from reconciler.tenants.live.lines import Patience, SessionLine
from reconciler.tenants.live.opening import open_session
from reconciler.tenants.live.part import CapturePart
from reconciler.tenants.live.readings import live_reading
from reconciler.tenants.protocol import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Origin
    from reconciler.model.plans import Invocation
    from reconciler.model.processes import RunnerProcess
    from reconciler.model.target_tenant import TargetTenant
    from reconciler.tenants.live.lines import Progress
    from reconciler.tenants.live.opening import Opened, Start
    from reconciler.tenants.live.projecting import Row
    from reconciler.tenants.protocol import CaptureRequest, Outcome

_JOIN = 5.0
"""Seconds in which a reading that was given up has to end."""


class Live:
    """Implements `tenants.protocol.Tenant` and `tenants.protocol.Remote`.

    Close it, or use it in a `with` block: processes end with it.

    Args:
        settings: which tenant, and how to sign in.
        begin: starts PowerShell.
        writes: whether sessions may write; a reading one has no cmdlet that does.
        patience: how often readings are repeated.
        clock: seconds since 1970; `sleep` waits for this many, by default so that closing from
            another thread ends it.
        tell: called with how many objects of a reading have come, from the thread that reads.
    """

    source: Origin = "live"

    def __init__(
        self,
        settings: TargetTenant,
        begin: Start,
        *,
        writes: bool,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        tell: Callable[[Progress], None] = lambda _progress: None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._patience = patience or Patience()

        def line(provider: Provider) -> SessionLine:
            opening: Callable[[], Opened] = partial(
                open_session, settings, provider, begin, writes=writes
            )
            return SessionLine(provider, opening, self._patience, sleep, tell)

        self._lines: Mapping[Provider, SessionLine] = {name: line(name) for name in PROVIDERS}

    @property
    def tenant_id(self) -> str:
        """The tenant's id, lower-case.

        It is the wanted one: a session that leads to another tenant is never used.
        """
        return self._settings.tenant_id.lower()

    def capture(self, request: CaptureRequest) -> Mapping[str, Json]:
        """Read all products at the same time. See `Tenant.capture`."""
        taken_at = self._now()
        parts = self._all(self._readings(request))
        tenant: dict[str, Json] = {
            "tenantId": self.tenant_id,
            "organization": self._settings.organization or "",
        }
        return {
            "format_version": "1.0",
            "tool": f"reconciler {__version__}",
            "tenant": tenant,
            "taken_at": taken_at,
            **{
                name: parts[name].section if name in parts else live_reading(name).unread()
                for name in PROVIDERS
            },
            "directory": _directory(parts.values()),
        }

    def run(self, invocation: Invocation, text: str) -> Outcome:
        """Run one write through the session of its product. See `Tenant.run`."""
        return self._lines[writing_product(invocation.cmdlet)].write(invocation, text)

    def prove(self, steps: Iterable[tuple[Invocation, str]]) -> None:
        """Have PowerShell's own parser read every text. See `Remote.prove`."""
        for invocation, text in steps:
            self._lines[writing_product(invocation.cmdlet)].prove(invocation, text)

    def runner(self, provider: Provider) -> RunnerProcess:
        """The process that runs a product's writes. See `Remote.runner`."""
        return self._lines[provider].opened.session.process

    def lasts_until(self, provider: Provider) -> int | None:
        """When a product's credential ends. See `Remote.lasts_until`."""
        return self._lines[provider].opened.lasts_until

    def verdict(self, mailbox: str, application: str) -> bool | NotUnderstood | None:
        """What Exchange's own check says. See `Remote.verdict`."""
        line = self._lines["exchange"]
        if questions.CHECK not in line.opened.allowed:
            return None
        reading = line.ask(questions.access_check(mailbox, application))
        if reading.warnings:
            return NotUnderstood(f"it warned: {shown(reading.warnings[0])}")
        return checked_access([row["AccessCheckResult"] for row in reading.rows])

    def close(self) -> None:
        """End all processes; a later use starts others."""
        for line in self._lines.values():
            line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _readings(self, request: CaptureRequest) -> dict[Provider, Callable[[], CapturePart]]:
        """What is to be read of each product; of one that is not in the request names are looked up,
        if there is a way to sign in to it: a capture tells what it did not look for.
        """
        wanted: dict[Provider, Callable[[], CapturePart]] = {}
        readable = connected_products(self._settings.connect)
        for name in PROVIDERS:
            reading = live_reading(name)
            if name in request.products or (name in readable and reading.names(request)):
                wanted[name] = partial(reading.read, self._ask(name), request, self._settle(name))
        return wanted

    def _ask(self, provider: Provider) -> Ask:
        return Ask(self._lines[provider], self.tenant_id, self._now)

    def _settle(self, provider: Provider) -> Callable[[], bool]:
        pauses = iter(self._patience.unsettled)

        def settle() -> bool:
            pause = next(pauses, None)
            if pause is not None:
                self._lines[provider].pause(pause)
            return pause is not None

        return settle

    def _all(
        self, readings: Mapping[Provider, Callable[[], CapturePart]]
    ) -> dict[Provider, CapturePart]:
        """All readings at once, the first one in this thread; every failure is reported."""
        names = list(readings)
        if len(names) < 2:  # noqa: PLR2004  nothing to do at the same time
            return {name: read() for name, read in readings.items()}
        others = {name: _Elsewhere(readings[name]) for name in names[1:]}
        try:
            answers = {names[0]: _caught(readings[names[0]])}
            answers |= {name: other.answer() for name, other in others.items()}
        except BaseException:
            for name, other in others.items():
                self._lines[name].abandon()
                other.thread.join(_JOIN)
            raise
        return _parts(answers)

    def _now(self) -> str:
        return (
            datetime.fromtimestamp(self._clock(), UTC)
            .isoformat(timespec="seconds")
            .replace("+00:00", "Z")
        )


class _Elsewhere:
    """A reading in its own thread."""

    def __init__(self, read: Callable[[], CapturePart]) -> None:
        self._answers: queue.SimpleQueue[CapturePart | BaseException] = queue.SimpleQueue()
        # A daemon: the end of this process must not wait for an answer that nobody wants any more.
        self.thread = threading.Thread(target=_answered, args=(read, self._answers), daemon=True)
        self.thread.start()

    def answer(self) -> CapturePart | BaseException:
        """The result, when there is one."""
        return self._answers.get()


def _answered(
    read: Callable[[], CapturePart], answers: queue.SimpleQueue[CapturePart | BaseException]
) -> None:
    try:
        answers.put(read())
    except BaseException as fault:  # noqa: BLE001  raised again where the answer is taken
        answers.put(fault)


def _caught(read: Callable[[], CapturePart]) -> CapturePart | BaseException:
    try:
        return read()
    except TenantFault as fault:
        return fault


def _parts(answers: Mapping[Provider, CapturePart | BaseException]) -> dict[Provider, CapturePart]:
    """The parts, if nothing failed; an exception that is not a tenant's fault is raised unchanged."""
    faults = [answer for answer in answers.values() if isinstance(answer, BaseException)]
    for fault in faults:
        if not isinstance(fault, TenantFault):
            raise fault
    if faults:
        raise TenantFault("\n".join(map(str, faults)))
    return {name: part for name, part in answers.items() if isinstance(part, CapturePart)}


def _directory(parts: Collection[CapturePart]) -> dict[str, Json]:
    return {
        "users": [row for part in parts for row in _sorted(part.users)],
        "groups": [],
        "recipients": [row for part in parts for row in _sorted(part.recipients)],
        "absent": sorted(frozenset[str]().union(*(part.absent for part in parts))),
    }


def _sorted(rows: Mapping[str, Row]) -> Iterator[Row]:
    return (rows[key] for key in sorted(rows))
