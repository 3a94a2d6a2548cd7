"""How far a tenant is on a plan's way: the states after each number of steps, and what differs from
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.products import PRODUCTS
from reconciler.kinds.read_warnings import tolerated
from reconciler.model.addresses import PROVIDERS, provider_of
from reconciler.model.requests import CaptureRequest
from reconciler.planning import approval

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reconciler.kinds.snapshots import Snapshot, SnapshotValue
    from reconciler.model.addresses import Provider
    from reconciler.model.baselines import Baseline
    from reconciler.model.observed import Observed
    from reconciler.model.plans import ListHolders, Plan, Step, WidenedList


def request_for_plan(plan: Plan) -> CaptureRequest:
    """What has to be read again to place a tenant on the plan's way: its products, and no names."""
    return CaptureRequest(
        plan.baseline.products(), rows_only=True, tolerated=tolerated(plan.consents)
    )


def baseline_snapshot(baseline: Baseline, wanted: Collection[Provider] | None = None) -> Snapshot:
    """The state before the first step, of the wanted products (default: all that the plan rests
    on).
    """
    snapshot: Snapshot = {}
    for provider in _wanted(baseline, wanted):
        snapshot |= PRODUCTS[provider].start(baseline)
    return snapshot


def observed_snapshot(
    plan: Plan, observed: Observed, wanted: Collection[Provider] | None = None
) -> Snapshot:
    """The same part of a tenant as it is now.

    Raises:
        ValueError: a product that the plan rests on was not read.
    """
    snapshot: Snapshot = {}
    for provider in _wanted(plan.baseline, wanted):
        state = observed.states.get(provider)
        if state is None:
            raise ValueError(f"the capture has no {provider} state")
        snapshot |= PRODUCTS[provider].project(plan.baseline, plan.steps, state)
    return snapshot


def advance(snapshot: Snapshot, step: Step) -> Snapshot:
    """Change a snapshot by one step, in place; return the entries that were set."""
    changed = PRODUCTS[step.provider].effect(snapshot, step)
    snapshot |= changed
    return changed


def locate(plan: Plan, observed: Observed) -> int | None:
    """The largest number of steps after which the plan's state equals the tenant's; None if there
    is no such number.

    One pass over the steps: what differs is kept as a set and corrected by what each step touches.
    """
    snapshot, present = baseline_snapshot(plan.baseline), observed_snapshot(plan, observed)
    differing = set(_differing(snapshot, present))
    located = None if differing else 0
    for count, step in enumerate(plan.steps, 1):
        for name, value in advance(snapshot, step).items():
            if present.get(name) == value:
                differing.discard(name)
            else:
                differing.add(name)
        if not differing:
            located = count
    if located is not None and held_by_others(plan, plan.steps[:located], observed):
        return None
    return located


def prefix_differences(
    plan: Plan, count: int, observed: Observed, wanted: Collection[Provider] | None = None
) -> dict[str, tuple[SnapshotValue, SnapshotValue]]:
    """What differs between the plan's state after `count` steps and the tenant, by its name in a
    snapshot: what is expected, and what the tenant has; empty if they are equal.
    """
    return differences_after(plan, plan.steps[:count], observed, wanted)


def differences_after(
    plan: Plan,
    done: Sequence[Step],
    observed: Observed,
    wanted: Collection[Provider] | None = None,
) -> dict[str, tuple[SnapshotValue, SnapshotValue]]:
    """The same for any of the plan's steps."""
    snapshot = baseline_snapshot(plan.baseline, wanted)
    concerned = _wanted(plan.baseline, wanted)
    for step in done:
        if step.provider in concerned:
            advance(snapshot, step)
    present = observed_snapshot(plan, observed, wanted)
    return {name: (snapshot.get(name), present.get(name)) for name in _differing(snapshot, present)}


def held_by_others(
    plan: Plan,
    done: Sequence[Step],
    observed: Observed,
    wanted: Collection[Provider] | None = None,
) -> tuple[WidenedList | ListHolders, ...]:
    """Lists of policies that a step which is not done makes longer, or shorter beyond the limits, and
    that others hold now than when the plan was made: nobody has approved what happens to them.

    `wanted`: the products that are compared (default: all that the plan rests on).
    """
    concerned = _wanted(plan.baseline, wanted)
    rows = [
        row
        for row in _lists_ahead(plan, {step.id for step in done})
        if provider_of(row.address) in concerned
    ]
    now = holders_of_lists(plan, rows, observed) if rows else frozenset()
    return tuple(row for row in rows if row not in now)


def holders_of_lists(
    plan: Plan, rows: Sequence[WidenedList | ListHolders], observed: Observed
) -> frozenset[WidenedList | ListHolders]:
    """Who would hold these lists now if the plan had not begun."""
    return frozenset(
        row
        for provider in _wanted(plan.baseline, observed.states)
        for row in PRODUCTS[provider].holders_before(plan.baseline, observed.states[provider], rows)
    )


def _lists_ahead(plan: Plan, done: Collection[int]) -> Iterator[WidenedList | ListHolders]:
    """The lists whose holders an approval covers, and that a step which is not done changes so."""
    longer = {row.address.lower(): row for row in plan.widened}
    shorter = {
        row.address.lower(): row
        for row in plan.shortened()
        if approval.exceeds_limits(plan.consents)
    }
    if not (longer or shorter):
        return
    snapshot = baseline_snapshot(plan.baseline)
    covered = longer.keys() | shorter.keys()
    growing: set[str] = set()
    shrinking: set[str] = set()
    for step in plan.steps:
        if step.address.lower() in covered:
            product = PRODUCTS[step.provider]
            changed = product.effect(snapshot, step)
            if step.id not in done:
                lists = product.resized_lists(snapshot, changed)
                growing |= lists.longer
                shrinking |= lists.shorter
            snapshot |= changed
    yield from (row for name, row in longer.items() if name in growing)
    yield from (row for name, row in shorter.items() if name in shrinking)


def passed_values(plan: Plan, done: Sequence[Step]) -> dict[str, list[SnapshotValue]]:
    """What each entry of a snapshot was before these steps and between them, without what they lead
    to.
    """
    snapshot = baseline_snapshot(plan.baseline)
    values = {name: [value] for name, value in snapshot.items()}
    for step in done:
        for name, value in advance(snapshot, step).items():
            values.setdefault(name, [None]).append(value)
    return {name: [value for value in rows if value != rows[-1]] for name, rows in values.items()}


def address_spellings(plan: Plan, observed: Observed) -> Mapping[str, str]:
    """Addresses of a snapshot as the services, or the plan, spell them."""
    return {
        name: spelled
        for provider, state in observed.states.items()
        for name, spelled in PRODUCTS[provider].spellings(plan.baseline, plan.steps, state).items()
    }


def _wanted(baseline: Baseline, wanted: Collection[Provider] | None) -> list[Provider]:
    products = baseline.products()
    return [name for name in PROVIDERS if name in products and (wanted is None or name in wanted)]


def _differing(ours: Snapshot, theirs: Snapshot) -> list[str]:
    return [name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)]
