"""What the checker costs, counted in calls: it grows with the steps and with the classes of users,
never with users times steps.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from reconciler.planning.checking import judge_prefixes
from tests.checking import transitions
from tests.checking.transitions import exchange_call, teams_call
from tests.planning.enumerated_access import guid

if TYPE_CHECKING:
    from reconciler.model.plans import Plan

pytestmark = pytest.mark.no_cover

POLICIES = 20
GROUPS = 64


def _calls_of(plan: Plan) -> int:
    """How many functions the checker calls."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        found = judge_prefixes(plan)
    finally:
        sys.setprofile(before)
    assert found == ()
    return count


def _name(number: int) -> str:
    return f"policy-{number % POLICIES}"


def _listed(number: int) -> list[str]:
    return [guid(1, number % POLICIES), guid(1, POLICIES)]


def _moves(users: int, groups: int = GROUPS, moved_groups: int = 0) -> Plan:
    """So many users go from one policy to another, so many are granted anew, a few groups change
    places; everybody else stays.
    """
    calls = [
        teams_call("Grant", Identity=guid(2, number), PolicyName=_name(number + 1))
        for number in range(users)
    ]
    calls += [
        teams_call("Grant", Group=guid(3, number), PolicyName=_name(number + 1), Rank=number + 1)
        for number in range(moved_groups)
    ]
    baseline = {
        "groups": [{"group": guid(3, number), "policy": _name(number)} for number in range(groups)],
        "others": {},
        "policies": {
            **{
                _name(number): {
                    "applications": _listed(number),
                    "description": "",
                    "identity": _name(number),
                }
                for number in range(POLICIES)
            },
            "global": {"applications": [], "description": "", "identity": "Global"},
        },
        "users": {
            guid(2, number): _name(number) if number % 2 else None for number in range(users)
        },
    }
    return transitions.plan({"teams": baseline}, transitions.steps(calls))


def test_twenty_times_the_moves_cost_at_most_twenty_times_the_calls() -> None:
    few, many = _calls_of(_moves(1_000)), _calls_of(_moves(20_000))
    assert many < 20 * few
    assert many < 20 * 20_000, "a handful of calls a step"


def test_groups_cost_what_a_walk_through_their_list_costs_for_each_place() -> None:
    """64 groups that all change: each step looks at the places from its own on, and walks through
    the list once for each.
    """
    few, many = (
        _calls_of(_moves(100, groups, moved_groups=groups)) for groups in (GROUPS // 2, GROUPS)
    )
    assert many < 10 * few, (
        "places times places times the length of the list: eight times for twice the groups"
    )
    assert many < GROUPS**3 * 3


def test_policies_that_change_cost_their_own_holders_classes() -> None:
    """Each list gains an application while users of every class stand by."""
    plans = []
    for users in (1_000, 20_000):
        plan = _moves(users)
        edits = [
            teams_call("Set", Identity=_name(number), AppIds={"Add": [guid(1, 99)]})
            for number in range(POLICIES)
        ]
        plans.append(
            transitions.plan(
                plan.baseline,
                transitions.steps(
                    [(step.cmdlet, dict(step.parameters)) for step in plan.steps] + edits
                ),
            )
        )
    few, many = map(_calls_of, plans)
    assert many < 20 * few


@pytest.mark.parametrize("application", [guid(1, 0), "*"])
def test_exchange_costs_a_few_calls_a_step(application: str) -> None:
    def plan(scopes: int) -> Plan:
        calls = [
            exchange_call("New", application, guid(4, number), "DenyAccess")
            for number in range(scopes)
        ]
        return transitions.plan({"exchange": {application: [], "*": []}}, transitions.steps(calls))

    few, many = _calls_of(plan(30)), _calls_of(plan(300))
    assert many < 11 * few
