"""What an apply tells on its way, one line for each event, and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.applying.events import (
    CheckingPlan,
    EndingProcess,
    JournalIgnored,
    PlanLocated,
    ReadingReason,
    ReadingTenant,
    Retrying,
    Settling,
    SharedStateDirectory,
    StepDone,
    StepFailed,
    StepStarted,
    WaitingForHost,
    WaitingForLock,
    WaitingForProcess,
    WaitingToReadAgain,
    WentOn,
)
from reconciler.kinds.facts import facts, in_turn
from reconciler.model import figures
from reconciler.planning import continuing
from reconciler.reports import values
from reconciler.reports.lines import SIMULATED, Line, Tone, counted, heading, paragraph
from reconciler.reports.plans import command_line
from reconciler.reports.review import way
from reconciler.reports.review.naming import Naming
from reconciler.reports.wrapping import Layout
from reconciler.tenants.protocol import Fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.applying.deciding import WayOn
    from reconciler.applying.events import Event
    from reconciler.model.applied import AccessCheck, Applied
    from reconciler.model.figures import Figures
    from reconciler.model.plans import Plan, Step

MOST_STEPS = 20

PURPOSES: Mapping[ReadingReason, str] = {
    ReadingReason.BASELINE: "to check that nothing has changed since the plan",
    ReadingReason.LOOKUP: "to look up what the next step names",
    ReadingReason.REMOVAL: "before a removal",
    ReadingReason.WIDENING: "before its first step that may let somebody in",
    ReadingReason.GROUP: "after a group step",
    ReadingReason.NAME: "after a step that names a policy with special characters",
    ReadingReason.RETRIED: "before trying a step again",
    ReadingReason.INTERVAL: "because some minutes have passed",
    ReadingReason.OUTCOME: "to see whether a step took effect",
    ReadingReason.VERIFY: "to verify the outcome",
    ReadingReason.CHECK: "to ask Exchange itself about what changed",
}


def applied(
    plan: Plan,
    value: Applied,
    *,
    simulated: bool,
    tests: Iterable[Line] = (),
    verified: bool = True,
    resume: str = "",
) -> Iterator[Line]:
    """What was done, what was not, whether the tenant shows it, how the access tests came out
    (`tests`), and what to do next.

    `verified` False: the access tests did not pass. `resume`: the command that applies the same
    plan again; empty if it is in no file.
    """
    if simulated:
        yield SIMULATED
    yield from _stopped(plan, value)
    yield from _outcome(value)
    yield from _checks(plan, value)
    if not simulated and value.done:
        yield from _propagation(plan, value)
    yield from tests
    yield from _halfway(plan, value, "" if value.refused else resume)
    yield from _closing(plan, value, verified=verified)


def _closing(plan: Plan, value: Applied, *, verified: bool) -> Iterator[Line]:
    """Terraform's last line, only if the apply is what it says: complete and verified."""
    yield Line()
    done = _made(figures.apply_figures(plan, value))
    if not value.complete:
        tried = len(value.done) + value.already
        steps = counted(len(plan.steps), "step")
        how = "Applied in part" if _went_to_its_end(value) else "Apply stopped"
        yield Line(f"{how}: {tried} of {steps} done. {done}", Tone.FAULT)
    elif value.converged and verified:
        yield Line(f"Apply complete! {done}", Tone.HEADING)
    else:
        yield Line(f"Applied, but not verified. {done}", Tone.FAULT)


def _halfway(plan: Plan, value: Applied, resume: str) -> Iterator[Line]:
    """Groups whose policy was taken away and not granted again yet: only this plan knows the rank."""
    done = {*range(1, value.already + 1), *value.done}
    for drop, step in continuing.halfway(plan.steps, done):
        group = f"{step.address}{values.of(step.address, plan.names)}"
        yield from heading(
            f"{group} lost its policy in step {drop.id}, and step {step.id}, which grants a policy at"
            f" rank {step.parameters.get('Rank')}, is not done."
        )
        if resume:
            yield Line("    Resume this plan: a new one may rank the group last.", Tone.WARNING)
            yield Line(f"    {resume}")
        else:
            yield Line(
                "    This plan cannot be resumed, and a new one may rank the group last: run step"
                f" {step.id} yourself, then plan again.",
                Tone.WARNING,
            )
            yield Line(f"    {step.text}")


def _made(counts: Figures) -> str:
    policies, grants = counts.policies, counts.grants
    return (
        f"Policies: {policies.created} added, {policies.updated} changed, {policies.deleted}"
        f" destroyed. Grants: {grants.created} added, {grants.updated} moved, {grants.deleted}"
        " removed."
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
            plan.names.get(object_id, object_id) for object_id in (check.application, check.mailbox)
        )
        yield Line(
            f"    {application} for {mailbox}: {_answer(check)}",
            Tone.PLAIN if check.granted is check.expected else Tone.WARNING,
        )


def _answer(check: AccessCheck) -> str:
    """What was said, and what to do if it is not what the policies mean."""
    meant = "granted" if check.expected else "denied"
    if check.granted is None:
        return f"not understood: {check.text}; expected {meant}: ask Test-ApplicationAccessPolicy yourself"
    answer = "granted" if check.granted else "denied"
    if check.granted is check.expected:
        return answer
    return f"{answer}, expected {meant}: Exchange may lag by half an hour; check again later"


def _propagation(plan: Plan, value: Applied) -> Iterator[Line]:
    """When applications notice: nothing here waits for it."""
    products = {step.provider for step in plan.steps if step.id in frozenset(value.done)}
    yield from heading("Changes take effect later than they are configured:")
    for name in in_turn():
        if name in products:
            yield Line(f"    {facts(name).title}: {facts(name).propagation}")


def _went_to_its_end(value: Applied) -> bool:
    """Whether everything was tried, but what depends on refused steps."""
    return value.failed is None and value.unknown is None and not value.not_tried


def _stopped(plan: Plan, value: Applied) -> Iterator[Line]:
    if value.complete:
        return
    yield from _group("Done before this run", plan, range(1, value.already + 1))
    yield from _group("Done", plan, value.done)
    yield from _failures(plan, value)
    yield from _group(
        "Left out, because they depend on a failed step", plan, value.left_out, Tone.WARNING
    )
    if value.unknown is not None:
        yield from _group(
            "Unknown: no answer came, and the tenant does not show it (yet)",
            plan,
            (value.unknown,),
            Tone.FAULT,
        )
        yield Line(
            "      Plan again later: a new plan reads the tenant first."
            if value.refused
            else "      Apply the same plan again: it reads the tenant first and continues from there."
        )
    yield from _group("Not tried", plan, value.not_tried)
    if value.refused:
        yield from heading(
            "This plan cannot be resumed. Correct what the service refused, or hold it with --skip;"
            " then plan again: the new plan has what is left."
        )


def _group(
    title: str, plan: Plan, ids: Collection[int], tone: Tone = Tone.HEADING
) -> Iterator[Line]:
    if not ids:
        return
    yield Line()
    yield Line(f"{title}: {counted(len(ids), 'step')}", tone)
    chosen = frozenset(ids)
    steps = [step for step in plan.steps if step.id in chosen]
    yield from _commands(steps, plan.names)


def _commands(steps: Sequence[Step], names: Mapping[str, str]) -> Iterator[Line]:
    width = len(str(steps[-1].id)) if steps else 0
    naming, layout = Naming(names), Layout()
    for step in steps[:MOST_STEPS]:
        yield command_line(way.command(step, naming), layout, width)
    if len(steps) > MOST_STEPS:
        yield Line(f"    ... and {len(steps) - MOST_STEPS} more")


def _failures(plan: Plan, value: Applied) -> Iterator[Line]:
    """Every failed step with the names of what it is about, and the service's own words."""
    failures = (*value.refused, *(() if value.failed is None else (value.failed,)))
    if not failures:
        return
    yield Line()
    yield Line(f"Failed: {counted(len(failures), 'step')}", Tone.FAULT)
    steps = {step.id: step for step in plan.steps}
    width = len(str(failures[-1].step))
    naming, layout = Naming.of_plan(plan), Layout()
    for failure in failures:
        yield command_line(way.command(steps[failure.step], naming), layout, width)
        yield Line(f"      {failure.address}{values.of(failure.address, plan.names)}")
        yield Line(f"      {_class(failure.fault)}: {failure.message}", Tone.FAULT)
        yield Line(f"      {failure.hint}")


def refused_step(plan: Plan, remaining: WayOn) -> Iterator[Line]:
    """What was refused, and what going on without it means."""
    about = values.of(remaining.step.address, plan.names)
    yield Line(f"Step {remaining.step.id} was refused: {remaining.step.address}{about}", Tone.FAULT)
    yield Line(f"    {remaining.fault}: {remaining.message}", Tone.FAULT)
    yield Line(
        f"    {counted(len(remaining.remaining), 'step')} can go on without it;"
        f" {counted(remaining.left_out, 'step')} that depend on it would be left out."
    )
    yield Line("    A plan that goes on cannot be resumed: what is left takes a new plan.")


def _outcome(value: Applied) -> Iterator[Line]:
    if value.trouble:
        yield from heading("Error:")
        yield from paragraph(value.trouble, "    ", Tone.FAULT)
    if value.converged:
        yield from heading(
            "Converged: the tenant, read again, is in the state that the plan leads to."
        )
    elif _went_to_its_end(value) and not (value.moved or value.trouble) and value.refused:
        yield from heading(
            "The tenant, read again, shows what was done, and nothing of what was refused."
        )
    elif value.complete or value.moved:
        yield from heading(
            "Not verified: the tenant, read again, is not in the state that the plan leads to."
        )
        for address in value.moved:
            yield Line(f"    {address}", Tone.FAULT)
        again = "plan again" if value.refused else "apply the same plan again, or make a new plan"
        yield Line(f"    Wait until the service shows its own writes, then {again}.")


def progress_line(event: Event, steps: int) -> Line:  # noqa: C901, PLR0911, PLR0912  one sentence each
    """One event on one line; `steps` is the number of steps of the plan."""
    match event:
        case ReadingTenant():
            return Line(
                f"Reading {' and '.join(sorted(event.products)) or 'the directory'}"
                f" {PURPOSES[event.why]}."
            )
        case CheckingPlan():
            return Line(f"Checking the {counted(event.steps, 'step')} of the plan.")
        case PlanLocated():
            return Line(_located(event))
        case StepStarted():
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return Line(
                f"[{event.step.id}/{steps}] {event.step.cmdlet} for {event.step.address}{again}"
            )
        case StepDone():
            seen = "; no answer came, but the tenant shows it" if event.seen else ""
            return Line(
                f"[{event.step.id}/{steps}] done after {event.seconds:.1f} s{seen}", Tone.ADD
            )
        case StepFailed():
            text = f"[{event.step.id}/{steps}] {_class(event.fault)}: {event.message}"
            return Line(text, Tone.FAULT)
        case WentOn():
            others = counted(event.left_out, "step")
            dependent = f", and without {others} that depend on it" if event.left_out else ""
            return Line(
                f"[{event.step.id}/{steps}] Going on without this step{dependent}.", Tone.WARNING
            )
        case Retrying():
            return Line(
                f"[{event.step.id}/{steps}] {_class(event.fault)}: {event.message} Trying again in"
                f" {event.seconds:.0f} s.",
                Tone.WARNING,
            )
        case WaitingToReadAgain():
            return Line(
                f"Not visible yet. Reading again in {event.seconds:.0f} s {PURPOSES[event.why]},"
                f" {event.left} times at most.",
                Tone.WARNING,
            )
        case WaitingForProcess():
            text = (
                f"Process {_numbers(event.pids)} of an earlier apply is still running and may be"
                f" writing. Checking again in {event.seconds:.0f} s."
            )
            return Line(text, Tone.WARNING)
        case WaitingForLock():
            text = f"Another apply of this tenant is running: {event.who}. Waiting"
            return Line(f"{text} {event.left:.0f} s at most.", Tone.WARNING)
        case WaitingForHost():
            text = (
                f"An earlier apply did not end by itself: {event.who}. What it sent may still be"
                f" running; waiting {event.seconds:.0f} s."
            )
            return Line(text, Tone.WARNING)
        case SharedStateDirectory():
            text = (
                f"{event.directory} is on a file system that machines share ({event.kind}): an apply"
                " on another one may not see its lock. Keep RECONCILER_STATE_DIR on a local disk."
            )
            return Line(text, Tone.WARNING)
        case JournalIgnored():
            text = f"Ignoring {event.path}, the journal of an earlier apply: {event.why}."
            return Line(text, Tone.WARNING)
        case EndingProcess():
            return Line(
                f"Process {_numbers(event.pids)} of an earlier apply did not exit; terminating it.",
                Tone.WARNING,
            )
        case Settling():
            text = (
                f"Step {event.step.id} relies on step {event.on}: giving the service"
                f" {event.seconds / 60:.0f} more minutes to enforce it."
            )
            return Line(text, Tone.WARNING)
    assert_never(event)


def _class(fault: str) -> str:
    """The class of a service's error, as a person reads it before the service's own text."""
    return "not understood" if fault == Fault.UNKNOWN else fault


def _numbers(pids: tuple[int, ...]) -> str:
    return " and ".join(map(str, pids))


def pace_line(done: int, seconds: float, left: int) -> Line:
    """How fast `done` steps went that took so many seconds, and how long as many as are `left` will
    take.
    """
    each = seconds / done
    remaining = (
        f"{each * left / 60:.0f} minutes" if each * left >= 2 * 60 else f"{each * left:.0f} s"
    )
    return Line(
        f"    {60 / max(each, 1e-3):.0f} steps a minute; about {remaining} for the other {left}"
    )


def _located(event: PlanLocated) -> str:
    if event.already:
        return f"{event.already} of {counted(event.steps, 'step')} already done; continuing from there."
    return "Nothing has changed since the plan was made."
