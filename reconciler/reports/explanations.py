"""The answer to `explain`: the verdict first, then the way to it, then what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from reconciler.audiences.questions import Remedy
from reconciler.audiences.verdicts import Asked, Denied, Depends, Granted
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import ExchangeApplicationAddress, TeamsPolicyAddress, parse_address
from reconciler.model.answers import (
    AnswerAdvice,
    AnswerReason,
    AskedSubject,
    ExplanationAnswer,
    NamedId,
    VerdictWord,
)
from reconciler.model.test_results import ResultKind
from reconciler.reports import quarantine_sentences
from reconciler.reports.access_tests import REACHED, REASONS
from reconciler.reports.lines import Tone
from reconciler.reports.outline import Chapter, Item, Outline
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.value import Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.audiences.questions import Advice, Explanation
    from reconciler.audiences.verdicts import Reason, Verdict
    from reconciler.model.findings import Position
    from reconciler.reports.review.value import Phrase

_REASONS = {**REASONS, (Asked.RESTRICTED, None): "which policies the application has is not known"}

_ADVICE: Mapping[Remedy, str] = {
    Remedy.LIST: (
        "list the application in this policy (everyone who has the policy is reached then)"
    ),
    Remedy.UNLIST: (
        "remove the application from this policy (it loses access to everyone who has the policy)"
    ),
    Remedy.GRANT: (
        "grant the user this policy, which lists the application (a policy replaces the one before,"
        " it does not add)"
    ),
    Remedy.GRANT_OTHER: "grant the user a policy that does not list the application",
    Remedy.JOIN_SCOPE: "add the mailbox to the scope of this RestrictAccess policy",
    Remedy.REPLACE_SCOPE: (
        "the scope of this policy no longer exists: declare the policy with one that exists and"
        " covers the mailbox"
    ),
    Remedy.ADD_SCOPE: (
        "the scope of this policy is a single mailbox, which nobody can be added to: declare another"
        " RestrictAccess policy, on a mail-enabled security group with the mailbox"
    ),
    Remedy.LEAVE_SCOPE: (
        "remove the mailbox from the scope of this policy and from groups nested in it"
    ),
    Remedy.RESTRICT: (
        "restrict the application to a scope without the mailbox, or deny it a scope that covers"
        " the mailbox"
    ),
    Remedy.DENY: "deny the application a scope that covers the mailbox",
    Remedy.LEARN: "resolve this; a new capture may contain it (reconciler fetch)",
}


class Explained(Struct, frozen=True):
    """An answer, and what it takes to tell it.

    Attributes:
        explanation: The answer.
        basis: desired, plan, capture or now.
        source: Whose state it is about, as the end of a sentence.
        names: Ids to names for people.
        places: Where the documents declare an address.
        simulated: The state is that of a simulated tenant.
        permission: Of a mailbox: a permission of the application that policies govern, empty if it
            lists others only; None if no document tells.
        effective_at: When the user's effective assignment was read, where the answer rests on it.
    """

    explanation: Explanation
    basis: str
    source: str
    names: Mapping[str, str]
    places: Mapping[str, Position]
    simulated: bool
    permission: str | None = None
    effective_at: str = ""
    quarantined: bool = False


def explanation_outline(explained: Explained) -> Outline:
    """The answer, laid out for people."""
    explanation = explained.explanation
    naming = Naming(explained.names, (explanation.question.application,))
    headline, tone = _headline(explained, naming)
    gone = {row.address for row in explanation.advice if row.remedy is Remedy.REPLACE_SCOPE}
    because = [
        item
        for number, reason in enumerate(explanation.verdict.path, 1)
        for item in _reason(number, reason, explained, naming, gone=reason.address in gone)
    ]
    decides = "decide" if isinstance(explanation.verdict, Depends) else "change"
    advice = [
        item
        for row in _advice(explained)
        for item in (
            Item((f"{_ADVICE[row.remedy]}:",), 1, mark="-"),
            Item(_object(row.address, explained, naming), 2),
        )
    ]
    chapters = [Chapter(("Because, in the order in which the service asks:",), tuple(because))]
    if advice:
        chapters.append(Chapter((f"What would {decides} it:",), tuple(advice)))
    return Outline(
        command="explain",
        simulated=explained.simulated,
        headline=headline,
        tone=tone,
        details=tuple(_details(explained, naming)),
        chapters=tuple(chapters),
    )


def _advice(explained: Explained) -> Sequence[Advice]:
    """What would let a quarantined application in is not advised: it shall reach nobody, and the
    group that shuts it out stays empty.
    """
    return () if explained.quarantined else explained.explanation.advice


def _reason(
    number: int, reason: Reason, explained: Explained, naming: Naming, *, gone: bool
) -> tuple[Item, Item]:
    why = ", for its scope no longer exists" if gone else ""
    return (
        Item((f"{_REASONS[reason.asked, reason.holds]}{why}:",), 1, mark=f"{number}."),
        Item(_object(reason.address, explained, naming), 2),
    )


def _headline(explained: Explained, naming: Naming) -> tuple[Phrase, Tone]:
    question = explained.explanation.question
    word, tone = _word_and_tone(explained)
    asked: Phrase = (
        f"{word}: ",
        naming.application(question.application),
        f" to {REACHED[ResultKind(question.kind.value)]} ",
        naming.person(question.subject),
        ", ",
        Name(explained.source),
    )
    return asked, tone


def _word_and_tone(explained: Explained) -> tuple[str, Tone]:
    match explained.explanation.verdict:
        case Granted():
            return granted_word(explained.explanation.question.kind, explained.permission), Tone.ADD
        case Denied():
            return "DENIED", Tone.REMOVE
        case Depends(path) if path and path[0].asked is Asked.GOVERNED:
            return "UNDECIDED", Tone.WARNING
        case Depends():
            return "DEPENDS on what is not known", Tone.WARNING
        case _:
            assert_never(explained.explanation.verdict)


def granted_word(kind: SubjectKind, permission: str | None) -> str:
    """A Teams policy gives access; an Exchange policy only restricts what a permission gives, which
    the application's document may list.
    """
    return "GRANTED" if kind is SubjectKind.USER or permission else "NOT BLOCKED"


def permission_phrase(application: Name, permission: str | None) -> Phrase:
    """What is known of the permission that no access policy blocks."""
    if permission is None:
        return (
            "No access policy blocks it; whether ",
            application,
            (
                " holds a permission for it is not known: list its `permissions` in its Application"
                " document."
            ),
        )
    if not permission:
        return (
            "No access policy blocks it; of the permissions that the document of ",
            application,
            " lists, none is for mailboxes.",
        )
    return (
        "No access policy blocks it, and ",
        application,
        " holds ",
        Name(permission),
        ", as its document says.",
    )


def _details(explained: Explained, naming: Naming) -> Iterator[Item]:
    question, verdict = explained.explanation.question, explained.explanation.verdict
    if explained.effective_at:
        yield Item(
            (f"Groups of the user: by the effective assignment of {explained.effective_at}",)
        )
    if explained.quarantined:
        yield Item(quarantine_sentences.quarantined(naming.application(question.application)))
    if isinstance(verdict, Depends):
        return
    yield Item(("Decided by ", *object_phrase(verdict.decided_by, naming)))
    if isinstance(verdict, Granted) and question.kind is SubjectKind.MAILBOX:
        application = naming.application(question.application)
        yield Item(permission_phrase(application, explained.permission))


def object_phrase(address: str, naming: Naming) -> Phrase:
    """An object of an address, and what it is where its name does not say so."""
    match parse_address(address):
        case TeamsPolicyAddress():
            return ("policy ", *naming.address(address))
        case ExchangeApplicationAddress():
            return ("the policies of ", *naming.address(address))
        case _:
            return naming.address(address)


def _object(address: str, explained: Explained, naming: Naming) -> Phrase:
    phrase = object_phrase(address, naming)
    place = explained.places.get(address)
    return phrase if place is None else (*phrase, ", declared at ", Name(str(place)))


def explanation_answer(explained: Explained) -> ExplanationAnswer:
    """The answer for a machine."""
    question, verdict = explained.explanation.question, explained.explanation.verdict
    names, places = explained.names, explained.places
    return ExplanationAnswer(
        application=NamedId(question.application, names.get(question.application)),
        basis=explained.basis,
        decided_by=None if isinstance(verdict, Depends) else verdict.decided_by,
        path=tuple(
            AnswerReason(
                reason.address, reason.asked.value, _place(places, reason.address), reason.holds
            )
            for reason in verdict.path
        ),
        permission=explained.permission,
        subject=AskedSubject(
            question.subject, question.kind.value, names.get(question.subject), question.resolved
        ),
        unknown=verdict.unknown if isinstance(verdict, Depends) else (),
        verdict=verdict_word(verdict),
        would_change=tuple(
            AnswerAdvice(advice.address, _place(places, advice.address), advice.remedy.value)
            for advice in _advice(explained)
        ),
        quarantined=explained.quarantined,
    )


def verdict_word(verdict: Verdict) -> VerdictWord:
    """An answer as a word for machines."""
    match verdict:
        case Granted():
            return "granted"
        case Denied():
            return "denied"
        case Depends():
            return "depends"
        case _:
            assert_never(verdict)


def _place(places: Mapping[str, Position], address: str) -> str | None:
    return str(places[address]) if address in places else None
