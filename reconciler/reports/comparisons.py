"""What an approval of one plan does not cover of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.guids import GUID
from reconciler.reports.lines import Line, Tone, capped, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.planning.approval import Difference

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
    "refusals": "refusals",
    "steps": "steps",
    "tenant": "the tenant",
    "tests": "access tests",
    "undoes": "the plan that is undone",
    "unresolved": "names that nothing resolves",
    "widened": "who holds the lists that get longer",
}


def comparison(
    differences: Sequence[Difference], names: Mapping[str, str], approved: str
) -> Iterator[Line]:
    """Which parts of a plan differ from the approved one, and which objects in each.

    `names`: ids to names, for people. `approved`: what the approved plan is called.
    """
    if not differences:
        yield Line(f"The approval of {approved} covers this plan.", Tone.HEADING)
        return
    yield Line(f"The approval of {approved} does not cover this plan. What differs:", Tone.FAULT)
    for difference in differences:
        objects = counted(len(difference.objects), "object")
        yield Line(f"  {_MEMBERS[difference.member]} ({objects}):", Tone.CHANGE)
        yield from capped(difference.objects, MOST, lambda text: Line(f"    {_named(text, names)}"))


def _named(text: str, names: Mapping[str, str]) -> str:
    """An object with the names of the ids in it beside it."""
    labels = (names.get(identifier.lower()) for identifier in GUID.findall(text))
    beside = ", ".join(dict.fromkeys(filter(None, labels)))
    return f"{text} ({beside})" if beside else text
