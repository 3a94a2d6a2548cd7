"""What a plan does to access: the delta, the consents it needs for that, and a warning for each
grant that takes applications away.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.access.delta import as_json
from reconciler.kinds.exchange import access_delta as exchange_delta
from reconciler.kinds.exchange import target as exchange_target
from reconciler.kinds.teams import access_delta as teams_delta
from reconciler.kinds.teams import target as teams_target
from reconciler.kinds.teams.effective_policy import policy_address
from reconciler.model.addresses import exchange_application, teams_application, teams_group_grant
from reconciler.model.codes import Rule, Warned
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.audiences.subjects import Delta
    from reconciler.canonical import Json
    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.kinds.teams.access_delta import Transition
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.addresses import Address, Provider
    from reconciler.model.observed import Directory, ExchangeState, TeamsState


class Reaching(Struct, frozen=True):
    """What one product's part of a plan does to access, and the state that it leads to."""

    outcome: TeamsState | ExchangeState
    delta: Delta
    refusals: tuple[Note, ...]
    warnings: tuple[Note, ...]


def teams(observed: TeamsState, target: TeamsTarget, directory: Directory) -> Reaching:
    """The Teams side."""
    after = teams_target.state_reached(observed, target)
    way = teams_delta.transition(observed, after, directory, target.users)
    found = teams_delta.delta(way)
    return Reaching(after, found, _tenant_wide(found, teams_application), tuple(_reduced(way)))


def exchange(observed: ExchangeState, target: ExchangeTarget, directory: Directory) -> Reaching:
    """The Exchange side."""
    after = exchange_target.state_reached(observed, target)
    found = exchange_delta.delta(observed, after, directory)
    return Reaching(after, found, _tenant_wide(found, exchange_application), ())


def access(deltas: Mapping[Provider, Delta]) -> Mapping[str, Json]:
    """The plan's `access`."""
    return as_json(deltas)


def ids(deltas: Mapping[Provider, Delta]) -> frozenset[str]:
    """Every id that the rows mention."""
    return frozenset(chain.from_iterable(delta.ids() for delta in deltas.values()))


def figures(deltas: Mapping[Provider, Delta]) -> Mapping[str, int]:
    """How many people there are in what the rows name, for the plan's `summary`: `access teams
    gained policy-holders NAME`.
    """
    return {
        f"access {provider} {name}": number
        for provider, delta in deltas.items()
        for name, number in delta.sizes.items()
    }


def _tenant_wide(delta: Delta, address_of: Callable[[str], Address]) -> tuple[Note, ...]:
    """To reach everyone is a consent of its own for each application."""
    addresses = [address_of(one.row.application) for one in delta.tenant_wide]
    return tuple(
        Note(Rule.TENANT_WIDE, address, {"allow": f"{Rule.TENANT_WIDE}:{address}"})
        for address in addresses
    )


def _reduced(way: Transition) -> Iterator[Note]:
    """A policy is selected, not added: a grant can take applications away from its holder."""
    users, groups = teams_delta.reduced(way)
    for policy, losing in sorted(users.items()):
        yield Note(
            Warned.REDUCES_APPLICATIONS, policy_address(way.after, policy), {"users": losing}
        )
    for group, applications in sorted(groups.items()):
        yield Note(
            Warned.REDUCES_APPLICATIONS, teams_group_grant(group), {"applications": applications}
        )
