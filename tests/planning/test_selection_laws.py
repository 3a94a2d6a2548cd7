"""A plan of a part acts on nothing but what was named, and lets no application reach anybody whom
neither the tenant nor the whole plan does; judged by the plain model in enumerated_access.py.
"""

from __future__ import annotations

import random

import pytest

from reconciler.model.codes import RefusalRule
from reconciler.planning.making import PlanOptions, make_plan
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    tenant,
)

SAMPLES = 250


def _teams_case(seed):
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
    world = random_teams(chance, *sizes)
    owner = tenant(prune=chance.random() < 0.3)
    return world, documents(random_teams_documents(chance, *sizes), [], owner)


def _exchange_case(seed):
    chance = random.Random(seed)
    apps, scopes = [*APPS[:2], "*"], SCOPES[:3]
    world, wanted = random_exchange(chance, apps, scopes), random_exchange(chance, apps, scopes)
    return world, documents([], exchange_documents(wanted, described=chance.random() < 0.5))


def _teams_access(world):
    return world.access(USERS, GROUPS[:3])


def _exchange_access(world):
    """Of every application of the world and of one that has no policy of its own."""
    reached = world.access(APPS[:3], SCOPES[:3])
    return {key: {True} for key in reached}


class Case:
    """Documents and a tenant of one product, with the whole plan."""

    def __init__(self, product, seed):
        self.product = product
        self.world, self.declared = {"teams": _teams_case, "exchange": _exchange_case}[product](
            seed
        )
        self.whole = self.plan()
        self.reached = self.access(self.along(self.whole)[-1])

    def plan(self, **options):
        sides = (self.world, None) if self.product == "teams" else (None, self.world)
        return make_plan(self.declared, observed(*sides), PlanOptions(**options))

    def access(self, world):
        return {"teams": _teams_access, "exchange": _exchange_access}[self.product](world)

    def along(self, plan):
        """The world before the first step, and after each."""
        worlds = [self.world.copy()]
        for step in plan.steps:
            worlds.append(worlds[-1].copy())
            worlds[-1].run(step.cmdlet, dict(step.parameters))
        return worlds

    def exceeds(self, world):
        """Whether somebody is reached who is reached neither now nor after the whole plan."""
        now = self.access(self.world)
        return any(
            not reach <= now.get(key, set()) | self.reached.get(key, set())
            for key, reach in self.access(world).items()
        )

    def selections(self, chance):
        """Each changed object alone, two of them, and applications as wholes."""
        names = sorted({change.address for change in self.whole.changes})
        wholes = {f"exchange.application/{_application(name)}" for name in names}
        names += sorted(wholes) if self.product == "exchange" else []
        yield from ((name,) for name in names)
        if len(names) > 1:
            yield tuple(chance.sample(names, 2))


def _application(address):
    return address.partition("/")[2].partition("@")[0]


def _is_named(address, names):
    return address in names or f"exchange.application/{_application(address)}" in names


def _lacks_guard(plan):
    """Whether no order of its steps is safe, which is refused by a rule of its own."""
    return RefusalRule.NEEDS_GUARD in {note.code for note in plan.refusals}


def _way_out(plan, option):
    """What the refusals print is to be chosen, or left out, as well; None if they name nothing."""
    rows = [note for note in plan.refusals if note.code == RefusalRule.BEYOND_SELECTION]
    named = [note.details.get(option) for note in rows]
    return None if None in named else tuple({name for names in named for name in names})


@pytest.mark.parametrize("option", ["only", "skip"])
@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_a_part_of_a_plan_never_reaches_further_than_the_whole(product, option):
    refused = ways_out = made = 0
    for seed in range(SAMPLES):
        case = Case(product, seed)
        for names in case.selections(random.Random(seed)):
            plan = case.plan(**{option: names})
            where = f"seed {seed}: {names}"
            along = case.along(plan)
            told = RefusalRule.BEYOND_SELECTION in {note.code for note in plan.refusals}
            exceeding = any(map(case.exceeds, along))
            assert exceeding == told or _lacks_guard(plan), where
            assert not (told and plan.applicable), where
            made, refused = made + bool(plan.steps), refused + told
            if told and (more := _way_out(plan, option)):
                again = case.plan(**{option: (*names, *more)})
                assert not any(map(case.exceeds, case.along(again))) or _lacks_guard(again), where
                ways_out += 1
    assert made > refused > 10
    assert ways_out > refused / 2


@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_a_part_of_a_plan_acts_on_what_was_named_and_on_nothing_else(product):
    acted = 0
    for seed in range(SAMPLES):
        case = Case(product, seed)
        whole = {step.address for step in case.whole.steps}
        for names in case.selections(random.Random(seed)):
            only, skip = case.plan(only=names), case.plan(skip=names)
            where = f"seed {seed}: {names}"
            assert {step.address for step in only.steps} <= whole, where
            assert all(_is_named(step.address, names) for step in only.steps), where
            assert {change.address for change in only.changes} == {
                step.address for step in only.steps
            }, where
            assert not any(_is_named(step.address, names) for step in skip.steps), where
            acted += bool(only.steps) + bool(skip.steps)
    assert acted > SAMPLES


def test_steps_of_a_part_in_exchange_are_steps_of_the_whole():
    """Text for text: a description that the whole plan carries over is carried over."""
    for seed in range(SAMPLES):
        case = Case("exchange", seed)
        texts = {step.text for step in case.whole.steps}
        for names in case.selections(random.Random(seed)):
            assert {step.text for step in case.plan(only=names).steps} <= texts, f"seed {seed}"
