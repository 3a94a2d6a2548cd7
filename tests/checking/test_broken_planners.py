"""Five planners with a defect each, on a transition that the real one handles: the checker must not
let any of their plans pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reconciler.model.addresses import exchange_application, teams_application
from reconciler.model.baselines import Baseline, GuardScope
from reconciler.model.documents import AccessRight, GroupGrant
from reconciler.planning import making
from reconciler.planning.checking import (
    Holders,
    Mailboxes,
    ViolationKind,
    judge_prefixes,
    refusals_of_violations,
)
from tests.checking import transitions
from tests.checking.transitions import GUARD
from tests.planning.consents import plan_with_deletions
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    HERE,
    SCOPES,
    USERS,
    ExchangeWorld,
    TeamsWorld,
    documents,
    exchange_document,
    listing,
    observed,
    teams_document,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.model.plans import Plan, Step

    Break = Callable[[Sequence[Step]], Sequence[Step]]

X, Y = APPS[:2]
RESTRICT, DENY = AccessRight.RESTRICT, AccessRight.DENY


def _teams(world: TeamsWorld, *declared) -> tuple[Plan, TeamsWorld]:
    return (
        making.make_plan(
            documents(list(declared), []), observed(world, None), making.PlanOptions()
        ),
        world,
    )


def _exchange(world: ExchangeWorld, *declared) -> tuple[Plan, ExchangeWorld]:
    seen, guarding = transitions.guarded(world)
    return plan_with_deletions(documents([], list(declared), guarding), seen), world


def _edited() -> tuple[Plan, TeamsWorld]:
    """Alpha's list changes, and a user comes to it."""
    world = TeamsWorld({"Alpha": (frozenset({X}), "")}, frozenset(), [], {})
    return _teams(world, teams_document("Alpha", applications=(Y,), users=(listing([USERS[0]]),)))


def _left() -> tuple[Plan, TeamsWorld]:
    """A user leaves Alpha for Beta while Alpha gains an application."""
    world = TeamsWorld(
        {"Alpha": (frozenset({X}), ""), "Beta": (frozenset(), "")},
        frozenset(),
        [],
        {USERS[0]: "Alpha"},
    )
    beta = teams_document("Beta", users=(listing([USERS[0]]),))
    return _teams(world, teams_document("Alpha", applications=(Y,)), beta)


def _fallen() -> tuple[Plan, TeamsWorld]:
    """A user loses a direct grant while a group, of which the user may be a member, goes from Alpha
    to Beta.
    """
    world = TeamsWorld(
        {"Alpha": (frozenset({X}), ""), "Beta": (frozenset({Y}), ""), "Gamma": (frozenset(), "")},
        frozenset(),
        [(GROUPS[0], "Alpha")],
        {USERS[0]: "Gamma"},
    )
    beta = teams_document("Beta", groups=(GroupGrant(GROUPS[0], 1, None, HERE),))
    return _teams(
        world,
        teams_document("Alpha", groups=()),
        beta,
        teams_document("Gamma", users=(listing([]),)),
    )


def _replaced() -> tuple[Plan, ExchangeWorld]:
    world = ExchangeWorld({(X, SCOPES[0]): (RESTRICT, "")})
    return _exchange(world, exchange_document([X], f"{SCOPES[1]}@contoso.com", RESTRICT))


def _flipped() -> tuple[Plan, ExchangeWorld]:
    """The only Restrict turns to a Deny and the only Deny to a Restrict."""
    world = ExchangeWorld({(X, SCOPES[0]): (RESTRICT, ""), (X, SCOPES[1]): (DENY, "")})
    scopes = [(SCOPES[0], DENY), (SCOPES[1], RESTRICT)]
    return _exchange(
        world, *(exchange_document([X], f"{scope}@contoso.com", right) for scope, right in scopes)
    )


def _first(condition: Callable[[Step], bool]) -> Break:
    """Steps of one kind before all others."""
    return lambda steps: sorted(steps, key=lambda step: not condition(step))


def _adds(step: Step) -> bool:
    return "Add" in str(step.parameters.get("AppIds", ""))


def _unassigns(step: Step) -> bool:
    return "Identity" in step.parameters and step.parameters.get("PolicyName", "") is None


def _removes(step: Step) -> bool:
    return step.cmdlet.startswith("Remove-")


@dataclass(frozen=True)
class Broken:
    """A transition, what a planner does wrong with it, and for whom."""

    good: Callable[[], tuple[Plan, TeamsWorld | ExchangeWorld]]
    spoil: Break
    exposed: str
    subject: Holders | Mailboxes


BROKEN = {
    "steps reversed": Broken(
        _edited, lambda steps: steps[::-1], X, Holders(None, "alpha", "alpha")
    ),
    "Add before Remove": Broken(_left, _first(_adds), Y, Holders("alpha", "alpha", "beta")),
    "unassign before groups": Broken(
        _fallen, _first(_unassigns), X, Holders("gamma", None, None, (GROUPS[0],))
    ),
    "last Restrict removed before its successor": Broken(
        _replaced, _first(_removes), X, Mailboxes(())
    ),
    "guard dropped": Broken(
        _flipped, lambda steps: [step for step in steps if not step.temporary], X, Mailboxes(())
    ),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_the_plan_of_a_broken_planner_is_refused(defect: str) -> None:
    case = BROKEN[defect]
    plan, world = case.good()
    assert plan.applicable, plan.refusals
    assert judge_prefixes(plan) == ()
    assert _judged(plan, world) == {}

    spoilt = replace(
        plan,
        steps=tuple(
            replace(step, id=number) for number, step in enumerate(case.spoil(plan.steps), 1)
        ),
    )
    found = judge_prefixes(spoilt)
    assert _judged(spoilt, world) == {case.exposed: found[0].step}, (
        "the plain judge agrees, and on the step too"
    )
    assert (found[0].why, found[0].application, found[0].subject) == (
        ViolationKind.EXPOSED,
        case.exposed,
        case.subject,
    )
    (note,) = refusals_of_violations(found)
    of = exchange_application if isinstance(world, ExchangeWorld) else teams_application
    assert (note.code, note.address, note.details["step"]) == (
        "unsafe",
        of(case.exposed),
        found[0].step,
    )
    assert note.details["at"] == spoilt.steps[found[0].step - 1].address


def _judged(plan: Plan, world: TeamsWorld | ExchangeWorld) -> dict[str, int]:
    along = transitions.along(world, [(step.cmdlet, step.parameters) for step in plan.steps])
    if isinstance(world, TeamsWorld):
        return transitions.first_teams_exposures(along, GROUPS[:2])
    return transitions.first_exchange_exposures(along, [X], SCOPES, empty=frozenset({GUARD}))


def test_the_transition_that_needs_a_guard_has_one() -> None:
    plan, _ = _flipped()
    assert [step.temporary for step in plan.steps].count(True) == 2
    occupied = {
        **plan.baseline.of_exchange(),
        "guardScope": GuardScope(GUARD, (USERS[0],), "S-1-5-21-1-1-1-3"),
    }
    assert judge_prefixes(replace(plan, baseline=Baseline(exchange=occupied))), (
        "a guard whose group has a member is no guard"
    )
