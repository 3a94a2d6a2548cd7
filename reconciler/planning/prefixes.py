"""Where a tenant stands on a plan's way: the states after each number of steps, and what differs
from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reconciler.kinds.exchange import states as exchange_states
from reconciler.kinds.teams import states as teams_states
from reconciler.model.addresses import teams_policy
from reconciler.model.observed import ExchangeState, TeamsState
from reconciler.model.requests import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan, Step

_State = TypeVar("_State", TeamsState, ExchangeState)

Standing = dict[str, object]
PROVIDERS: tuple[Provider, ...] = ("teams", "exchange")


def providers(plan: Plan) -> frozenset[Provider]:
    """The products whose state the plan rests on."""
    return plan.baseline.products()


def request(plan: Plan) -> CaptureRequest:
    """What has to be read again to place a tenant on the plan's way: its products, and no names."""
    return CaptureRequest(providers(plan), rows_only=True)


def baseline_standing(plan: Plan, wanted: Collection[Provider] | None = None) -> Standing:
    """The state before the first step, of the wanted products (default: all that the plan rests
    on).
    """
    standing: Standing = {}
    concerned = _wanted(plan, wanted)
    teams, exchange = plan.baseline.of_teams(), plan.baseline.of_exchange()
    if teams is not None and "teams" in concerned:
        standing |= teams_states.start(teams)
    if exchange is not None and "exchange" in concerned:
        standing |= exchange_states.start(exchange)
    return standing


def observed_standing(
    plan: Plan, observed: Observed, wanted: Collection[Provider] | None = None
) -> Standing:
    """The same part of a tenant as it is now.

    Raises:
        ValueError: a product that the plan rests on was not read.
    """
    standing: Standing = {}
    concerned = _wanted(plan, wanted)
    teams, exchange = plan.baseline.of_teams(), plan.baseline.of_exchange()
    if teams is not None and "teams" in concerned:
        standing |= teams_states.project(teams, _read(observed, TeamsState, "teams"))
    if exchange is not None and "exchange" in concerned:
        standing |= exchange_states.project(
            exchange,
            _read(observed, ExchangeState, "exchange"),
            everything=exchange_states.bear_on_all(plan.steps),
        )
    return standing


def _read(observed: Observed, kind: type[_State], provider: Provider) -> _State:
    state = observed.state(kind)
    if state is None:
        raise ValueError(f"the capture has no {provider} state")
    return state


def advance(standing: Standing, step: Step) -> Standing:
    """Change a standing by one step, in place; return the entries that were set."""
    effect = teams_states.effect if step.provider == "teams" else exchange_states.effect
    changed = effect(standing, step)
    standing |= changed
    return changed


def locate(plan: Plan, observed: Observed) -> int | None:
    """The largest number of steps after which the plan's state equals the tenant's; None if there
    is no such number.

    One pass over the steps: what differs is kept as a set and corrected by what each step touches.
    """
    standing, present = baseline_standing(plan), observed_standing(plan, observed)
    differing = set(_differing(standing, present))
    found = None if differing else 0
    for count, step in enumerate(plan.steps, 1):
        for name, value in advance(standing, step).items():
            if present.get(name) == value:
                differing.discard(name)
            else:
                differing.add(name)
        if not differing:
            found = count
    return found


def differences(
    plan: Plan, count: int, observed: Observed, wanted: Collection[Provider] | None = None
) -> tuple[str, ...]:
    """Names of what differs between the tenant and the plan's state after `count` steps, sorted;
    empty if they are equal.
    """
    standing = baseline_standing(plan, wanted)
    concerned = _wanted(plan, wanted)
    for step in plan.steps[:count]:
        if step.provider in concerned:
            advance(standing, step)
    differing = _differing(standing, observed_standing(plan, observed, wanted))
    spellings = _spellings(plan) if differing else {}
    return tuple(sorted(_spelled(name, spellings) for name in differing))


def _spellings(plan: Plan) -> Mapping[str, str]:
    """Addresses of policies by lower-case key, with the name as the service, or the plan, spells
    it.
    """
    spellings = {
        step.address.lower(): str(step.address)
        for step in plan.steps
        if step.address.startswith("teams.policy/")
    }
    section = plan.baseline.of_teams()
    policies = {} if section is None else section.policies
    return spellings | {
        teams_policy(key): teams_policy(stored.identity)
        for key, stored in policies.items()
        if stored is not None
    }


def _spelled(name: str, spellings: Mapping[str, str]) -> str:
    address, space, rest = name.partition(" (")
    return f"{spellings.get(address, address)}{space}{rest}"


def _wanted(plan: Plan, wanted: Collection[Provider] | None) -> list[Provider]:
    return [
        provider
        for provider in PROVIDERS
        if provider in providers(plan) and (wanted is None or provider in wanted)
    ]


def _differing(one: Standing, other: Standing) -> list[str]:
    return [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
