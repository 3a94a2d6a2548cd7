"""What one product contributes to a plan: its changes in their order, what they rest on and do, and
what is to be said of them.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.exchange import changes as exchange_changes
from reconciler.kinds.exchange import checks as exchange_checks
from reconciler.kinds.exchange import states as exchange_states
from reconciler.kinds.exchange import steps as exchange_steps
from reconciler.kinds.exchange import target as exchange_target
from reconciler.kinds.teams import changes as teams_changes
from reconciler.kinds.teams import checks as teams_checks
from reconciler.kinds.teams import states as teams_states
from reconciler.kinds.teams import steps as teams_steps
from reconciler.kinds.teams import target as teams_target
from reconciler.model.documents import Kind, Limits
from reconciler.model.plans import Note
from reconciler.planning import passages, reaching

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.audiences.subjects import Delta
    from reconciler.canonical import Json
    from reconciler.kinds.ordering.orders import Ordered
    from reconciler.model.addresses import Provider
    from reconciler.model.desired import DesiredExchange, DesiredTeams
    from reconciler.model.documents import Documents
    from reconciler.model.observed import ExchangeState, Observed, TeamsState
    from reconciler.model.plans import Change
    from reconciler.planning.selection import Selection


class Part(Struct, frozen=True):
    """What one product contributes to a plan."""

    provider: Provider
    changes: tuple[Change, ...]
    ordered: Ordered
    baseline: Json
    access: Delta
    outcome: TeamsState | ExchangeState
    refusals: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    unmanaged: tuple[Note, ...] = ()
    displaced: tuple[Note, ...] = ()
    held: tuple[Note, ...] = ()


def product_parts(
    documents: Documents,
    observed: Observed,
    desired: tuple[DesiredTeams, DesiredExchange],
    chosen: Selection,
    *,
    regranting: bool,
) -> tuple[Part, ...]:
    """The parts of the products that were read, Exchange before Teams.

    Args:
        documents: validated documents, for limits, `prune` and the group that guards stand on.
        observed: the tenant; a product that was not read contributes nothing.
        desired: what the documents declare, with ids.
        chosen: what is held at its observed value.
        regranting: whether a group's grant is changed in place; it is taken away first otherwise.
    """
    tenant = documents.tenant
    limits = tenant.limits if tenant is not None else Limits()
    prune = tenant is not None and Kind.TEAMS_POLICY in tenant.prune
    guard_scope = (
        tenant.guard_scope.text if tenant is not None and tenant.guard_scope is not None else None
    )
    found = (
        _exchange(desired[1], observed, limits, (chosen, guard_scope)),
        _teams(desired[0], observed, limits, chosen, prune=prune, regranting=regranting),
    )
    return tuple(part for part in found if part is not None)


def _exchange(
    desired: DesiredExchange,
    observed: Observed,
    limits: Limits,
    choice: tuple[Selection, str | None],
) -> Part | None:
    state = observed.exchange
    if state is None:
        return None
    chosen, guard_scope = choice
    aim = exchange_target.target(desired, state, holding=chosen.holding)
    way = exchange_steps.ordered(state, aim, observed.directory, guard_scope)
    reached = reaching.exchange(state, aim, observed.directory)
    return Part(
        provider="exchange",
        changes=tuple(exchange_changes.changes(state, aim)),
        ordered=way.ordered,
        baseline=exchange_states.baseline(state, aim, way.guard) if way.ordered.drafts else None,
        access=reached.delta,
        outcome=reached.outcome,
        refusals=(
            *exchange_checks.refusals(state, aim, observed.directory, limits, way),
            *reached.refusals,
        ),
        warnings=tuple(exchange_checks.warnings(state, aim, way)),
        unmanaged=tuple(exchange_checks.unmanaged(state, desired)),
        held=aim.held,
    )


def _teams(
    desired: DesiredTeams,
    observed: Observed,
    limits: Limits,
    chosen: Selection,
    *,
    prune: bool,
    regranting: bool,
) -> Part | None:
    state = observed.teams
    if state is None:
        return None
    aim = teams_target.target(
        desired, state, observed.directory, prune=prune, holding=chosen.holding
    )
    bystanders = cache(partial(_bystanders, observed.directory.users, state.users, aim.users))
    way = teams_steps.ordered(state, aim, regranting=regranting, bystanders=bystanders)
    reached = reaching.teams(state, aim, observed.directory)
    return Part(
        provider="teams",
        changes=tuple(teams_changes.changes(state, aim)),
        ordered=way,
        baseline=teams_states.baseline(state, aim) if way.drafts else None,
        access=reached.delta,
        outcome=reached.outcome,
        refusals=(
            *teams_checks.refusals(state, aim, desired, observed.directory, limits),
            *passages.exposures(way),
            *reached.refusals,
        ),
        warnings=(
            *teams_checks.warnings(state, aim, desired, observed.directory),
            *passages.regrants(way, state),
            *reached.warnings,
        ),
        unmanaged=tuple(teams_checks.unmanaged(state, aim, desired)),
        displaced=tuple(
            Note("displaced", address, dict(details))
            for address, details in teams_checks.displaced(state, aim, desired)
        ),
        held=aim.held,
    )


def _bystanders(known: Collection[str], before: Collection[str], changing: Collection[str]) -> int:
    """How many users are known who hold no policy directly, neither before nor after."""
    concerned = sum(map(known.__contains__, before)) + sum(
        user in known and user not in before for user in changing
    )
    return len(known) - concerned
