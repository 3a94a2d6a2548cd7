"""Rows of access: what a transition of one product changes, each row once and sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.access_rows import Certainty, SubjectKind, SubjectPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.model.access_rows import AccessRow, Subject, TenantWideRow


class Delta(Struct, frozen=True):
    """What a transition changes about one product's access; each part sorted.

    `sizes` are for people: how many there are in a policy's holders or a group, in the rows
    `gained` or `lost`, as far as it is known. They are not part of what is approved, for they change
    daily without the plan doing anything else.
    """

    gained: tuple[AccessRow, ...]
    lost: tuple[AccessRow, ...]
    tenant_wide: tuple[TenantWideRow, ...]
    sizes: Mapping[str, int]

    def ids(self) -> Iterator[str]:
        """Every client id and object id that a row mentions."""
        for row in (*self.gained, *self.lost, *self.tenant_wide):
            yield row.application
            yield from _ids(row.subject)
        for wide in self.tenant_wide:
            for subject in wide.was:
                yield from _ids(subject)


def _ids(subject: Subject) -> Iterator[str]:
    yield subject.id
    yield from (part.id for part in subject.excepted)


def sizes(
    where: str, rows: Iterable[AccessRow], size: Callable[[SubjectPart], int | None]
) -> dict[str, int]:
    """How many there are in each group and policy that rows of `gained` or `lost` name, where it is
    known.
    """
    several = {SubjectKind.GROUP_MEMBERS, SubjectKind.POLICY_HOLDERS}
    parts = {
        SubjectPart(row.subject.kind, row.subject.id) for row in rows if row.subject.kind in several
    }
    return {
        f"{where} {part.kind.value} {part.id}": known_size
        for part in parts
        if (known_size := size(part)) is not None
    }


def merged(rows: Iterable[AccessRow]) -> tuple[AccessRow, ...]:
    """Rows sorted, each once; what is certain is not possible as well."""
    ordered = sorted(set(rows))
    certain = {
        (row.application, row.subject) for row in ordered if row.certainty is Certainty.CERTAIN
    }
    return tuple(
        row
        for row in ordered
        if row.certainty is Certainty.CERTAIN or (row.application, row.subject) not in certain
    )
