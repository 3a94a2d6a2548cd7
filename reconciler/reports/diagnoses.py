"""The answer to `diagnose`: what refused, on what ground, and what ends it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.audiences.questions import Remedy
from reconciler.audiences.verdicts import Depends
from reconciler.diagnosing.causes import RefusalCause
from reconciler.diagnosing.signs import GATE_PRODUCTS, Gate
from reconciler.diagnosing.suggestions import Obstacle
from reconciler.kinds.facts import facts
from reconciler.kinds.products import asked_product
from reconciler.model.answers import (
    DiagnosedChange,
    DiagnosedError,
    DiagnosisAnswer,
    SuggestedEdit,
    SuggestedLine,
)
from reconciler.model.test_results import ResultKind
from reconciler.reports import quarantine_sentences
from reconciler.reports.access_tests import REACHED
from reconciler.reports.explanations import (
    explanation_answer,
    explanation_outline,
    object_phrase,
    verdict_word,
)
from reconciler.reports.lines import Tone, counted
from reconciler.reports.outline import Chapter, Item, Outline
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.value import Name
from reconciler.reports.wrapping import enumerated_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.diagnosing.causes import Delay
    from reconciler.diagnosing.received import Received
    from reconciler.diagnosing.signs import Sign
    from reconciler.diagnosing.suggestions import FileEdit, Suggestion
    from reconciler.model.addresses import Provider
    from reconciler.reports.explanations import Explained
    from reconciler.reports.review.value import Phrase

_LONGEST = 300
"""Characters of a message that are shown."""
_MINUTE, _HOUR = 60, 3600


class Diagnosed(Struct, frozen=True, kw_only=True):
    """A diagnosis, and what it takes to tell it.

    Attributes:
        received: The error.
        sign: Its kind; None if it is not known.
        cause: Why, in a word.
        explained: Of each product that was asked, the tenant as it is.
        delay: The last journalled change of what decides, if there is a recent one.
        asked_at: When it was asked, in seconds since 1970.
        suggestions: Ways to let the application in by the documents.
        has_documents: Whether there are documents.
        names: Ids to names for people.
        other_application: The client id that the error names, if it is another one than was asked
            about.
        other_user: Whom the error names likewise.
        simulated: The tenant is a simulated one.
        kinds: How many kinds of errors are known.
    """

    received: Received
    sign: Sign | None
    cause: RefusalCause
    explained: tuple[Explained, ...] = ()
    delay: Delay | None = None
    asked_at: float = 0.0
    suggestions: tuple[Suggestion, ...] = ()
    has_documents: bool = False
    names: Mapping[str, str] = {}
    other_application: str | None = None
    other_user: str | None = None
    simulated: bool = False
    kinds: int = 0

    @property
    def naming(self) -> Naming:
        """Names for people."""
        return Naming(
            self.names, (each.explanation.question.application for each in self.explained)
        )


def diagnosis_outline(diagnosed: Diagnosed) -> Outline:
    """The answer, laid out for people."""
    word, tone = _word_and_tone(diagnosed)
    chapters = [
        chapter for each in diagnosed.explained for chapter in _way_chapters(each, diagnosed)
    ]
    if suggestions := tuple(_suggested(diagnosed)):
        title = "To let the application in, one of these:"
        chapters.append(Chapter((title,), suggestions))
    closing = _closing(diagnosed)
    return Outline(
        command="diagnose",
        simulated=diagnosed.simulated,
        headline=(word, *_whom(diagnosed)),
        tone=tone,
        details=(
            *_error(diagnosed),
            *_meaning(diagnosed),
            *_others(diagnosed),
            *_quarantined(diagnosed),
        ),
        chapters=tuple(chapters),
        closing=(closing,) if closing else (),
        closing_tone=Tone.PLAIN,
    )


def _word_and_tone(diagnosed: Diagnosed) -> tuple[str, Tone]:
    if diagnosed.cause is RefusalCause.DENIED:
        return f"REFUSED BY THE ACCESS POLICIES OF {_product(diagnosed)}: ", Tone.REMOVE
    return f"{_warning_word(diagnosed)}: ", Tone.WARNING


def _warning_word(diagnosed: Diagnosed) -> str:
    if diagnosed.cause is RefusalCause.WAITING:
        return f"WAIT, {_product(diagnosed)} enforces changes late"
    if diagnosed.cause is RefusalCause.NOT_OURS:
        return _not_ours(diagnosed.sign)
    return _OUTCOMES[diagnosed.cause]


_OUTCOMES: Mapping[RefusalCause, str] = {
    RefusalCause.NOT_APPLIED: "NOT APPLIED YET, but the documents let in",
    RefusalCause.LET_THROUGH: "NOT BY THE ACCESS POLICIES, as far as they were read",
    RefusalCause.WRONG_ID: "WRONG ID, the error is not about",
    RefusalCause.UNDECIDED: "UNDECIDED, for what is not known",
    RefusalCause.UNKNOWN: "UNKNOWN ERROR",
}


def _product(diagnosed: Diagnosed) -> str:
    gate = None if diagnosed.sign is None else diagnosed.sign.gate
    return "" if gate is None else facts(GATE_PRODUCTS[gate]).title.upper()


def _not_ours(sign: Sign | None) -> str:
    match None if sign is None else sign.gate:
        case Gate.TENANT_SETTING:
            return "NOT BY THE ACCESS POLICIES, but by a setting of the tenant"
        case Gate.CONSENT:
            return "NOT BY THE ACCESS POLICIES, but for lack of a permission or token"
        case Gate.REQUEST:
            return "NOT BY THE ACCESS POLICIES, but because of the request itself"
        case Gate.SERVICE:
            return "NOT REFUSED, but asked to wait"
        case Gate.CMDLET:
            return "NOT BY THE ACCESS POLICIES: a cmdlet failed"
        case _:
            return "NOT BY THE ACCESS POLICIES"


def _whom(diagnosed: Diagnosed) -> Phrase:
    """Who was refused whom; of what is not ours, what it is."""
    sign = diagnosed.sign
    if diagnosed.cause is RefusalCause.NOT_OURS and sign is not None:
        return (sign.title,)
    if not diagnosed.explained:
        return ("none of the kinds that are known",)
    question = diagnosed.explained[0].explanation.question
    naming = diagnosed.naming
    if diagnosed.cause is RefusalCause.UNKNOWN:
        whom: Phrase = (" and ", naming.person(question.subject))
    else:
        reached = REACHED[ResultKind(question.kind.value)]
        whom = (f" to {reached} ", naming.person(question.subject))
    return (naming.application(question.application), *whom)


def _error(diagnosed: Diagnosed) -> Iterator[Item]:
    received = diagnosed.received
    status = "" if received.status is None else f"{received.status} "
    codes = " / ".join(received.codes)
    message = next(iter(received.messages), "")
    parts = [part for part in (f"{status}{codes}".strip(), _cut(message)) if part]
    if not parts:
        yield Item(("The error has no status, no code and no message.",))
        return
    words = ": ".join(parts).split(" ")
    yield Item(("The error:", *(piece for word in words for piece in (" ", Name(word)))))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _meaning(diagnosed: Diagnosed) -> Iterator[Item]:
    sign = diagnosed.sign
    if sign is None:
        yield from _unknown(diagnosed)
        return
    if diagnosed.cause is not RefusalCause.NOT_OURS:
        yield Item((f"It means: {sign.title}.",))
    yield from _delayed(diagnosed)
    yield from (Item((advice,)) for advice in sign.also)
    if diagnosed.cause in _ADVISED:
        yield from (Item((advice,)) for advice in sign.advice)
    if diagnosed.cause is RefusalCause.LET_THROUGH:
        yield from (Item((advice,)) for advice in _unexplained(GATE_PRODUCTS[sign.gate]))


_ADVISED = frozenset({RefusalCause.NOT_OURS, RefusalCause.LET_THROUGH, RefusalCause.UNDECIDED})


def _unknown(diagnosed: Diagnosed) -> Iterator[Item]:
    received = diagnosed.received
    codes = counted(len(received.codes), "code")
    messages = counted(len(received.messages), "message")
    looked = (
        f"What was looked at: the status, {codes} and {messages} of it, for the words of"
        f" {diagnosed.kinds} kinds of errors"
    )
    asked = "; and the policies, which say:" if diagnosed.explained else "."
    yield Item((f"{looked}{asked}",))
    for each in diagnosed.explained:
        question = each.explanation.question
        product = facts(asked_product(question.kind).provider).title
        word = verdict_word(each.explanation.verdict)
        yield Item((f"{product}: {_WORDS[word]}.",), 2)
    if not diagnosed.explained:
        yield Item(("With --app and --user the policies are asked as well.",))


_WORDS = {
    "granted": "no policy keeps the application out",
    "denied": "the policies keep the application out",
    "depends": "what is not known decides",
}


def _delayed(diagnosed: Diagnosed) -> Iterator[Item]:
    delay = diagnosed.delay
    if delay is None:
        return
    naming, write = diagnosed.naming, delay.write
    when = _ago(diagnosed.asked_at - write.at)
    changed = "Changed" if write.certain else "Perhaps changed"
    yield Item(
        (
            f"{changed} {when} (journal ",
            Name(write.journal.name),
            f", step {write.step}): ",
            *object_phrase(write.address, naming),
        )
    )
    if diagnosed.cause is RefusalCause.WAITING:
        product = facts(GATE_PRODUCTS[diagnosed.sign.gate]) if diagnosed.sign else None
        usual = (
            "" if product is None else f" ({product.enforced_after} minutes; it can take longer)"
        )
        yield Item((f"Wait until {_clock(delay.until)}{usual}, then ask again.",))


def _ago(seconds: float) -> str:
    if seconds < 2 * _HOUR:
        return f"{counted(max(0, round(seconds / _MINUTE)), 'minute')} ago"
    return f"{round(seconds / _HOUR)} hours ago"


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M} UTC"


def _unexplained(product: Provider) -> Iterator[str]:
    """What else refuses although the policies let it through."""
    minutes = facts(product).enforced_after
    yield (
        "No journal of this computer has a recent change of it. Somebody else may have changed it in"
        f" the last {minutes} minutes."
    )
    yield facts(product).unexplained


def _others(diagnosed: Diagnosed) -> Iterator[Item]:
    """Whom the error names if it is somebody else than was asked about."""
    if diagnosed.other_application is not None:
        yield Item(
            (
                "It names the application ",
                diagnosed.naming.application(diagnosed.other_application),
                ": the token was that application's, not the one of --app.",
            )
        )
    if diagnosed.other_user is not None:
        yield Item(
            (
                "The request was for ",
                diagnosed.naming.person(diagnosed.other_user),
                ", not for the user of --user.",
            )
        )
    if diagnosed.cause is RefusalCause.WRONG_ID:
        yield Item(("Correct the request, or ask about whom the error names.",))


def _quarantined(diagnosed: Diagnosed) -> Iterator[Item]:
    """What is said of a quarantined application instead of lines that would let it in."""
    if any(each.quarantined for each in diagnosed.explained):
        question = diagnosed.explained[0].explanation.question
        name = diagnosed.naming.application(question.application)
        yield Item(quarantine_sentences.quarantined(name))
        if diagnosed.cause is RefusalCause.DENIED:
            yield Item(quarantine_sentences.ended(name))


def _way_chapters(each: Explained, diagnosed: Diagnosed) -> Iterator[Chapter]:
    """The way to the verdict on the tenant; what would change it is shown as edits of lines."""
    outline = explanation_outline(each)
    question = each.explanation.question
    product = facts(asked_product(question.kind).provider).title
    several = f"{product}: because" if len(diagnosed.explained) > 1 else "Because"
    ground = f"{several}, {each.source}, in the order in which the service asks:"
    remark = f"Groups of the user: by the effective assignment of {each.effective_at}"
    notes = (Item((remark,)),) if each.effective_at else ()
    yield Chapter((ground,), (*outline.chapters[0].items, *notes))
    if isinstance(each.explanation.verdict, Depends) or not diagnosed.has_documents:
        yield from outline.chapters[1:]


_HOW: Mapping[Remedy, str] = {
    Remedy.GRANT: "grant the user this policy, which lists the application",
    Remedy.LIST: "list the application in this policy; everyone who has the policy is reached then",
    Remedy.JOIN_SCOPE: "add the mailbox to the scope of this policy",
    Remedy.REPLACE_SCOPE: "the scope of this policy no longer exists",
    Remedy.LEAVE_SCOPE: "take the mailbox out of the scope of this policy",
    Remedy.ADD_SCOPE: "a policy for this mailbox alone",
}
_WHY: Mapping[Obstacle, str] = {
    Obstacle.UNDECLARED: (
        "no document declares it: `reconciler export` writes one, to be changed then"
    ),
    Obstacle.NO_LIST: (
        "its document lists no users, so a list would have to name everyone who is to keep it"
    ),
    Obstacle.MEMBERSHIP: "in the directory; no document says who is in a group",
    Obstacle.SCOPE_GONE: "write a scope that exists and covers the mailbox into its document",
    Obstacle.DENIED: (
        "in the directory; a DenyAccess keeps it out on purpose, and outranks every RestrictAccess"
    ),
    Obstacle.BY_HAND: "its lines have to be changed by hand",
}


def _suggested(diagnosed: Diagnosed) -> Iterator[Item]:
    for suggestion in diagnosed.suggestions:
        yield from _suggestion(suggestion, diagnosed.naming)


def _suggestion(suggestion: Suggestion, naming: Naming) -> Iterator[Item]:
    how = _HOW.get(suggestion.remedy, "change this")
    phrase: Phrase = (f"{how}: ", *object_phrase(suggestion.address, naming))
    if suggestion.document is not None:
        phrase = ("declare a separate policy:",)
    elif suggestion.place is not None:
        phrase = (*phrase, ", declared at ", Name(str(suggestion.place)))
    if suggestion.obstacle is not None:
        phrase = (*phrase, f" ({_WHY[suggestion.obstacle]})")
    yield Item(phrase, mark="-")
    if suggestion.loses:
        names = enumerated_names(map(naming.application, suggestion.loses))
        yield Item(
            ("a policy replaces the one before: ", *names, " will not reach the user any more"), 2
        )
    for edit in suggestion.edits:
        yield from _edit(edit)
    if suggestion.document is not None:
        file = suggestion.document.file
        where: Phrase = ("at the end of ", Name(file)) if file else ("in a new file",)
        yield Item((*where, ":"), 2)
        yield from (Item((Name(line),), 3) for line in suggestion.document.lines)


def _edit(change: FileEdit) -> Iterator[Item]:
    edit = change.edit
    place = Name(f"{change.file}:{edit.line}")
    if edit.before is None:
        yield Item((place, ", behind this line:"), 2)
    elif edit.after is None:
        yield Item((place, ", take this line out:"), 2)
        yield Item((Name(edit.before),), 3)
    else:
        yield Item((place, ", which becomes:"), 2)
    if edit.after is not None:
        yield Item((Name(edit.after),), 3)


def _closing(diagnosed: Diagnosed) -> str:
    match diagnosed.cause:
        case RefusalCause.NOT_APPLIED:
            return "To apply the documents: reconciler plan --out plan.json, then reconciler apply"
        case RefusalCause.DENIED if any(
            each.edits or each.document for each in diagnosed.suggestions
        ):
            return "Then: reconciler plan"
        case _:
            return ""


def diagnosis_answer(diagnosed: Diagnosed) -> DiagnosisAnswer:
    """The same for a machine."""
    sign, delay, received = diagnosed.sign, diagnosed.delay, diagnosed.received
    return DiagnosisAnswer(
        change=None
        if delay is None
        else DiagnosedChange(
            delay.write.address,
            _stamp(delay.write.at),
            delay.write.certain,
            str(delay.write.journal),
            delay.write.step,
            _stamp(delay.until),
        ),
        edits=tuple(map(_suggested_edit, diagnosed.suggestions)),
        error=DiagnosedError(
            received.codes, received.form, tuple(map(_cut, received.messages)), received.status
        ),
        explanations=tuple(map(explanation_answer, diagnosed.explained)),
        gate=None if sign is None else sign.gate.value,
        other_application=diagnosed.other_application,
        other_user=diagnosed.other_user,
        cause=diagnosed.cause.value,
        sign=None if sign is None else sign.id,
    )


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _suggested_edit(suggestion: Suggestion) -> SuggestedEdit:
    document = suggestion.document
    return SuggestedEdit(
        address=suggestion.address,
        declared_at=None if suggestion.place is None else str(suggestion.place),
        document=() if document is None else document.lines,
        file="" if document is None else document.file,
        lines=tuple(
            SuggestedLine(each.edit.after, each.edit.before, each.file, each.edit.line)
            for each in suggestion.edits
        ),
        loses=suggestion.loses,
        obstacle=None if suggestion.obstacle is None else suggestion.obstacle.value,
        remedy=suggestion.remedy.value,
    )
