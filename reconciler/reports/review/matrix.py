"""Applications against those whom they reach: what a plan changes in each pair, and what decides it
before and after.

The rows are those of the plan's access delta, every one of them; the rules are read off the changes
and the baseline of the plan, and where these do not say which of several decides, all are named.
What no row speaks of is in no cell, unless the plan alone shows that somebody keeps an application.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from reconciler.kinds.facts import in_turn
from reconciler.model.access_rows import AccessRow, Certainty, Direction, SubjectKind
from reconciler.reports.review.access import PEOPLE
from reconciler.reports.review.exchange_rules import ExchangeRules
from reconciler.reports.review.naming import Naming, readable
from reconciler.reports.review.teams_rules import TeamsRules
from reconciler.reports.review.value import Danger, Name, NameKind, Phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.model.access_rows import AccessDelta, Subject, SubjectPart
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Plan
    from reconciler.reports.review.deciding import Rules

Outlook: TypeAlias = Literal["everyone", "gained", "lost", "kept", "nobody"]
"""What becomes of a pair; `nobody` is a group whose members would gain or lose, and has none who
count.
"""
_Who: TypeAlias = tuple[SubjectKind, str]


class Cell(Struct, frozen=True):
    """What becomes of one application for one row.

    Attributes:
        outlook: What becomes of it.
        certainty: Whether it is certain of all of the row.
        before: Whether they are reached now, and what decides it.
        after: The same of afterwards.
        size: How many they are; None is not known, or told by the row.
        excepted: Those of the row whom it does not concern.
    """

    outlook: Outlook
    certainty: Certainty
    before: Phrase
    after: Phrase
    size: int | None = None
    excepted: tuple[tuple[SubjectKind, Name], ...] = ()


class MatrixRow(Struct, frozen=True):
    """Those for whom the same becomes of every application: people together, anything else alone.

    `cells` has, for each column, none where nothing changes, two where some gain and some lose.
    """

    kind: SubjectKind
    names: tuple[Name, ...]
    cells: tuple[tuple[Cell, ...], ...]


class Matrix(Struct, frozen=True):
    """One product's; a column is of applications for which the same becomes of everyone."""

    provider: Provider
    columns: tuple[tuple[Name, ...], ...]
    rows: tuple[MatrixRow, ...]


def access_matrix(plan: Plan) -> tuple[Matrix, ...]:
    """The matrix of each product in which access changes, by product; none if it was not
    computed.
    """
    if plan.access is None:
        return ()
    naming = Naming.of_plan(plan)
    deltas = {provider: plan.access.of(provider) for provider in in_turn()}
    return tuple(
        _ProductMatrix(plan, naming, provider).matrix(delta)
        for provider, delta in deltas.items()
        if any((delta.gained, delta.lost, delta.tenant_wide, delta.unpopulated))
    )


_RULES: Mapping[Provider, Callable[[Plan, Naming], Rules]] = {
    "teams": TeamsRules,
    "exchange": ExchangeRules,
}
"""The rules of each product that has access."""


class _ProductMatrix:
    def __init__(self, plan: Plan, naming: Naming, provider: Provider) -> None:
        self._naming = naming
        self._provider = provider
        self._sizes = plan.summary
        self._rules = _RULES[provider](plan, naming)
        self._cells: dict[str, dict[_Who, list[Cell]]] = defaultdict(lambda: defaultdict(list))

    def matrix(self, delta: AccessDelta) -> Matrix:
        """The matrix of a delta that is of this product alone."""
        self._add(delta)
        subjects = list(dict.fromkeys(who for own in self._cells.values() for who in own))
        self._keep(subjects)
        columns = self._columns()
        alike: dict[tuple[SubjectKind, str, tuple[tuple[Cell, ...], ...]], list[str]] = {}
        for kind, name in subjects:
            cells = tuple(own.get((kind, name), ()) for _, own in columns)
            alike.setdefault((kind, "" if kind in PEOPLE else name, cells), []).append(name)
        rows = [
            MatrixRow(kind, tuple(self._names(kind, names)), cells)
            for (kind, _, cells), names in alike.items()
        ]
        return Matrix(
            self._provider, tuple(names for names, _ in columns), tuple(sorted(rows, key=_order))
        )

    def _add(self, delta: AccessDelta) -> None:
        wide = {row.application for row in delta.tenant_wide}
        for direction, rows in ((Direction.GAINED, delta.gained), (Direction.LOST, delta.lost)):
            for row in rows:
                everyone = (
                    direction is Direction.GAINED
                    and row.application in wide
                    and row.subject.kind is SubjectKind.EVERYONE
                )
                self._put(row, direction, "everyone" if everyone else direction.value)
        for wide_row in delta.tenant_wide:
            if (SubjectKind.EVERYONE, "") not in self._cells[wide_row.application]:
                self._put(wide_row, Direction.GAINED, "everyone")
        for empty in delta.unpopulated:
            group = (SubjectKind.GROUP_MEMBERS, empty.group)
            before, after = self._sides(empty.application, group, empty.direction)
            cell = Cell("nobody", Certainty.CERTAIN, before, after, 0)
            self._cells[empty.application][group].append(cell)

    def _put(self, row: AccessRow, direction: Direction, outlook: Outlook) -> None:
        subject = row.subject
        who = (subject.kind, subject.id)
        before, after = self._sides(row.application, who, direction)
        size = self._sizes.get(
            f"access {self._provider} {direction} {subject.kind.value} {subject.id}"
        )
        cell = Cell(outlook, row.certainty, before, after, size, tuple(self._excepted(subject)))
        self._cells[row.application][who].append(cell)

    def _excepted(self, subject: Subject) -> Iterator[tuple[SubjectKind, Name]]:
        for part in subject.excepted:
            yield part.kind, self._name(part)

    def _name(self, part: SubjectPart) -> Name:
        return next(self._names(part.kind, (part.id,)))

    def _sides(self, application: str, who: _Who, direction: Direction) -> tuple[Phrase, Phrase]:
        gains = direction is Direction.GAINED
        return (
            self._rules.deciding(application, who, after=False, reached=not gains),
            self._rules.deciding(application, who, after=True, reached=gains),
        )

    def _keep(self, subjects: Sequence[_Who]) -> None:
        """Pairs of which the plan alone shows that they stay, where others change."""
        applications = frozenset(self._cells)
        for who in subjects:
            for application in sorted(self._rules.kept(who, applications)):
                own = self._cells[application]
                if who not in own:
                    before, after = (
                        self._rules.deciding(application, who, after=after, reached=True)
                        for after in (False, True)
                    )
                    own[who].append(Cell("kept", Certainty.CERTAIN, before, after))

    def _columns(
        self,
    ) -> list[tuple[tuple[Name, ...], Mapping[_Who, tuple[Cell, ...]]]]:
        """Applications for which the same becomes of everyone, the gravest first; those that
        concern the same subjects are neighbours.
        """
        alike: dict[frozenset[tuple[_Who, tuple[Cell, ...]]], list[str]] = {}
        for application, own in self._cells.items():
            key = frozenset((who, tuple(cells)) for who, cells in own.items())
            alike.setdefault(key, []).append(application)
        columns = [
            (tuple(sorted(map(self._naming.application, applications))), dict(key))
            for key, applications in alike.items()
        ]
        return sorted(columns, key=lambda column: (_danger(column[1]), min(column[1]), column[0]))

    def _names(self, kind: SubjectKind, ids: Iterable[str]) -> Iterator[Name]:
        match kind:
            case SubjectKind.EVERYONE:
                return
            case SubjectKind.POLICY_HOLDERS:
                yield from (Name(readable(name), kind=NameKind.POLICY) for name in ids)
            case SubjectKind.GROUP_MEMBERS:
                yield from map(self._naming.group, ids)
            case _:
                yield from sorted(map(self._naming.person, ids))


_KINDS = (
    SubjectKind.EVERYONE,
    SubjectKind.POLICY_HOLDERS,
    SubjectKind.GROUP_MEMBERS,
    SubjectKind.USER,
    SubjectKind.MAILBOX,
)


def _order(row: MatrixRow) -> tuple[int, int, tuple[Name, ...]]:
    """From all to single people, those who gain before those who only lose, then by name."""
    return (
        _KINDS.index(row.kind),
        _gravest(cell for cells in row.cells for cell in cells),
        row.names,
    )


def _danger(cells: Mapping[_Who, tuple[Cell, ...]]) -> int:
    return _gravest(cell for own in cells.values() for cell in own)


_DANGERS: Mapping[Outlook, int] = {
    "everyone": list(Danger).index(Danger.EVERYONE),
    "gained": list(Danger).index(Danger.MORE),
    "lost": list(Danger).index(Danger.LESS),
    "nobody": len(Danger),
    "kept": len(Danger),
}


def _gravest(cells: Iterable[Cell]) -> int:
    return min((_DANGERS[cell.outlook] for cell in cells), default=len(Danger))
