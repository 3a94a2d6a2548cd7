"""The checker says exactly what a slow and plain judge says, and its reductions are proved against
trying everything.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.model.codes import RefusalRule
from reconciler.planning import making
from reconciler.planning.checking import ViolationKind, judge_prefixes
from reconciler.planning.checking.exchange import exposed
from reconciler.planning.checking.exchange_steps import Rights
from reconciler.planning.checking.memberships import GroupOrder, out_of_reach
from tests.checking import transitions
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    ExchangeWorld,
    StepFailed,
    TeamsWorld,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    tenant,
)
from tests.thoroughness import samples

pytestmark = pytest.mark.no_cover

SAMPLES = samples(1500)
MORE = 60_000
RUNS = [SAMPLES, pytest.param(MORE, marks=pytest.mark.exhaustive)]
SMALL = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)


def _verdict(world, calls, plan, judged):
    """Compare the checker with the judge: possible or not, which application is exposed, and after
    which step first.
    """
    found = judge_prefixes(plan)
    try:
        along = transitions.along(world, calls)
    except StepFailed:
        assert [one.why for one in found] == [ViolationKind.REFUSED]
        return "refused"
    expected = judged(along)
    first: dict[str, int] = {}
    for one in found:
        assert one.why is ViolationKind.EXPOSED
        first.setdefault(one.application, one.step)
    assert first == expected, calls
    return "unsafe" if expected else "safe"


def _teams_judged(along):
    return transitions.first_teams_exposures(along, GROUPS[:3])


def _reordered(chance, plan):
    """The same steps in another order, mostly near the old one: a wild shuffle is rarely possible
    at all.
    """
    moved = list(plan.steps)
    for _ in range(chance.randint(1, 3)):
        moved.insert(chance.randrange(len(moved)), moved.pop(chance.randrange(len(moved))))
    return replace(
        plan, steps=tuple(replace(step, id=number) for number, step in enumerate(moved, 1))
    )


def _calls(plan):
    return [(step.cmdlet, step.parameters) for step in plan.steps]


@pytest.mark.parametrize("samples", RUNS)
def test_any_teams_steps_are_judged_as_by_the_plain_judge(samples: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(samples):
        chance = random.Random(seed)
        before, after = random_teams(chance, *SMALL), random_teams(chance, *SMALL)
        calls = transitions.random_teams_calls(chance, before, after)
        plan = transitions.plan(
            {"teams": transitions.teams_baseline(before, calls)}, transitions.steps(calls)
        )
        counts[_verdict(before, calls, plan, _teams_judged)] += 1
    print(f"Teams: {samples} random step lists: {dict(counts)}")
    assert min(counts["safe"], counts["unsafe"], counts["refused"]) > samples // 10


@pytest.mark.parametrize("samples", RUNS)
def test_any_exchange_steps_are_judged_as_by_the_plain_judge(samples: int) -> None:
    applications, scopes = [APPS[0], APPS[1], "*"], SCOPES[:3]
    counts: Counter[str] = Counter()
    for seed in range(samples):
        chance = random.Random(seed)
        before, after = (random_exchange(chance, applications, scopes) for _ in range(2))
        calls = transitions.random_exchange_calls(chance, before, after)
        section = transitions.exchange_baseline(before, applications)
        empty = frozenset({scopes[2]}) if chance.random() < 0.3 else frozenset()
        if empty:
            section["guardScope"] = {"id": scopes[2], "members": [], "sid": "S-1-5-21-1-1-1-1"}
        plan = transitions.plan({"exchange": section}, transitions.steps(calls))

        def judged(along, empty=empty):
            return transitions.first_exchange_exposures(along, applications, scopes, empty)

        counts[_verdict(before, calls, plan, judged)] += 1
    print(f"Exchange: {samples} random step lists: {dict(counts)}")
    assert min(counts["safe"], counts["unsafe"], counts["refused"]) > samples // 10


@pytest.mark.parametrize("samples", RUNS)
def test_the_planner_s_teams_plans_are_judged_alike_and_so_are_their_steps_in_other_orders(
    samples: int,
) -> None:
    counts: Counter[str] = Counter()
    for seed in range(samples // 3):
        chance = random.Random(seed)
        world = random_teams(chance, *SMALL)
        declared = documents(
            random_teams_documents(chance, *SMALL), [], tenant(prune=chance.random() < 0.3)
        )
        plan = making.make_plan(declared, observed(world, None), making.PlanOptions())
        if not plan.steps:
            continue
        assert _verdict(world, _calls(plan), plan, _teams_judged) == "safe"
        counts["planned"] += 1
        assert not {note.code for note in plan.refusals} & {
            RefusalRule.UNSAFE,
            RefusalRule.UNCHECKED,
        }, "unsafe only where the planner itself says so"
        for _ in range(2):
            other = _reordered(chance, plan)
            counts[_verdict(world, _calls(other), other, _teams_judged)] += 1
    print(f"Teams plans: {dict(counts)}")
    assert counts["planned"] > samples // 4
    assert min(counts["safe"], counts["unsafe"]) > samples // 20


@pytest.mark.parametrize("samples", RUNS)
def test_the_planner_s_exchange_plans_are_judged_alike_and_so_are_their_steps_in_other_orders(
    samples: int,
) -> None:
    applications, scopes = [APPS[0], APPS[1], "*"], SCOPES[:3]

    counts: Counter[str] = Counter()
    for seed in range(samples // 3):
        chance = random.Random(seed)
        world, wanted = (
            random_exchange(chance, applications, scopes),
            random_exchange(chance, applications, scopes),
        )
        seen, guarding = transitions.guarded(world)
        plan = making.make_plan(
            documents([], exchange_documents(wanted), guarding), seen, making.PlanOptions()
        )
        if not plan.steps:
            continue
        listed = [
            application
            for application in applications
            if application in plan.baseline.of_exchange()
        ]

        def judged(along, listed=listed):
            return transitions.first_exchange_exposures(
                along, listed, SCOPES, empty=frozenset({transitions.GUARD})
            )

        judgement = _verdict(world, _calls(plan), plan, judged)
        assert judgement == "safe" or not plan.applicable
        counts["planned"] += 1
        assert not {note.code for note in plan.refusals} & {
            RefusalRule.UNSAFE,
            RefusalRule.UNCHECKED,
        }, "unsafe only where the planner itself says so"
        counts["guarded"] += any(step.temporary for step in plan.steps)
        counts["planned, not applicable"] += not plan.applicable
        for _ in range(2):
            other = _reordered(chance, plan)
            counts[_verdict(world, _calls(other), other, judged)] += 1
    print(f"Exchange plans: {dict(counts)}")
    assert counts["planned"] > samples // 4
    assert min(counts["safe"], counts["unsafe"]) > samples // 20
    assert counts["guarded"]


# --- the reductions


def _combinations(items):
    return [
        frozenset(some)
        for size in range(len(items) + 1)
        for some in itertools.combinations(items, size)
    ]


def _has(application, moment, member_of):
    place = next(
        (place for place, group in enumerate(moment.groups) if group in member_of),
        len(moment.groups),
    )
    return application in moment.reached[place]


names = st.sampled_from("abcdef")
moments = st.lists(names, unique=True).flatmap(
    lambda groups: st.lists(
        st.sampled_from([frozenset(), frozenset({"x"})]),
        min_size=len(groups) + 1,
        max_size=len(groups) + 1,
    ).map(lambda reached: GroupOrder(tuple(groups), tuple(reached)))
)


@given(st.frozensets(names), st.lists(moments, max_size=2), st.none() | names)
def test_striking_out_finds_a_set_of_groups_if_and_only_if_there_is_one(
    pool, some_moments, member_of
) -> None:
    pool |= {member_of} if member_of else set()
    fitting = [
        some
        for some in _combinations(sorted(pool))
        if (member_of is None or member_of in some)
        and not any(_has("x", moment, some) for moment in some_moments)
    ]
    found = out_of_reach("x", pool, some_moments, member_of)
    assert (found is None) == (not fitting)
    if found is not None:
        assert frozenset(found) in fitting
        assert len(found) <= len(some_moments) + 1, (
            "the group that is asked about and one for each moment tell all"
        )


scopes = st.frozensets(st.sampled_from("pqrst"), max_size=4)
rights = st.builds(Rights, scopes, scopes)


def _granted(right, lies_in):
    if right.deny & lies_in:
        return False
    return bool(right.restrict & lies_in) or not right.restrict


@given(rights, rights, rights, st.frozensets(st.sampled_from("pqrst"), max_size=2))
def test_sets_of_scopes_find_a_mailbox_if_and_only_if_there_is_one(
    now, before, after, empty
) -> None:
    fitting = [
        some
        for some in _combinations(sorted(set("pqrst") - empty))
        if _granted(now, some) and not _granted(before, some) and not _granted(after, some)
    ]
    found = exposed(now, (before, after), empty)
    assert (found is None) == (not fitting)
    if found is not None:
        assert frozenset(found) in fitting
        assert len(found) <= 3


def test_an_application_without_policies_of_its_own_is_judged_too() -> None:
    """`*` opens for a moment; the only application of the baseline has a Restrict of its own and
    sees nothing of it.
    """
    world = ExchangeWorld(
        {
            (APPS[0], SCOPES[0]): (transitions.RESTRICT, ""),
            ("*", SCOPES[1]): (transitions.RESTRICT, ""),
        }
    )
    calls = [
        transitions.exchange_call("Remove", "*", SCOPES[1]),
        transitions.exchange_call("New", "*", SCOPES[2], "RestrictAccess"),
    ]
    section = transitions.exchange_baseline(world, [APPS[0]])
    found = judge_prefixes(transitions.plan({"exchange": section}, transitions.steps(calls)))
    assert [(one.application, one.step) for one in found] == [("*", 1)]


def test_others_who_hold_a_policy_are_judged_only_if_there_are_any() -> None:
    """The list is other than before and after for a moment; the only user who held the policy is
    moved away first.
    """
    world = TeamsWorld(
        {"Alpha": (frozenset(APPS[:1]), ""), "Beta": (frozenset(), "")},
        frozenset(),
        [],
        {USERS[0]: "Alpha"},
    )
    calls = [
        transitions.teams_call("Grant", Identity=USERS[0], PolicyName="Beta"),
        transitions.teams_call("Set", Identity="Alpha", AppIds={"Add": [APPS[1]]}),
        transitions.teams_call("Set", Identity="Alpha", AppIds={"Remove": [APPS[1]]}),
    ]
    section = transitions.teams_baseline(world, calls)
    assert judge_prefixes(transitions.plan({"teams": section}, transitions.steps(calls))) == ()
    section["others"] = {"alpha": True}
    held = judge_prefixes(transitions.plan({"teams": section}, transitions.steps(calls)))
    del section["others"]["alpha"]
    assert judge_prefixes(transitions.plan({"teams": section}, transitions.steps(calls))) == held, (
        "nobody knows, so it is judged"
    )
    assert [(one.application, one.step, one.subject.now) for one in held] == [(APPS[1], 2, "alpha")]
