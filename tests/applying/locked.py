"""Applies with a lock of their own, in a directory that a test names."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reconciler.applying import applying, lock, state
from reconciler.applying.host import ApplyPatience, Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied
    from reconciler.planning.planfile import SealedPlan
    from reconciler.tenants.protocol import Tenant

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"


def directories(state_dir: Path, tenant_id: str = TENANT) -> state.StateDirectories:
    """Lock and journals of a tenant in one directory, and none from elsewhere."""
    own = state.private_directory(state_dir / tenant_id, "a test")
    return state.StateDirectories(own, own)


@contextmanager
def hold(
    directory: Path,
    *,
    tell: Callable[[Event], None] = lambda _event: None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    stop: Callable[[], bool] = lambda: False,
    timeout: float = 0.0,
) -> Iterator[lock.HeldLock]:
    """The lock in a directory."""
    host = Host(tell, clock, sleep, stop, ApplyPatience())
    places = state.StateDirectories(directory, directory)
    with lock.hold(places, host, timeout=timeout) as held:
        yield held


def apply(loaded: SealedPlan, tenant: Tenant, *, state_dir: Path, **more: Any) -> Applied:
    """Apply a plan, holding the tenant's lock meanwhile."""
    own = directories(state_dir, loaded.plan.tenant.tenant_id).lock
    with hold(own) as held:
        return applying.apply(loaded, tenant, held, **more)
