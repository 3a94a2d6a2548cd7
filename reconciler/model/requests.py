"""What a reading of a tenant is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider


class CaptureRequest(Struct, frozen=True):
    """What a capture shall contain: products, and names (any spelling) that its directory shall
    look for; `everything`: all of it.

    `groups` are object ids of groups whose members shall be told, beside those that hold a grant
    already; a tenant that cannot tell leaves them out. `rows_only`: nobody will ask who is who, so
    what the products' rows name does not have to be looked up; a tenant may still do it.
    `effective`: users (any spelling, among `users`) whose effective assignment is asked for where
    membership of groups is unknown; a tenant that cannot tell leaves them out. `holders_too`: also
    of those whose direct grant already says what should be effective.
    `tolerated` are products whose warnings somebody consented to: a reading with such is complete.
    """

    products: frozenset[Provider]
    users: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    everything: bool = False
    rows_only: bool = False
    tolerated: frozenset[Provider] = frozenset()
    effective: tuple[str, ...] = ()
    holders_too: bool = False
