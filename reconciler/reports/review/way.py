"""What happens on the way: who misses what they are granted, temporary policies, waiting; and the
commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from reconciler.model.access_rows import Certainty, SubjectKind
from reconciler.model.codes import StepReason
from reconciler.reports import sentences
from reconciler.reports.review.naming import readable
from reconciler.reports.review.value import Command, GapLine, Name, NameKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.canonical import Json
    from reconciler.model.access_rows import GapRow, GapSubject
    from reconciler.model.plans import Plan, Step
    from reconciler.reports.review.naming import Naming
    from reconciler.reports.review.value import Phrase

_Circumstances: TypeAlias = "tuple[Certainty, tuple[int, ...], str, bool]"
"""Of a gap: how certain, after which steps, the code of its reason, and whether that is proved."""


def gap_lines(plan: Plan, naming: Naming) -> tuple[GapLine, ...]:
    """The gaps of a plan: what several applications miss of the same people is one row, and so are
    people who miss the same.
    """
    by_subject: dict[tuple[GapSubject, _Circumstances], list[str]] = {}
    for row in plan.gaps or ():
        where = (row.certainty, tuple(row.steps), row.reason, row.proved)
        by_subject.setdefault((row.subject, where), []).append(row.application)
    alike: dict[tuple[tuple[str, ...], _Circumstances], list[GapSubject]] = {}
    for (subject, where), applications in by_subject.items():
        alike.setdefault((tuple(applications), where), []).append(subject)
    return tuple(
        GapLine(
            tuple(sorted(map(naming.application, applications))),
            tuple(tuple(_subject(subject, naming)) for subject in subjects),
            certainty,
            after_steps(steps),
            sentences.gap(reason),
            proved,
            (steps[0], steps[-1]) if steps else (0, 0),
            tuple((run[0], run[-1]) for run in _runs(steps)),
        )
        for (applications, (certainty, steps, reason, proved)), subjects in alike.items()
    )


def gap_phrase(row: GapRow, naming: Naming) -> Phrase:
    """One gap: the application, whom it misses, after which steps."""
    possibly = "possibly " if row.certainty is Certainty.POSSIBLE else ""
    return (
        naming.application(row.application),
        f": {possibly}",
        *_subject(row.subject, naming),
        f", {after_steps(row.steps)}",
    )


def _subject(subject: GapSubject, naming: Naming) -> Iterator[str | Name]:
    match subject.kind:
        case SubjectKind.EVERYONE:
            yield "everyone"
            yield " outside " if subject.excepted else " without a grant"
            for index, part in enumerate(subject.excepted):
                yield from (", ",) if index else ()
                yield naming.of(part.id)
        case SubjectKind.GROUP_MEMBERS:
            yield from ("members of ", naming.group(subject.id))
            for group in subject.together:
                yield from (" who are in ", naming.group(group), " too")
        case SubjectKind.POLICY_HOLDERS:
            yield from ("holders of ", Name(readable(subject.id), kind=NameKind.POLICY))
        case SubjectKind.USER | SubjectKind.MAILBOX:
            yield naming.person(subject.id)


def after_steps(steps: Sequence[int]) -> str:
    """`after step 3`, `after steps 3 to 5, 8`."""
    ranges = ", ".join(" to ".join(str(step) for step in run) for run in _runs(steps))
    return f"after step {ranges}" if len(steps) == 1 else f"after steps {ranges}"


def _runs(steps: Sequence[int]) -> list[list[int]]:
    """Steps that follow one another, as the first and the last of them; one alone once."""
    runs: list[list[int]] = []
    for step in steps:
        if runs and runs[-1][-1] == step - 1:
            runs[-1][1:] = [step]
        else:
            runs.append([step])
    return runs


def command(step: Step, naming: Naming) -> Command:
    """A step as it is shown: the exact text, and the names of what it is about."""
    return Command(
        step.id,
        step.provider,
        step.cmdlet,
        step.text,
        tuple(_about(step, naming)),
        step.reason,
        step.temporary,
    )


_TOLD = frozenset((StepReason.CLOSE_GLOBAL_EARLY, StepReason.CREATE_GUARD, StepReason.REMOVE_GUARD))
"""Reasons that the cmdlet and the names do not tell."""


def _about(step: Step, naming: Naming) -> Iterator[str | Name]:
    pieces = list(naming.address(step.address))
    shown = {piece.id.lower() for piece in pieces if isinstance(piece, Name)}
    yield from pieces
    for application in _applications(step.parameters.get("AppIds")):
        if application.lower() not in shown:
            yield from (", ", naming.application(application))
    if step.temporary or step.reason in _TOLD:
        yield f": {sentences.step(step.reason)}"
    if step.temporary:
        yield " (temporary)"


def _applications(value: Json) -> Iterator[str]:
    """The client ids in a parameter: a list, or lists to add and to remove."""
    match value:
        case dict():
            for members in value.values():
                yield from _applications(members)
        case list() | tuple():
            yield from (item for item in value if isinstance(item, str))
        case _:
            return
