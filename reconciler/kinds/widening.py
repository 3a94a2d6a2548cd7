"""How many people one application may newly reach by one plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.access_rows import SubjectKind
from reconciler.model.codes import RefusalRule
from reconciler.model.documents import UnknownGroups
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.audiences.subjects import Delta
    from reconciler.canonical import Json
    from reconciler.model.access_rows import AccessRow
    from reconciler.model.addresses import Address
    from reconciler.model.documents import Limits

WIDENING_CONSENT = f"{RefusalRule.LIMITS}:{RefusalRule.WIDENING}"


def widening_refusals(
    delta: Delta, address_of: Callable[[str], Address], limits: Limits
) -> Iterator[Note]:
    """One refusal for each application that reaches more people than the limits let pass.

    Who is in two rows counts twice: a limit may refuse too early, never too late. Reaching everyone
    is a consent of its own.

    Args:
        delta: what a plan changes about one product's access.
        address_of: takes the id of an application.
        limits: of the Tenant document.
    """
    by_application: dict[str, list[AccessRow]] = {}
    for row in delta.gained:
        if row.subject.kind is not SubjectKind.EVERYONE:
            by_application.setdefault(row.application, []).append(row)
    for application, rows in sorted(by_application.items()):
        people, unknown = _count(rows, delta.sizes)
        refused = unknown and limits.unknown_groups is UnknownGroups.REFUSE
        if people > limits.max_people or refused:
            details: dict[str, Json] = {
                "allow": WIDENING_CONSENT,
                "most": limits.max_people,
                "people": people,
            }
            if unknown:
                details["groups of unknown size"] = unknown
            yield Note(RefusalRule.WIDENING, address_of(application), details)


def _count(rows: Sequence[AccessRow], sizes: Mapping[str, int]) -> tuple[int, list[str]]:
    """How many people rows are about, and the groups whose size is not known; each counts as one."""
    people, unknown = 0, []
    for row in rows:
        kind, name = row.subject.kind, row.subject.id
        if kind in {SubjectKind.USER, SubjectKind.MAILBOX}:
            people += 1
        elif (size := sizes.get(f"gained {kind.value} {name}")) is None:
            people += 1
            unknown.append(name)
        else:
            people += size
    return people, sorted(unknown)
