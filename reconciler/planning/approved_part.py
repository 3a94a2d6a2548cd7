"""Whether a plan is a part of an approved one: what of it is left to do, once the rest is done.

A tenant moves between a review and an apply: part of a plan is done by hand, by another apply, or
by one that stopped. A new plan for what is left has another digest. It is covered all the
same if it wants what was approved (documents, options, what is held, limits, tests), does nothing
that the approved plan would not do by the same texts, and the tenant is where the approved plan's
other steps lead to. Then nobody gains or loses access whom the approved plan did not say to.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import application_address
from reconciler.model.plans import Action
from reconciler.planning import checking, prefixes
from reconciler.planning.approval import Difference, covered, differing_objects
from reconciler.planning.moved import moved

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan, Step

_EQUAL = (
    *("connect", "held", "limits", "refusals", "tenant", "tests", "undoes", "unresolved"),
    "warnings",
)
"""Members that an approval covers and that a part shares."""


class Division(Struct, frozen=True):
    """The steps of an approved plan, in its order: those that another plan does not have, and those
    that it has, each by its number there. `extra` are steps of the other plan alone.
    """

    missing: tuple[Step, ...]
    kept: Mapping[int, Step]
    extra: tuple[Step, ...]


class TenantMismatch(Struct, frozen=True):
    """What speaks against a tenant in which a part of a plan is left to do: sentences on what is not
    as the approved plan's other steps leave it, and what differs besides.
    """

    moved: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything does."""
        return bool(self.moved or self.differences)


def divided(approved: Plan, plan: Plan) -> Division:
    """Divide an approved plan's steps by what another plan has of them: equal text, same object. Of
    steps that are equal the last ones are those that are left.
    """
    wanted: dict[Hashable, list[Step]] = {}
    for step in plan.steps:
        wanted.setdefault(_identity(step), []).append(step)
    kept: dict[int, Step] = {}
    missing = []
    for step in reversed(approved.steps):
        alike = wanted.get(_identity(step))
        if alike:
            kept[alike.pop().id] = step
        else:
            missing.append(step)
    extra = sorted(chain.from_iterable(wanted.values()), key=lambda step: step.id)
    return Division(tuple(reversed(missing)), kept, tuple(extra))


def _identity(step: Step) -> Hashable:
    return step.provider, step.address, step.text, step.temporary


def beyond_approval(approved: Plan, plan: Plan) -> tuple[Difference, ...]:
    """What a plan has, by the two files alone, that a part of an approved one would not have; empty
    if it may be a part, which `tenant_mismatch` decides.
    """
    first, second = (covered(msgspec.to_builtins(value)) for value in (approved, plan))
    differing = [
        Difference(name, differing_objects(name, first.get(name), second.get(name)))
        for name in _EQUAL
        if first.get(name) != second.get(name)
    ]
    if approved.inputs.documents_digest != plan.inputs.documents_digest:
        differing.append(Difference("documents", ()))
    if not (approved.applicable and plan.applicable):
        differing.append(Difference("applicable", ()))
    if Counter(_gaps(first)) != Counter(_gaps(second)):
        differing.append(
            Difference("gaps", differing_objects("gaps", first.get("gaps"), second.get("gaps")))
        )
    return tuple(sorted((*differing, *_more(approved, plan))))


def _gaps(values: Mapping[str, Json]) -> Iterator[str]:
    """Gaps without the numbers of steps, which others have in a part."""
    rows = values.get("gaps")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            kept = {name: row[name] for name in row if name != "steps"}
            yield msgspec.json.encode(kept, order="sorted").decode()


def _more(approved: Plan, plan: Plan) -> Iterator[Difference]:
    """What a plan has more of than the approved one."""
    pairs: dict[str, tuple[Iterable[str], Iterable[str]]] = {
        "changes": (_changed(approved), _changed(plan)),
        "consents": (map(str.lower, approved.consents), map(str.lower, plan.consents)),
        "deletes": (_deleted(approved), _deleted(plan)),
        "widened": (
            (row.address for row in approved.widened),
            (row.address for row in plan.widened),
        ),
    }
    for member, (ours, theirs) in pairs.items():
        if more := set(theirs) - set(ours):
            yield Difference(member, tuple(sorted(more)))
    if extra := divided(approved, plan).extra:
        yield Difference("steps", tuple(sorted({step.address for step in extra})))


def _changed(plan: Plan) -> Iterator[str]:
    return (change.address for change in plan.changes)


def _deleted(plan: Plan) -> Iterator[str]:
    return (change.address for change in plan.changes if Action.DELETE in change.actions)


def tenant_mismatch(approved: Plan, plan: Plan, observed: Observed) -> TenantMismatch:
    """Whether a tenant is where the steps of an approved plan lead to that another plan does not
    have, so that this one, of which nothing is beyond the approval, is a part of it.

    Args:
        approved: the approved plan.
        plan: the other one, which `beyond_approval` found nothing in.
        observed: a reading of all products that the approved plan rests on; steps of the other plan
            may be done already, in their order.
    """
    division = divided(approved, plan)
    count = prefixes.locate(plan, observed)
    if count is None:
        return TenantMismatch(moved(plan, (), observed))
    running = {division.kept[step.id].id for step in plan.steps[:count]}
    running |= {step.id for step in division.missing}
    sentences = moved(approved, [step for step in approved.steps if step.id in running], observed)
    if sentences:
        return TenantMismatch(sentences)
    differing = (
        ("access", _strays(approved, division.missing)),
        ("steps", _other_ends(approved, division.missing, plan)),
    )
    return TenantMismatch(
        (), tuple(Difference(member, tuple(objects)) for member, objects in differing if objects)
    )


def _strays(approved: Plan, missing: Sequence[Step]) -> list[str]:
    """Applications by whose access the tenant is not between the two ends of the approved plan."""
    return sorted(
        application_address(provider, application)
        for provider in PRODUCTS
        for application in checking.strays(
            provider,
            approved.baseline,
            [step for step in missing if step.provider == provider],
            [step for step in approved.steps if step.provider == provider],
        )
    )


def _other_ends(approved: Plan, missing: Sequence[Step], plan: Plan) -> list[str]:
    """What the plan would leave otherwise than the approved one."""
    ends = []
    for steps in (approved.steps, (*missing, *plan.steps)):
        snapshot = prefixes.baseline_snapshot(approved.baseline)
        for step in steps:
            prefixes.advance(snapshot, step)
        ends.append(snapshot)
    first, second = ends
    return sorted(
        name for name in first.keys() | second.keys() if first.get(name) != second.get(name)
    )
