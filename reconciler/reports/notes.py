"""What a plan says beside its changes: left alone, held, displaced, unresolved, warnings and
refusals, each with what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from string import Formatter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.reports import recipients, sentences, values
from reconciler.reports.lines import Line, Tone, capped, counted, heading
from reconciler.reports.remedies import (
    OPTION_DETAILS,
    held_with,
    leaving_for_later,
    options,
    selecting,
    shell_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.canonical import Json
    from reconciler.model.plans import Note, Plan
    from reconciler.reports.sentences import NoteAdvice

Names = Mapping[str, str]

MOST = 50
"""Rows of one kind; refusals are never cut, because each prints the consent that it needs."""

_GLOBAL = "teams.policy/global"
RECIPIENT_TYPE = "recipientType"
_NOT_SHOWN = OPTION_DETAILS | {RECIPIENT_TYPE}


def notes(plan: Plan) -> Iterator[Line]:
    """All notes of a plan, the gravest last, because that is what is next to the prompt."""
    names = plan.names
    yield from _unmanaged(plan.unmanaged, names)
    yield from _section(
        "Held, not part of this plan:", plan.held, names, sentences.held, Tone.PLAIN
    )
    yield from _section(
        "Displaced, taken away from policies that no document declares:",
        plan.displaced,
        names,
        sentences.displacement,
        Tone.WARNING,
    )
    yield from _section("Warnings:", plan.warnings, names, sentences.warning, Tone.WARNING)
    yield from _section(
        "Unresolved, so nothing can be planned for:",
        plan.unresolved,
        names,
        sentences.unfound,
        Tone.FAULT,
    )
    yield from _without(plan.unresolved)
    yield from _refusals(plan.refusals, names)


def _unmanaged(rows: Sequence[Note], names: Names) -> Iterator[Line]:
    """Objects that no document declares; a Global that nobody manages is apart, because
    everyone without a grant has it.
    """
    others = [row for row in rows if not _is_global(row)]
    if others:
        beside = "" if len(others) == len(rows) else ", Global (below) among them"
        yield from heading(
            f"Unmanaged, left alone: {counted(len(rows), 'object')} in no document{beside}"
        )
        yield from capped(others, MOST, lambda row: Line(f"    {_about(row, names, row.details)}"))
    for row in filter(_is_global, rows):
        yield from _unmanaged_global(row, names)


def _is_global(row: Note) -> bool:
    return row.address.lower() == _GLOBAL


def _unmanaged_global(row: Note, names: Names) -> Iterator[Line]:
    yield from heading(
        "Global is not managed, and it is not empty: everyone without a grant has these"
        " applications"
    )
    applications = row.details.get("applications")
    if isinstance(applications, Sequence):
        yield from (
            Line(f"    {values.member(application, names)}") for application in applications
        )
    yield Line(
        "      To revoke them, declare a policy `Global` with `applications: []`; to keep them,"
        " list them there."
    )


def _section(
    title: str, rows: Sequence[Note], names: Names, advice: Callable[[str], NoteAdvice], tone: Tone
) -> Iterator[Line]:
    """Rows that the same is said of are said together."""
    if rows:
        yield from heading(title)
    for shared_advice, alike in _grouped(rows, names, advice):
        yield Line(f"    {shared_advice.what}", tone)
        yield from capped(alike, MOST, partial(_row, names, advice))
        yield from (Line(f"      {words}") for words in leaving_for_later(alike))
        if shared_advice.then:
            yield Line(f"      {shared_advice.then}")


def _refusals(rows: Sequence[Note], names: Names) -> Iterator[Line]:
    if rows:
        yield from heading("Refused, so this plan will not be applied:")
    for shared_advice, alike in _grouped(rows, names, sentences.refusal):
        yield Line(f"    {shared_advice.what}", Tone.FAULT)
        for row in alike:
            yield _row(names, sentences.refusal, row)
            consent = row.details.get("allow")
            if isinstance(consent, str):
                yield Line(f"        To allow exactly this: --allow {shell_word(consent)}")
        yield from (Line(f"        {words}") for words in selecting(alike))
        yield Line(f"      {shared_advice.then}")


def _without(unresolved: Sequence[Note]) -> Iterator[Line]:
    """How to plan all the same; who leaves out more than are listed should make a new capture."""
    if 0 < len(unresolved) <= MOST:
        words = options("skip", (held_with(row.address) for row in unresolved))
        yield Line(f"    To plan without what is unresolved: {words}")


def _row(names: Names, advice: Callable[[str], NoteAdvice], row: Note) -> Line:
    """An object with the details that the sentence above it does not tell."""
    sentence = advice(row.code)
    shown = _fields(sentence.what) | _fields(sentence.then) | _NOT_SHOWN
    others = {key: value for key, value in row.details.items() if key not in shown}
    return Line(f"      {_about(row, names, others)}")


def _grouped(
    rows: Iterable[Note], names: Names, advice: Callable[[str], NoteAdvice]
) -> Iterator[tuple[NoteAdvice, list[Note]]]:
    groups: dict[NoteAdvice, list[Note]] = {}
    for row in rows:
        row_advice = advice(row.code)
        sentence = replace(
            row_advice,
            what=_filled(row_advice.what, row, names),
            then=_filled(row_advice.then, row, names),
        )
        groups.setdefault(sentence, []).append(row)
    yield from groups.items()


def _filled(template: str, row: Note, names: Names) -> str:
    """A sentence with the note's details in it; one that the plan does not give is a question mark."""
    given = {**row.details, **_derived(row), "in": shell_word(str(row.details.get("in", "?")))}
    details = {
        field: values.short_list(given[field], names) if field in given else "?"
        for field in _fields(template)
    }
    return template.format_map(details)


def _derived(row: Note) -> Mapping[str, Json]:
    """What follows from a recipient's type, in words."""
    recipient_type = str(row.details.get(RECIPIENT_TYPE, ""))
    return {
        "what it is": recipients.recipient_words(recipient_type),
        "instead": recipients.scope_instead(recipient_type),
    }


def _fields(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field}


def _about(row: Note, names: Names, details: Mapping[str, Json]) -> str:
    """An object with its names and those details that its address does not say anyway."""
    shown = [
        key for key in sorted(details) if details[key] not in ("", None, *values.parts(row.address))
    ]
    listing = "; ".join(f"{key} {values.short_list(details[key], names)}" for key in shown)
    return f"{row.address}{values.of(row.address, names)}{f' [{listing}]' if listing else ''}"
