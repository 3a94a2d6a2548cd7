"""What the checker cannot follow it refuses; what it refuses, `plan` refuses and `apply` does not
begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import ValidationError, convert
from msgspec.structs import replace

from reconciler.errors import Refused
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import exchange_application, teams_application
from reconciler.model.baselines import Baseline
from reconciler.model.codes import RefusalRule, WarningCode
from reconciler.model.documents import AccessRight
from reconciler.model.observed import OPAQUE
from reconciler.model.plans import Note
from reconciler.planning import making, planfile
from reconciler.planning.checking import (
    Mailboxes,
    StepwiseJudge,
    Violation,
    ViolationKind,
    assert_safe,
    judge_prefixes,
    refusals_of_violations,
)
from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from reconciler.reports.review.composing import review
from tests.applying import small_tenants as tenants
from tests.checking import transitions
from tests.checking.transitions import exchange_call, teams_call
from tests.house.tree import PACKAGE, imports
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    SCOPES,
    TENANT,
    USERS,
    ExchangeWorld,
    TeamsWorld,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.model.plans import Plan
    from tests.conftest import Run

X, Y, Z = APPS[:3]
STRANGE = "00000009-0000-4000-8000-000000000009"
WORLD = TeamsWorld(
    {"Alpha": (frozenset({X}), ""), "Beta": (frozenset({Y}), "")},
    frozenset(),
    [(GROUPS[0], "Alpha")],
    {USERS[0]: "Beta"},
)
EXCHANGE = ExchangeWorld({(X, SCOPES[0]): (AccessRight.RESTRICT, "")})


def _teams_plan(*calls, **changed: Any) -> Plan:
    return transitions.plan(
        {"teams": {**transitions.teams_baseline(WORLD, calls), **changed}}, transitions.steps(calls)
    )


def _exchange_plan(*calls) -> Plan:
    return transitions.plan(
        {"exchange": transitions.exchange_baseline(EXCHANGE, [X])}, transitions.steps(calls)
    )


def test_the_checker_shares_nothing_with_what_it_checks() -> None:
    """No room but the words of the model, and none of the planner's modules but itself."""
    known = (
        "reconciler.model.",
        "reconciler.errors",
        "reconciler.canonical",
        "reconciler.planning.checking",
    )
    foreign = [
        imported
        for path in sorted((PACKAGE / "planning" / "checking").glob("*.py"))
        for imported, _ in imports(path)
        if imported.startswith("reconciler") and not imported.startswith(known)
    ]
    assert foreign == []


@pytest.mark.parametrize(
    "call",
    [
        teams_call("New", Identity="ALPHA", AppIds=[X]),
        teams_call("Remove", Identity="Gamma"),
        teams_call("Remove", Identity="Alpha"),
        teams_call("Remove", Identity="Beta"),
        teams_call("Set", Identity="Gamma", AppIds={"Add": [X]}),
        teams_call("Grant", Identity=USERS[1], PolicyName="Gamma"),
    ],
)
def test_a_teams_step_that_the_service_would_refuse_is_named(call) -> None:
    allowed = teams_call("Set", Identity="Alpha", Description="fine")
    assert [(one.step, one.why) for one in judge_prefixes(_teams_plan(allowed, call, allowed))] == [
        (2, ViolationKind.REFUSED)
    ]


def test_a_step_that_is_not_admitted_is_not_done() -> None:
    """Were the removal done, the policy could be made again."""
    removal, again = transitions.steps(
        [
            exchange_call("Remove", X, SCOPES[0]),
            exchange_call("New", X, SCOPES[0], "RestrictAccess"),
        ]
    )
    judge = StepwiseJudge(_exchange_plan().baseline, toward=())
    assert not judge.admits(removal)
    assert not judge.admits(again)


@pytest.mark.parametrize(
    "call",
    [
        teams_call("Grant", Group=GROUPS[1], PolicyName="Beta", Rank=1),
        teams_call("Grant", Group=GROUPS[0], PolicyName="Beta", Rank=1),
        teams_call("Grant", Identity=USERS[1], PolicyName="Beta"),
    ],
    ids=["a group without a policy", "a group with another one", "a user"],
)
def test_nobody_gains_an_entry_that_is_not_understood_though_it_stays(call) -> None:
    policies = transitions.teams_baseline(WORLD, [call])["policies"]
    beta = {**policies["beta"], "applications": [Y, f'{OPAQUE}"app"']}
    judged = judge_prefixes(_teams_plan(call, policies={**policies, "beta": beta}))
    assert [(one.step, one.why) for one in judged] == [(1, ViolationKind.OPAQUE)]


@pytest.mark.parametrize(
    "call",
    [
        teams_call("Get", Identity="Alpha"),
        teams_call("New", Identity="Unheard"),
        teams_call("New", Identity=""),
        teams_call("New", Identity="Gamma", AppIds=X),
        teams_call("New", AppIds=[X]),
        teams_call("Set", Identity="Alpha", AppIds=[X]),
        teams_call("Set", Identity="Alpha", AppIds={"Replace": [X]}),
        teams_call("Set", Identity="Alpha", AppIds={}),
        teams_call("Remove", Identity="Global"),
        teams_call("Grant", Global=True, PolicyName=None),
        teams_call("Grant", Identity=USERS[1], PolicyName="Global"),
        teams_call("Grant", Identity=USERS[1]),
    ],
)
def test_a_teams_step_that_no_plan_has_is_not_guessed_at(call) -> None:
    assert [(one.step, one.why) for one in judge_prefixes(_teams_plan(call))] == [
        (1, ViolationKind.UNKNOWN)
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"users": {}},
        {"users": {USERS[1]: "gamma2"}},
        {"groups": [{"group": GROUPS[0], "policy": "unheard"}]},
        {"policies": {}},
    ],
)
def test_a_baseline_that_lacks_what_a_step_rests_on_proves_nothing(changed: dict) -> None:
    plan = _teams_plan(teams_call("Grant", Identity=USERS[1], PolicyName="Alpha"), **changed)
    assert [(one.step, one.why) for one in judge_prefixes(plan)] == [(1, ViolationKind.UNKNOWN)]
    assert [one.why for one in judge_prefixes(replace(plan, baseline=Baseline()))] == [
        ViolationKind.UNKNOWN
    ]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (exchange_call("New", X, SCOPES[0], "DenyAccess"), ViolationKind.REFUSED),
        (exchange_call("Remove", X, SCOPES[1]), ViolationKind.REFUSED),
        (exchange_call("Set", X, SCOPES[1]), ViolationKind.REFUSED),
        (exchange_call("New", X, SCOPES[1], "AllowAccess"), ViolationKind.UNKNOWN),
        (exchange_call("New", STRANGE, SCOPES[1], "DenyAccess"), ViolationKind.UNKNOWN),
        (exchange_call("Remove", STRANGE, SCOPES[1]), ViolationKind.UNKNOWN),
        (exchange_call("Get", X, SCOPES[0]), ViolationKind.UNKNOWN),
        (("Remove-ApplicationAccessPolicy", {"Identity": "the one of CRM"}), ViolationKind.UNKNOWN),
        (("Remove-ApplicationAccessPolicy", {}), ViolationKind.UNKNOWN),
    ],
)
def test_an_exchange_step_that_cannot_be_followed_is_named(call, why: ViolationKind) -> None:
    assert [(one.step, one.why) for one in judge_prefixes(_exchange_plan(call))] == [(1, why)]


def test_a_new_exchange_policy_must_be_the_one_that_its_address_names() -> None:
    plan = _exchange_plan(exchange_call("New", X, SCOPES[1], "RestrictAccess"))
    (step,) = plan.steps
    assert judge_prefixes(plan) == ()
    for other in (
        {"AppId": [Y]},
        {"AppId": [X, Y]},
        {"PolicyScopeGroupId": SCOPES[2]},
        {"AppId": None},
    ):
        assert [
            one.why
            for one in judge_prefixes(
                replace(plan, steps=(replace(step, parameters={**step.parameters, **other}),))
            )
        ] == [ViolationKind.UNKNOWN]
    assert [
        one.why
        for one in judge_prefixes(
            replace(plan, steps=(replace(step, address="exchange.policy/crm"),))
        )
    ] == [ViolationKind.UNKNOWN]


@pytest.mark.parametrize(
    "baseline",
    [
        {"exchange": {X: [{"scope": SCOPES[0], "accessRight": "Allow"}]}},
        {"exchange": {X: [{"scope": SCOPES[0]}]}},
        {"exchange": {X: None}},
        {"exchange": {X: {"id": SCOPES[0], "members": [], "sid": "S-1"}}},
        {"exchange": {"guardScope": []}},
        {"exchange": []},
        {"teams": {**transitions.teams_baseline(WORLD, ()), "groups": None}},
        {
            "teams": {
                **transitions.teams_baseline(WORLD, ()),
                "policies": {"alpha": {"applications": "x"}},
            }
        },
    ],
)
def test_what_is_no_baseline_never_gets_to_the_checker(baseline: dict) -> None:
    with pytest.raises(ValidationError, match=r" - at `\$"):
        convert({"baseline": baseline}, type=dict[str, Baseline])


def test_a_description_opens_nothing_and_is_followed() -> None:
    assert judge_prefixes(_exchange_plan(exchange_call("Set", X, SCOPES[0]))) == ()
    assert judge_prefixes(_teams_plan(teams_call("Set", Identity="Global", Description="x"))) == ()
    assert judge_prefixes(transitions.plan({"teams": None, "exchange": None}, ())) == ()


def test_a_rank_that_is_none_is_the_last() -> None:
    """The module does not send a rank of 0, and the service takes none for the last one."""
    calls = [
        teams_call("Grant", Group=GROUPS[1], PolicyName="Beta", Rank=0),
        teams_call("Grant", Group=GROUPS[1], PolicyName="Beta", Rank=9),
    ]
    assert judge_prefixes(_teams_plan(*calls)) == ()
    first = teams_call("Grant", Group=GROUPS[1], PolicyName="Beta", Rank=1)
    found = judge_prefixes(_teams_plan(first, calls[0]))
    assert [(one.step, one.application, one.subject.groups) for one in found] == [
        (1, Y, tuple(GROUPS[:2]))
    ]


# --- plan


def _opening() -> tuple[Violation, ...]:
    """Restricts of X are removed before the new one comes; then something else cannot be followed."""
    opening = (
        exchange_call("Remove", X, SCOPES[0]),
        exchange_call("New", X, SCOPES[1], "RestrictAccess"),
    )
    return judge_prefixes(_exchange_plan(*opening))


def test_one_refusal_for_each_application_and_each_step_that_cannot_be_followed() -> None:
    exposed = judge_prefixes(
        _teams_plan(
            teams_call("Set", Identity="Alpha", AppIds={"Add": [Y, Z]}),
            teams_call("Set", Identity="Alpha", AppIds={"Remove": [Y, Z]}),
            others={"alpha": True},
        )
    )
    found = refusals_of_violations(
        (
            *_opening(),
            *exposed,
            *judge_prefixes(_teams_plan(teams_call("Remove", Identity="Alpha"))),
        )
    )
    assert [(note.code, note.address) for note in found] == [
        (RefusalRule.UNSAFE, exchange_application(X)),
        (RefusalRule.UNSAFE, teams_application(Y)),
        (RefusalRule.UNSAFE, teams_application(Z)),
        (RefusalRule.UNCHECKED, "teams.policy/any"),
    ]
    assert found[1].details["others"] == 1, (
        "holders of the policy are named, members of the group are counted"
    )
    assert not any("allow" in note.details for note in found), (
        "no consent makes an unsafe order safe"
    )


@pytest.mark.parametrize("code", [RefusalRule.NEEDS_GUARD, RefusalRule.EXPOSURE])
@pytest.mark.parametrize("application", [X, "*"])
def test_what_is_refused_with_better_reasons_is_not_refused_twice(
    code: RefusalRule, application: str
) -> None:
    assert (
        refusals_of_violations(_opening(), [Note(code, exchange_application(application), {})])
        == ()
    )
    assert len(refusals_of_violations(_opening(), [Note(code, exchange_application(Y), {})])) == 1
    assert (
        len(
            refusals_of_violations(
                _opening(), [Note(RefusalRule.LIMITS, exchange_application(application), {})]
            )
        )
        == 1
    )
    stuck = judge_prefixes(_teams_plan(teams_call("Remove", Identity="Alpha")))
    assert len(refusals_of_violations(stuck, [Note(code, "teams.policy/any", {})])) == 1, (
        "that a step cannot be followed is never told by others"
    )


def test_a_plan_whose_order_is_not_safe_is_not_applicable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planner itself has to be broken for this: its steps are taken in the reverse order."""
    reverse: Callable = lambda of: lambda drafts, *rest: of(list(drafts)[::-1], *rest)
    monkeypatch.setattr(making, "numbered_steps", reverse(making.numbered_steps))
    before = tenants.World(policies={1: frozenset({1})}, users={})
    after = tenants.World(policies={1: frozenset({2})}, users={1: 1})
    plan = tenants.planned(tenants.simulator(tmp_path, before), tenants.documents(after))
    assert not plan.applicable
    assert [(note.code, note.address) for note in plan.refusals] == [
        (RefusalRule.UNSAFE, teams_application(tenants.application(1)))
    ]
    loaded = planfile.sealed(plan, tmp_path / "plan.json")
    said = " ".join(plain_text(plans.plan_lines(review(plan, loaded.digests))).split())
    assert "Checked independently, the order of these steps is not safe: after step 2" in said
    assert "at teams.grant/user:" in said


# --- apply


def _swapped(plan: Plan) -> Plan:
    """The same Teams steps in the reverse order, with their waits, sealed as if it had been made so."""
    steps = tuple(replace(step, id=number) for number, step in enumerate(plan.steps[::-1], 1))
    waits = PRODUCTS["teams"].reliances(plan.baseline, steps)
    return replace(
        plan,
        steps=steps,
        warnings=tuple(
            Note(WarningCode.RELIES_ON, steps[step - 1].address, {"step": step, "on": on})
            for step, on in waits.items()
        ),
    )


def test_apply_refuses_an_unsafe_plan_before_anything_is_read_or_written(
    tmp_path: Path, run: Run
) -> None:
    before = tenants.World(policies={1: frozenset({1})}, users={})
    after = tenants.World(policies={1: frozenset({2})}, users={1: 1})
    plan = tenants.planned(tenants.simulator(tmp_path, before), tenants.documents(after))
    planfile.sealed(_swapped(plan), tmp_path / "plan.json")
    state = (tmp_path / "tenant.json").read_bytes()
    ran = run("apply", "plan.json", "--auto-approve", "--tenant", "sim:tenant.json")
    assert ran.code == 4, ran.err
    assert (
        f"teams.application/{tenants.application(1)} would reach users by their grants (no direct"
        " grant -> " in ran.err
    )
    assert "after step 2 of the plan (teams.grant/user:" in ran.err
    assert "Nothing was written" in ran.err
    assert (tmp_path / "tenant.json").read_bytes() == state
    assert not (tmp_path / ".reconciler").exists()
    assert run("rehearse", "plan.json").code == 4


def test_what_was_consented_to_is_applied_and_nothing_else() -> None:
    plan = _exchange_plan(
        exchange_call("Remove", X, SCOPES[0]), exchange_call("New", X, SCOPES[1], "RestrictAccess")
    )
    with pytest.raises(Refused, match=f"{X} would reach mailboxes in none of its scopes, whom"):
        assert_safe(plan)
    assert_safe(replace(plan, consents=(f"exposure:exchange.application/{X.upper()}",)))
    assert_safe(replace(plan, consents=(f"exposure:exchange.application/{X}".upper(),)))
    for other in (
        f"exposure:exchange.application/{Y}",
        f"tenant-wide:exchange.application/{X}",
        f"exposure:teams.application/{X}",
    ):
        with pytest.raises(Refused):
            assert_safe(replace(plan, consents=(other,)))


def test_nobody_can_consent_that_a_quarantined_application_reaches_somebody() -> None:
    plan = _exchange_plan(
        exchange_call("Remove", X, SCOPES[0]), exchange_call("New", X, SCOPES[1], "RestrictAccess")
    )
    allowed = replace(plan, consents=(f"exposure:exchange.application/{X}",))
    assert_safe(allowed)
    shut = replace(allowed, baseline=replace(plan.baseline, quarantined=(X,)))
    with pytest.raises(Refused, match=f"{X} would reach mailboxes"):
        assert_safe(shut)


def test_the_sentence_says_who_and_what_cannot_be_followed() -> None:
    world = ExchangeWorld(
        {(X, SCOPES[0]): (AccessRight.DENY, ""), (X, SCOPES[1]): (AccessRight.RESTRICT, "")}
    )
    calls = [
        exchange_call("Remove", X, SCOPES[0]),
        exchange_call("New", X, SCOPES[2], "DenyAccess"),
    ]
    calls += [
        exchange_call("New", X, SCOPES[0], "DenyAccess"),
        exchange_call("Remove", X, SCOPES[2]),
    ]
    plan = transitions.plan(
        {"exchange": transitions.exchange_baseline(world, [X])}, transitions.steps(calls)
    )
    assert judge_prefixes(plan)[0].subject == Mailboxes((SCOPES[0], SCOPES[1]))
    with pytest.raises(Refused, match=f"mailboxes in the scopes {SCOPES[0]} and {SCOPES[1]}, whom"):
        assert_safe(plan)
    with pytest.raises(
        Refused, match=r"step 1 of the plan \(teams.policy/any\) cannot be done at this point"
    ):
        assert_safe(_teams_plan(teams_call("Remove", Identity="Alpha")))
    with pytest.raises(Refused, match="cannot be checked: the plan's baseline lacks"):
        assert_safe(_teams_plan(teams_call("New", Identity="Unheard")))
    unassigned = _teams_plan(
        teams_call("Grant", Group=GROUPS[1], PolicyName="Beta", Rank=1),
        teams_call("Grant", Group=GROUPS[1], PolicyName=None),
    )
    with pytest.raises(
        Refused,
        match=f"in the groups {GROUPS[0]} and {GROUPS[1]}, whom|in the groups {GROUPS[1]}, whom",
    ) as caught:
        assert_safe(unassigned)
    assert TENANT not in str(caught.value)
