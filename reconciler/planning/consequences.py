"""What follows from a plan's baseline and steps, whatever else its file says: what changes, who
gains and loses access, which consents that takes, whether it is applicable.

Whoever seals a plan file again after changing it has correct digests. That the file agrees with
itself is what this proves. What does not follow from baseline and steps (totals that limits are held
against, results of access tests, sizes of groups, names) is covered by the digests alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import TamperedPlan
from reconciler.kinds.products import PRODUCTS
from reconciler.model.access_rows import AccessDelta, Direction, SubjectKind, UnpopulatedRow
from reconciler.model.addresses import application_address, provider_of
from reconciler.model.codes import STILL_OPEN, RefusalRule, WarningCode
from reconciler.model.plans import Action
from reconciler.planning import checking
from reconciler.planning.prefixes import advance, baseline_snapshot
from reconciler.planning.serial import summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.kinds.access_bounds import AccessBounds, Reached, RowBounds
    from reconciler.kinds.snapshots import Snapshot
    from reconciler.model.access_rows import AccessRow
    from reconciler.model.addresses import Provider
    from reconciler.model.baselines import Baseline
    from reconciler.model.plans import Change, Plan, Step


def prove_consequences(plan: Plan) -> None:
    """Prove that a plan file agrees with itself.

    Raises:
        TamperedPlan: it does not. The message names the first member that does not.
    """
    for disagreement in _disagreements(plan):
        raise TamperedPlan(
            f"{disagreement}. The file was changed after planning; plan again and review it again"
        )


def unpopulated(
    baseline: Baseline, steps: Sequence[Step], access: AccessDelta
) -> tuple[UnpopulatedRow, ...]:
    """Groups whose members gain or lose an application by the steps, and that no row of the delta
    names, because the reading knows that nobody is concerned.
    """
    rows = (
        UnpopulatedRow(missing.application, direction, missing.id, provider)
        for provider, bounds in _bounds(baseline, steps, *_ends(baseline, steps)).items()
        for direction, missing in _missing(bounds, access.of(provider))
        if missing.kind is SubjectKind.GROUP_MEMBERS
    )
    return tuple(sorted(rows))


def _disagreements(plan: Plan) -> Iterator[str]:
    yield from _of_verdict(plan)
    figures = summary(plan.changes, plan.unmanaged, plan.steps)
    for name in sorted(name for name in figures if plan.summary.get(name) != figures[name]):
        yield f"the plan's summary says {name} {plan.summary.get(name)}; expected {figures[name]}"
    yield from _of_reliances(plan)
    if not plan.applicable:
        return
    try:
        before, after = _ends(plan.baseline, plan.steps)
        yield from _of_changes(plan, before, after)
        bounds = _bounds(plan.baseline, plan.steps, before, after)
    except (KeyError, TypeError, ValueError) as error:
        yield f"a step does not follow from the plan's baseline ({error!r})"
        return
    yield from _of_access(plan, bounds)
    yield from _of_waits(plan)
    yield from _of_consents(plan, bounds)
    yield from _of_quarantine(plan)
    given = {consent.lower() for consent in plan.consents}
    for product in PRODUCTS.values():
        for consent in sorted(product.consents(before, plan.steps) - given):
            yield f"a step of the plan needs the consent {consent}, which the plan does not have"


def _of_verdict(plan: Plan) -> Iterator[str]:
    for row in plan.tests:
        if row.passed is not (row.verdict == row.expected):
            yield f"access test {row.name} says passed: {row.passed}, and its verdict another thing"
    failing = any(not (row.passed or row.excused) for row in plan.tests)
    if plan.applicable is bool(plan.refusals or plan.unresolved or failing):
        yield (
            f"the plan says applicable: {str(plan.applicable).lower()}, which its refusals,"
            " unresolved names and access tests contradict"
        )


def _of_reliances(plan: Plan) -> Iterator[str]:
    """Every announced wait is of a step for an earlier step of its product."""
    steps = {step.id: step for step in plan.steps}
    for note in plan.warnings:
        if note.code != WarningCode.RELIES_ON:
            continue
        number, on = (note.details.get(name) for name in ("step", "on"))
        step = steps.get(number) if type(number) is int else None
        earlier = steps.get(on) if type(on) is int else None
        if step is None or earlier is None or step.address != note.address:
            yield (
                f"the plan warns that step {number!r} ({note.address}) relies on step {on!r};"
                " its steps have other numbers"
            )
        elif earlier.id >= step.id or earlier.provider != step.provider:
            yield (
                f"the plan warns that step {number} relies on step {on}; expected an earlier step"
                f" of {step.provider}"
            )


def _of_waits(plan: Plan) -> Iterator[str]:
    """Every step that relies on an earlier one is announced."""
    warned = {
        note.details.get("step") for note in plan.warnings if note.code == WarningCode.RELIES_ON
    }
    for provider, product in PRODUCTS.items():
        own = [step for step in plan.steps if step.provider == provider]
        for number in sorted(product.reliances(plan.baseline, own).keys() - warned):
            yield f"the plan does not warn that step {number} relies on an earlier step"


def _ends(baseline: Baseline, steps: Sequence[Step]) -> tuple[Snapshot, Snapshot]:
    """The states before the first step and after the last one."""
    before = baseline_snapshot(baseline)
    after = dict(before)
    for step in steps:
        advance(after, step)
    return before, after


def _bounds(
    baseline: Baseline, steps: Sequence[Step], before: Snapshot, after: Snapshot
) -> Mapping[Provider, AccessBounds]:
    made = {
        name: product.access_bounds(baseline, steps, before, after)
        for name, product in PRODUCTS.items()
    }
    return {name: bounds for name, bounds in made.items() if bounds is not None}


def _of_changes(plan: Plan, before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Each step belongs to a change, each change has a step, and the steps lead from its old values
    to its new ones.
    """
    changed = {change.address.lower() for change in plan.changes}
    touched = {step.address.lower() for step in plan.steps if not step.temporary}
    for address in sorted(touched - changed):
        yield f"the plan's changes lack {address}, which a step changes"
    for address in sorted(changed - touched):
        yield f"the plan's changes have {address}, which no step changes"
    last = {step.address.lower(): step.id for step in plan.steps}
    for step in plan.steps:
        address = step.address.lower()
        # What a temporary step makes exists neither before the plan nor after it.
        undone = before.get(address) is None and after.get(address, step) is None
        ends = step.temporary and last[address] == step.id and after.get(address) is not None
        if ends or (address not in changed and not undone):
            yield f"step {step.id} is called temporary, and no later step undoes it"
    for change in plan.changes:
        product = PRODUCTS[provider_of(change.address)]
        if not (
            product.shows(change.address, change.before, before)
            and product.shows(change.address, change.after, after)
        ):
            yield f"the change of {change.address} is not what the plan's steps do to it"
        if change.attributes != product.attributes(change):
            yield f"what differs in {change.address} does not follow from its values"
        if change.actions not in _actions(change):
            yield f"the actions on {change.address} do not follow from its values"
    yield from _of_replacements(plan.changes)
    yield from _of_lists(plan, before, after)


def _actions(change: Change) -> tuple[tuple[Action, ...], ...]:
    """The actions that values before and after allow; a flip has a step for each of its two."""
    if change.before is None:
        return ((Action.CREATE,),)
    if change.after is None:
        return ((Action.DELETE,),)
    return (Action.UPDATE,), (Action.DELETE, Action.CREATE)


def _of_lists(plan: Plan, before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Whose holders are sealed: the lists of policies that the steps make longer, and shorter."""
    resized = [product.resized_lists(before, after) for product in PRODUCTS.values()]
    for change, stated, follows in (
        ("longer", plan.widened, frozenset().union(*(lists.longer for lists in resized))),
        ("shorter", plan.shortened(), frozenset().union(*(lists.shorter for lists in resized))),
    ):
        named = [row.address.lower() for row in stated]
        if sorted(follows) != sorted(named):
            lists = ", ".join(sorted(follows.symmetric_difference(named)) or sorted(named))
            yield f"which lists become {change} does not follow from the plan's steps: {lists}"


def _of_replacements(changes: Sequence[Change]) -> Iterator[str]:
    """Of two objects that replace one another, one comes and one goes, and each names the other."""
    by_address = {change.address: change for change in changes}
    for change in changes:
        if change.replaces is None:
            continue
        other = by_address.get(change.replaces)
        if (
            other is None
            or other.replaces != change.address
            or change.kind is not other.kind
            or {change.actions, other.actions} != {(Action.CREATE,), (Action.DELETE,)}
        ):
            yield (
                f"the change of {change.address} says that it replaces {change.replaces}, which does"
                " not follow from the plan's other changes"
            )


def _of_access(plan: Plan, bounds: Mapping[Provider, AccessBounds]) -> Iterator[str]:
    access = plan.access or AccessDelta((), (), (), ())
    for name in access.__struct_fields__:
        rows = getattr(access, name)
        if len(set(rows)) < len(rows):
            yield f"the plan's access says the same thing twice ({name})"
    stray = {
        row.provider
        for row in (*access.gained, *access.lost, *access.tenant_wide)
        if row.provider not in bounds
    }
    for provider in sorted(stray):
        yield f"the plan's access has rows of {provider}, but none of its steps is of {provider}"
    for provider, own in sorted(bounds.items()):
        rows = access.of(provider)
        empty = {(row.application, row.direction, row.group) for row in rows.unpopulated}
        for direction, missing in _missing(own, rows):
            known_empty = (missing.application, direction, missing.id) in empty
            if not (known_empty and missing.kind is SubjectKind.GROUP_MEMBERS):
                yield (
                    f"the plan's access does not say that"
                    f" {application_address(provider, missing.application)} {_verb(direction)}"
                    f" {missing.kind} {missing.id}".rstrip()
                )
        yield from _excess(provider, own, rows)


def _missing(bounds: AccessBounds, rows: AccessDelta) -> Iterator[tuple[Direction, Reached]]:
    for direction, own, given in _directions(bounds, rows):
        for missing in sorted(own.missing(given)):
            yield direction, missing


def _excess(provider: Provider, bounds: AccessBounds, rows: AccessDelta) -> Iterator[str]:
    for direction, own, given in _directions(bounds, rows):
        for application in sorted(own.excess(given)):
            yield (
                f"the plan's access says that {application_address(provider, application)}"
                f" {_verb(direction)} somebody, which no step does"
            )


def _directions(
    bounds: AccessBounds, rows: AccessDelta
) -> tuple[tuple[Direction, RowBounds, Sequence[AccessRow]], ...]:
    return (
        (Direction.GAINED, bounds.gained, rows.gained),
        (Direction.LOST, bounds.lost, rows.lost),
    )


def _verb(direction: Direction) -> str:
    return "gains" if direction is Direction.GAINED else "loses"


def _of_quarantine(plan: Plan) -> Iterator[str]:
    """Every application that is shut out reaches nobody in the end, but for what the plan says."""
    stated = {
        (note.address.partition(".")[0], str(note.details.get("application")).lower())
        for note in plan.held
        if note.code in STILL_OPEN
    }
    for provider, application in sorted(
        checking.still_reaching(plan.baseline, plan.steps) - stated
    ):
        yield (
            f"{application_address(provider, application)} is quarantined and may still reach"
            " somebody after the plan's steps, which the plan does not say"
        )


def _of_consents(plan: Plan, bounds: Mapping[Provider, AccessBounds]) -> Iterator[str]:
    """Every application that comes to reach everyone is listed, and has its consent."""
    given = {consent.lower() for consent in plan.consents}
    for provider, own in sorted(bounds.items()):
        rows = plan.access.of(provider).tenant_wide if plan.access is not None else ()
        named = {row.application for row in rows}
        for application in sorted(own.tenant_wide | named):
            address = application_address(provider, application)
            if application not in named:
                yield f"the plan's access does not say that {address} comes to reach everyone"
            if f"{RefusalRule.TENANT_WIDE}:{address}".lower() not in given:
                yield (
                    f"{address} comes to reach everyone, and the plan has no consent"
                    f" {RefusalRule.TENANT_WIDE}:{address}"
                )
