"""What rests on Exchange policies that cannot be understood: everything about their application, and
about every application where it is not known whose they are. Only a Deny may be created beside one:
it narrows whatever the other policy does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.snapshots import OPAQUE_MARK
from reconciler.model.addresses import exchange_application
from reconciler.model.codes import Held
from reconciler.model.observed import OPAQUE, OpaqueRow
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.kinds.snapshots import Snapshot
    from reconciler.model.observed import Directory, ExchangeKey, ExchangeState


def is_new_limit(key: ExchangeKey, observed: ExchangeState, directory: Directory) -> bool:
    """Whether no policy has an application and a scope: none that is understood, and none of the
    others, whose texts hold neither the scope's object id nor its SID.
    """
    scope = directory.recipients.get(key[1])
    names = [name.lower() for name in (key[1], scope.sid if scope is not None else None) if name]
    texts = [
        row.text.lower()
        for owner in observed.opaque_limits(key[0])
        for row in observed.opaque[owner]
    ]
    is_told_apart = not texts or (
        len(names) > 1 and not any(name in text for name in names for text in texts)
    )
    return key not in observed.policies and is_told_apart


def held_by_opaque(resting: Iterable[str], observed: ExchangeState) -> Iterator[Note]:
    """The policies that are not understood, with what was read, and the applications whose changes
    rest on them.
    """
    for owner, rows in observed.opaque.items():
        for row in rows:
            details = {"text": row.text, "why": row.why}
            yield Note(Held.NOT_UNDERSTOOD, exchange_application(owner), details)
    for application in sorted(resting):
        owners = [exchange_application(owner) for owner in observed.opaque_under(application)]
        yield Note(Held.RESTS_ON_OPAQUE, exchange_application(application), {"on": owners})


def odd_recipients(directory: Directory) -> Iterator[Note]:
    """Recipients of whom not everything is understood, with what was read."""
    for key, row in directory.odd_recipients.items():
        address = f"exchange.recipient/{key.removeprefix(OPAQUE)}"
        yield Note(Held.NOT_UNDERSTOOD, address, {"text": row.text, "why": row.why})


def opaque_texts(
    observed: ExchangeState, applications: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """What was read of the policies that may limit some applications, by the address of the owner."""
    return {
        exchange_application(owner): tuple(row.text for row in rows)
        for owner, rows in observed.opaque.items()
        if owner in applications
    }


def told_opaque(snapshot: Snapshot) -> dict[str, tuple[OpaqueRow, ...]]:
    """The policies that a snapshot has such entries of, by application."""
    prefix = exchange_application("")
    return {
        name.removeprefix(prefix).removesuffix(OPAQUE_MARK): tuple(
            OpaqueRow(text, "") for text in sorted(value)
        )
        for name, value in sorted(snapshot.items())
        if name.startswith(prefix) and isinstance(value, frozenset)
    }
