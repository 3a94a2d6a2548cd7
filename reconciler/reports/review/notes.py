"""What a plan says beside its changes: refused, unresolved, displaced, held, warnings; each with
what to do.
"""

from __future__ import annotations

from pathlib import PurePath
from string import Formatter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.guids import GUID
from reconciler.model.codes import WarningCode
from reconciler.model.observed import is_opaque
from reconciler.reports import access_tests, holders, recipients, sentences, values
from reconciler.reports.remedies import (
    OPTION_DETAILS,
    held_with,
    leaving_for_later,
    options,
    selecting,
    shell_word,
    shutting_out,
)
from reconciler.reports.review.naming import readable
from reconciler.reports.review.value import (
    MOST_TAKING,
    FailedTest,
    Name,
    NoteGroup,
    NoteLine,
    Phrase,
    Section,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.model.findings import Position
    from reconciler.model.plans import Note, Plan
    from reconciler.model.test_results import AccessTestResult
    from reconciler.reports.review.naming import Naming
    from reconciler.reports.unfound_names import NoteAdvice

RECIPIENT_TYPE = "recipientType"
_NOT_SHOWN = OPTION_DETAILS | {RECIPIENT_TYPE}


def note_groups(
    plan: Plan, naming: Naming, places: Mapping[str, Position]
) -> tuple[NoteGroup, ...]:
    """All notes of a plan, the gravest first; those that the same is said of are together.

    `places`: where documents name what is not found, by address.
    """
    return tuple(
        group
        for section, rows, advice in (
            (Section.REFUSED, plan.refusals, sentences.refusal),
            (Section.UNRESOLVED, plan.unresolved, sentences.unfound),
            (Section.DISPLACED, plan.displaced, sentences.displacement),
            (Section.HELD, plan.held, sentences.held),
            (Section.WARNING, plan.warnings, sentences.warning),
        )
        for group in _groups(section, rows, advice, naming, places)
    )


def _groups(
    section: Section,
    rows: Iterable[Note],
    advice: Callable[[str], NoteAdvice],
    naming: Naming,
    places: Mapping[str, Position],
) -> Iterator[NoteGroup]:
    alike: dict[tuple[str, Phrase, Phrase], list[Note]] = {}
    for row in rows:
        own = advice(row.code)
        key = (
            row.code,
            filled_sentence(own.what, row, naming),
            filled_sentence(own.then, row, naming),
        )
        alike.setdefault(key, []).append(row)
    for (code, sentence, then), notes in alike.items():
        template = advice(code)
        told_already = _fields(template.what) | _fields(template.then) | _NOT_SHOWN
        lines = tuple(_line(row, told_already, naming, places) for row in notes)
        typed = tuple(_options(section, notes))
        yield NoteGroup(section, code, sentence, then, lines, typed, template.first)


def _options(section: Section, notes: Sequence[Note]) -> Iterator[str]:
    """Options to type, each with what it is for; who leaves out more than can be listed should
    read the tenant again instead.
    """
    if section is Section.REFUSED:
        yield from selecting(notes)
    else:
        yield from leaving_for_later(notes)
        yield from shutting_out(notes)
    if section is Section.UNRESOLVED and len(notes) <= MOST_TAKING:
        words = options("skip", (held_with(row.address) for row in notes))
        yield f"To plan without what is unresolved: {words}"


def _line(
    row: Note, told_already: set[str], naming: Naming, places: Mapping[str, Position]
) -> NoteLine:
    about = naming.address(row.address)
    names = [piece for piece in about if isinstance(piece, Name)]
    shown = {text.lower() for name in names for text in (name.id, name.text)}
    worded = holders.in_words(row.details)
    details = tuple(
        (f"{key} ", *naming.value(worded[key]))
        for key in sorted(worded)
        if key not in told_already
        and worded[key] not in ("", None, *values.parts(row.address))
        and str(worded[key]).lower() not in shown
    )
    is_placed = "text" in row.details or row.code == WarningCode.STILL_DECLARED
    place = places.get(row.address) if is_placed else None
    if place is not None:
        details = (*details, (f"listed at {PurePath(place.file).name}:{place.line}",))
    consent = row.details.get("allow")
    return NoteLine(row.address, about, details, consent if isinstance(consent, str) else "")


def failed_tests(plan: Plan, naming: Naming) -> tuple[FailedTest, ...]:
    """What a plan's outcome is not certain to pass."""
    shut_out = plan.baseline.shut_out()
    judged = ((row, judgement(row, naming)) for row in plan.tests if not row.passed)
    return tuple(
        replace(test, reasons=(("the application is quarantined",), *test.reasons))
        if row.excused and row.application in shut_out
        else test
        for row, test in judged
    )


def judgement(row: AccessTestResult, naming: Naming) -> FailedTest:
    """An expectation and the way to its verdict; one that passes has them as well."""
    asked = (
        (reason, access_tests.REASONS.get((reason.asked, reason.holds), str(reason.asked)))
        for reason in row.why.path
    )
    reasons: list[Phrase] = [
        (f"{sentence}: ", *naming.address(reason.address)) for reason, sentence in asked
    ]
    if not row.why.path:
        reasons = [
            ("either ", replace(naming.person(code), ambiguous=True))
            if GUID.fullmatch(code)
            else (access_tests.NOBODY.get(code, str(code)),)
            for code in row.why.unknown
        ]
    outcome = access_tests.row_outcome(row)
    return FailedTest(
        outcome.value,
        not row.excused,
        Name(readable(row.name)),
        (
            naming.application(row.application),
            f" is {access_tests.expected_access(row)} ",
            naming.person(row.subject.id),
        ),
        access_tests.contrast(row),
        tuple(reasons),
    )


def filled_sentence(template: str, row: Note, naming: Naming) -> Phrase:
    """A sentence with the note's details in it; one that the plan does not give is a question mark."""
    derived = _derived(row)
    pieces: list[str | Name] = []
    for literal, field, nouns, _ in Formatter().parse(template):
        pieces += [literal] if literal else []
        if field == "in":
            pieces.append(Name(shell_word(str(row.details.get("in", "?")))))
        elif field is not None and field in derived:
            pieces.append(derived[field])
        elif field is not None:
            pieces += naming.value(row.details[field]) if field in row.details else ["?"]
            pieces += [_noun(row.details.get(field), nouns)] if nouns else []
    return tuple(pieces)


def _noun(count: object, nouns: str) -> str:
    """What is counted, as singular or plural."""
    singular, _, plural = nouns.partition("|")
    return f" {singular if count == 1 else plural}"


def _derived(row: Note) -> Mapping[str, str]:
    """What follows from a recipient's type, or from the kind of the object, in words."""
    recipient_type = str(row.details.get(RECIPIENT_TYPE, ""))
    return {
        "what it is": recipients.recipient_words(recipient_type),
        "instead": recipients.scope_instead(recipient_type),
        "removal": _removal(row.address),
    }


def _removal(address: str) -> str:
    """Whether a document can remove an object that is not understood."""
    kind, _, name = address.partition("/")
    if kind == "teams.policy" and not is_opaque(name):
        return " A document with `ensure: absent` removes a Teams policy with such an entry."
    if kind == "exchange.application":
        return (
            " No document removes it: an Exchange policy is removed by its Identity"
            " (Remove-ApplicationAccessPolicy), which opens what it alone keeps shut."
        )
    return ""


def _fields(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field}
