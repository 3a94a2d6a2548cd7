"""Who is reached by which application after a plan and was not before, and the other way round:
what a reviewer reads first. And who misses on the way what it has before and after.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.facts import facts, in_turn
from reconciler.model.access_rows import Certainty, SubjectKind
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.reports import sentences, values
from reconciler.reports.lines import Line, Tone, capped, counted, heading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.model.access_rows import (
        AccessDelta,
        AccessRow,
        GapRow,
        GapSubject,
        Subject,
        SubjectPart,
        TenantWideRow,
    )
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Plan

MOST = 20
"""People of one application who are listed one by one, each way.

Groups, policies and everyone are never left out.
"""

_PEOPLE = {SubjectKind.USER, SubjectKind.MAILBOX}
_FEW = 5
_OTHERS = "every application without a policy of its own"


class _ApplicationAccess(Struct, frozen=True):
    """What is said of one application and one product."""

    application: str
    gained: tuple[AccessRow, ...]
    lost: tuple[AccessRow, ...]
    wide: TenantWideRow | None


def access_lines(plan: Plan) -> Iterator[Line]:
    """The access delta: for each application a line that sums up, then whom it gains and loses."""
    if plan.access is None:
        yield from heading("Access: not computed")
        yield Line(
            "    The plan does not say who is reached afterwards: read the changes below with that"
            " question."
        )
        return
    sections = [
        (provider, list(_access_by_application(plan.access, provider))) for provider in in_turn()
    ]
    if any(rows for _, rows in sections):
        yield from heading(
            "Access: who is reached by which application afterwards and is not now, and the other"
            " way round"
        )
    elif plan.changes:
        yield from heading("Access: nobody gains or loses any")
    for provider, rows in sections:
        if rows:
            yield Line(f"  {facts(provider).access_title}")
        for row in rows:
            yield from _AccessSentences(plan, provider).application(row)


def _access_by_application(delta: AccessDelta, provider: Provider) -> Iterator[_ApplicationAccess]:
    delta = delta.of(provider)
    gained, lost = _by_application(delta.gained), _by_application(delta.lost)
    wide = {row.application: row for row in delta.tenant_wide}
    for application in sorted(
        gained.keys() | lost.keys() | wide.keys(),
        key=lambda application: (application not in wide, application),
    ):
        yield _ApplicationAccess(
            application,
            tuple(gained.get(application, ())),
            tuple(lost.get(application, ())),
            wide.get(application),
        )


def _by_application(rows: Iterable[AccessRow]) -> Mapping[str, list[AccessRow]]:
    by_application: dict[str, list[AccessRow]] = {}
    for row in rows:
        by_application.setdefault(row.application, []).append(row)
    return by_application


class _AccessSentences:
    """Sentences about the rows of one plan and product."""

    def __init__(self, plan: Plan, provider: Provider) -> None:
        self._names = plan.names
        self._figures = plan.summary
        self._provider = provider

    def application(self, changed: _ApplicationAccess) -> Iterator[Line]:
        """A line that sums up, then the rows."""
        # what a tenant-wide application gains of everyone is said by the words before
        gained = [
            row
            for row in changed.gained
            if changed.wide is None or row.subject.kind is not SubjectKind.EVERYONE
        ]
        sums = ", ".join((*_sum("+", gained), *_sum("-", changed.lost)))
        wide = "" if changed.wide is None else self._wide(changed.wide)
        sentence = "; ".join(part for part in (wide, sums) if part)
        yield Line(
            f"    {self._name(changed.application)}: {sentence}",
            Tone.WARNING if wide else Tone.HEADING,
        )
        yield from self._rows("+", "gained", changed.gained, Tone.ADD)
        yield from self._rows("-", "lost", changed.lost, Tone.REMOVE)

    def _wide(self, wide: TenantWideRow) -> str:
        was = ", ".join(self._part(subject, self._short) for subject in wide.was[:_FEW]) or "nobody"
        more = f" and {len(wide.was) - _FEW} more" if len(wide.was) > _FEW else ""
        excepted = len(wide.subject.excepted)
        but = f" but {counted(excepted, 'group')}" if excepted else ""
        return f"now reaches {self._everyone()}{but} (was: {was}{more})"

    def _everyone(self) -> str:
        return facts(self._provider).everyone

    def _rows(self, sign: str, where: str, rows: Sequence[AccessRow], tone: Tone) -> Iterator[Line]:
        several = [row for row in rows if row.subject.kind not in _PEOPLE]
        people = [row for row in rows if row.subject.kind in _PEOPLE]
        yield from map(partial(self._line, sign, where, tone), several)
        yield from capped(people, MOST, partial(self._line, sign, where, tone))

    def _line(self, sign: str, where: str, tone: Tone, row: AccessRow) -> Line:
        size = self._figures.get(
            f"access {self._provider} {where} {row.subject.kind.value} {row.subject.id}"
        )
        members = "" if size is None else f" ({size} of them)"
        possibly = (
            " (possibly: it depends on who is in the groups)"
            if row.certainty is Certainty.POSSIBLE
            else ""
        )
        return Line(f"      {sign} {self._subject(row.subject, members)}{possibly}", tone)

    def _subject(self, subject: Subject, size: str = "") -> str:
        return f"{self._part(subject)}{size}{self._excepted(subject)}"

    def _excepted(self, subject: Subject) -> str:
        if not subject.excepted:
            return ""
        shown = ", ".join(map(self._part, subject.excepted[:_FEW]))
        more = len(subject.excepted) - _FEW
        return f", except {shown}{f' and {more} more' if more > 0 else ''}"

    def _part(self, part: SubjectPart | Subject, named: Callable[[str], str] | None = None) -> str:
        name = (named or self._name)(part.id)
        match part.kind:
            case SubjectKind.EVERYONE:
                return self._everyone()
            case SubjectKind.GROUP_MEMBERS:
                return f"members of {name}"
            case SubjectKind.POLICY_HOLDERS:
                return f"holders of {part.id}"
            case _:
                return name

    def _name(self, identifier: str) -> str:
        """A name with its id behind it: here the name is what a reviewer looks for."""
        name = _OTHERS if identifier == EVERY_APPLICATION else self._names.get(identifier)
        return f"{name} ({identifier})" if name else identifier

    def _short(self, identifier: str) -> str:
        return self._names.get(identifier, identifier)


def _sum(sign: str, rows: Iterable[AccessRow]) -> Iterator[str]:
    """`+2 users`, `+members of 1 group`; what is only possible apart."""
    tally = Counter((row.certainty, row.subject.kind) for row in rows)
    for (certainty, kind), count in sorted(tally.items()):
        yield (
            f"{sign}{_counted(kind, count)}{' (possibly)' if certainty is Certainty.POSSIBLE else ''}"
        )


def _counted(kind: SubjectKind, count: int) -> str:
    match kind:
        case SubjectKind.USER:
            return counted(count, "user")
        case SubjectKind.MAILBOX:
            return counted(count, "mailbox", "mailboxes")
        case SubjectKind.GROUP_MEMBERS:
            return f"members of {counted(count, 'group')}"
        case SubjectKind.POLICY_HOLDERS:
            return f"holders of {counted(count, 'policy', 'policies')}"
        case SubjectKind.EVERYONE:
            return "everyone"


def gap_lines(plan: Plan) -> Iterator[Line]:
    """The gaps of a plan, those of one cause together; nothing if there are none."""
    rows = plan.gaps or ()
    if rows:
        yield from heading(
            f"Gaps: {counted(len(rows), 'application misses', 'rows of applications that miss')}"
            " somebody on the way only"
        )
    for reason, proved in sorted({(row.reason, row.proved) for row in rows}):
        alike = [row for row in rows if (row.reason, row.proved) == (reason, proved)]
        yield Line(
            f"    {_capital(sentences.gap(reason))} ({'proved' if proved else 'not proved'}):",
            Tone.WARNING,
        )
        yield from capped(alike, MOST, lambda row: Line(f"      {gap_sentence(row, plan.names)}"))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def gap_sentence(row: GapRow, names: Mapping[str, str]) -> str:
    """One gap: the application, whom it misses, after which steps."""
    application = (
        "every application without a policy of its own"
        if row.application == EVERY_APPLICATION
        else values.with_name(row.application, names)
    )
    possibly = "" if row.certainty is Certainty.CERTAIN else "possibly "
    subject = _gap_subject(row.subject, names)
    return f"{application}: {possibly}{subject}, after {_after_steps(row.steps)}"


def _gap_subject(subject: GapSubject, names: Mapping[str, str]) -> str:
    name = values.with_name(subject.id, names)
    beside = "".join(
        f" who are in {values.with_name(group, names)} too" for group in subject.together
    )
    match subject.kind:
        case SubjectKind.EVERYONE:
            excepted = [part.id for part in subject.excepted]
            return "everyone" + (
                f" outside {values.short_list(excepted, names)}" if excepted else " without a grant"
            )
        case SubjectKind.GROUP_MEMBERS:
            return f"members of {name}{beside}"
        case SubjectKind.POLICY_HOLDERS:
            return f"holders of the policy {name}"
        case SubjectKind.USER | SubjectKind.MAILBOX:
            return name


def _after_steps(steps: Sequence[int]) -> str:
    """`step 3`, `steps 3 to 5, 8`."""
    runs: list[list[int]] = []
    for step in steps:
        if runs and runs[-1][-1] == step - 1:
            runs[-1][1:] = [step]
        else:
            runs.append([step])
    ranges = ", ".join(" to ".join(str(step) for step in run) for run in runs)
    return f"step {ranges}" if len(steps) == 1 else f"steps {ranges}"
