"""A plan that leads back to where another one began, for what that plan did and what still is as it
left it. It is a plan like any other: reviewed, checked and applied in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.errors import CaptureFault, TamperedPlan, UsageFault
from reconciler.kinds.product import PlanContext
from reconciler.kinds.products import PRODUCTS
from reconciler.kinds.snapshots import DESCRIPTION_OF, OTHER_HOLDERS_OF
from reconciler.kinds.undoing import Past
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    GLOBAL,
    PROVIDERS,
    Address,
    TeamsGroupGrantAddress,
    TeamsTenantGrantAddress,
    application_address,
    parse_address,
    teams_group_grant,
    teams_policy,
)
from reconciler.model.codes import Held, RefusalRule, WarningCode
from reconciler.model.documents import Documents
from reconciler.model.plans import Note
from reconciler.planning import checking, making
from reconciler.planning.consequences import prove_consequences
from reconciler.planning.prefixes import advance, baseline_snapshot
from reconciler.planning.purposes import Purpose
from reconciler.planning.requests import capture_request
from reconciler.planning.selection import compared_forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.kinds.snapshots import Snapshot
    from reconciler.kinds.undoing import Holding, Undoing
    from reconciler.model.addresses import Provider
    from reconciler.model.desired import Desired
    from reconciler.model.histories import PlanHistory
    from reconciler.model.observed import GroupAssignment, Observed
    from reconciler.model.plans import Plan
    from reconciler.model.requests import CaptureRequest
    from reconciler.planning.making import PlanOptions
    from reconciler.planning.planfile import SealedPlan

_MOST_ROUNDS: Final = 20
_NOTHING_DECLARED: Final = Documents(None, (), (), (), ())
_GROUPS: Final = str(teams_group_grant("*"))
"""The list of all groups: one object, because ranks are positions in it."""
_MOST_PLANS: Final = 3
"""Later plans that a refusal names."""


def undo_request(plan: Plan, documents: Documents, options: PlanOptions) -> CaptureRequest:
    """What has to be read to undo a plan: what it rests on, and what the documents name.

    Args:
        plan: the plan that is undone.
        documents: validated documents.
        options: consents of the command line.
    """
    bound = _binding(documents)
    declared = capture_request(bound, allow=options.allow)
    pasts = [product.past_request(plan.baseline) for product in PRODUCTS.values()]
    guards = () if bound.tenant is None else (bound.tenant.guard_scope,)
    recipients = {name.lower() for name in guards if name}
    recipients.update(declared.recipients, *(past.recipients for past in pasts))
    return replace(
        declared,
        products=declared.products.union(*(past.products for past in pasts)),
        users=tuple(dict.fromkeys((*declared.users, *(u for past in pasts for u in past.users)))),
        recipients=tuple(sorted(recipients)),
        groups=tuple(sorted({*declared.groups, *(g for past in pasts for g in past.groups)})),
    )


def make_undo(
    undone: SealedPlan,
    history: PlanHistory,
    documents: Documents,
    observed: Observed,
    options: PlanOptions,
) -> Plan:
    """Make the plan that undoes another one.

    Args:
        undone: the plan, as its file has it.
        history: what was done of it, and what was applied afterwards.
        documents: validated documents; they say what binds every plan, and may still ask for what is
            undone.
        observed: a complete reading of the tenant for the products that the plan rests on.
        options: consents and selection.

    Raises:
        TamperedPlan: the plan does not agree with itself.
        CaptureFault: the reading is of another tenant, or lacks a product.
        UsageFault: an address or a consent of the options is malformed or names nothing.
        DocumentFaults: as for `make_plan`.
    """
    plan = undone.plan
    _assert_readable(plan, observed)
    declared = making.resolve_desired(documents, observed, options)
    past = replace(_past(plan, history), barred=documents.quarantined)
    every = _wanted(_sides(past, observed, lambda _: None), observed)
    given = making.given_for(documents, observed, options, every)
    bound = _Bound(_binding(documents), observed, given.options)
    aim = _aim(past, bound, given.chosen.holding)
    purpose = Purpose(
        undoes=undone.digest,
        held=tuple(note for side in aim.sides.values() for note in side.aside),
        warnings=tuple(_still_declared(aim, declared, documents, bound)),
        refusals=(*_beyond_baseline(aim), *_old(aim, bound, history)),
    )
    wanted = _wanted(aim.sides, observed)
    return making.plan_toward(wanted, bound.documents, observed, bound.options, purpose)


def _binding(documents: Documents) -> Documents:
    """The documents without what a Tenant document allows for good: an undo is consented to by the
    command line alone, and prunes nothing.
    """
    if documents.tenant is None:
        return documents
    return replace(documents, tenant=replace(documents.tenant, consents=(), prune=()))


def _assert_readable(plan: Plan, observed: Observed) -> None:
    if plan.tenant.tenant_id != observed.tenant_id:
        raise CaptureFault(
            f"the plan is for tenant {plan.tenant.tenant_id}, but {observed.tenant_id} was read:"
            " name the right tenant"
        )
    prove_consequences(plan)
    for provider in PROVIDERS:
        if provider in plan.baseline.products() and provider not in observed.states:
            raise CaptureFault(
                f"the capture is not complete for {provider}, which the plan rests on: fetch again"
            )


def _past(plan: Plan, history: PlanHistory) -> Past:
    """What the plan did, step by step."""
    before = baseline_snapshot(plan.baseline)
    done = [history.done]
    if history.uncertain is not None:
        done.append(history.done | {history.uncertain})
    lefts = []
    try:
        for numbers in done:
            left = dict(before)
            for step in plan.steps:
                if step.id in numbers:
                    advance(left, step)
            lefts.append(left)
    except (KeyError, TypeError, ValueError) as error:
        raise TamperedPlan(
            f"the journal says that steps are done that do not follow from the plan ({error!r}):"
            " they are not of one apply; name the right plan and the right journal"
        ) from error
    holders = {str(row.address): row.holders for row in plan.shortened()}
    return Past(plan.baseline, plan.steps, before, tuple(lefts), holders)


def _wanted(sides: Mapping[Provider, Undoing[Any, Any]], observed: Observed) -> Desired:
    """What the undo wants of each product; of one that the plan did not touch, nothing."""
    nothing = {
        name: product.resolve(_NOTHING_DECLARED, observed.directory, observed.states.get(name))[0]
        for name, product in PRODUCTS.items()
    }
    return {**nothing, **{name: side.desired for name, side in sides.items()}}


class _Bound(Struct, frozen=True):
    """What binds the plan; `documents` without what they allow for good."""

    documents: Documents
    observed: Observed
    options: PlanOptions

    def context(self, documents: Documents) -> PlanContext:
        """What a product's outcome depends on beside its desired and its observed state."""
        return PlanContext(
            self.observed.directory,
            lambda _: None,
            documents.tenant,
            regranting=self.options.group_changes == "in-place",
            consents=frozenset(text.lower() for text in self.options.allow),
        )


class _Aim(Struct, frozen=True):
    """What the undo wants, what that leads to, and what would reach too much all the same."""

    sides: Mapping[Provider, Undoing[Any, Any]]
    outcomes: Mapping[Provider, Any]
    exposed: Mapping[Provider, tuple[checking.Beyond, ...]]


def _sides(past: Past, observed: Observed, holding: Holding) -> dict[Provider, Undoing[Any, Any]]:
    sides = {}
    for name in PROVIDERS:
        if past.baseline.section(name) is None:
            continue
        product = PRODUCTS[name]
        side = product.undone(past, observed.states[name], observed.directory, holding)
        if side is None:
            raise UsageFault(f"plans of {name} cannot be undone: undo its steps by hand")
        sides[name] = side
    return sides


def _aim(past: Past, bound: _Bound, chosen: Holding) -> _Aim:
    """Leave alone, besides, whatever would let somebody be reached who is reached neither now nor was
    before the plan: something around it has changed since.
    """
    kept: set[str] = set()

    def holding(address: Address) -> Held | None:
        why = chosen(address)
        if why is None and address.lower() in kept:
            return Held.WOULD_REACH_MORE
        return why

    aim = _Aim({}, {}, {})
    for _ in range(_MOST_ROUNDS):
        sides = _sides(past, bound.observed, holding)
        aim = _Aim(sides, _outcomes(sides, bound), {})
        exposed = {name: _beyond(name, aim, bound, past.barred) for name in sides}
        aim = replace(aim, exposed={name: rows for name, rows in exposed.items() if rows})
        more = {
            address.lower()
            for rows in aim.exposed.values()
            for row in rows
            for address in row.changed
        }
        if more <= kept:
            break
        kept |= more
    return aim


def _outcomes(sides: Mapping[Provider, Undoing[Any, Any]], bound: _Bound) -> dict[Provider, Any]:
    context = bound.context(bound.documents)
    return {
        name: PRODUCTS[name].outcome(side.desired, bound.observed.states[name], context)
        for name, side in sides.items()
    }


def _beyond(
    name: Provider, aim: _Aim, bound: _Bound, barred: frozenset[str]
) -> tuple[checking.Beyond, ...]:
    """Whom applications would reach besides; quarantined ones beyond what they reach now."""
    state, outcome = bound.observed.states[name], aim.outcomes[name]
    if outcome == state:
        return ()
    product = PRODUCTS[name]
    # One without policies of its own is reached as any other is.
    unnamed = barred - product.applications(state)
    shut = {*barred, EVERY_APPLICATION} if unnamed else barred
    rows: list[checking.Beyond] = []
    for then in (aim.sides[name].then, state) if barred else (aim.sides[name].then,):
        sections = product.sections((state, outcome, then))
        exposed = checking.reached_beyond(name, sections) if sections else ()
        rows += (row for row in exposed if then is not state or row.application in shut)
    return tuple(rows)


def _beyond_baseline(aim: _Aim) -> Iterator[Note]:
    """What could not be told apart from what may be undone."""
    for name, rows in aim.exposed.items():
        for application in sorted({row.application for row in rows}):
            address = application_address(name, application)
            yield Note(RefusalRule.BEYOND_BASELINE, address, {})


def _still_declared(
    aim: _Aim, declared: Desired, documents: Documents, bound: _Bound
) -> Iterator[Note]:
    """What the documents would do again: their next plan would take the undo back."""
    context = bound.context(documents)
    for name, outcome in aim.outcomes.items():
        product, state = PRODUCTS[name], bound.observed.states[name]
        if outcome == state:
            continue
        again = product.outcome(declared[name], outcome, context)
        sections = product.sections((state, outcome, again))
        if not sections:
            continue
        now, undone, later = (product.start(section) for section in sections)
        spelled = product.spellings(sections[1], (), outcome)
        names = {
            entry.removeprefix(DESCRIPTION_OF)
            for entry in now.keys() | undone.keys()
            if not entry.startswith(OTHER_HOLDERS_OF)
            and now.get(entry) != undone.get(entry) != later.get(entry)
        }
        addresses = {spelled.get(entry, entry) for entry in names - {_GROUPS}}
        if _GROUPS in names:
            rows = set(_rows(now)) ^ set(_rows(undone))
            addresses |= {teams_group_grant(row.group) for row in rows or _rows(now)}
        for address in sorted(addresses):
            yield Note(WarningCode.STILL_DECLARED, address, {})


def _rows(snapshot: Snapshot) -> tuple[GroupAssignment, ...]:
    groups = snapshot.get(_GROUPS)
    return groups if isinstance(groups, tuple) else ()


def _old(aim: _Aim, bound: _Bound, history: PlanHistory) -> Iterator[Note]:
    """Refuse to undo what a later plan changed too, unless that is consented to."""
    for name, outcome in aim.outcomes.items():
        changed = set(_changed(name, bound.observed.states[name], outcome))
        later = [
            plan.digest
            for plan in history.later
            if changed
            and (plan.addresses is None or not changed.isdisjoint(_forms(plan.addresses)))
        ]
        if later:
            details: dict[str, Json] = {
                "allow": f"{RefusalRule.UNDO_OLD}:{name}",
                "plans": list(dict.fromkeys(later[-_MOST_PLANS:])),
            }
            yield Note(RefusalRule.UNDO_OLD, name, details)


def _changed(name: Provider, state: Any, outcome: Any) -> Iterator[str]:
    """What differs between two states, in the forms in which addresses are compared."""
    if state == outcome:
        return
    product = PRODUCTS[name]
    sections = product.sections((state, outcome))
    first, second = [product.start(each) for each in sections] or ({}, {})
    for entry in first.keys() | second.keys():
        if first.get(entry) != second.get(entry) and not entry.startswith(OTHER_HOLDERS_OF):
            yield from _forms([entry.removeprefix(DESCRIPTION_OF)])


def _forms(addresses: Iterable[str]) -> Iterator[str]:
    for address in addresses:
        match parse_address(address):
            case TeamsGroupGrantAddress():
                yield _GROUPS
            case TeamsTenantGrantAddress():
                yield teams_policy(GLOBAL)
            case _:
                yield from compared_forms(address)
