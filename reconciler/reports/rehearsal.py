"""A rehearsal, for a person or for a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applying.rehearsing import Trouble
from reconciler.model.answers import RehearsalAnswer, RehearsedRun
from reconciler.reports.lines import Tone, counted
from reconciler.reports.outline import Chapter, Item, Outline
from reconciler.reports.review import way
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.value import Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.applying.rehearsing import Rehearsal, RehearsalRun
    from reconciler.model.plans import Plan

MOST = 20

_TITLES = {
    Trouble.NONE: "Nothing goes wrong",
    Trouble.STOPPED: "Stopped after a step",
    Trouble.LOST_BEFORE: "The answer is lost, and so is the write",
    Trouble.LOST_AFTER: "The answer is lost after the write took effect",
}


def rehearsal_outline(plan: Plan, value: Rehearsal, *, where: str) -> Outline:
    """What was tried, how it ended, and what is missing for whom wherever the plan may stop.

    `where`: on what tenant.
    """
    tried = counted(len(value.runs), "run")
    passed = "Rehearsal passed: every run ends in a state of the plan, and converges."
    failed = "Rehearsal failed: do not apply this plan until the failures above are understood."
    return Outline(
        command="rehearse",
        simulated=True,
        tenant_id=plan.tenant.tenant_id,
        headline=(
            f"Rehearsed {counted(value.steps, 'step')} in {tried}, each on its own copy of ",
            Name(where),
            ".",
        ),
        details=tuple(_details(value)),
        chapters=(_gaps(plan, value), *_faults(plan, value)),
        closing=(passed if value.passed else failed,),
        closing_tone=Tone.HEADING if value.passed else Tone.FAULT,
    )


def rehearsal_answer(value: Rehearsal, *, where: str) -> RehearsalAnswer:
    """The same for a machine."""
    return RehearsalAnswer(
        already=value.already,
        complete=value.complete,
        passed=value.passed,
        runs=tuple(map(_run, value.runs)),
        sampled=value.sampled,
        steps=value.steps,
        where=where,
    )


def _run(run: RehearsalRun) -> RehearsedRun:
    return RehearsedRun(
        again=run.again,
        as_it_must=run.as_it_must,
        converged=run.converged,
        gaps=run.gaps,
        place=run.place,
        said=run.said,
        step=run.step,
        trouble=run.trouble.value,
    )


def _details(value: Rehearsal) -> Iterator[Item]:
    if value.already:
        yield Item((f"The tenant shows the first {counted(value.already, 'step')} already.",))
    left = value.steps - value.already
    if value.sampled and not value.complete:
        chosen = ", ".join(map(str, value.sampled[:MOST])) + (
            " ..." if len(value.sampled) > MOST else ""
        )
        yield Item(
            (
                (
                    f"Something goes wrong at {len(value.sampled)} of {counted(left, 'step')} ({chosen}):"
                    " --most N tries more or fewer."
                ),
            )
        )
    for trouble, title in _TITLES.items():
        yield from _tried(title, [run for run in value.runs if run.trouble is trouble])


def _tried(title: str, runs: Sequence[RehearsalRun]) -> Iterator[Item]:
    if not runs:
        return
    good = [run for run in runs if run.as_it_must]
    again = sum(run.again for run in good)
    ways = [f"{len(good) - again} at once"] if len(good) > again else []
    ways += [f"{again} when the same plan is applied again"] if again else []
    how = f" ({', '.join(ways)})" if good else ""
    yield Item(
        (f"{title}: {len(good)} of {len(runs)} converge{how}",),
        tone=Tone.ADD if len(good) == len(runs) else Tone.FAULT,
    )


def _gaps(plan: Plan, value: Rehearsal) -> Chapter:
    """Where the plan may stop with somebody missing what he has before and after."""
    if plan.gaps is None:
        return Chapter(("Gaps: not computed",))
    stops = [run for run in value.runs if run.trouble is Trouble.STOPPED and run.gaps]
    if not stops:
        return Chapter(
            ("Gaps: none; wherever it stops, nobody misses what is granted before and after",)
        )
    return Chapter(
        ("Gaps: if it stops here, somebody misses what is granted before and after",),
        tuple(_gap_items(plan, stops)),
    )


def _gap_items(plan: Plan, stops: Sequence[RehearsalRun]) -> Iterator[Item]:
    naming = Naming.of_plan(plan)
    for run in stops[:MOST]:
        step = plan.steps[run.step - 1]
        about = naming.address(step.address)
        yield Item((f"after step {run.step} (", *about, ")"), 2, Tone.WARNING)
        for index in run.gaps[:MOST]:
            yield Item(way.gap_phrase((plan.gaps or ())[index], naming), 3)
    if len(stops) > MOST:
        yield Item((f"... and after {len(stops) - MOST} more: --format json lists all",), 2)


def _faults(plan: Plan, value: Rehearsal) -> Iterator[Chapter]:
    bad = [run for run in value.runs if not run.as_it_must]
    if not bad:
        return
    items = [item for run in bad[:MOST] for item in _fault(plan, run)]
    if len(bad) > MOST:
        items.append(Item((f"... and {len(bad) - MOST} more: --format json lists all",), 2))
    yield Chapter(("Failed:",), tuple(items))


def _fault(plan: Plan, run: RehearsalRun) -> Iterator[Item]:
    stood = "in no state of the plan"
    if run.place is not None:
        stood = f"in the state after step {run.place}"
    at: tuple[str | Name, ...] = ()
    if run.step:
        at = (f" (step {run.step}: ", Name(plan.steps[run.step - 1].address), ")")
    tail = "" if run.converged else ", and it does not converge"
    yield Item((_TITLES[run.trouble], *at, f": the run ended {stood}{tail}"), 2, Tone.FAULT)
    if run.said:
        yield Item((Name(run.said),), 3, Tone.FAULT)
