"""Waiting until what an apply changed is visible and effective, or a deadline has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from reconciler.errors import TenantFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.verifications import Verification


class Look(Protocol):
    """Reads the tenant."""

    def __call__(self) -> Verification:
        """What became of the apply, as the tenant shows it now.

        Raises:
            TenantFault, CaptureFault: the tenant could not be read.
        """
        ...


class Waiting(Struct, frozen=True):
    """What waiting needs from outside.

    Attributes:
        clock: Seconds since 1970.
        sleep: Waits for this many seconds.
        tell: Is told what the last look saw and until when nothing is looked at.
        tell_failed: Is told why a later look failed, and that another one follows.
        interval: Seconds between two looks at what should be there already: each signs in again.
        slice: Seconds after which it tells again that it waits.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    tell: Callable[[Verification, float], None]
    tell_failed: Callable[[TenantFault], None]
    interval: float = 300.0
    slice: float = 300.0


def wait(look: Look, waiting: Waiting, deadline: float) -> Verification:
    """Look until everything is verified, until time alone makes nothing better, or until the
    deadline; what the last look saw.

    Args:
        look: reads the tenant.
        waiting: the clock, and whoever is told.
        deadline: in seconds since 1970. One look is always taken.

    Raises:
        TenantFault, CaptureFault: as `look`; a later look that fails is repeated until the deadline.
    """
    seen = look()
    while any(each.may_become for each in seen.objects) and waiting.clock() < deadline:
        after = _next_look(seen, waiting.clock(), waiting.interval)
        _pause(seen, waiting, min(deadline, after))
        try:
            seen = look()
        except TenantFault as fault:
            if waiting.clock() >= deadline:
                raise
            waiting.tell_failed(fault)
    return seen


def _next_look(seen: Verification, now: float, interval: float) -> float:
    """When it is worth looking again: what is overdue is looked at soon, everything else when the
    last of it has usually been enforced.
    """
    open_ones = [each for each in seen.objects if each.may_become]
    if any(each.enforced_by <= now for each in open_ones):
        return now + interval
    return max(each.enforced_by for each in open_ones)


def _pause(seen: Verification, waiting: Waiting, until: float) -> None:
    while (left := until - waiting.clock()) > 0:
        waiting.tell(seen, until)
        waiting.sleep(min(left, waiting.slice))
