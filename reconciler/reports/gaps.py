"""Who misses on the way through a plan what it has before and after: applications, people, steps,
why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.access_rows import Certainty, SubjectKind
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.reports import sentences, values
from reconciler.reports.lines import Line, Tone, capped, counted, heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.access_rows import GapRow, GapSubject
    from reconciler.model.plans import Plan

MOST = 20


def gaps(plan: Plan) -> Iterator[Line]:
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
        yield from capped(alike, MOST, lambda row: Line(f"      {sentence(row, plan.names)}"))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def sentence(row: GapRow, names: Mapping[str, str]) -> str:
    """One gap: the application, whom it misses, after which steps."""
    which = (
        "every application without a policy of its own"
        if row.application == EVERY_APPLICATION
        else values.named(row.application, names)
    )
    possibly = "" if row.certainty is Certainty.CERTAIN else "some of "
    return f"{which}: {possibly}{_subject(row.subject, names)}, after {_steps(row.steps)}"


def _subject(subject: GapSubject, names: Mapping[str, str]) -> str:
    known = values.named(subject.id, names)
    beside = "".join(f" who are in {values.named(group, names)} too" for group in subject.together)
    match subject.kind:
        case SubjectKind.EVERYONE:
            excepted = [part.id for part in subject.excepted]
            return "everyone" + (
                f" outside {values.listed(excepted, names)}" if excepted else " without a grant"
            )
        case SubjectKind.GROUP_MEMBERS:
            return f"members of {known}{beside}"
        case SubjectKind.POLICY_HOLDERS:
            return f"holders of the policy {known}"
        case SubjectKind.USER | SubjectKind.MAILBOX:
            return known


def _steps(steps: Sequence[int]) -> str:
    """`step 3`, `steps 3 to 5, 8`."""
    runs: list[list[int]] = []
    for step in steps:
        if runs and runs[-1][-1] == step - 1:
            runs[-1][1:] = [step]
        else:
            runs.append([step])
    told = ", ".join(" to ".join(str(step) for step in run) for run in runs)
    return f"step {told}" if len(steps) == 1 else f"steps {told}"
