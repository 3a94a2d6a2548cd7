"""What an apply did, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports import counts
from reconciler.reports.lines import Line, Tone, counted, heading, paragraph
from reconciler.reports.plans import SIMULATED, command

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.model.applied import Applied, StepFailure
    from reconciler.model.plans import Plan, Step

MOST_STEPS = 20


def applied(
    plan: Plan, value: Applied, *, simulated: bool, tests: Iterable[Line] = ()
) -> Iterator[Line]:
    """What was done, what was not, whether the tenant shows it, how the access tests came out
    (`tests`), and what to do next.
    """
    if simulated:
        yield SIMULATED
    yield from _stopped(plan, value)
    yield from _outcome(value)
    yield from _checks(plan, value)
    if not simulated and value.done:
        yield from _propagation(plan, value)
    yield from tests
    yield Line()
    if _complete(value):
        done = counts.made(plan, value)
        yield Line(
            f"Apply complete! Resources: {done.created} added, {done.updated} changed,"
            f" {done.deleted} destroyed.",
            Tone.HEADING,
        )
    else:
        tried = len(value.done) + value.already
        yield Line(
            f"Apply stopped: {tried} of {counted(len(plan.steps), 'step')} done.", Tone.FAULT
        )


def _checks(plan: Plan, value: Applied) -> Iterator[Line]:
    """What Exchange says itself: about what is configured, not about what is in effect."""
    if not value.checks:
        return
    yield from heading(
        "Exchange itself, asked for a mailbox inside and one outside"
        " (Test-ApplicationAccessPolicy):"
    )
    for check in value.checks:
        application, mailbox = (
            plan.names.get(one, one) for one in (check.application, check.mailbox)
        )
        said = {True: "granted", False: "denied", None: "does not say"}[check.granted]
        meant = "granted" if check.expected else "denied"
        agrees = check.granted is check.expected
        rest = (
            ""
            if agrees
            else f", the policies mean {meant}: it may lag half an hour behind, ask again then"
        )
        yield Line(
            f"    {application} for {mailbox}: {said}{rest}", Tone.PLAIN if agrees else Tone.WARNING
        )


def _propagation(plan: Plan, value: Applied) -> Iterator[Line]:
    """When applications notice: nothing here waits for it."""
    products = {step.provider for step in plan.steps if step.id in frozenset(value.done)}
    yield from heading("In effect later than configured:")
    if "exchange" in products:
        yield Line(
            "    Exchange: usually after 15 to 60 minutes, maybe hours; also for what was taken"
            " away."
        )
    if "teams" in products:
        yield Line(
            "    Teams: up to 30 minutes, through groups up to a day or more; also for what was"
            " taken away."
        )


def _complete(value: Applied) -> bool:
    return value.failed is None and value.unknown is None and not value.not_tried


def _stopped(plan: Plan, value: Applied) -> Iterator[Line]:
    if _complete(value):
        return
    yield from _group("Done before this run", plan, range(1, value.already + 1))
    yield from _group("Done", plan, value.done)
    if value.failed is not None:
        yield from _group("Failed", plan, (value.failed.step,), Tone.FAULT)
        yield from _failure(value.failed)
    if value.unknown is not None:
        yield from _group(
            "Unknown: no answer came, and the tenant does not show it (yet)",
            plan,
            (value.unknown,),
            Tone.FAULT,
        )
        yield Line(
            "      Apply the same plan again: it reads the tenant first and goes on where that"
            " stands."
        )
    yield from _group("Not tried", plan, value.not_tried)


def _group(
    title: str, plan: Plan, ids: Collection[int], tone: Tone = Tone.HEADING
) -> Iterator[Line]:
    if not ids:
        return
    yield Line()
    yield Line(f"{title}: {counted(len(ids), 'step')}", tone)
    chosen = frozenset(ids)
    steps = [step for step in plan.steps if step.id in chosen]
    yield from _commands(steps)


def _commands(steps: list[Step]) -> Iterator[Line]:
    width = len(str(steps[-1].id)) if steps else 0
    for step in steps[:MOST_STEPS]:
        yield from command(step, width)
    if len(steps) > MOST_STEPS:
        yield Line(f"    ... and {len(steps) - MOST_STEPS} more")


def _failure(failure: StepFailure) -> Iterator[Line]:
    yield Line(f"      {failure.fault}: {failure.message}", Tone.FAULT)
    yield Line(f"      {failure.hint}")


def _outcome(value: Applied) -> Iterator[Line]:
    if value.trouble:
        yield from heading("Trouble:")
        yield from paragraph(value.trouble, "    ", Tone.FAULT)
    if value.converged:
        yield from heading(
            "Converged: the tenant, read again, is in the state that the plan leads to."
        )
    elif _complete(value) or value.moved:
        yield from heading(
            "Not verified: the tenant, read again, is not in the state that the plan leads to."
        )
        for address in value.moved:
            yield Line(f"    {address}", Tone.FAULT)
        yield Line(
            "    Wait until the service shows its own writes, then apply the same plan again, or"
            " plan anew."
        )
