"""A plan of a part must reach nobody whom the whole plan does not reach either: one with `--only` or
`--skip`, and one that holds users' grants because what was read of them is not understood. What would
go beyond that is held beside such grants; beyond a selection it is refused, with the addresses that
belong to the part.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import application_address, teams_user_grant
from reconciler.model.baselines import with_empty_group
from reconciler.model.codes import Held, RefusalRule
from reconciler.model.plans import Note
from reconciler.planning import checking
from reconciler.planning.selection import selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.canonical import Json
    from reconciler.kinds.product import PlanContext, ProductPlan
    from reconciler.model.addresses import Address, Provider
    from reconciler.planning.checking import Beyond
    from reconciler.planning.selection import Selection

_MOST_ROUNDS: Final = 20
_MOST_ADDRESSES: Final = 20
"""Who would have to name more is better off without a selection."""


class PlannedSide(Struct, frozen=True):
    """One product's plan of a part.

    Attributes:
        desired: What the documents declare of the product.
        state: The product's state in the tenant.
        context: What else its plan depends on.
        plan: Its plan.
    """

    desired: Any
    state: Any
    context: PlanContext
    plan: ProductPlan


def with_held(parts: Iterable[PlannedSide], chosen: Selection) -> tuple[PlannedSide, ...]:
    """The parts of a plan of everything, without the changes by which somebody whose grant is held
    as not understood would reach more than by the whole plan: these are held with it.

    Args:
        parts: what the products planned.
        chosen: what was selected; a part that somebody chose is as it is.
    """
    return tuple(_with_held(part, chosen) if chosen.is_everything else part for part in parts)


def _with_held(part: PlannedSide, chosen: Selection) -> PlannedSide:
    odd = part.context.directory.opaque
    exposed = _beyond(part, part.plan.outcome) if odd else ()
    resting = _way_out(part, chosen, exposed, most=None).get("skip") if exposed else None
    if not resting:
        return part
    context = replace(part.context, holding=chosen.adding(skip=resting).holding)
    plan = PRODUCTS[part.plan.provider].plan(part.desired, part.state, context)
    on = sorted(map(teams_user_grant, odd))
    notes = tuple(
        Note(Held.RESTS_ON_OPAQUE, note.address, {"on": on}) if note.code == Held.SKIPPED else note
        for note in plan.held
    )
    return replace(part, context=context, plan=replace(plan, held=notes))


def refusals_of_parts(parts: Iterable[PlannedSide], chosen: Selection) -> tuple[Note, ...]:
    """One refusal for each application that would reach too much, with the addresses that would
    have to be chosen, or left out, as well; none for a plan of everything.
    """
    partial = (part for part in parts if not chosen.is_everything or part.context.directory.opaque)
    refused = (note for part in partial for note in _refusals(part, chosen))
    return tuple(sorted(refused, key=lambda note: note.address))


def _refusals(part: PlannedSide, chosen: Selection) -> Iterator[Note]:
    exposed = _beyond(part, part.plan.outcome)
    if not exposed:
        return
    way_out = _way_out(part, chosen, exposed)
    by_application = sorted(exposed, key=lambda beyond: beyond.application)
    for application, alike in groupby(by_application, key=lambda beyond: beyond.application):
        yield _note(part.plan.provider, application, list(alike), way_out)


def _beyond(part: PlannedSide, outcome: Any) -> tuple[Beyond, ...]:
    product, provider = PRODUCTS[part.plan.provider], part.plan.provider
    if outcome == part.state:
        return ()
    directory = replace(part.context.directory, opaque={})
    everything = replace(part.context, holding=selection((), ()).holding, directory=directory)
    whole = product.outcome(part.desired, part.state, everything)
    sections = [
        with_empty_group(section, part.plan.baseline)
        for section in product.sections((part.state, outcome, whole))
    ]
    return checking.reached_beyond(provider, sections) if sections else ()


def _way_out(
    part: PlannedSide,
    chosen: Selection,
    exposed: Sequence[Beyond],
    *,
    most: int | None = _MOST_ADDRESSES,
) -> dict[str, tuple[Address, ...]]:
    """The addresses to name as well, by option: with them the same plan would reach nobody beyond
    the whole one. Empty if these are more than can be named.
    """
    option = "only" if chosen.only and not chosen.skip else "skip"
    added: set[Address] = set()
    for _ in range(_MOST_ROUNDS):
        rows = (beyond.held if option == "only" else beyond.changed for beyond in exposed)
        more = {address for row in rows for address in row} - added
        added |= more
        if not more or (most is not None and len(added) > most):
            break
        context = replace(part.context, holding=chosen.adding(**{option: added}).holding)
        outcome = PRODUCTS[part.plan.provider].outcome(part.desired, part.state, context)
        exposed = _beyond(part, outcome)
        if not exposed:
            return {option: tuple(sorted(added))}
    return {}


def _note(
    provider: Provider,
    application: str,
    alike: Sequence[Beyond],
    way_out: dict[str, tuple[Address, ...]],
) -> Note:
    subject = alike[0].subject
    details: dict[str, Json] = {} if subject is None else {**checking.whom(subject)}
    details |= {option: list(addresses) for option, addresses in way_out.items()}
    if len(alike) > 1:
        details["others"] = len(alike) - 1
    return Note(RefusalRule.BEYOND_SELECTION, application_address(provider, application), details)
