"""Reading the tenant during an apply and comparing it with the states that the plan passes through.

Readings lag behind writes, so whatever differs is read again, bounded, as long as a write of ours
is young enough to explain it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from reconciler.applying.events import ReadingReason, ReadingTenant, WaitingToReadAgain
from reconciler.captures import reading
from reconciler.errors import CaptureFault
from reconciler.kinds.read_warnings import compared_warning
from reconciler.model.codes import WarningCode
from reconciler.model.requests import CaptureRequest
from reconciler.planning import moved, prefixes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.applying.host import Host
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Directory, Observed
    from reconciler.model.plans import Plan, Step
    from reconciler.tenants.protocol import Tenant

_T = TypeVar("_T")


class Watch:
    """Reads one tenant for one plan, and knows when each product was last read and written."""

    def __init__(self, plan: Plan, tenant: Tenant, host: Host) -> None:
        """Nothing is read yet."""
        self._plan = plan
        self._tenant = tenant
        self._host = host
        self._request = prefixes.request_for_plan(plan)
        self._read_at: dict[Provider, float] = {}
        self._wrote_at: dict[Provider, float] = {}
        self._old: set[Provider] = set()

    @property
    def products(self) -> frozenset[Provider]:
        """The products that the plan's baseline is about."""
        return self._request.products

    def wrote(self, product: Provider, at: float) -> None:
        """Note a write that readings may not show yet, sent at this time (seconds since 1970)."""
        self._wrote_at[product] = at
        self._old.update(self.products)

    def old(self, product: Provider) -> bool:
        """Say whether anything was written since this product was last read; somebody else may have
        changed it in the meantime.
        """
        return product in self._old

    def overdue(self, product: Provider) -> bool:
        """Say whether the last reading of a product is too old to rely on for a write."""
        return (
            not 0
            <= self._host.clock() - self._read_at.get(product, 0.0)
            < self._host.patience.recheck
        )

    def look_up(
        self, *, users: tuple[str, ...] = (), recipients: tuple[str, ...] = ()
    ) -> Directory:
        """Look names up, without reading any product.

        Raises:
            TenantFault: the directory could not be read.
            CaptureFault: what was read is malformed or of another tenant.
        """
        return self._read(
            CaptureRequest(frozenset(), users, recipients), ReadingReason.LOOKUP
        ).directory

    def read_scopes(self, scopes: tuple[str, ...]) -> Observed:
        """Read the policies of Exchange, and these scopes (object ids) with their members.

        Raises:
            TenantFault: the tenant could not be read.
            CaptureFault: what was read is malformed, incomplete or of another tenant.
        """
        return self._read(
            CaptureRequest(frozenset({"exchange"}), recipients=scopes, rows_only=True),
            ReadingReason.CHECK,
        )

    def moved(
        self, done: Sequence[Step], products: frozenset[Provider], why: ReadingReason
    ) -> tuple[str, ...]:
        """Wait until these products show the state after these steps; return a sentence for each
        difference that stays.

        Raises:
            TenantFault: the tenant could not be read.
            CaptureFault: what was read is malformed, incomplete or of another tenant.
        """
        return self.until(
            products,
            why,
            lambda observed: moved.moved(self._plan, done, observed, products),
            lambda sentences: not sentences,
        )

    def until(
        self,
        products: frozenset[Provider],
        why: ReadingReason,
        look: Callable[[Observed], _T],
        good: Callable[[_T], bool],
    ) -> _T:
        """Read these products, again as long as what `look` sees is not good and a write of ours
        may not be visible yet.

        Raises:
            TenantFault: the tenant could not be read.
            CaptureFault: what was read is malformed, incomplete or of another tenant.
        """
        request = replace(self._request, products=products)
        seen = look(self._read(request, why))
        left, pause = self._readings_left(products), self._host.scaled(self._host.patience.interval)
        while not good(seen) and left and not self._host.stop():
            left -= 1
            self._host.tell(WaitingToReadAgain(why, pause, left))
            self._host.pause(pause)
            seen = look(self._read(request, why))
        return seen

    def _read(self, request: CaptureRequest, why: ReadingReason) -> Observed:
        self._host.tell(ReadingTenant(request.products, why))
        raw = self._tenant.capture(request)
        observed = reading.parse_capture(
            raw,
            source=self._tenant.source,
            tenant_id=self._plan.tenant.tenant_id,
            needs=request.products,
            tolerated=self._request.tolerated,
        )
        _assert_quoted(self._plan, observed)
        # Counted from the end: a reading may take longer than the interval itself.
        self._read_at.update(dict.fromkeys(request.products, self._host.clock()))
        self._old -= request.products
        return observed

    def _readings_left(self, products: frozenset[Provider]) -> int:
        now = self._host.clock()
        return max(
            (
                self._host.patience.readings(now - self._wrote_at[product])
                for product in products
                if product in self._wrote_at
            ),
            default=0,
        )


def _assert_quoted(plan: Plan, observed: Observed) -> None:
    """Refuse a warning that the plan does not quote: who consented has not seen it."""
    quoted = {
        (note.address, compared_warning(str(note.details["text"])))
        for note in plan.warnings
        if note.code == WarningCode.READ_WARNING
    }
    for warning in observed.warnings:
        if (warning.provider, compared_warning(warning.text)) not in quoted:
            raise CaptureFault(
                f"{warning.provider}: {warning.cmdlet} warned: {warning.text}, which the plan does"
                " not quote, so nobody has consented to it. Find out what it means; if everything"
                " was read all the same, plan again"
            )
