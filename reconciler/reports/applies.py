"""What an apply did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.kinds.facts import facts, in_turn
from reconciler.model import figures
from reconciler.planning import continuing
from reconciler.reports import values
from reconciler.reports.lines import Line, Tone, counted
from reconciler.reports.outline import Chapter, Item, Outline, StepItem
from reconciler.reports.progress import error_class
from reconciler.reports.review import way
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.value import Name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.applying.deciding import WayOn
    from reconciler.model.applied import AccessCheck, Applied
    from reconciler.model.figures import Figures
    from reconciler.model.plans import Plan
    from reconciler.reports.outline import AnyItem
    from reconciler.reports.review.value import Phrase

MOST_STEPS = 20


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
            *_halfway(plan, value, naming, "" if value.refused or value.moved else resume),
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
            Item((f"{error_class(failure.fault)}: ", Name(failure.message)), 3, Tone.FAULT),
            Item((Name(failure.hint),), 3),
        ]
    yield Chapter((f"Failed: {counted(len(failures), 'step')}",), tuple(items), Tone.FAULT)


def refused_step(plan: Plan, remaining: WayOn) -> Iterator[Line]:
    """What was refused, and what going on without it means."""
    about = values.of(remaining.step.address, plan.names)
    depend = "depends" if remaining.left_out == 1 else "depend"
    yield Line(f"Step {remaining.step.id} was refused: {remaining.step.address}{about}", Tone.FAULT)
    yield Line(f"    {remaining.fault}: {remaining.message}", Tone.FAULT)
    yield Line(
        f"    {counted(len(remaining.remaining), 'step')} can go on without it;"
        f" {counted(remaining.left_out, 'step')} that {depend} on it would be left out."
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
