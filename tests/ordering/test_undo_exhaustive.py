"""Every pair of states of both services is undone: the plan from one to the other has a way back that
ends where it began. The steps of that way are those of the pair the other way round, which
test_exhaustive.py judges.
"""

from __future__ import annotations

import itertools
import random

import pytest
from msgspec.structs import replace

from reconciler.kinds.exchange import states as exchange_states
from reconciler.kinds.exchange import target as exchange_target
from reconciler.kinds.exchange import undoing as exchange_undoing
from reconciler.kinds.teams import states as teams_states
from reconciler.kinds.teams import target as teams_target
from reconciler.kinds.teams import undoing as teams_undoing
from reconciler.kinds.undoing import Past
from reconciler.model.addresses import teams_policy
from reconciler.model.baselines import Baseline
from reconciler.model.observed import NOTHING_KNOWN
from tests.ordering import exchange_judge, teams_judge
from tests.ordering.test_exhaustive import EXCHANGE_PAIRS, TEAMS_PAIRS

pytestmark = pytest.mark.no_cover

SAMPLE = 500


def _free(_address):
    return None


def _exchange_undone(first, second, directory):
    before, after = exchange_judge.observed(first), exchange_judge.observed(second)
    sections = list(exchange_states.sections([before, after]))
    was, left = map(exchange_states.starting_snapshot, sections)
    past = Past(Baseline(exchange=sections[0]), (), was, (left,), {})
    aim = exchange_undoing.undone(sections[0], past, after, directory, _free)
    assert aim.aside == ()
    shall = exchange_target.target(aim.desired, after, directory, holding=_free)
    end = exchange_target.state_reached(after, shall)
    rights = [{key: row.right for key, row in state.policies.items()} for state in (before, end)]
    assert rights[0] == rights[1], (first, second)


def _directory():
    """The judge's policies have one sid for all scopes."""
    known = exchange_judge.people()
    recipients = {key: replace(row, sid="S-1") for key, row in known.recipients.items()}
    return replace(known, recipients=recipients)


def _teams_undone(first, second):
    before, after = teams_judge.observed(first), teams_judge.observed(second)
    sections = list(teams_states.sections([before, after]))
    was, left = map(teams_states.starting_snapshot, sections)
    holders = {
        str(teams_policy(policy.name)): teams_states.holders_digest(
            key, before.users, before.groups
        )
        for key, policy in before.policies.items()
    }
    past = Past(Baseline(teams=sections[0]), (), was, (left,), holders)
    aim = teams_undoing.undone(sections[0], past, after, NOTHING_KNOWN, _free)
    assert aim.aside == (), (first, second, aim.aside)
    shall = teams_target.target(aim.desired, after, prune=False, holding=_free)
    end = teams_target.state_reached(after, shall)
    lists = [
        {key: row.applications.keys() for key, row in s.policies.items()} for s in (before, end)
    ]
    assert (lists[0], before.users, before.groups) == (lists[1], end.users, end.groups), (
        first,
        second,
    )


@pytest.mark.exhaustive
def test_exchange_every_pair_is_undone():
    directory = _directory()
    pairs = itertools.product(range(len(exchange_judge.STATES)), repeat=2)
    assert sum(_exchange_undone(*pair, directory) is None for pair in pairs) == EXCHANGE_PAIRS


@pytest.mark.exhaustive
def test_teams_every_pair_is_undone():
    represented = 0
    for first, second, size in teams_judge.everything():
        _teams_undone(first, second)
        represented += size
    assert represented == TEAMS_PAIRS


def test_a_sample_of_pairs_is_undone():
    chance, directory = random.Random(8), _directory()
    exchange, teams = range(len(exchange_judge.STATES)), range(len(teams_judge.STATES))
    for _ in range(SAMPLE):
        _exchange_undone(chance.choice(exchange), chance.choice(exchange), directory)
        _teams_undone(chance.choice(teams), chance.choice(teams))
