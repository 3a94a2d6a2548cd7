"""To reach everyone is a consent of its own for each application (law: tenant-wide access)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.codes import RefusalRule
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.audiences.subjects import Delta
    from reconciler.model.addresses import Address


def tenant_wide_refusals(delta: Delta, address_of: Callable[[str], Address]) -> tuple[Note, ...]:
    """One refusal for each application that comes to reach everyone; `address_of` takes its id."""
    addresses = [address_of(row.application) for row in delta.tenant_wide]
    return tuple(
        Note(RefusalRule.TENANT_WIDE, address, {"allow": f"{RefusalRule.TENANT_WIDE}:{address}"})
        for address in addresses
    )
