"""Who gains and loses access, as rows of a review: alike applications together, the gravest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.facts import in_turn
from reconciler.model.access_rows import AccessRow, Certainty, Direction, SubjectKind
from reconciler.model.addresses import teams_user_grant
from reconciler.model.plans import Action
from reconciler.reports.review.naming import readable
from reconciler.reports.review.value import AccessLine, AccessPart, Cause, Danger, Name, NameKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.access_rows import AccessDelta, Subject, SubjectPart, TenantWideRow
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Plan
    from reconciler.reports.review.naming import Naming

PEOPLE = frozenset((SubjectKind.USER, SubjectKind.MAILBOX))
_CAUSES: Mapping[tuple[Action, ...], Cause] = {
    (Action.CREATE,): Cause.DIRECT_REPLACES,
    (Action.DELETE,): Cause.DIRECT_ENDS,
}
_SECTIONS = {Direction.GAINED: Danger.MORE, Direction.LOST: Danger.LESS}


def access_lines(plan: Plan, naming: Naming) -> tuple[AccessLine, ...] | None:
    """The access delta of a plan; None if it was not computed."""
    if plan.access is None:
        return None
    lines = [
        line
        for provider in in_turn()
        for line in _ProductAccess(plan, naming, provider).lines(plan.access.of(provider))
    ]
    return tuple(sorted(lines, key=_gravity))


def _gravity(line: AccessLine) -> tuple[int, int, tuple[Name, ...]]:
    """EVERYONE first; unknown sizes before known ones, large before small, then by name."""
    sizes = [part.size for part in line.parts]
    total = sum(size for size in sizes if size is not None)
    return (
        list(Danger).index(line.danger),
        -(1 << 62) if None in sizes else -total,
        line.applications,
    )


class _ProductAccess:
    """Rows of one product."""

    def __init__(self, plan: Plan, naming: Naming, provider: Provider) -> None:
        self._naming = naming
        self._provider = provider
        self._sizes = plan.summary
        self._grants = {change.address: change for change in plan.changes}

    def lines(self, delta: AccessDelta) -> Iterator[AccessLine]:
        """The rows of a delta that is of this product alone."""
        yield from self._everyone(delta.tenant_wide)
        wide = {row.application for row in delta.tenant_wide}
        gained = [
            row
            for row in delta.gained
            if not (row.application in wide and row.subject.kind is SubjectKind.EVERYONE)
        ]
        yield from self._directed(Direction.GAINED, gained)
        yield from self._directed(Direction.LOST, delta.lost)

    def _everyone(self, rows: Iterable[TenantWideRow]) -> Iterator[AccessLine]:
        alike: dict[tuple[tuple[AccessPart, ...], tuple[AccessPart, ...]], list[str]] = {}
        for row in rows:
            part = self._set(Direction.GAINED, row.subject, row.certainty)
            was = tuple(self._set(None, subject, Certainty.CERTAIN) for subject in row.was)
            alike.setdefault(((part,), was), []).append(row.application)
        for (parts, was), applications in alike.items():
            yield self._line(Danger.EVERYONE, applications, parts, was)

    def _directed(self, direction: Direction, rows: Sequence[AccessRow]) -> Iterator[AccessLine]:
        """Equal rows of several applications are one; those who change because a direct policy
        replaces another one are apart.
        """
        by_application: dict[str, list[AccessRow]] = {}
        for row in rows:
            by_application.setdefault(row.application, []).append(row)
        alike: dict[tuple[AccessPart, ...], list[str]] = {}
        for application, own in by_application.items():
            parts = self._parts(direction, own)
            for group in (
                tuple(part for part in parts if part.cause is None),
                *((part,) for part in parts if part.cause is not None),
            ):
                if group:
                    alike.setdefault(group, []).append(application)
        for shared, applications in alike.items():
            yield self._line(_SECTIONS[direction], applications, shared)

    def _line(
        self,
        danger: Danger,
        applications: Iterable[str],
        parts: tuple[AccessPart, ...],
        was: tuple[AccessPart, ...] = (),
    ) -> AccessLine:
        names = tuple(sorted(map(self._naming.application, applications)))
        return AccessLine(danger, self._provider, names, parts, was)

    def _parts(self, direction: Direction, rows: Iterable[AccessRow]) -> list[AccessPart]:
        """Sets first, unknown ones before large ones before small ones; then people by name."""
        sets: list[AccessPart] = []
        people: dict[tuple[Cause | None, Certainty, SubjectKind], list[str]] = {}
        for row in rows:
            if row.subject.kind in PEOPLE:
                key = (self._cause(row), row.certainty, row.subject.kind)
                people.setdefault(key, []).append(row.subject.id)
            else:
                sets.append(self._set(direction, row.subject, row.certainty))
        sets.sort(key=lambda part: (part.size is not None, -(part.size or 0), part.names))
        return sets + [
            self._people(kind, ids, certainty, cause)
            for (cause, certainty, kind), ids in sorted(people.items(), key=lambda item: item[0][1])
        ]

    def _people(
        self, kind: SubjectKind, ids: Sequence[str], certainty: Certainty, cause: Cause | None
    ) -> AccessPart:
        names = tuple(sorted(map(self._naming.person, ids)))
        return AccessPart(kind, names, len(names), certainty, cause=cause)

    def _set(
        self, direction: Direction | None, subject: Subject, certainty: Certainty
    ) -> AccessPart:
        """A group, the holders of a policy, everyone; or one of the people whom an application
        reached before.
        """
        names = () if subject.kind is SubjectKind.EVERYONE else (self._part_name(subject),)
        size = None
        if direction is not None:
            kind = subject.kind.value
            size = self._sizes.get(f"access {self._provider} {direction} {kind} {subject.id}")
        excepted = tuple((part.kind, self._part_name(part)) for part in subject.excepted)
        return AccessPart(subject.kind, names, size, certainty, excepted)

    def _part_name(self, part: Subject | SubjectPart) -> Name:
        match part.kind:
            case SubjectKind.POLICY_HOLDERS:
                return Name(readable(part.id), kind=NameKind.POLICY)
            case SubjectKind.GROUP_MEMBERS:
                return self._naming.group(part.id)
            case _:
                return self._naming.person(part.id)

    def _cause(self, row: AccessRow) -> Cause | None:
        """A person's direct grant comes or goes, and what they had of a group or of Global instead
        is not certain.
        """
        if row.certainty is not Certainty.POSSIBLE or self._provider != "teams":
            return None
        change = self._grants.get(teams_user_grant(row.subject.id))
        if change is None:
            return None
        return _CAUSES.get(change.actions)
