"""Names in documents that nothing resolves, as notes of a plan."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from reconciler.model.codes import Held, Unfound, WarningCode
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.desired import Desired, Unresolved
    from reconciler.planning.selection import Selection


def unresolved_notes(
    desired: Desired, chosen: Selection
) -> tuple[tuple[Note, ...], tuple[Note, ...], tuple[Note, ...]]:
    """Names that block the plan, names that are held, and those of users who are not there."""
    blocking, held_notes, absent = [], [], []
    for name in chain.from_iterable(wanted.unresolved for wanted in desired.values()):
        why = chosen.holding(name.held_with)
        if why is not None:
            held_notes.append(Note(why.value, name.address, {"text": name.text}))
        elif name.reason == Unfound.SCOPE_ABSENT:
            held_notes.append(Note(Held.SCOPE_ABSENT, name.address, _about_name(name)))
        elif name.reason == Unfound.SCOPE_UNCLEAR:
            held_notes.append(Note(Held.RESTS_ON_OPAQUE, name.address, _about_name(name)))
        elif name.left_out:
            match name.reason:
                case Unfound.USER_ABSENT:
                    absent.append(Note(WarningCode.USER_ABSENT, name.address, _about_name(name)))
                case Unfound.GROUP_ABSENT:
                    held_notes.append(Note(Held.GROUP_ABSENT, name.address, _about_name(name)))
                case _:
                    held_notes.append(Note(Held.RESTS_ON_OPAQUE, name.address, _about_name(name)))
        else:
            blocking.append(Note(name.reason, name.address, _about_name(name)))
    return tuple(blocking), tuple(held_notes), tuple(absent)


def _about_name(name: Unresolved) -> Mapping[str, Json]:
    details: dict[str, Json] = {"text": name.text}
    if name.whole is None:  # the address says the rest
        details["in"] = name.policy
    if name.may_be:
        details["may be"] = list(name.may_be)
    if name.recipient_type:
        details["recipientType"] = name.recipient_type
    return details
