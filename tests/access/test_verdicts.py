"""The evaluators: the documented tables and rules, and agreement with the plain model of both
services.
"""

from __future__ import annotations

import itertools
import random

import pytest

from reconciler.audiences.verdicts import Asked, Denied, Depends, Granted, Reason
from reconciler.kinds.exchange import mailbox_access
from reconciler.kinds.teams import effective_policy
from reconciler.model.documents import AccessRight
from reconciler.model.observed import (
    ExchangePolicy,
    ExchangeState,
    GroupAssignment,
    TeamsPolicy,
    TeamsState,
)
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    random_exchange,
    random_teams,
)

RESTRICT, DENY = AccessRight.RESTRICT, AccessRight.DENY


def _policies(**lists):
    named = {"global": (), **lists}
    return {
        key: TeamsPolicy(key.capitalize(), dict.fromkeys(apps, ""), "")
        for key, apps in named.items()
    }


def _teams(users, groups=(), **lists):
    return TeamsState(_policies(**lists), tuple(GroupAssignment(*row) for row in groups), users, {})


def _nobody(_):
    return False


# The table of "Configure application access to online meetings or virtual events" (Microsoft
# Graph). Its third row says in one line that app_1 reaches both users and in the next that nothing
# reaches user_2: the corrected page has app_1 and app_2 as user_1. The fourth holds for users
# without a policy of their own.
TABLE = """
policy_1 is assigned to user_1, policy_2 is assigned to user_2    | app_1 as user_1 | app_2 as user_2
policy_1 is assigned to user_1 and user_2                         | app_1 as user_1 | app_1 as user_2
policy_3 is assigned to user_1, no policy is assigned to user_2   | app_1 as user_1 | app_2 as user_1
policy_3 is assigned to all | app_1 as user_1 | app_2 as user_1 | app_1 as user_2 | app_2 as user_2
"""
CONTENT = {"policy_1": ("app_1",), "policy_2": ("app_2",), "policy_3": ("app_1", "app_2")}
ASSIGNED = {
    "policy_1 is assigned to user_1, policy_2 is assigned to user_2": {
        "user_1": "policy_1",
        "user_2": "policy_2",
    },
    "policy_1 is assigned to user_1 and user_2": {"user_1": "policy_1", "user_2": "policy_1"},
    "policy_3 is assigned to user_1, no policy is assigned to user_2": {"user_1": "policy_3"},
    "policy_3 is assigned to all": {},
}


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_the_documented_table_of_teams(line):
    scenario, *allowed = (cell.strip() for cell in line.split("|"))
    tenant_wide = CONTENT["policy_3"] if "to all" in scenario else ()
    state = _teams(ASSIGNED[scenario], **{"global": tenant_wide, **CONTENT})
    found = {
        f"{app} as {user}"
        for app, user in itertools.product(("app_1", "app_2"), ("user_1", "user_2"))
        if isinstance(effective_policy.user_verdict(state, app, user, _nobody), Granted)
    }
    assert found == set(allowed)


def test_a_tenant_wide_grant_does_not_reach_users_with_a_policy_of_their_own():
    state = _teams({"user": "own"}, own=("other",), **{"global": ("app",)})
    assert isinstance(effective_policy.user_verdict(state, "app", "user", _nobody), Denied)


def test_a_grant_of_a_policy_that_does_not_exist_denies():
    state = _teams({"user": "gone"}, **{"global": ("app",)})
    verdict = effective_policy.user_verdict(state, "app", "user", _nobody)
    assert isinstance(verdict, Denied)
    assert verdict.decided_by == "teams.policy/gone"


def test_the_strongest_group_selects_and_later_ones_add_nothing():
    state = _teams({}, [("g1", "one"), ("g2", "two")], one=("other",), two=("app",))
    verdict = effective_policy.user_verdict(state, "app", "user", {"g1": True, "g2": True}.get)
    assert verdict == Denied(
        (
            Reason(Asked.DIRECT_GRANT, "teams.grant/user:user", False),
            Reason(Asked.GROUP_GRANT, "teams.grant/group:g1", True),
            Reason(Asked.LISTED, "teams.policy/One", False),
        ),
        "teams.policy/One",
    )


def test_unknown_membership_that_would_matter_depends_on_just_those_groups():
    state = _teams({}, [("g1", "one"), ("g2", "two")], one=("app",), two=("other",))
    verdict = effective_policy.user_verdict(state, "app", "user", {"g1": None, "g2": True}.get)
    assert isinstance(verdict, Depends)
    assert verdict.unknown == ("teams.grant/group:g1",)


def test_unknown_membership_that_makes_no_difference_decides():
    state = _teams({}, [("g1", "one")], one=("app",), **{"global": ("app",)})
    assert isinstance(
        effective_policy.user_verdict(state, "app", "user", {"g1": None}.get), Granted
    )


def test_a_direct_grant_that_nobody_read_leaves_everything_open():
    verdict = effective_policy.user_verdict(_teams({}), "app", "user", _nobody, direct_known=False)
    assert verdict == Depends(
        (Reason(Asked.DIRECT_GRANT, "teams.grant/user:user", None),), ("teams.grant/user:user",)
    )


def _exchange(*policies):
    return ExchangeState(
        {
            (app, scope): ExchangePolicy(app, scope, "", right, "", "", "", "")
            for app, scope, right in policies
        }
    )


# MicrosoftDocs New-ApplicationAccessPolicy: each rule once as the one that decides, beside a rule
# after it that says the opposite.
RULES = {
    "a Deny outranks a Restrict of the same scope": (
        [("app", "in", DENY), ("*", "in", RESTRICT)],
        Denied,
        "exchange.policy/app@in",
    ),
    "a Deny that covers the mailbox denies": (
        [("app", "in", DENY)],
        Denied,
        "exchange.policy/app@in",
    ),
    "a Deny of every application denies": (
        [("*", "in", DENY), ("app", "in2", RESTRICT)],
        Denied,
        "exchange.policy/*@in",
    ),
    "a Deny that does not cover it does nothing": (
        [("app", "out", DENY)],
        Granted,
        "exchange.application/app",
    ),
    "a Restrict that covers it grants": (
        [("app", "in", RESTRICT), ("app", "out", RESTRICT)],
        Granted,
        "exchange.policy/app@in",
    ),
    "a Restrict of every application that covers it grants": (
        [("*", "in", RESTRICT), ("app", "out", RESTRICT)],
        Granted,
        "exchange.policy/*@in",
    ),
    "Restricts of which none covers it deny": (
        [("app", "out", RESTRICT), ("app", "out2", DENY)],
        Denied,
        "exchange.application/app",
    ),
    "a Restrict of every application denies too": (
        [("*", "out", RESTRICT)],
        Denied,
        "exchange.application/app",
    ),
    "no policy at all grants": ([], Granted, "exchange.application/app"),
    "a policy of another application does not count": (
        [("other", "in", DENY), ("other", "out", RESTRICT)],
        Granted,
        "exchange.application/app",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_documented_rules_of_exchange(rule):
    policies, verdict, decided_by = RULES[rule]
    found = mailbox_access.mailbox_verdict(
        _exchange(*policies), "app", lambda scope: scope.startswith("in")
    )
    assert isinstance(found, verdict)
    assert found.decided_by == decided_by


def test_a_deny_of_unknown_members_leaves_a_granted_mailbox_open():
    state = _exchange(("app", "in", RESTRICT), ("app", "unknown", DENY))
    verdict = mailbox_access.mailbox_verdict(state, "app", {"in": True}.get)
    assert isinstance(verdict, Depends)
    assert verdict.unknown == ("exchange.policy/app@unknown",)


def _combinations(groups):
    return [
        frozenset(some)
        for size in range(len(groups) + 1)
        for some in itertools.combinations(groups, size)
    ]


def _expected(answers):
    return {frozenset({True}): Granted, frozenset({False}): Denied}.get(frozenset(answers), Depends)


def _knowledge(chance, groups):
    """What is known of one subject, and every combination of groups it may be in then."""
    known = {group: chance.choice([True, False, None]) for group in groups}
    return known.get, [
        some
        for some in _combinations(groups)
        if all(known[g] is None or known[g] == (g in some) for g in groups)
    ]


@pytest.mark.no_cover
def test_teams_verdicts_are_those_of_all_possible_memberships():
    for seed in range(1000):
        chance = random.Random(seed)
        world = random_teams(chance, APPS[:2], USERS[:2], GROUPS[:3], NAMES)
        member, ways = _knowledge(chance, GROUPS[:3])
        for app, user in itertools.product(APPS[:2], USERS[:2]):
            verdict = effective_policy.user_verdict(world.state(), app, user, member)
            assert isinstance(
                verdict, _expected(app in world.reach(user, some) for some in ways)
            ), f"seed {seed}"


@pytest.mark.no_cover
def test_exchange_verdicts_are_those_of_all_possible_memberships():
    for seed in range(2000):
        chance = random.Random(seed)
        world = random_exchange(chance, [APPS[0], "*"], SCOPES[:3])
        covers, ways = _knowledge(chance, SCOPES[:3])
        for app in APPS[:2]:
            verdict = mailbox_access.mailbox_verdict(world.state(), app, covers)
            assert isinstance(verdict, _expected(world.granted(app, some) for some in ways)), (
                f"seed {seed}"
            )
