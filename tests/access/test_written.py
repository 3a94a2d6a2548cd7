"""The delta as a plan file has it: what is written is read again."""

from __future__ import annotations

import random

from msgspec import json

from reconciler.kinds.exchange import access_delta as exchange_delta
from reconciler.kinds.exchange import target as exchange_target
from reconciler.kinds.exchange.target import Creation, ExchangeTarget
from reconciler.kinds.teams import access_delta as teams_delta
from reconciler.kinds.teams import target as teams_target
from reconciler.kinds.teams.target import TeamsTarget
from reconciler.model.access_rows import AccessDelta
from reconciler.model.documents import AccessRight
from reconciler.planning.access_deltas import of_products
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    directory,
    random_exchange,
    random_teams,
)


def test_each_product_has_its_own_rows():
    for seed in range(50):
        chance = random.Random(seed)
        old, new = (random_teams(chance, APPS, USERS, GROUPS, NAMES).state() for _ in range(2))
        was, shall = (random_exchange(chance, [APPS[0], "*"], SCOPES).state() for _ in range(2))
        teams = teams_delta.delta(teams_delta.transition(old, new, directory()))
        exchange = exchange_delta.delta(was, shall, directory())
        both = of_products({"teams": teams, "exchange": exchange})
        assert both.of("teams") == AccessDelta(teams.gained, teams.lost, teams.tenant_wide, ())
        assert both.of("exchange") == AccessDelta(
            exchange.gained, exchange.lost, exchange.tenant_wide, ()
        )
        assert json.decode(json.encode(both), type=AccessDelta) == both


def test_states_after_a_target_share_what_does_not_change():
    world = random_teams(random.Random(1), APPS, USERS, GROUPS, NAMES)
    world.users = {USERS[0]: "Alpha", USERS[1]: "Alpha"}
    observed = world.state()
    target = TeamsTarget(
        observed.policies,
        (),
        {USERS[0]: None, USERS[2]: "alpha", USERS[3]: None},
        (),
        None,
        frozenset(),
        frozenset(),
        (),
    )
    after = teams_target.state_reached(observed, target)
    assert (dict(after.users), after.groups, after.policies) == (
        {USERS[1]: "alpha", USERS[2]: "alpha"},
        (),
        observed.policies,
    )


def test_an_exchange_state_after_a_target():
    observed = random_exchange(random.Random(2), [APPS[0]], SCOPES).state()
    gone, *_ = observed.policies
    created = {(APPS[1], SCOPES[0]): Creation(AccessRight.DENY, "scope@contoso.com", None)}
    after = exchange_target.state_reached(
        observed,
        ExchangeTarget(created, {gone: observed.policies[gone]}, {}, {}, {}, {}, ()),
    )
    assert after.policies.keys() == (observed.policies.keys() - {gone}) | created.keys()
    assert after.policies[APPS[1], SCOPES[0]].right is AccessRight.DENY
