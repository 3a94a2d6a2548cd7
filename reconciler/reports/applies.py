"""What an apply tells on its way, one line for each event, and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec.structs import replace

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
from reconciler.reports.lines import Line, Tone, counted
from reconciler.reports.outline import Chapter, Item, Outline, StepItem
from reconciler.reports.review import way
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.value import Name
from reconciler.tenants.protocol import Fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.applying.deciding import WayOn
    from reconciler.applying.events import Event
    from reconciler.model.applied import AccessCheck, Applied
    from reconciler.model.figures import Figures
    from reconciler.model.plans import Plan
    from reconciler.reports.outline import AnyItem
    from reconciler.reports.review.value import Phrase

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


def apply_outline(
    plan: Plan,
    value: Applied,
    *,
    simulated: bool,
    tests: Chapter | None = None,
    verified: bool = True,
    resume: str = "",
) -> Outline:
    """What was done, what was not, whether the tenant shows it, how the access tests came out
    (`tests`), and what to do next.

    `verified` False: the access tests did not pass. `resume`: the command that applies the same
    plan again; empty if it is in no file.
    """
    naming = Naming.of_plan(plan)
    closing, tone = _closing(plan, value, verified=verified)
    return Outline(
        command="apply",
        simulated=simulated,
        tenant_id=plan.tenant.tenant_id,
        chapters=(
            *_stopped(plan, value, naming),
            *_outcome(value),
            *_checks(value, naming),
            *(_propagation(plan, value) if not simulated and value.done else ()),
            *(() if tests is None else (tests,)),
            *_halfway(plan, value, naming, "" if value.refused else resume),
        ),
        closing=closing,
        closing_tone=tone,
    )


def _closing(plan: Plan, value: Applied, *, verified: bool) -> tuple[Phrase, Tone]:
    """Terraform's last line, only if the apply is what it says: complete and verified."""
    done = _made(figures.apply_figures(plan, value))
    if not value.complete:
        tried = len(value.done) + value.already
        steps = counted(len(plan.steps), "step")
        how = "Applied in part" if _went_to_its_end(value) else "Apply stopped"
        return (f"{how}: {tried} of {steps} done. {done}",), Tone.FAULT
    if value.converged and verified:
        return (f"Apply complete! {done}",), Tone.HEADING
    return (f"Applied, but not verified. {done}",), Tone.FAULT


def _halfway(plan: Plan, value: Applied, naming: Naming, resume: str) -> Iterator[Chapter]:
    """Groups whose policy was taken away and not granted again yet: only this plan knows the rank."""
    done = {*range(1, value.already + 1), *value.done}
    for drop, step in continuing.halfway(plan.steps, done):
        title: Phrase = (
            *naming.address(step.address),
            (
                f" lost its policy in step {drop.id}, and step {step.id}, which grants a policy at rank"
                f" {step.parameters.get('Rank')}, is not done."
            ),
        )
        advice = "Resume this plan: a new one may rank the group last."
        if not resume:
            advice = (
                "This plan cannot be resumed, and a new one may rank the group last: run step"
                f" {step.id} yourself, then plan again."
            )
        typed = Item((Name(resume),), 2) if resume else StepItem(way.command(step, naming))
        yield Chapter(title, (Item((advice,), 2, Tone.WARNING), typed))


def _made(counts: Figures) -> str:
    policies, grants = counts.policies, counts.grants
    return (
        f"Policies: {policies.created} added, {policies.updated} changed, {policies.deleted}"
        f" destroyed. Grants: {grants.created} added, {grants.updated} moved, {grants.deleted}"
        " removed."
    )


def _checks(value: Applied, naming: Naming) -> Iterator[Chapter]:
    """What Exchange says itself: about what is configured, not about what is in effect."""
    if value.checks:
        yield Chapter(
            (
                (
                    "Exchange itself, asked for a mailbox inside and one outside"
                    " (Test-ApplicationAccessPolicy):"
                ),
            ),
            tuple(_check(check, naming) for check in value.checks),
        )


def _check(check: AccessCheck, naming: Naming) -> Item:
    tone = Tone.PLAIN if check.granted is check.expected else Tone.WARNING
    application = naming.application(check.application)
    return Item(
        (application, " for ", naming.person(check.mailbox), ": ", *_answer(check)), 2, tone
    )


def _answer(check: AccessCheck) -> Phrase:
    """What was said, and what to do if it is not what the policies mean."""
    meant = "granted" if check.expected else "denied"
    if check.granted is None:
        ask = f"; expected {meant}: ask Test-ApplicationAccessPolicy yourself"
        return ("not understood: ", Name(check.text), ask)
    answer = "granted" if check.granted else "denied"
    if check.granted is check.expected:
        return (answer,)
    return (f"{answer}, expected {meant}: Exchange may lag by half an hour; check again later",)


def _propagation(plan: Plan, value: Applied) -> Iterator[Chapter]:
    """When applications notice: nothing here waits for it."""
    products = {step.provider for step in plan.steps if step.id in frozenset(value.done)}
    concerned = [facts(name) for name in in_turn() if name in products]
    yield Chapter(
        ("Changes take effect later than they are configured:",),
        tuple(Item((f"{product.title}: {product.propagation}",), 2) for product in concerned),
    )


def _went_to_its_end(value: Applied) -> bool:
    """Whether everything was tried, but what depends on refused steps."""
    return value.failed is None and value.unknown is None and not value.not_tried


def _stopped(plan: Plan, value: Applied, naming: Naming) -> Iterator[Chapter]:
    if value.complete:
        return
    before = range(1, value.already + 1)
    yield from _group(("Done before this run",), plan, naming, before)
    yield from _group(("Done",), plan, naming, value.done)
    yield from _failures(plan, value, naming)
    left_out = "Left out, because they depend on a failed step"
    yield from _group((left_out,), plan, naming, value.left_out, Tone.WARNING)
    yield from _unknown(plan, value, naming)
    yield from _group(("Not tried",), plan, naming, value.not_tried)
    if value.refused:
        yield Chapter(
            (
                (
                    "This plan cannot be resumed. Correct what the service refused, or hold it with"
                    " --skip; then plan again: the new plan has what is left."
                ),
            )
        )


def _unknown(plan: Plan, value: Applied, naming: Naming) -> Iterator[Chapter]:
    if value.unknown is None:
        return
    title = "Unknown: no answer came, and the tenant does not show it (yet)"
    advice = "Apply the same plan again: it reads the tenant first and continues from there."
    if value.refused:
        advice = "Plan again later: a new plan reads the tenant first."
    for chapter in _group((title,), plan, naming, (value.unknown,), Tone.FAULT):
        yield replace(chapter, items=(*chapter.items, Item((advice,), 3)))


def _group(
    title: Phrase, plan: Plan, naming: Naming, ids: Collection[int], tone: Tone = Tone.HEADING
) -> Iterator[Chapter]:
    if not ids:
        return
    chosen = frozenset(ids)
    steps = [step for step in plan.steps if step.id in chosen]
    items: list[AnyItem] = [StepItem(way.command(step, naming)) for step in steps[:MOST_STEPS]]
    if len(steps) > MOST_STEPS:
        items.append(Item((f"... and {len(steps) - MOST_STEPS} more",), 2))
    yield Chapter((*title, f": {counted(len(ids), 'step')}"), tuple(items), tone)


def _failures(plan: Plan, value: Applied, naming: Naming) -> Iterator[Chapter]:
    """Every failed step with the names of what it is about, and the service's own words."""
    failures = (*value.refused, *(() if value.failed is None else (value.failed,)))
    if not failures:
        return
    steps = {step.id: step for step in plan.steps}
    items: list[AnyItem] = []
    for failure in failures:
        items += [
            StepItem(way.command(steps[failure.step], naming)),
            Item((Name(f"{failure.address}{values.of(failure.address, plan.names)}"),), 3),
            Item((f"{_class(failure.fault)}: ", Name(failure.message)), 3, Tone.FAULT),
            Item((Name(failure.hint),), 3),
        ]
    yield Chapter((f"Failed: {counted(len(failures), 'step')}",), tuple(items), Tone.FAULT)


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


def _outcome(value: Applied) -> Iterator[Chapter]:
    if value.trouble:
        first, *others = value.trouble.split("\n")
        items = [Item((Name(first),), 2, Tone.FAULT)]
        items += [Item((Name(line),), 3, Tone.FAULT) for line in others]
        yield Chapter(("Error:",), tuple(items))
    if value.converged:
        yield Chapter(
            ("Converged: the tenant, read again, is in the state that the plan leads to.",)
        )
    elif _went_to_its_end(value) and not (value.moved or value.trouble) and value.refused:
        yield Chapter(
            ("The tenant, read again, shows what was done, and nothing of what was refused.",)
        )
    elif value.complete or value.moved:
        again = "plan again" if value.refused else "apply the same plan again, or make a new plan"
        advice = f"Wait until the service shows its own writes, then {again}."
        yield Chapter(
            ("Not verified: the tenant, read again, is not in the state that the plan leads to.",),
            (*(Item((Name(text),), 2, Tone.FAULT) for text in value.moved), Item((advice,), 2)),
        )


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
