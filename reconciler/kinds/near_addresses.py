"""Which recipient a document may mean by an address that leads to nobody."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from reconciler.guids import GUID

if TYPE_CHECKING:
    from reconciler.model.observed import Directory

_MOST: Final = 3
_MOST_COMPARED: Final = 2000
"""Addresses that one is compared with: finding a likeness is slow, and it is only a hint."""


def near_addresses(name: str, directory: Directory) -> tuple[str, ...]:
    """Object ids of recipients whose address is like a lower-case one before the @, the likeliest
    first; none for an object id.
    """
    if GUID.fullmatch(name) or len(directory.recipients_by_address) > _MOST_COMPARED:
        return ()
    owners: dict[str, str] = {}
    for address, owner in sorted(directory.recipients_by_address.items()):
        owners.setdefault(_local(address), owner)
    alike = get_close_matches(_local(name), owners, n=_MOST)
    return tuple(dict.fromkeys(owners[local] for local in alike))


def _local(address: str) -> str:
    return address.partition("@")[0]
