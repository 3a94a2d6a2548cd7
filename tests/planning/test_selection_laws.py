"""A plan of a part acts on nothing but what was named, and lets no application reach anybody whom
neither the tenant nor the whole plan does; judged by the plain model in enumerated_access.py.
"""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

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
from tests.thoroughness import samples

if TYPE_CHECKING:
    from reconciler.model.plans import Plan

pytestmark = pytest.mark.no_cover

SAMPLES = samples(120)
ALONE = 2


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
        """Changed objects alone, an application as a whole, and two together."""
        names = sorted({change.address for change in self.whole.changes})
        wholes = sorted({f"exchange.application/{_application(name)}" for name in names})
        alone = chance.sample(names, min(len(names), ALONE))
        if self.product == "exchange" and wholes:
            alone.append(chance.choice(wholes))
            names += wholes
        yield from ((name,) for name in alone)
        if len(names) > 1:
            yield tuple(chance.sample(names, 2))


def _application(address):
    return address.partition("/")[2].partition("@")[0]


def _is_named(address, names):
    return address in names or f"exchange.application/{_application(address)}" in names


def _lacks_guard(plan):
    """Whether no order of its steps is safe, which is refused by a rule of its own."""
    return RefusalRule.NEEDS_GUARD in {note.code for note in plan.refusals}


class Part(NamedTuple):
    """A plan of a part of a case: of what `names` names (`only`), or of the rest (`skip`)."""

    case: Case
    seed: int
    option: str
    names: tuple[str, ...]
    plan: Plan

    def __str__(self):
        return f"seed {self.seed}: --{self.option} {' '.join(self.names)}"

    def is_refused(self):
        return RefusalRule.BEYOND_SELECTION in {note.code for note in self.plan.refusals}

    def wider(self, more):
        """The same with what the refusals print as a way out."""
        return self.case.plan(**{self.option: (*self.names, *more)})

    def way_out(self):
        """What the refusals print is to be chosen, or left out, too; None if they name nothing."""
        rows = [note for note in self.plan.refusals if note.code == RefusalRule.BEYOND_SELECTION]
        named = [note.details.get(self.option) for note in rows]
        return None if None in named else tuple({name for names in named for name in names})


@cache
def _parts(product, option):
    """Made once, for every law."""
    return [
        Part(case, seed, option, names, case.plan(**{option: names}))
        for seed, case in ((seed, _case(product, seed)) for seed in range(SAMPLES))
        for names in case.selections(random.Random(seed))
    ]


_case = cache(Case)


@pytest.mark.parametrize("option", ["only", "skip"])
@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_a_part_of_a_plan_never_reaches_further_than_the_whole(product, option):
    refused = ways_out = made = 0
    for part in _parts(product, option):
        exceeding = any(map(part.case.exceeds, part.case.along(part.plan)))
        told = part.is_refused()
        assert exceeding == told or _lacks_guard(part.plan), part
        assert not (told and part.plan.applicable), part
        made, refused = made + bool(part.plan.steps), refused + told
        if told and (more := part.way_out()):
            again = part.wider(more)
            assert not any(map(part.case.exceeds, part.case.along(again))) or _lacks_guard(again), (
                part
            )
            ways_out += 1
    assert made > refused > 10
    assert ways_out > refused / 2


@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_a_plan_of_a_part_acts_on_what_was_named_and_on_nothing_else(product):
    acted = 0
    for part in _parts(product, "only"):
        addresses = {step.address for step in part.plan.steps}
        assert addresses <= {step.address for step in part.case.whole.steps}, part
        assert all(_is_named(address, part.names) for address in addresses), part
        assert {change.address for change in part.plan.changes} == addresses, part
        acted += bool(addresses)
    assert acted > SAMPLES


@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_a_plan_of_the_rest_acts_on_nothing_that_was_named(product):
    acted = 0
    for part in _parts(product, "skip"):
        assert not any(_is_named(step.address, part.names) for step in part.plan.steps), part
        acted += bool(part.plan.steps)
    assert acted > SAMPLES


def test_steps_of_a_part_in_exchange_are_steps_of_the_whole():
    """Text for text: a description that the whole plan carries over is carried over."""
    for part in _parts("exchange", "only"):
        texts = {step.text for step in part.case.whole.steps}
        assert {step.text for step in part.plan.steps} <= texts, part
