"""What an approval of one plan does not cover of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.guids import GUID
from reconciler.reports.lines import Line, Tone, capped, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.planning.approval import Difference, ObjectDifference

MOST = 20
"""Objects of one member that are named."""

_MEMBERS = {
    "baseline": "the state of the tenant that the steps rest on",
    "changes": "changes",
    "connect": "how a live tenant is connected to",
    "consents": "consents",
    "gaps": "gaps on the way",
    "held": "objects that are held",
    "limits": "mass-change limits",
    "narrowed": "who holds the lists that get shorter",
    "refusals": "refusals",
    "steps": "steps",
    "tenant": "the tenant",
    "tests": "access tests",
    "undoes": "the plan that is undone",
    "unresolved": "names that nothing resolves",
    "warnings": "what the services warned of while they were read",
    "widened": "who holds the lists that get longer",
}

_BEYOND = {
    "access": "With the steps that it lacks done, applications reach, or miss, others than the"
    " approved plan says:",
    "applicable": "One of the two plans is not applicable.",
    "changes": "It changes more:",
    "connect": "It connects to a live tenant in another way:",
    "consents": "It needs more consents:",
    "deletes": "It deletes more:",
    "documents": "It was made from other documents.",
    "gaps": "While it runs, applications miss other people:",
    "held": "It leaves other objects as they are:",
    "limits": "Its mass-change limits differ:",
    "refusals": "Other things are refused:",
    "steps": "It has steps that the approved plan does not have, or leads elsewhere:",
    "tenant": "It is for another tenant:",
    "tests": "Its access tests differ:",
    "undoes": "It undoes another plan.",
    "unresolved": "Other names cannot be resolved:",
    "warnings": "The services warned of something else while they were read:",
    "widened": "The lists that get longer have other holders, or are other lists:",
}
"""What a plan has that no part of the approved one would have, by member."""


def comparison(
    differences: Mapping[str, Sequence[ObjectDifference]], names: Mapping[str, str], approved: str
) -> Iterator[Line]:
    """Which parts of a plan differ from the approved one, which objects in each, and in what.

    `differences`: by member. `names`: ids to names, for people. `approved`: what the approved plan
    is called.
    """
    if not differences:
        yield Line(f"The approval of {approved} covers this plan.", Tone.HEADING)
        return
    yield Line(f"This plan differs from {approved}, which was approved:", Tone.FAULT)
    for member, objects in differences.items():
        yield Line(f"  {_MEMBERS[member]} ({counted(len(objects), 'object')}):", Tone.CHANGE)
        yield from capped(objects, MOST, lambda row: Line(f"    {_told(row, names)}"))


def _told(row: ObjectDifference, names: Mapping[str, str]) -> str:
    return f"{_named(row.name, names)}: {_how(row)}"


def _how(row: ObjectDifference) -> str:
    if not row.other:
        return "only in the approved plan"
    if not row.approved:
        return "only in this plan"
    if row.fields:
        return f"differs in {', '.join(row.fields)}"
    if row.approved != row.other:
        return f"{row.approved} in the approved plan, {row.other} in this one"
    return "differs"


def possible_part(approved: str) -> Line:
    """What is said of a plan that may be a part of an approved one, by the files alone."""
    return Line(
        f"It has nothing beyond {approved}: it may be what is left of that plan, which only a reading"
        " of the tenant can tell."
    )


def part(left: int, steps: int, approved: str) -> Iterator[Line]:
    """What is said of a plan that is a part of an approved one."""
    yield Line(
        f"It is a part of {approved}: {left} of {counted(steps, 'step')} are left to do, and the tenant"
        " is where the others lead to. The approval covers it.",
        Tone.HEADING,
    )


def no_part(
    beyond: Sequence[Difference], moved: Sequence[str], names: Mapping[str, str], approved: str
) -> Iterator[Line]:
    """Why a plan is not a part of an approved one."""
    yield Line(f"It is not a part of {approved}:", Tone.FAULT)
    for difference in beyond:
        yield Line(f"  {_BEYOND[difference.member]}", Tone.CHANGE)
        yield from capped(difference.objects, MOST, lambda text: Line(f"    {_named(text, names)}"))
    if moved:
        yield Line(
            "  The tenant is not where the approved plan's other steps lead to:", Tone.CHANGE
        )
        yield from capped(moved, MOST, lambda text: Line(f"    {text}"))


def _named(text: str, names: Mapping[str, str]) -> str:
    """An object with the names of the ids in it beside it."""
    labels = (names.get(identifier.lower()) for identifier in GUID.findall(text))
    beside = ", ".join(dict.fromkeys(filter(None, labels)))
    return f"{text} ({beside})" if beside else text
