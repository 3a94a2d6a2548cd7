"""The answer to `explain`: the verdict first, then the way to it, then what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.audiences.questions import Remedy
from reconciler.audiences.verdicts import Asked, Denied, Depends, Granted
from reconciler.model.access_rows import SubjectKind
from reconciler.reports import values
from reconciler.reports.access_tests import REASONS
from reconciler.reports.lines import SIMULATED, Line, Tone, heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.audiences.questions import Explanation, Question
    from reconciler.audiences.verdicts import Verdict
    from reconciler.canonical import Json
    from reconciler.model.findings import Position

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


def explanation_lines(
    explanation: Explanation,
    source: str,
    names: Mapping[str, str],
    places: Mapping[str, Position],
    *,
    simulated: bool,
) -> Iterator[Line]:
    """The explanation as lines.

    Args:
        explanation: the answer.
        source: whose state it is about, as the end of a sentence.
        names: ids to names for people.
        places: where the documents declare an address.
        simulated: the state is that of a simulated tenant: the text begins by saying so.
    """
    if simulated:
        yield SIMULATED
        yield Line()
    yield from _verdict(explanation, source, names)
    yield from heading("Because, in the order in which the service asks:")
    gone = {row.address for row in explanation.advice if row.remedy is Remedy.REPLACE_SCOPE}
    for number, reason in enumerate(explanation.verdict.path, 1):
        why = ", for its scope no longer exists" if reason.address in gone else ""
        yield Line(f"  {number}. {_REASONS[reason.asked, reason.holds]}{why}:")
        yield Line(f"     {_object(reason.address, names, places)}")
    if explanation.advice:
        yield from heading(
            "What would decide it:"
            if isinstance(explanation.verdict, Depends)
            else "What would change it:"
        )
    for advice in explanation.advice:
        yield Line(f"  - {_ADVICE[advice.remedy]}:")
        yield Line(f"    {_object(advice.address, names, places)}")


_GRANTED: Mapping[SubjectKind, str] = {
    SubjectKind.USER: "GRANTED",
    SubjectKind.MAILBOX: "NOT BLOCKED",
}
"""A Teams policy gives access, an Exchange policy only restricts what a permission gives."""


def _verdict(explanation: Explanation, source: str, names: Mapping[str, str]) -> Iterator[Line]:
    question = explanation.question
    who = "the meetings and events of" if question.kind is SubjectKind.USER else "the mailbox"
    asked = (
        f"{values.with_name(question.application, names)} to {who}"
        f" {values.with_name(question.subject, names)}, {source}"
    )
    match explanation.verdict:
        case Granted(decided_by=address):
            yield Line(f"{_GRANTED[question.kind]}: {asked}", Tone.ADD)
            yield Line(f"  Decided by {address}{values.of(address, names)}")
            if question.kind is SubjectKind.MAILBOX:
                yield Line(
                    "  No policy keeps the application out; whether it holds a permission for the"
                    " mailbox is not known."
                )
        case Denied(decided_by=address):
            yield Line(f"DENIED: {asked}", Tone.REMOVE)
            yield Line(f"  Decided by {address}{values.of(address, names)}")
        case Depends(path) if path and path[0].asked is Asked.GOVERNED:
            yield Line(f"UNDECIDED: {asked}", Tone.WARNING)
        case Depends():
            yield Line(f"DEPENDS on what is not known: {asked}", Tone.WARNING)
        case _:
            assert_never(explanation.verdict)


def _object(address: str, names: Mapping[str, str], places: Mapping[str, Position]) -> str:
    place = f", declared at {places[address]}" if address in places else ""
    return f"{address}{values.of(address, names)}{place}"


def explanation_value(
    explanation: Explanation, basis: str, names: Mapping[str, str], places: Mapping[str, Position]
) -> Mapping[str, Json]:
    """The explanation as a JSON value. `basis` is desired, plan or capture."""
    question, verdict = explanation.question, explanation.verdict
    return {
        "application": {"id": question.application, "name": names.get(question.application)},
        "basis": basis,
        "decided_by": None if isinstance(verdict, Depends) else verdict.decided_by,
        "path": [
            {
                "address": reason.address,
                "asked": reason.asked.value,
                "declared_at": _place(places, reason.address),
                "holds": reason.holds,
            }
            for reason in verdict.path
        ],
        "subject": _subject(question, names),
        "unknown": list(verdict.unknown) if isinstance(verdict, Depends) else [],
        "verdict": _word(verdict),
        "would_change": [
            {
                "address": advice.address,
                "declared_at": _place(places, advice.address),
                "remedy": advice.remedy.value,
            }
            for advice in explanation.advice
        ],
    }


def _subject(question: Question, names: Mapping[str, str]) -> Json:
    return {
        "id": question.subject,
        "kind": question.kind.value,
        "name": names.get(question.subject),
        "resolved": question.resolved,
    }


def _word(verdict: Verdict) -> str:
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
