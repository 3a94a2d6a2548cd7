"""Where the documents declare an object: file, line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import (
    name_key,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.model.documents import Documents
    from reconciler.model.findings import Position
    from reconciler.model.observed import Directory


def positions(
    documents: Documents, directory: Directory, addresses: Collection[str]
) -> dict[str, Position]:
    """The places of those addresses that some document declares.

    Policy names are compared as the service compares them.
    """
    wanted = {_folded(address): address for address in addresses}
    places: dict[str, Position] = {}
    for product in PRODUCTS.values():
        for address, position in product.declared_at(documents, directory, wanted):
            if address in wanted:
                places.setdefault(wanted[address], position)
    return places


def _folded(address: str) -> str:
    kind, _, name = address.partition("/")
    return f"{kind}/{name_key(name)}"
