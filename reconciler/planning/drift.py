"""What a tenant has that documents do not say: what a plan would change, and unmanaged objects that
nobody accepted, or that are not what somebody accepted.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import provider_of
from reconciler.model.codes import DriftCode, RefusalRule, Unfound
from reconciler.model.plans import Action, Note
from reconciler.model.unmanaged import FREE_PARTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.desired import Desired
    from reconciler.model.documents import AcceptedObject
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan
    from reconciler.model.unmanaged import UnmanagedObject

_UNREAD_NAMES: Final = (Unfound.USER_UNKNOWN, Unfound.GROUP_UNKNOWN, Unfound.SCOPE_UNKNOWN)
_DOUBTFUL: Final = (RefusalRule.MANY_ABSENT, RefusalRule.READ_WARNING)
"""Refusals of a reading, not of a change."""
MOST_USERS: Final = 5
"""Holders of an unmanaged policy who are named; the others are counted."""


class Drift(Struct, frozen=True):
    """How a tenant differs from what is known of it.

    Attributes:
        plan: What would lead back to the documents.
        unread: What was not read: products by name, names that nobody looked for.
        objects: Unmanaged objects that are new, have changed, or are gone.
        declared: Accepted objects that documents declare by now.
        accepted: How many unmanaged objects are as they were accepted.
    """

    plan: Plan
    unread: tuple[Note, ...]
    objects: tuple[Note, ...]
    declared: tuple[Note, ...]
    accepted: int

    @property
    def differs(self) -> bool:
        """Whether the tenant differs, as far as it was read."""
        plan = self.plan
        return bool(plan.changes or plan.held or plan.unresolved or plan.refusals or self.objects)

    @property
    def differing(self) -> int:
        """How many objects a plan would change, holds, or cannot find."""
        notes = {note.address for note in (*self.plan.held, *self.plan.unresolved)}
        return len({change.address for change in self.plan.changes}) + len(notes)

    @property
    def clean(self) -> bool:
        """Whether everything was read and nothing differs."""
        return not (self.unread or self.differs)


def open_objects(
    observed: Observed, desired: Desired, apart: Collection[str]
) -> Iterator[UnmanagedObject]:
    """Everything that a tenant has, with what of it documents leave open.

    Args:
        observed: the tenant.
        desired: what documents declare for it.
        apart: addresses, in lower case, of grants that are listed separately.
    """
    for name, state in sorted(observed.states.items()):
        yield from PRODUCTS[name].unmanaged_objects(state, desired[name], apart)


def drift(
    plan: Plan,
    observed: Observed,
    desired: Desired,
    accepted: Sequence[AcceptedObject],
    left_out: Collection[Provider] = (),
) -> Drift:
    """Hold a tenant against what is known of it.

    Args:
        plan: the plan of the documents for this reading.
        observed: the reading.
        desired: what the documents declare.
        accepted: what the Tenant document accepts.
        left_out: products that nobody asks about, unless something accepted is of them.
    """
    entries = {entry.address.lower(): entry for entry in accepted}
    objects = {
        each.address.lower(): each for each in open_objects(observed, desired, entries.keys())
    }
    deleted = {
        change.address.lower() for change in plan.changes if change.actions == (Action.DELETE,)
    }
    new = (
        _new(each)
        for key, each in objects.items()
        if key not in entries and key not in deleted and not each.idle
    )
    judged = [
        _judged(entry, objects.get(key))
        for key, entry in entries.items()
        if provider_of(entry.address) in observed.states
    ]
    notes = [note for note in judged if note is not None]
    return Drift(
        plan,
        tuple(_unread(plan, observed, frozenset(left_out) - _accepted_products(accepted))),
        _sorted((*new, *(note for note in notes if note.code != DriftCode.DECLARED))),
        _sorted(note for note in notes if note.code == DriftCode.DECLARED),
        len(judged) - len(notes),
    )


def open_parts(entry: AcceptedObject, present: UnmanagedObject) -> Mapping[str, Json]:
    """The parts of an object that an entry is about."""
    free = FREE_PARTS if entry.free else frozenset[str]()
    return {part: value for part, value in present.parts.items() if part not in free}


def is_empty(part: Json) -> bool:
    """Whether there is nothing in a part."""
    return not part or (isinstance(part, dict) and not part.get("count"))


def _judged(entry: AcceptedObject, present: UnmanagedObject | None) -> Note | None:
    """What is to be said of an entry; None if the object is as it was accepted."""
    if present is None:
        return Note(DriftCode.GONE, entry.address, {"reason": entry.reason, **_about(entry.was)})
    if not present.parts:
        return Note(DriftCode.DECLARED, present.address, {"reason": entry.reason})
    parts = open_parts(entry, present)
    changed = {
        part: value
        for part, value in parts.items()
        if (value != entry.was[part] if part in entry.was else not is_empty(value))
    }
    if not changed:
        return None
    before = {part: entry.was[part] for part in changed if part in entry.was}
    details: Mapping[str, Json] = {
        **_about(before, changed),
        "reason": entry.reason,
        "before": before,
        "after": changed,
    }
    return Note(DriftCode.CHANGED, present.address, details)


def _new(present: UnmanagedObject) -> Note:
    details = {part: value for part, value in present.parts.items() if part not in ("users", "sid")}
    if present.users:
        details["holders"] = len(present.users)
        details["users"] = [*present.users[:MOST_USERS]]
    return Note(DriftCode.NEW, present.address, details)


def _about(*sides: Mapping[str, Json]) -> Mapping[str, Json]:
    """The applications and groups of parts, where a reader looks for them."""
    applications = {str(each) for side in sides for each in _rows(side.get("applications"))}
    groups = {
        str(row["group"])
        for side in sides
        for row in _rows(side.get("groups"))
        if isinstance(row, dict)
    }
    listed = {"applications": sorted(applications), "groups": sorted(groups)}
    return {name: ids for name, ids in listed.items() if ids}


def _rows(part: Json) -> Sequence[Json]:
    return part if isinstance(part, list) else ()


def _accepted_products(accepted: Sequence[AcceptedObject]) -> frozenset[Provider]:
    return frozenset(provider_of(entry.address) for entry in accepted)


def _unread(plan: Plan, observed: Observed, left_out: frozenset[Provider]) -> Iterator[Note]:
    for name in PRODUCTS:
        if name not in observed.states and name not in left_out:
            yield Note(DriftCode.NOT_READ, name, {"fault": observed.faulty.get(name, "")})
    for note in plan.unresolved:
        if note.code in _UNREAD_NAMES:
            yield Note(DriftCode.NOT_READ, note.address, {"text": note.details.get("text")})
    for note in plan.refusals:
        if note.code in _DOUBTFUL:
            yield Note(DriftCode.NOT_READ, note.address, {"rule": note.code})


def _sorted(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(sorted(chain(notes), key=lambda note: (note.address, note.code)))
