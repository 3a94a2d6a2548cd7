"""Who misses on the way through a plan what it has before and after: applications, people, steps,
why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.reports import sentences, values
from reconciler.reports.lines import Line, Tone, capped, counted, heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.plans import Plan

MOST = 20


def gaps(plan: Plan) -> Iterator[Line]:
    """The gaps of a plan, those of one cause together; nothing if there are none."""
    rows = cast("Sequence[Mapping[str, Json]]", plan.gaps or ())
    if rows:
        yield from heading(
            f"Gaps: {counted(len(rows), 'application misses', 'rows of applications that miss')}"
            " somebody on the way only"
        )
    for reason, proved in sorted({(str(row["reason"]), bool(row["proved"])) for row in rows}):
        alike = [row for row in rows if (row["reason"], row["proved"]) == (reason, proved)]
        yield Line(
            f"    {_capital(sentences.gap(reason))} ({'proved' if proved else 'not proved'}):",
            Tone.WARNING,
        )
        yield from capped(alike, MOST, lambda row: Line(f"      {sentence(row, plan.names)}"))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def sentence(row: Mapping[str, Json], names: Mapping[str, str]) -> str:
    """One gap: the application, whom it misses, after which steps."""
    application = str(row["application"])
    which = (
        "every application without a policy of its own"
        if application == "*"
        else values.named(application, names)
    )
    possibly = "" if row["certainty"] == "certain" else "some of "
    subject = _subject(cast("Mapping[str, Json]", row["subject"]), names)
    return f"{which}: {possibly}{subject}, after {_steps(cast('Sequence[int]', row['steps']))}"


def _subject(subject: Mapping[str, Json], names: Mapping[str, str]) -> str:
    known = values.named(str(subject.get("id", "")), names)
    beside = "".join(
        f" who are in {values.named(str(other), names)} too"
        for other in cast("Sequence[str]", subject.get("and", ()))
    )
    match subject["kind"]:
        case "everyone":
            excepted = [
                str(part["id"])
                for part in cast("Sequence[Mapping[str, str]]", subject.get("except", ()))
            ]
            return "everyone" + (
                f" outside {values.listed(list(excepted), names)}"
                if excepted
                else " without a grant"
            )
        case "group-members":
            return f"members of {known}{beside}"
        case "policy-holders":
            return f"holders of the policy {known}"
        case _:
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
