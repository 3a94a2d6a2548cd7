"""What a reading of a tenant is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """What a capture shall contain: products, and names (any spelling) that its directory shall look for; `everything`: all of it."""

    products: frozenset[Provider]
    users: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    everything: bool = False
