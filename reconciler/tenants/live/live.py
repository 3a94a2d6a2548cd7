"""A live tenant behind the same door as a simulated one: one PowerShell process a product, opened
when it is needed.
"""

from __future__ import annotations

import queue
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from reconciler import __version__
from reconciler.errors import TenantFault
from reconciler.kinds.facts import writing_product
from reconciler.model.addresses import PROVIDERS
from reconciler.tenants.live import questions, reading_exchange, reading_teams
from reconciler.tenants.live.asking import Ask
from reconciler.tenants.live.lines import Patience, SessionLine
from reconciler.tenants.live.opening import open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Origin
    from reconciler.model.plans import Invocation
    from reconciler.model.target_tenant import TargetTenant
    from reconciler.tenants.live.lines import Progress
    from reconciler.tenants.live.opening import Opened, Start
    from reconciler.tenants.live.projecting import Row
    from reconciler.tenants.live.reading_exchange import ExchangePart
    from reconciler.tenants.live.reading_teams import TeamsPart
    from reconciler.tenants.protocol import CaptureRequest, Outcome

_T = TypeVar("_T")
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
        tell: is told how many objects of a reading have come, from the thread that reads.
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
        """Read both products at the same time. See `Tenant.capture`."""
        taken_at = self._now()
        teams, exchange = self._both(self._teams(request), self._exchange(request))
        tenant: dict[str, Json] = {
            "tenantId": self.tenant_id,
            "organization": self._settings.organization or "",
        }
        return {
            "format_version": "1.0",
            "tool": f"reconciler {__version__}",
            "tenant": tenant,
            "taken_at": taken_at,
            "teams": reading_teams.unread() if teams is None else teams.section,
            "exchange": reading_exchange.unread() if exchange is None else exchange.section,
            "directory": _directory(teams, exchange),
        }

    def run(self, invocation: Invocation, text: str) -> Outcome:
        """Run one write through the session of its product. See `Tenant.run`."""
        return self._lines[writing_product(invocation.cmdlet)].write(invocation, text)

    def prove(self, steps: Iterable[tuple[Invocation, str]]) -> None:
        """Have PowerShell's own parser read every text. See `Remote.prove`."""
        for invocation, text in steps:
            self._lines[writing_product(invocation.cmdlet)].prove(invocation, text)

    def runner(self, provider: Provider) -> int:
        """The process that runs a product's writes. See `Remote.runner`."""
        return self._lines[provider].opened.session.pid

    def lasts_until(self, provider: Provider) -> int | None:
        """When a product's credential ends. See `Remote.lasts_until`."""
        return self._lines[provider].opened.lasts_until

    def verdict(self, mailbox: str, application: str) -> bool | None:
        """What Exchange's own check says. See `Remote.verdict`."""
        line = self._lines["exchange"]
        if questions.CHECK not in line.opened.allowed:
            return None
        rows = line.ask(questions.access_check(mailbox, application))
        results = {row["AccessCheckResult"] for row in rows}
        return (
            {"Granted": True, "Denied": False}.get(str(results.pop()))
            if len(results) == 1
            else None
        )

    def close(self) -> None:
        """End all processes; a later use starts others."""
        for line in self._lines.values():
            line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _teams(self, request: CaptureRequest) -> Callable[[], TeamsPart] | None:
        if "teams" not in request.products and (request.products or not request.users):
            return None
        return lambda: reading_teams.read(self._ask("teams"), request, self._settle())

    def _exchange(self, request: CaptureRequest) -> Callable[[], ExchangePart] | None:
        if "exchange" not in request.products and (request.products or not request.recipients):
            return None
        return lambda: reading_exchange.read(self._ask("exchange"), request)

    def _ask(self, provider: Provider) -> Ask:
        return Ask(self._lines[provider], self.tenant_id, self._now)

    def _settle(self) -> Callable[[], bool]:
        pauses = iter(self._patience.unsettled)

        def settle() -> bool:
            pause = next(pauses, None)
            if pause is not None:
                self._lines["teams"].pause(pause)
            return pause is not None

        return settle

    def _both(
        self, teams: Callable[[], TeamsPart] | None, exchange: Callable[[], ExchangePart] | None
    ) -> tuple[TeamsPart | None, ExchangePart | None]:
        """Both readings at once; when both fail, both are told."""
        if teams is None or exchange is None:
            return teams and teams(), exchange and exchange()
        answers: queue.SimpleQueue[ExchangePart | BaseException] = queue.SimpleQueue()
        # A daemon: the end of this process must not wait for an answer that nobody wants any more.
        other = threading.Thread(target=_answered, args=(exchange, answers), daemon=True)
        other.start()
        try:
            teams_part = _caught(teams)
            read = answers.get()
        except BaseException:
            self._lines["exchange"].abandon()
            other.join(_JOIN)
            raise
        if isinstance(read, BaseException) and not isinstance(read, TenantFault):
            raise read
        if isinstance(teams_part, TenantFault) or isinstance(read, TenantFault):
            raise TenantFault(
                "\n".join(
                    str(fault) for fault in (teams_part, read) if isinstance(fault, TenantFault)
                )
            )
        return teams_part, read

    def _now(self) -> str:
        return (
            datetime.fromtimestamp(self._clock(), UTC)
            .isoformat(timespec="seconds")
            .replace("+00:00", "Z")
        )


def _answered(read: Callable[[], _T], answers: queue.SimpleQueue[_T | BaseException]) -> None:
    try:
        answers.put(read())
    except BaseException as fault:  # noqa: BLE001  raised again where the answer is taken
        answers.put(fault)


def _caught(read: Callable[[], _T]) -> _T | TenantFault:
    try:
        return read()
    except TenantFault as fault:
        return fault


def _directory(teams: TeamsPart | None, exchange: ExchangePart | None) -> dict[str, Json]:
    users = teams.users if teams is not None else {}
    recipients = exchange.recipients if exchange is not None else {}
    absent = (teams.absent if teams is not None else frozenset()) | (
        exchange.absent if exchange is not None else frozenset()
    )
    return {
        "users": list(_sorted(users)),
        "groups": [],
        "recipients": list(_sorted(recipients)),
        "absent": sorted(absent),
    }


def _sorted(rows: Mapping[str, Row]) -> Iterator[Row]:
    return (rows[key] for key in sorted(rows))
