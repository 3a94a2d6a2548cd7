"""Laws of a part of an approved plan, for small random transitions, judged by the plain model in
enumerated_access.py: whatever was done meanwhile, what passes for a part gives and takes access only
from those of whom the approved plan said it.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from reconciler.model.plans import Note
from reconciler.planning import approved_part, checking, making
from reconciler.planning.making import PlanOptions
from tests.planning.consents import plan_with_deletions
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    StepFailed,
    TeamsWorld,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    teams_document,
    tenant,
)
from tests.thoroughness import samples

OPTIONS = PlanOptions()
TEAMS = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
EXCHANGE = ([APPS[0], "*"], SCOPES[:3])
SAMPLES = samples(250)


def _plan(declared, teams, exchange):
    """A plan with every consent that it lacks."""
    reading = observed(teams, exchange)
    plan = plan_with_deletions(declared, reading)
    allow = tuple(str(note.details["allow"]) for note in plan.refusals if "allow" in note.details)
    return making.make_plan(declared, reading, PlanOptions(allow=(*plan.consents, *allow)))


def _teams(seed):
    chance = random.Random(seed)
    world = random_teams(chance, *TEAMS)
    declared = random_teams_documents(chance, *TEAMS)
    return chance, world, documents(declared, [], tenant(prune=chance.random() < 0.3))


def _exchange(seed):
    chance = random.Random(seed)
    world, wanted = random_exchange(chance, *EXCHANGE), random_exchange(chance, *EXCHANGE)
    return chance, world, documents([], exchange_documents(wanted))


def _some_done(chance, world, steps):
    """A world in which some of the steps are done, in their order; in half of the cases the first
    ones.
    """
    some = world.copy()
    count = chance.randrange(len(steps) + 1)
    chosen = range(count) if chance.random() < 0.5 else chance.sample(range(len(steps)), count)
    done = []
    for number in sorted(chosen):
        trial = some.copy()
        try:
            trial.run(steps[number].cmdlet, dict(steps[number].parameters))
        except StepFailed:
            continue
        some = trial
        done.append(steps[number])
    return some, done


def _meddled(chance, world, plan):
    """Somebody changes something by hand: lists, groups, the users whom the plan changes."""
    world = world.copy()
    present = list(world.policies)
    what = chance.choice(["list", "everyone", "group", "order", "user", "policy"])
    section = plan.baseline.of_teams()
    touched = [] if section is None else sorted(section.users)
    if what == "list" and present:
        name = chance.choice(present)
        apps, text = world.policies[name]
        world.policies[name] = (apps ^ {chance.choice(APPS[:3])}, text)
    elif what == "everyone":
        world.everyone ^= {chance.choice(APPS[:3])}
    elif what == "group" and present:
        group = chance.choice(GROUPS[:3])
        world.groups = [row for row in world.groups if row[0] != group]
        world.groups.append((group, chance.choice(present)))
    elif what == "order":
        chance.shuffle(world.groups)
    elif what == "user" and present and touched:
        world.users[chance.choice(touched)] = chance.choice(present)
    elif what == "policy":
        free = [name for name in present if name not in world.users.values()]
        free = [name for name in free if all(row[1] != name for row in world.groups)]
        if free:
            del world.policies[chance.choice(free)]
    return world


def _ran(world, steps):
    world = world.copy()
    for step in steps:
        world.run(step.cmdlet, dict(step.parameters))
    return world


def _teams_pairs(world):
    return {
        (who, some, application)
        for (who, some), reach in world.access(USERS, GROUPS[:3]).items()
        for application in reach
    }


def _exchange_pairs(world):
    return world.access([APPS[0], APPS[1]], SCOPES[:3])


def _is_part(approved, plan, reading):
    return not (
        approved_part.beyond_approval(approved, plan)
        or approved_part.tenant_mismatch(approved, plan, reading)
    )


def _assert_within(approved, plan, ends, pairs):
    """What passed gains and loses nobody beyond the approved plan."""
    before, now, seed = ends
    after, later = _ran(before, approved.steps), _ran(now, plan.steps)
    ours, left = (
        (pairs(last) - pairs(first), pairs(first) - pairs(last))
        for first, last in ((before, after), (now, later))
    )
    assert left[0] <= ours[0], seed
    assert left[1] <= ours[1], seed
    return pairs(later) == pairs(after)


@pytest.mark.no_cover
def test_no_part_of_a_teams_plan_gives_or_takes_access_beyond_it():
    passed = meddled = 0
    for seed in range(SAMPLES):
        chance, world, declared = _teams(seed)
        approved = _plan(declared, world, None)
        for hand in (False, False, True):
            now, _ = _some_done(chance, world, approved.steps)
            now = _meddled(chance, now, approved) if hand else now
            plan = _plan(declared, now, None)
            if _is_part(approved, plan, observed(now, None)):
                same = _assert_within(approved, plan, (world, now, seed), _teams_pairs)
                assert same or hand, seed
                passed += bool(plan.steps)
                meddled += hand
    assert passed > SAMPLES // 4
    assert meddled, "nothing by hand ever passed: the law is not tried"


@pytest.mark.no_cover
def test_no_part_of_an_exchange_plan_gives_or_takes_access_beyond_it():
    passed = 0
    for seed in range(SAMPLES):
        chance, world, declared = _exchange(seed)
        approved = _plan(declared, None, world)
        for hand in (False, False, True):
            now, _ = _some_done(chance, world, approved.steps)
            if hand and now.policies:
                del now.policies[chance.choice(sorted(now.policies))]
            plan = _plan(declared, None, now)
            if _is_part(approved, plan, observed(None, now)):
                same = _assert_within(approved, plan, (world, now, seed), _exchange_pairs)
                assert same or hand, seed
                passed += bool(plan.steps)
    assert passed > SAMPLES // 8


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("case", "provider", "pairs"),
    [(_teams, "teams", _teams_pairs), (_exchange, "exchange", _exchange_pairs)],
)
def test_strays_are_those_whose_access_is_not_between_the_ends(case, provider, pairs):
    found = none = 0
    for seed in range(SAMPLES):
        chance, world, declared = case(seed)
        sides = (world, None) if provider == "teams" else (None, world)
        approved = _plan(declared, *sides)
        now, done = _some_done(chance, world, approved.steps)
        first, meanwhile, last = map(pairs, (world, now, _ran(world, approved.steps)))
        outside = ((first & last) - meanwhile) | (meanwhile - first - last)
        strays = checking.strays(provider, approved.baseline, done, approved.steps)
        assert bool(strays) == bool(outside), seed
        found += bool(strays)
        none += bool(done) and not strays
    assert found
    assert none


@pytest.mark.no_cover
def test_what_is_left_of_a_teams_plan_that_stopped_is_a_part_of_it_wherever_nobody_misses_anything():
    parts = 0
    for seed in range(SAMPLES):
        _, world, declared = _teams(seed)
        approved = _plan(declared, world, None)
        if not approved.applicable or approved.gaps:
            continue
        for count in range(len(approved.steps) + 1):
            now = _ran(world, approved.steps[:count])
            plan = _plan(declared, now, None)
            if (
                plan.consents <= approved.consents
                and not approved_part.divided(approved, plan).extra
            ):
                assert _is_part(approved, plan, observed(now, None)), (seed, count)
                parts += 1
    assert parts > SAMPLES


def holding(holders, *, granting=()):
    """A plan that adds an application to a list that these hold, and grants it to others."""
    world = TeamsWorld(
        {"Alpha": (frozenset({APPS[0]}), "")}, frozenset(), [], dict.fromkeys(holders, "Alpha")
    )
    listed = () if not granting else tuple(sorted({*holders, *granting}))
    given = {"applications": tuple(APPS[:2])}
    if listed:
        from tests.planning.enumerated_access import listing

        given["users"] = (listing(list(listed)),)
    declared = documents([teams_document("Alpha", **given)], [], tenant())
    return making.make_plan(declared, observed(world, None), OPTIONS), observed(world, None)


def test_holders_whom_the_approved_plan_itself_brought_count_as_approved():
    approved, _ = holding(USERS[:1], granting=USERS[1:3])
    world = TeamsWorld(
        {"Alpha": (frozenset({APPS[0]}), "")},
        frozenset(),
        [],
        dict.fromkeys((USERS[0], USERS[1]), "Alpha"),
    )
    plan, reading = holding((USERS[0], USERS[1]), granting=USERS[2:3])
    assert observed(world, None) == reading
    assert len(plan.steps) == len(approved.steps) - 1
    assert _is_part(approved, plan, reading)


def test_holders_who_came_meanwhile_do_not():
    approved, _ = holding(USERS[:1])
    plan, reading = holding(USERS[:2])
    assert approved_part.beyond_approval(approved, plan) == ()
    (sentence,) = approved_part.tenant_mismatch(approved, plan, reading).moved
    assert sentence.startswith("teams.policy/Alpha: had other holders when this was planned")


BEYOND = {
    "limits": lambda plan: replace(plan, limits=replace(plan.limits, max_removals=9999)),
    "connect": lambda plan: replace(plan, connect={"teams": {"certificate": "OTHER"}}),
    "consents": lambda plan: replace(plan, consents=(*plan.consents, "limits:teams.grant")),
    "tenant": lambda plan: replace(plan, tenant=replace(plan.tenant, organization="other")),
    "held": lambda plan: replace(plan, held=(Note("skipped", "teams.policy/A", {}),)),
    "undoes": lambda plan: replace(plan, undoes=f"plan:{'0' * 64}"),
    "documents": lambda plan: replace(plan, inputs=replace(plan.inputs, documents_digest="0" * 64)),
    "applicable": lambda plan: replace(plan, applicable=False),
    "steps": lambda plan: replace(
        plan, steps=(replace(plan.steps[0], text="Get-Date"), *plan.steps[1:])
    ),
    "changes": lambda plan: replace(
        plan, changes=(*plan.changes, replace(plan.changes[0], address="teams.policy/Other"))
    ),
    "widened": lambda plan: replace(plan, widened=(*plan.widened, _other_list(plan))),
}


def _other_list(plan):
    return replace(plan.widened[0], address="teams.policy/Other")


@pytest.mark.parametrize("member", BEYOND)
def test_what_is_beyond_the_approval_is_named(member):
    plan, _ = holding(USERS[:2])
    assert approved_part.beyond_approval(plan, plan) == ()
    differing = approved_part.beyond_approval(plan, BEYOND[member](plan))
    assert [difference.member for difference in differing] == [member]


def test_fewer_consents_steps_and_deletions_are_not_beyond():
    plan, _ = holding(USERS[:2], granting=USERS[2:3])
    approved = replace(plan, consents=("limits:teams.grant",))
    assert approved_part.beyond_approval(approved, plan) == ()
    assert approved_part.beyond_approval(plan, replace(plan, steps=plan.steps[1:])) == ()


def test_a_tenant_that_moved_otherwise_is_told_by_name():
    approved, _ = holding(USERS[:2])
    world = TeamsWorld(
        {"Alpha": (frozenset({APPS[0], APPS[3]}), "")},
        frozenset(),
        [],
        dict.fromkeys(USERS[:2], "Alpha"),
    )
    (sentence,) = approved_part.tenant_mismatch(approved, approved, observed(world, None)).moved
    assert APPS[3] in sentence
