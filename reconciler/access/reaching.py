"""What an application reaches, and who reaches somebody: now, and once the documents are applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.access.explaining import explain
from reconciler.audiences.reached import ReachedPart
from reconciler.audiences.verdicts import Denied, Depends
from reconciler.kinds.facts import in_turn
from reconciler.kinds.products import PRODUCTS
from reconciler.model.access_rows import SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.audiences.questions import Known, Question
    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.access_rows import SubjectPart
    from reconciler.model.addresses import Address, Provider


class ReachRow(Struct, frozen=True):
    """Some of those whom an application reaches by one rule, `now` or `after`; None: there are no
    documents. `part` is as of the later of the two in which it reaches them.
    """

    part: ReachedPart
    now: bool
    after: bool | None


class WhoRow(Struct, frozen=True):
    """What becomes of one question: the verdict now, and after the documents if there are any."""

    question: Question
    now: Verdict
    after: Verdict | None

    @property
    def latest(self) -> Verdict:
        """The verdict that counts in the end."""
        return self.now if self.after is None else self.after


def reach(application: str, now: Known, after: Known | None) -> Iterator[ReachRow]:
    """Everything that an application reaches, by rule."""
    before = list(reached_parts(application, now))
    if after is None:
        yield from (ReachRow(part, now=True, after=None) for part in before)
        return
    later = list(reached_parts(application, after))
    old, new = ({_key(part): part for part in parts} for parts in (before, later))
    for key in dict.fromkeys((*new, *old)):
        yield from _rows(old.get(key), new.get(key))


def _key(part: ReachedPart) -> tuple[Provider, SubjectKind, Address, tuple[str, ...]]:
    """People of one policy are compared one by one, everything else as a whole."""
    own = () if _are_people(part) else part.ids
    return part.provider, part.kind, part.rule, own


def _are_people(part: ReachedPart) -> bool:
    return part.kind is SubjectKind.USER


def _rows(old: ReachedPart | None, new: ReachedPart | None) -> Iterator[ReachRow]:
    if old is None or new is None:
        part = old or new
        assert part is not None  # noqa: S101  a key comes from one of them
        yield ReachRow(part, now=old is not None, after=new is not None)
    elif not _are_people(new):
        yield ReachRow(new, now=True, after=True)
    else:
        yield from _people_rows(old, new)


def _people_rows(old: ReachedPart, new: ReachedPart) -> Iterator[ReachRow]:
    before, later = frozenset(old.ids), frozenset(new.ids)
    for ids, now, after in (
        (later - before, False, True),
        (before & later, True, True),
        (before - later, True, False),
    ):
        if ids:
            part = ReachedPart(
                new.provider, new.kind, tuple(sorted(ids)), new.rule, ids, certain=True
            )
            yield ReachRow(part, now=now, after=after)


def reached_parts(application: str, knowledge: Known) -> Iterator[ReachedPart]:
    """Whom an application reaches in one state."""
    for name in in_turn():
        state = knowledge.states.get(name)
        if state is not None:
            yield from PRODUCTS[name].reached(state, knowledge.directory, application)


def named_applications(states: Iterable[Known | None]) -> frozenset[str]:
    """Every application that a policy names."""
    return frozenset(
        application
        for knowledge in states
        if knowledge is not None
        for name, state in knowledge.states.items()
        for application in PRODUCTS[name].applications(state)
    )


def who(questions: Iterable[Question], now: Known, after: Known | None) -> Iterator[WhoRow]:
    """The verdicts on questions about one subject."""
    for question in questions:
        later = None if after is None else explain(question, after).verdict
        yield WhoRow(question, explain(question, now).verdict, later)


def is_reaching(row: WhoRow) -> bool:
    """Whether an application reaches the subject, or may, at one of the times."""
    return not isinstance(row.now, Denied) or not isinstance(row.latest, Denied)


def decided_by(verdict: Verdict) -> Address | None:
    """What a verdict hangs on; None if nothing decides it."""
    return None if isinstance(verdict, Depends) else verdict.decided_by


def excepted_ids(parts: Iterable[SubjectPart]) -> tuple[str, ...]:
    """Object ids of groups and scopes."""
    return tuple(part.id for part in parts)
