"""Where the journals of a run's tenant lie, and what is said of those that are not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.applying import state
from reconciler.cli import printing, sources
from reconciler.reports import progress

if TYPE_CHECKING:
    from reconciler.applying.events import Event
    from reconciler.model.observed import Origin


def state_key(source: sources.Source, tenant_id: str) -> str:
    """The name of a tenant's state directory; a capture is of the live tenant.

    Raises:
        ReconcilerError: the id of a live tenant is not a lower-case GUID.
    """
    match source:
        case sources.SimulatedTenant(path):
            return state.simulated_key(path)
        case sources.LiveTenant() | sources.CaptureFile():
            return state.live_key(tenant_id)
        case _:
            assert_never(source)


def journal_origin(source: sources.Source) -> Origin:
    """What kind of tenant a journal names."""
    match source:
        case sources.SimulatedTenant():
            return "simulated"
        case sources.LiveTenant() | sources.CaptureFile():
            return "live"
        case _:
            assert_never(source)


def tell_ignored(event: Event) -> None:
    """Say that a journal is not believed."""
    printing.notice([progress.progress_line(event, 0)])
