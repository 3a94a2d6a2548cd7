"""Guards: where a flip would open an application, a temporary RestrictAccess on an empty group
keeps it shut.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.kinds.exchange import checks, states, steps
from reconciler.kinds.exchange.target import Creation, ExchangeTarget
from reconciler.model.baselines import GuardScope
from reconciler.model.codes import GapReason, GuardLacks, RefusalRule
from reconciler.model.documents import AccessRight, Limits
from reconciler.model.observed import ExchangePolicy, ExchangeState
from tests.ordering import exchange_judge as judge
from tests.planning.enumerated_access import APPS, SCOPES

RESTRICT, DENY = AccessRight.RESTRICT, AccessRight.DENY


def _number(app, star=(0, 0, 0)):
    return judge.STATES.index((*app, *star))


FLIP = (_number((1, 2, 0)), _number((2, 1, 0)))
"""The application's only Restrict becomes a Deny, its only Deny a Restrict: between the two it is
open.
"""


def _made(pair, *, people=None, guard_scope=judge.GUARD_SCOPE, observed=None, target=None):
    return steps.ordered(
        observed or judge.observed(pair[0]),
        target or judge.target(*pair),
        people or judge.people(),
        guard_scope,
    )


def test_a_guard_stands_around_the_flips_and_goes_by_the_identity_that_the_service_gives():
    drafts = _made(FLIP).ordered.drafts
    temporary = [draft for draft in drafts if draft.temporary]
    assert [draft.reason for draft in temporary] == ["create-guard", "remove-guard"]
    create, remove = (draft.invocation.parameters for draft in temporary)
    assert create == {
        "AppId": [APPS[0]],
        "PolicyScopeGroupId": "nobody@contoso.com",
        "AccessRight": "RestrictAccess",
        "Description": " ",
        "Confirm": False,
    }
    assert (
        remove["Identity"] == f"{judge.ORGANISATION}\\{APPS[0]}:{judge.NOBODY_SID};{judge.NOBODY}"
    )
    flips = [place for place, draft in enumerate(drafts) if draft.reason.startswith("flip")]
    assert drafts.index(temporary[0]) < min(flips) < max(flips) < drafts.index(temporary[1])


def test_a_guard_for_every_application_replaces_the_others():
    both = (_number((1, 2, 0), (1, 2, 0)), _number((2, 1, 0), (2, 1, 0)))
    made = _made(both)
    assert [draft.address for draft in made.ordered.drafts if draft.temporary] == [
        f"exchange.policy/*@{judge.NOBODY}"
    ] * 2
    assert made.guards == 1


def test_what_a_guard_closes_meanwhile_is_a_gap_and_says_so():
    pair = next(
        (first, second)
        for first in range(len(judge.STATES))
        for second in (_number((2, 1, 1)), _number((2, 1, 2)))
        if judge.STATES[first][:3] == (1, 2, 2) and judge.STATES[first][3:] == (0, 0, 0)
        for made in [_made((first, second))]
        if made.guards or made.ordered.gaps
    )
    made = _made(pair)
    assert {gap.reason for gap in made.ordered.gaps} <= {
        GapReason.GUARDED,
        GapReason.NO_BETTER_ORDER,
    }


def test_the_removal_relies_on_what_came_before_it():
    drafts = _made(FLIP).ordered.drafts
    for one in _made(FLIP).ordered.reliances:
        assert drafts[one.on - 1].invocation.cmdlet == "New-ApplicationAccessPolicy"
        assert drafts[one.step - 1].invocation.cmdlet == "Remove-ApplicationAccessPolicy"
        assert one.on < one.step


def test_the_baseline_carries_the_group_and_the_way_is_found_across_guard_steps():
    made = _made(FLIP)
    section = states.baseline(judge.observed(FLIP[0]), judge.target(*FLIP), made.guard.baseline())
    assert section["guardScope"] == GuardScope(judge.NOBODY, (), judge.NOBODY_SID)
    assert states.starting_snapshot(section) == states.project(section, judge.observed(FLIP[0]), ())
    without = states.baseline(judge.observed(FLIP[0]), judge.target(*FLIP), None)
    assert "guardScope" not in without
    assert set(section) == {APPS[0], "*", "guardScope"}


def test_every_application_is_part_of_the_baseline_if_policies_of_all_change():
    first, second = _number((1, 0, 0), (1, 0, 0)), _number((1, 0, 0), (0, 0, 0))
    assert APPS[0] in states.baseline(judge.observed(first), judge.target(first, second), None)


def _nobody(**changed):
    people = judge.people()
    return replace(
        people,
        recipients={
            **people.recipients,
            judge.NOBODY: replace(people.recipients[judge.NOBODY], **changed),
        },
    )


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"guard_scope": None}, GuardLacks.NOT_DECLARED),
        ({"guard_scope": "else@contoso.com"}, GuardLacks.NOT_FOUND),
        ({"people": _nobody(principal=False)}, GuardLacks.NOT_PRINCIPAL),
        ({"people": _nobody(sid=None)}, GuardLacks.NO_SID),
        ({"people": _nobody(members=None)}, GuardLacks.MEMBERS_UNKNOWN),
        ({"people": _nobody(members=frozenset({APPS[1]}))}, GuardLacks.NOT_EMPTY),
    ],
)
def test_what_is_missing_is_named_with_the_application(given, missing):
    made = _made(FLIP, **given)
    assert made.lacking == {APPS[0]: missing}
    assert not any(draft.temporary for draft in made.ordered.drafts)
    refused = list(
        checks.refusals(
            judge.observed(FLIP[0]), judge.target(*FLIP), judge.people(), Limits(), made
        )
    )
    assert [
        (note.code, note.address, note.details)
        for note in refused
        if note.code == RefusalRule.NEEDS_GUARD
    ] == [(RefusalRule.NEEDS_GUARD, f"exchange.application/{APPS[0]}", {"missing": missing})]


def test_a_group_that_is_a_scope_of_the_application_is_no_guard():
    policy = ExchangePolicy(
        APPS[0],
        judge.NOBODY,
        judge.NOBODY_SID,
        DENY,
        "",
        "",
        judge.identity((APPS[0], judge.NOBODY)),
        "",
    )
    here = judge.observed(FLIP[0])
    assert _made(
        FLIP, observed=ExchangeState({**here.policies, (APPS[0], judge.NOBODY): policy})
    ).lacking == {APPS[0]: GuardLacks.IN_USE}


def test_without_an_identity_to_take_the_organisation_from_there_is_no_guard():
    here = judge.observed(FLIP[0])
    odd = ExchangeState(
        {key: replace(policy, identity="policy") for key, policy in here.policies.items()}
    )
    assert _made(FLIP, observed=odd).lacking == {APPS[0]: GuardLacks.NO_ORGANISATION}


def test_the_guard_counts_in_the_policy_space():
    here, aim = judge.observed(FLIP[0]), judge.target(*FLIP)
    many = {
        (f"{n + 100:08x}-0000-4000-8000-000000000000", SCOPES[0]): next(
            iter(here.policies.values())
        )
        for n in range(298)
    }
    full = ExchangeState({**here.policies, **many})
    made = steps.ordered(full, aim, judge.people(), judge.GUARD_SCOPE)
    peaks = [
        note.details["policies"]
        for note in checks.refusals(full, aim, judge.people(), Limits(), made)
        if note.code == RefusalRule.POLICY_SPACE
    ]
    assert peaks == [301]


def _large(count):
    """So many flips that a component is beyond exact search."""
    keys = [(APPS[0], f"{n:08x}-0000-4000-8000-000000000004") for n in range(count)]
    policies = {
        key: ExchangePolicy(
            *key,
            "S-1",
            RESTRICT if n % 2 else DENY,
            "",
            "",
            f"{judge.ORGANISATION}\\{key[0]}:S-1;{key[1]}",
            "",
        )
        for n, key in enumerate(keys)
    }
    created = {
        key: Creation(DENY if n % 2 else RESTRICT, key[1], None) for n, key in enumerate(keys)
    }
    return ExchangeState(policies), ExchangeTarget(created, policies, {}, {}, {}, {})


def test_above_the_size_of_the_search_the_fixed_order_has_its_guard_between_creations_and_removals():
    observed, aim = _large(20)
    drafts = steps.ordered(observed, aim, judge.people(), judge.GUARD_SCOPE).ordered.drafts
    assert [draft.reason for draft in drafts[:3]] == ["create-guard", "flip-remove", "flip-create"]
    assert drafts[-1].reason == "remove-guard"
    assert len(drafts) == 42
    removed = [draft.address for draft in drafts if draft.reason == "flip-remove"]
    assert [draft.address for draft in drafts if draft.reason == "flip-create"] == removed, (
        "each flip's remove and create are adjacent"
    )


def test_each_application_that_opens_has_a_guard_and_no_other():
    """`*` gives up its Restrict; of three applications two take one from a Deny, the third has one
    that stays.
    """
    apps = [f"{n:08x}-0000-4000-8000-00000000000a" for n in range(3)]
    one, two, three = SCOPES[:3]

    def policy(app, scope, right):
        return ExchangePolicy(app, scope, "S-1", right, "", "", judge.identity((app, scope)), "")

    before = {
        ("*", one): RESTRICT,
        (apps[0], two): DENY,
        (apps[1], two): DENY,
        (apps[2], three): RESTRICT,
    }
    policies = {key: policy(*key, right) for key, right in before.items()}
    flipped = {("*", one): DENY, (apps[0], two): RESTRICT, (apps[1], two): RESTRICT}
    aim = ExchangeTarget(
        {key: Creation(right, key[1], None) for key, right in flipped.items()},
        {key: policies[key] for key in flipped},
        {},
        {},
        {},
        {},
    )
    made = steps.ordered(ExchangeState(policies), aim, judge.people(), judge.GUARD_SCOPE)
    assert sorted(
        draft.address for draft in made.ordered.drafts if draft.reason == "create-guard"
    ) == [f"exchange.policy/{app}@{judge.NOBODY}" for app in apps[:2]]
    assert made.guards == 2


def test_scopes_whose_restricts_stay_count_as_one_where_there_are_many():
    keys = [(APPS[0], f"{n:08x}-0000-4000-8000-000000000004") for n in range(8)]
    policies = {
        key: ExchangePolicy(
            *key, "S-1", RESTRICT, "", "", f"{judge.ORGANISATION}\\{key[0]}:S-1;{key[1]}", ""
        )
        for key in keys
    }
    going, coming = keys[0], (APPS[0], SCOPES[0])
    aim = ExchangeTarget(
        {coming: Creation(DENY, SCOPES[0], None)}, {going: policies[going]}, {}, {}, {}, {}
    )
    made = steps.ordered(ExchangeState(policies), aim, judge.people(), None)
    assert len(made.ordered.drafts) == 2
    assert made.ordered.gaps == ()


def test_who_misses_something_is_told_by_scope():
    """A Deny becomes a Restrict on the same group while another Deny stays: nobody is exposed,
    members of a third scope wait.
    """
    pair = (_number((2, 0, 0)), _number((1, 0, 1)))
    rows = [gap.pairs for gap in _made(pair).ordered.gaps]
    for row in rows:
        assert row.application == APPS[0]
        assert row.subject.kind in {"everyone", "group-members"}
