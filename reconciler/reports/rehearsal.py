"""A rehearsal, for a person or for a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.applying.rehearsing import Trouble
from reconciler.reports.lines import SIMULATED, Line, Tone, counted, heading
from reconciler.reports.review import way
from reconciler.reports.review.naming import Naming
from reconciler.reports.wrapping import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.applying.rehearsing import Rehearsal, RehearsalRun
    from reconciler.model.access_rows import GapRow
    from reconciler.model.plans import Plan

MOST = 20

_TITLES = {
    Trouble.NONE: "Nothing goes wrong",
    Trouble.STOPPED: "Stopped after a step",
    Trouble.LOST_BEFORE: "The answer is lost, and so is the write",
    Trouble.LOST_AFTER: "The answer is lost after the write took effect",
}


def rehearsal(plan: Plan, value: Rehearsal, *, where: str) -> Iterator[Line]:
    """What was tried, how it ended, and what is missing for whom wherever the plan may stop.

    `where`: on what tenant.
    """
    yield SIMULATED
    yield Line()
    yield Line(
        f"Rehearsed {counted(value.steps, 'step')} in {counted(len(value.runs), 'run')}, each on"
        f" its own copy of {where}."
    )
    yield from _extent(value)
    for trouble, title in _TITLES.items():
        yield from _tried(title, [run for run in value.runs if run.trouble is trouble])
    yield from _gaps(plan, value)
    yield from _faults(plan, value)
    yield Line()
    if value.passed:
        yield Line(
            "Rehearsal passed: every run ends in a state of the plan, and converges.", Tone.HEADING
        )
    else:
        yield Line(
            "Rehearsal failed: do not apply this plan until the failures above are understood.",
            Tone.FAULT,
        )


def rehearsal_value(value: Rehearsal, *, where: str) -> Mapping[str, Any]:
    """The same as a JSON value."""
    return {
        "already": value.already,
        "complete": value.complete,
        "passed": value.passed,
        "runs": [_run(run) for run in value.runs],
        "sampled": list(value.sampled),
        "steps": value.steps,
        "where": where,
    }


def _run(run: RehearsalRun) -> dict[str, Any]:
    return {
        "again": run.again,
        "as_it_must": run.as_it_must,
        "converged": run.converged,
        "gaps": list(run.gaps),
        "place": run.place,
        "said": run.said,
        "step": run.step,
        "trouble": run.trouble.value,
    }


def _extent(value: Rehearsal) -> Iterator[Line]:
    if value.already:
        yield Line(f"The tenant shows the first {counted(value.already, 'step')} already.")
    left = value.steps - value.already
    if value.sampled and not value.complete:
        chosen = ", ".join(map(str, value.sampled[:MOST])) + (
            " ..." if len(value.sampled) > MOST else ""
        )
        yield Line(
            f"Something goes wrong at {len(value.sampled)} of {counted(left, 'step')} ({chosen}):"
            " --most N tries more or fewer."
        )


def _tried(title: str, runs: Sequence[RehearsalRun]) -> Iterator[Line]:
    if not runs:
        return
    good = [run for run in runs if run.as_it_must]
    again = sum(run.again for run in good)
    ways = [f"{len(good) - again} at once"] if len(good) > again else []
    ways += [f"{again} when the same plan is applied again"] if again else []
    how = f" ({', '.join(ways)})" if good else ""
    yield Line(
        f"  {title}: {len(good)} of {len(runs)} converge{how}",
        Tone.ADD if len(good) == len(runs) else Tone.FAULT,
    )


def _gaps(plan: Plan, value: Rehearsal) -> Iterator[Line]:
    """Where the plan may stop with somebody missing what he has before and after."""
    if plan.gaps is None:
        yield from heading("Gaps: not computed")
        return
    stops = [run for run in value.runs if run.trouble is Trouble.STOPPED and run.gaps]
    if not stops:
        yield from heading(
            "Gaps: none; wherever it stops, nobody misses what is granted before and after"
        )
        return
    yield from heading("Gaps: if it stops here, somebody misses what is granted before and after")
    naming, layout = Naming.of_plan(plan), Layout()

    def gap_text(row: GapRow) -> str:
        return layout.text(way.gap_phrase(row, naming))

    for run in stops[:MOST]:
        yield Line(f"    after step {run.step} ({plan.steps[run.step - 1].address})", Tone.WARNING)
        for index in run.gaps[:MOST]:
            yield Line(f"      {gap_text(plan.gaps[index])}")
    if len(stops) > MOST:
        yield Line(f"    ... and after {len(stops) - MOST} more: --format json lists all")


def _faults(plan: Plan, value: Rehearsal) -> Iterator[Line]:
    bad = [run for run in value.runs if not run.as_it_must]
    if bad:
        yield from heading("Failed:")
    for run in bad[:MOST]:
        at = f" (step {run.step}: {plan.steps[run.step - 1].address})" if run.step else ""
        stood = (
            "in no state of the plan"
            if run.place is None
            else f"in the state after step {run.place}"
        )
        yield Line(
            f"    {_TITLES[run.trouble]}{at}: the run ended"
            f" {stood}{'' if run.converged else ', and it does not converge'}",
            Tone.FAULT,
        )
        if run.said:
            yield Line(f"      {run.said}", Tone.FAULT)
    if len(bad) > MOST:
        yield Line(f"    ... and {len(bad) - MOST} more: --format json lists all")
