"""What a plan expected and what a tenant has instead, in sentences: nothing is left out, nothing is
said of what is equal, and people are called by name.
"""

from __future__ import annotations

import random
from dataclasses import replace as replaced

import pytest

from reconciler.model.documents import AccessRight
from reconciler.planning import prefixes
from reconciler.planning.making import PlanOptions, make_plan
from reconciler.planning.moved import moved
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    ExchangeWorld,
    TeamsWorld,
    documents,
    exchange_documents,
    listing,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    teams_document,
)
from tests.thoroughness import samples

SIZES = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)


def _worlds(seed):
    chance = random.Random(seed)
    return random_teams(chance, *SIZES), random_exchange(chance, APPS[:2], SCOPES[:2])


@pytest.mark.parametrize("seed", range(40))
def test_there_is_a_sentence_for_each_difference_and_none_where_nothing_moved(seed):
    chance = random.Random(seed)
    declared = documents(
        random_teams_documents(chance, *SIZES),
        exchange_documents(random_exchange(chance, APPS[:2], SCOPES[:2])),
    )
    here = observed(*_worlds(seed + 1000))
    plan = make_plan(declared, here, PlanOptions())
    assert moved(plan, (), here) == ()
    for other in range(4):
        there = observed(*_worlds(seed + 2000 + other))
        differing = prefixes.prefix_differences(plan, 0, there)
        sentences = moved(plan, (), there)
        assert bool(sentences) == (prefixes.locate(plan, there) is None or bool(differing))
        for name in differing:
            address = name.rpartition(" of ")[2]
            told = [row for row in sentences if _is_about(row, address)]
            assert told, (name, sentences)
        assert all(
            row.count(" when this was planned, ") == 1
            and " now" in row
            and "None" not in row
            and "frozenset" not in row
            for row in sentences
        )


@pytest.mark.no_cover
def test_who_comes_meanwhile_matters_until_the_list_that_they_hold_is_as_long_as_it_gets():
    """Whoever gets a policy by hand keeps the plan from the steps that would let them be reached, and
    from no other.
    """
    stranger, kept, told = f"{999:08x}-0000-4000-8000-000000000000", 0, 0
    for seed in range(samples(150)):
        chance = random.Random(seed)
        declared = documents(random_teams_documents(chance, *SIZES), [])
        world = random_teams(chance, *SIZES)
        plan = make_plan(declared, observed(world, None), PlanOptions())
        for row in plan.widened:
            policy = row.address.removeprefix("teams.policy/")
            widening = [
                step.id
                for step in plan.steps
                if step.address == row.address and "Add" in str(step.parameters.get("AppIds"))
            ]
            if not plan.baseline.of_teams().others.get(policy.lower()):
                continue  # nobody holds it: that somebody does is a difference of its own
            now = world.copy()
            now.users[stranger] = policy
            for count in range(len(plan.steps) + 1):
                if count:
                    step = plan.steps[count - 1]
                    now.run(step.cmdlet, dict(step.parameters))
                ahead = any(number > count for number in widening)
                here, done = observed(now, None), plan.steps[:count]
                sentences = [text for text in moved(plan, done, here) if "holders" in text]
                assert bool(sentences) == ahead, (seed, count)
                assert (prefixes.locate(plan, here) is None) == ahead, (seed, count)
                told, kept = told + ahead, kept + (not ahead)
    assert told
    assert kept


def _is_about(sentence, address):
    if address.endswith("*"):
        address = "teams.grant/group:"
    return address.lower() in sentence.lower()


BEFORE = TeamsWorld(
    {"Alpha": (frozenset(APPS[:1]), ""), "Beta": (frozenset(APPS[1:3]), "the old one")},
    frozenset(),
    [(GROUPS[0], "Alpha"), (GROUPS[1], "Beta"), (GROUPS[2], "Alpha")],
    {USERS[0]: "Alpha", USERS[1]: "Beta", USERS[3]: "Alpha"},
)
MOVING = documents(
    [
        teams_document("Alpha", users=(listing([USERS[0], USERS[1], USERS[2], USERS[3]]),)),
        teams_document("Beta", applications=(APPS[1],), description="the new one"),
    ],
    [],
)


def said(**changed):
    """What is said when a tenant that was planned on is changed."""
    plan = make_plan(MOVING, observed(BEFORE, None), PlanOptions())
    return moved(plan, (), observed(replaced(BEFORE, **changed), None))


def with_policy(name, applications, description):
    return {**BEFORE.policies, name: (frozenset(applications), description)}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"users": {**BEFORE.users, USERS[2]: "Beta"}},
            [
                (
                    f"User 2 <u2@contoso.com>: had no policy when this was planned, holds Beta now"
                    f" (teams.grant/user:{USERS[2]})"
                )
            ],
        ),
        (
            {"users": {USERS[0]: "Alpha", USERS[3]: "Alpha"}},
            [
                (
                    f"User 1 <u1@contoso.com>: held Beta when this was planned, has no policy now"
                    f" (teams.grant/user:{USERS[1]})"
                )
            ],
        ),
        (
            {"policies": with_policy("Beta", APPS[1:2], "the old one")},
            [f"teams.policy/Beta: listed {APPS[2]} when this was planned, does not list it now"],
        ),
        (
            {"policies": with_policy("Beta", APPS, "the old one")},
            [
                (
                    f"teams.policy/Beta: did not list {APPS[0]}, {APPS[3]} when this was planned, lists"
                    " them now"
                )
            ],
        ),
        (
            {"policies": with_policy("Beta", APPS[1:3], "")},
            [
                (
                    'teams.policy/Beta: had the description "the old one" when this was planned, has no'
                    " description now"
                )
            ],
        ),
        (
            {"groups": [(GROUPS[0], "Alpha"), (GROUPS[2], "Alpha")]},
            [
                (
                    f"teams.grant/group:{GROUPS[1]}: held Beta at rank 2 when this was planned, has no"
                    " policy now"
                )
            ],
        ),
        (
            {"groups": [(GROUPS[3], "Beta"), *BEFORE.groups]},
            [
                (
                    f"teams.grant/group:{GROUPS[3]}: had no policy when this was planned, holds Beta at"
                    " rank 1 now"
                )
            ],
        ),
        (
            {"groups": [BEFORE.groups[1], BEFORE.groups[0], BEFORE.groups[2]]},
            [
                (
                    f"teams.grant/group:{GROUPS[0]}: held Alpha at rank 1 when this was planned, holds"
                    " Alpha at rank 2 now"
                ),
                (
                    f"teams.grant/group:{GROUPS[1]}: held Beta at rank 2 when this was planned, holds Beta"
                    " at rank 1 now"
                ),
            ],
        ),
        (
            {"users": {**BEFORE.users, "0000000f-0000-4000-8000-000000000000": "Beta"}},
            [
                (
                    "teams.policy/Beta: was held by nobody else when this was planned, is held by somebody"
                    " else now"
                )
            ],
        ),
    ],
)
def test_each_kind_of_difference_is_told_in_words(changed, expected):
    assert list(said(**changed)) == expected


def test_after_some_steps_the_sentence_says_what_they_should_have_led_to():
    plan = make_plan(MOVING, observed(BEFORE, None), PlanOptions())
    moving = next(step for step in plan.steps if USERS[2] in step.address)
    there = BEFORE.copy()
    for step in plan.steps[: moving.id]:
        there.run(step.cmdlet, dict(step.parameters))
    there.users[USERS[2]] = "Beta"
    assert moved(plan, plan.steps[: moving.id], observed(there, None)) == (
        (
            f"User 2 <u2@contoso.com>: should hold Alpha after step {moving.id}, holds Beta now"
            f" (teams.grant/user:{USERS[2]})"
        ),
    )


@pytest.mark.parametrize(
    ("name", "spelled"), [("Gamma (description)", "Gamma (description)"), ("a of b", "a of b")]
)
def test_a_policy_is_called_as_it_is_spelled_whatever_its_name_ends_in(name, spelled):
    before = replaced(BEFORE, policies=with_policy(name, APPS[:1], ""))
    declared = documents([teams_document(name, applications=tuple(APPS[1:2]))], [])
    plan = make_plan(declared, observed(before, None), PlanOptions())
    after = replaced(before, policies={**before.policies, name: (frozenset(APPS[:2]), "")})
    assert moved(plan, (), observed(after, None)) == (
        f"teams.policy/{spelled}: did not list {APPS[1]} when this was planned, lists it now",
    )


def test_a_policy_s_description_is_not_taken_for_the_list_of_another_one():
    """One is called as the description of the other was once called in a snapshot."""
    pair = {"Gamma": (frozenset(), "x"), "Gamma (description)": (frozenset(), "x")}
    before = replaced(BEFORE, policies={**BEFORE.policies, **pair})
    declared = documents([teams_document(name, applications=(APPS[0],)) for name in pair], [])
    plan = make_plan(declared, observed(before, None), PlanOptions())
    after = before.copy()
    after.policies["Gamma"] = (frozenset(), "y")
    assert prefixes.locate(plan, observed(after, None)) is None
    assert moved(plan, (), observed(after, None)) == (
        (
            'teams.policy/Gamma: had the description "x" when this was planned, has the description "y"'
            " now"
        ),
    )


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (None, "was DenyAccess when this was planned, does not exist now"),
        ((AccessRight.RESTRICT, ""), "was DenyAccess when this was planned, is RestrictAccess now"),
        (
            (AccessRight.DENY, "quiet"),
            'had no description when this was planned, has the description "quiet" now',
        ),
    ],
)
def test_an_exchange_policy_is_named_with_its_scope(there, expected):
    key = (APPS[0], SCOPES[0])
    before = ExchangeWorld({key: (AccessRight.DENY, "")})
    wanted = ExchangeWorld({**before.policies, (APPS[0], SCOPES[1]): (AccessRight.RESTRICT, "")})
    plan = make_plan(
        documents([], exchange_documents(wanted)), observed(None, before), PlanOptions()
    )
    after = ExchangeWorld({} if there is None else {key: there})
    address = f"exchange.policy/{APPS[0]}@{SCOPES[0]}"
    assert moved(plan, (), observed(None, after)) == (
        f"{SCOPES[0]}@contoso.com: {expected} ({address})",
    )
