"""Whole state spaces, judged by enumeration that shares no code with the search: safe after every
step, and no gap that an order could spare.

The default suite judges a seeded 1 % of them; `pytest -m exhaustive -s tests/ordering` judges all,
and prints what it found.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from functools import partial

import pytest

from reconciler.kinds.exchange import steps as exchange_steps
from reconciler.kinds.teams import steps as teams_steps
from tests.ordering import exchange_judge, teams_judge

pytestmark = pytest.mark.no_cover

TEAMS_PAIRS = 3_952_144
"""All pairs of states; about half a million of them are different once applications, policies and
users may be exchanged.
"""
EXCHANGE_PAIRS = 531_441
PERCENT = 100


def _teams(pairs, sampled):
    """Judge pairs of states; of those with a gap, say whether an order without one exists, and of a
    sample what the least gap is.
    """
    counts = Counter()
    for first, second, size in pairs:
        bystanders = partial(teams_judge.bystanders, first, second)
        ordered = teams_steps.ordered(
            teams_judge.observed(first), teams_judge.target(first, second), bystanders=bystanders
        )
        states = teams_judge.way(first, ordered.drafts)
        assert states[-1] == teams_judge.STATES[second], (first, second)
        unsafe, missing = teams_judge.judged(states)
        assert unsafe == 0, (first, second)
        assert bool(missing) is bool(ordered.gaps), (first, second)
        counts.update(judged=1, represented=size, gaps=bool(missing))
        if missing:
            assert all(gap.proved for gap in ordered.gaps)
            assert teams_judge.Least(first, second).fewest(only_none=True) is None, (first, second)
            if sampled():
                assert teams_judge.Least(first, second).fewest() == missing, (first, second)
                counts.update(least=1)
    return counts


def _exchange(pairs):
    counts = Counter()
    for first, second in pairs:
        made = exchange_steps.ordered(
            exchange_judge.observed(first),
            exchange_judge.target(first, second),
            exchange_judge.people(),
            exchange_judge.GUARD_SCOPE,
        )
        assert not made.lacking or not exchange_judge.observed(first).policies
        states = exchange_judge.way(first, made.ordered.drafts)
        assert states[-1] == (exchange_judge.STATES[second], 0), (first, second)
        unsafe, missing = exchange_judge.judged(states)
        assert unsafe == 0, (first, second)
        assert bool(missing) is bool(made.ordered.gaps), (first, second)
        guarded = any(draft.temporary for draft in made.ordered.drafts)
        counts.update(judged=1, gaps=bool(missing), guards=guarded)
        if missing or guarded:
            least = exchange_judge.Least(first, second).fewest()
            assert guarded is (least is None), (first, second)
            assert guarded or least == missing, (first, second)
    return counts


def _told(name, counts):
    print(f"\n{name}: " + ", ".join(f"{value} {key}" for key, value in counts.items()))


@pytest.mark.exhaustive
def test_teams_every_pair_of_states():
    assert teams_judge.PAIRS == TEAMS_PAIRS
    chance = random.Random(0)
    counts = _teams(teams_judge.everything(), lambda: chance.random() < 0.05)
    _told("Teams", counts)
    assert counts["represented"] == TEAMS_PAIRS
    assert counts["judged"] > 490_000
    assert counts["least"] > 1000


@pytest.mark.exhaustive
def test_exchange_every_pair_of_states():
    assert exchange_judge.PAIRS == EXCHANGE_PAIRS
    counts = _exchange(itertools.product(range(len(exchange_judge.STATES)), repeat=2))
    _told("Exchange", counts)
    assert counts["judged"] == EXCHANGE_PAIRS


def test_teams_one_percent():
    chance = random.Random(1)
    wanted = TEAMS_PAIRS // 8 // PERCENT
    states = range(len(teams_judge.STATES))
    counts = _teams(
        [(chance.choice(states), chance.choice(states), 1) for _ in range(wanted)],
        lambda: chance.random() < 0.2,
    )
    _told("Teams, 1 %", counts)
    assert counts["judged"] == wanted
    assert counts["gaps"] > 100
    assert counts["least"] > 20


def test_exchange_one_percent():
    chance = random.Random(2)
    wanted = EXCHANGE_PAIRS // PERCENT
    states = range(len(exchange_judge.STATES))
    counts = _exchange([(chance.choice(states), chance.choice(states)) for _ in range(wanted)])
    _told("Exchange, 1 %", counts)
    assert counts["judged"] == wanted
    assert counts["guards"] > 10
