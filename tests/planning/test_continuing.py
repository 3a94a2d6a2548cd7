"""Once a step is refused for good, what does not depend on it goes on, and nothing else: judged by
plain enumeration of everybody's access, for any set of refused steps.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from reconciler.model.codes import RefusalRule
from reconciler.planning import making
from reconciler.planning.continuing import continuation, is_safe
from tests.checking import transitions
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    StepFailed,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    tenant,
)
from tests.thoroughness import samples

NO_REASON = ""
SAMPLES = samples(150)
RUNS = [SAMPLES, pytest.param(4000, marks=pytest.mark.exhaustive)]
SMALL = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
APPLICATIONS = [APPS[0], APPS[1], "*"]


def _teams_access(world):
    """Everybody in any groups, one whom nothing names among them."""
    return world.access(USERS, GROUPS[:3])


def _exchange_access(world):
    applications = [*APPLICATIONS[:2], transitions.STRANGER]
    reached = world.access(applications, SCOPES[:3])
    keys = itertools.product(applications, _combinations())
    return {key: frozenset({""} if key in reached else ()) for key in keys}


def _combinations():
    return [
        frozenset(some) for size in range(4) for some in itertools.combinations(SCOPES[:3], size)
    ]


def _after(world, steps):
    world = world.copy()
    for step in steps:
        world.run(step.cmdlet, dict(step.parameters))
    return world


def _carried_out(plan, refused, check):
    """Run the steps as an apply does that keeps going; `check` sees each way on."""
    done, remaining = [], list(plan.steps)
    while remaining:
        step = remaining.pop(0)
        if step.id not in refused:
            done.append(step)
            continue
        kept = continuation(plan, done, remaining)
        check(done, remaining, kept)
        remaining = list(kept)
    return done


class _Way:
    """One way on, judged plainly."""

    def __init__(self, world, plan, access, done, kept) -> None:
        self.plan, self.access, self.done, self.kept = plan, access, done, kept
        self.world = world
        self.allowed, self.planned = access(world), access(_after(world, plan.steps))

    def exposed(self, world):
        return any(
            apps - self.allowed[key] - self.planned[key] for key, apps in self.access(world).items()
        )

    def assert_safe_and_possible(self):
        world = _after(self.world, self.done)
        for step in self.kept:
            world.run(step.cmdlet, dict(step.parameters))
            assert not self.exposed(world), step.text
        assert is_safe(self.plan, (*self.done, *self.kept))

    def assert_nothing_is_taken_for_good(self):
        world, end = _after(self.world, self.done), self.access(_after(self.world, self._course()))
        for step in self.kept:
            before = self.access(world)
            world.run(step.cmdlet, dict(step.parameters))
            assert not self._taken(before, self.access(world), end), step.text

    def _course(self):
        return (*self.done, *self.kept)

    def _taken(self, before, after, end):
        return any(before[key] & self.planned[key] - after[key] - end[key] for key in before)

    def reason(self, step):
        """Why a step is left out; empty if there is no reason."""
        missing = self._missing(step)
        if self._tied(step, missing):
            return "tied"
        world = _after(self.world, [other for other in self._course() if other.id < step.id])
        before = self.access(world)
        try:
            world.run(step.cmdlet, dict(step.parameters))
        except StepFailed:
            return "refused"
        if self.exposed(world):
            return "exposes"
        end = world.copy()
        for other in self._course():
            if other.id > step.id:
                try:
                    end.run(other.cmdlet, dict(other.parameters))
                except StepFailed:
                    return "makes another fail"
        return "takes" if self._taken(before, self.access(world), self.access(end)) else ""

    def _missing(self, step):
        running = {other.id for other in self._course()}
        return [
            other for other in self.plan.steps if other.id < step.id and other.id not in running
        ]

    def _tied(self, step, missing):
        given = step.parameters
        if "Group" in given:
            return any("Group" in other.parameters for other in missing)
        if "Global" in given:
            names = {given["PolicyName"], "Global"}
            return any(other.parameters.get("Identity") in names for other in missing)
        if step.provider == "teams":
            return False
        owners = {self._application(other) for other in missing}
        mine = self._application(step)
        every = any(self._application(other) == "*" for other in self._left_out())
        return every or (bool(owners) and (mine == "*" or bool(owners & {mine, "*"})))

    def _left_out(self):
        running = {other.id for other in self._course()}
        return [other for other in self.plan.steps if other.id not in running]

    def _application(self, step):
        return step.address.partition("/")[2].partition("@")[0]


def _judge(world, plan, access, refused, counts):
    def check(done, remaining, kept):
        assert [step for step in remaining if step in kept] == list(kept)
        way = _Way(world, plan, access, done, kept)
        way.assert_safe_and_possible()
        way.assert_nothing_is_taken_for_good()
        for step in kept:
            assert not way._tied(step, way._missing(step)), step.text
            counts["goes on"] += 1
        for step in remaining:
            if step not in kept:
                reason = way.reason(step)
                counts[reason] += 1

    _carried_out(plan, refused, check)


def _sets(chance, plan):
    ids = [step.id for step in plan.steps]
    if len(ids) <= 4:
        return [set(some) for size in range(1, 5) for some in itertools.combinations(ids, size)]
    return [*({step} for step in ids), *({*chance.sample(ids, 2)} for _ in range(4))]


def _assert_hardly_more_than_must_be(counts):
    """The checker knows no memberships, and steps that take something are left out together: now and
    then a step stays out that plain enumeration would let run. Never more than one in a hundred.
    """
    left_out = counts.total() - counts["goes on"]
    assert counts[NO_REASON] * 100 <= left_out


@pytest.mark.no_cover
@pytest.mark.parametrize("samples", RUNS)
def test_teams_goes_on_with_what_is_independent_and_safe(samples):
    counts: Counter[str] = Counter()
    for seed in range(samples):
        chance = random.Random(seed)
        world = random_teams(chance, *SMALL)
        declared = documents(
            random_teams_documents(chance, *SMALL), [], tenant(prune=chance.random() < 0.3)
        )
        plan = making.make_plan(declared, observed(world, None), making.PlanOptions())
        for refused in _sets(chance, plan):
            _judge(world, plan, _teams_access, refused, counts)
    print(f"Teams: {dict(counts)}")
    _assert_hardly_more_than_must_be(counts)
    assert min(counts[name] for name in ("goes on", "tied", "refused", "exposes", "takes")) > 0


@pytest.mark.no_cover
@pytest.mark.parametrize("samples", RUNS)
def test_exchange_goes_on_with_the_other_applications(samples):
    counts: Counter[str] = Counter()
    for seed in range(samples):
        chance = random.Random(seed)
        scopes = SCOPES[:3]
        applications = APPLICATIONS if seed % 3 == 0 else APPLICATIONS[:2]
        world, wanted = (random_exchange(chance, applications, scopes) for _ in range(2))
        declared = documents([], exchange_documents(wanted))
        plan = making.make_plan(declared, observed(None, world), making.PlanOptions())
        if any(note.code == RefusalRule.NEEDS_GUARD for note in plan.refusals):
            continue
        for refused in _sets(chance, plan):
            _judge(world, plan, _exchange_access, refused, counts)
    print(f"Exchange: {dict(counts)}")
    _assert_hardly_more_than_must_be(counts)
    assert min(counts[name] for name in ("goes on", "tied")) > 0
