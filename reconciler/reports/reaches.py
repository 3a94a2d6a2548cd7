"""What an application reaches, and who reaches somebody, laid out for people."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.access import reaching
from reconciler.audiences.verdicts import Depends, Granted
from reconciler.kinds.facts import facts, in_turn
from reconciler.kinds.products import asked_product
from reconciler.model.access_rows import Certainty, SubjectKind
from reconciler.model.answers import (
    AskedSubject,
    NamedId,
    ReachAnswer,
    ReachAnswerRow,
    WhoAnswer,
    WhoAnswerRow,
)
from reconciler.reports import quarantine_sentences
from reconciler.reports.explanations import (
    granted_word,
    object_phrase,
    permission_phrase,
    verdict_word,
)
from reconciler.reports.lines import counted
from reconciler.reports.outline import Chapter, Item, Outline, Table
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.phrases import part_phrase
from reconciler.reports.review.value import HANDFUL, AccessPart, Name
from reconciler.reports.wrapping import enumerated_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.access.reaching import ReachRow, WhoRow
    from reconciler.audiences.questions import Question
    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.findings import Position
    from reconciler.reports.review.value import Phrase

_TIMES: Mapping[tuple[bool, bool | None], str] = {
    (True, None): "now",
    (True, True): "now and after",
    (True, False): "only now",
    (False, True): "only after",
}


class AskedTenant(Struct, frozen=True):
    """What two answers have in common.

    Attributes:
        simulated: It is about a simulated tenant.
        tenant_id: The tenant.
        organization: The tenant's initial domain.
        read: When it was read, in words.
        names: Ids to names for people.
        places: Where the documents declare an address.
        compared: Whether there are documents.
        unresolved: How many names in them were not found.
        quarantined: Applications that the documents let reach nobody.
    """

    simulated: bool
    tenant_id: str
    organization: str
    read: str
    names: Mapping[str, str]
    places: Mapping[str, Position]
    compared: bool
    unresolved: int = 0
    quarantined: frozenset[str] = frozenset()

    def ground(self) -> Phrase:
        """What the answer is about, as the end of a sentence."""
        after = ", now and after the documents are applied" if self.compared else ", now"
        missing = ""
        if self.unresolved:
            missing = f" ({counted(self.unresolved, 'name')} in them not found)"
        return (", in ", Name(self.organization), f" as read {self.read}{after}{missing}")


def reach_outline(
    application: str, rows: Sequence[ReachRow], asked: AskedTenant, permission: str | None
) -> Outline:
    """Everything that an application reaches, by product and rule."""
    naming = Naming(asked.names, (application,))
    name = naming.application(application)
    return Outline(
        command="reach",
        simulated=asked.simulated,
        tenant_id=asked.tenant_id,
        headline=("What ", name, " reaches", *asked.ground()),
        details=(
            (Item(quarantine_sentences.quarantined(name)),)
            if application in asked.quarantined
            else ()
        ),
        chapters=tuple(_reach_chapters(name, rows, asked, naming, permission)),
    )


def _reach_chapters(
    name: Name,
    rows: Sequence[ReachRow],
    asked: AskedTenant,
    naming: Naming,
    permission: str | None,
) -> Iterator[Chapter]:
    for provider in in_turn():
        own = [row for row in rows if row.part.provider == provider]
        title = facts(provider).access_title
        if not own:
            yield Chapter((f"{title}: nobody",))
            continue
        table = Table(
            ("Whom", "When", "By"),
            tuple(
                (
                    _whom(row, naming),
                    (_TIMES[row.now, row.after],),
                    _rule(row.part.rule, asked, naming),
                )
                for row in own
            ),
        )
        notes: tuple[Item, ...] = ()
        if provider == "exchange":
            notes = (Item(permission_phrase(name, permission)),)
        yield Chapter((title,), notes, table=table, noun=("row", "rows"))


def _whom(row: ReachRow, naming: Naming) -> Phrase:
    part = row.part
    people = part.kind in (SubjectKind.USER, SubjectKind.MAILBOX)
    names = tuple(sorted(map(naming.person if people else naming.group, part.ids)))
    size = None if part.known is None or not part.certain else len(part.known)
    excepted = tuple((other.kind, naming.group(other.id)) for other in part.excepted)
    certainty = Certainty.CERTAIN if part.certain else Certainty.POSSIBLE
    return part_phrase(
        AccessPart(part.kind, names, size, certainty, excepted), part.provider, HANDFUL
    )


def _rule(address: str, asked: AskedTenant, naming: Naming) -> Phrase:
    place = asked.places.get(address)
    rule = object_phrase(address, naming)
    if place is None:
        return rule
    return (*rule, "  ", Name(f"{PurePath(place.file).name}:{place.line}"))


def reach_answer(
    application: str, rows: Sequence[ReachRow], asked: AskedTenant, permission: str | None
) -> ReachAnswer:
    """The same for a machine."""
    return ReachAnswer(
        application=NamedId(application, asked.names.get(application)),
        names=dict(asked.names),
        permission=permission,
        rows=tuple(
            ReachAnswerRow(
                after=row.after,
                certain=row.part.certain,
                declared_at=_place(row.part.rule, asked),
                excepted=reaching.excepted_ids(row.part.excepted),
                ids=row.part.ids,
                kind=row.part.kind.value,
                now=row.now,
                product=row.part.provider,
                rule=row.part.rule,
                size=None if row.part.known is None else len(row.part.known),
            )
            for row in rows
        ),
        quarantined=application in asked.quarantined,
    )


def _place(address: str, asked: AskedTenant) -> str | None:
    place = asked.places.get(address)
    return None if place is None else str(place)


class Reaching(Struct, frozen=True):
    """Who reaches somebody: all rows of all known applications, and what their documents say of
    their permissions, by application.
    """

    subjects: tuple[Question, ...]
    rows: tuple[WhoRow, ...]
    permissions: Mapping[str, str | None]

    def is_idle(self, row: WhoRow) -> bool:
        """Whether policies let an application in that holds no permission to come, as far as its
        document tells.
        """
        mailbox = row.question.kind is SubjectKind.MAILBOX
        return mailbox and self.permissions.get(row.question.application) == ""

    def told(self) -> list[WhoRow]:
        """Rows of applications that reach the subject, or may."""
        return [row for row in self.rows if reaching.is_reaching(row)]


def who_outline(value: Reaching, asked: AskedTenant) -> Outline:
    """Every application that reaches somebody, by product."""
    naming = Naming(asked.names, (row.question.application for row in value.rows))
    subject = naming.person(value.subjects[0].subject)
    return Outline(
        command="who",
        simulated=asked.simulated,
        tenant_id=asked.tenant_id,
        headline=("Who reaches ", subject, *asked.ground()),
        chapters=tuple(_who_chapters(value, asked, naming)),
    )


def _who_chapters(value: Reaching, asked: AskedTenant, naming: Naming) -> Iterator[Chapter]:
    for question in value.subjects:
        own = [row for row in value.rows if row.question.kind is question.kind]
        reaches = [row for row in own if reaching.is_reaching(row)]
        shown = [row for row in reaches if not value.is_idle(row)]
        title = "Meetings and events" if question.kind is SubjectKind.USER else "Mailbox"
        columns = ("Application", "Now", *(("After",) if asked.compared else ()), "By")
        cells = tuple(_who_cells(row, value, asked, naming) for row in shown)
        notes = _who_notes(question, len(own) - len(reaches))
        idle = [row for row in reaches if value.is_idle(row)]
        yield Chapter(
            (title,),
            (*_idle(idle, naming), *notes),
            table=Table(columns, cells),
            noun=("row", "rows"),
        )


def _idle(rows: Sequence[WhoRow], naming: Naming) -> Iterator[Item]:
    """Applications that nothing blocks and that have no use for a mailbox."""
    if rows:
        names = enumerated_names(naming.application(row.question.application) for row in rows)
        why = "Not blocked, but their documents list no permission for mailboxes: "
        yield Item((why, *names))


def _who_notes(question: Question, denied: int) -> Iterator[Item]:
    if denied:
        others = counted(denied, "other application does", "other applications do")
        yield Item((f"{others} not, of those that policies or documents name.",))
    if question.kind is SubjectKind.MAILBOX:
        yield Item((_UNNAMED,))


_UNNAMED = (
    "An application that neither names reaches it too, if it holds a permission for mailboxes and"
    " no policy for every application keeps it out."
)


def _who_cells(
    row: WhoRow, value: Reaching, asked: AskedTenant, naming: Naming
) -> tuple[Phrase, ...]:
    permission = value.permissions.get(row.question.application)
    words = [_verdict(row.now, row.question.kind, permission)]
    if row.after is not None:
        words.append(_verdict(row.after, row.question.kind, permission))
    rule = reaching.decided_by(row.latest)
    return (
        (naming.application(row.question.application),),
        *((word,) for word in words),
        () if rule is None else _rule(rule, asked, naming),
    )


def _verdict(verdict: Verdict, kind: SubjectKind, permission: str | None) -> str:
    if isinstance(verdict, Granted):
        return granted_word(kind, permission).lower()
    return "not known" if isinstance(verdict, Depends) else "denied"


def who_answer(value: Reaching, asked: AskedTenant) -> WhoAnswer:
    """The same for a machine."""
    rows = value.told()
    return WhoAnswer(
        denied=len(value.rows) - len(rows),
        rows=tuple(_who_row(row, value, asked) for row in rows),
        subjects=tuple(
            AskedSubject(
                question.subject,
                question.kind.value,
                asked.names.get(question.subject),
                question.resolved,
            )
            for question in value.subjects
        ),
    )


def _who_row(row: WhoRow, value: Reaching, asked: AskedTenant) -> WhoAnswerRow:
    application = row.question.application
    provider = asked_product(row.question.kind).provider
    return WhoAnswerRow(
        after=None if row.after is None else verdict_word(row.after),
        application=NamedId(application, asked.names.get(application)),
        now=verdict_word(row.now),
        permission=value.permissions.get(application) if provider == "exchange" else None,
        product=provider,
        rule=reaching.decided_by(row.latest),
    )
