"""Quarantine as one more dimension of the whole state spaces: every pair of what Exchange has and what
the documents declare, with the application quarantined; judged by plain enumeration.

On the Teams side a quarantine leads from any state to one in which no list has the application: these
are pairs of the Teams space that test_exhaustive.py judges already. The default suite judges a seeded
1 % of the Exchange pairs.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from reconciler.kinds.exchange import steps, target
from reconciler.kinds.exchange.quarantine import ShuttingOut
from reconciler.model.codes import STILL_OPEN, StepReason
from reconciler.model.desired import DesiredExchange, DesiredExchangePolicy
from tests.ordering import exchange_judge as judge
from tests.planning.enumerated_access import APPS

pytestmark = pytest.mark.no_cover

A = APPS[0]
OWN, OTHERS = 0xFF00, 0x00FF
"""Bits of `exchange_judge.reached`: the application's mailboxes, and those of one without policies."""
PAIRS = 2 * judge.PAIRS
"""Every pair, with and without the consents to remove what no document declares."""
SHARE = 200


def _desired(second):
    policies = {
        key: DesiredExchangePolicy(*key, judge.RIGHTS[digit], None, f"{key[1]}@contoso.com")
        for key, digit in zip(judge.KEYS, judge.STATES[second], strict=True)
        if digit
    }
    owned = frozenset(application for application, _ in policies)
    return DesiredExchange(owned, policies, frozenset(), (), quarantined=frozenset({A}))


def _shutting(*, consented):
    guard = judge.people().recipients[judge.NOBODY]
    consents = {f"undeclared:exchange.policy/{A}@{scope}" for _, scope in judge.KEYS}
    return ShuttingOut(
        frozenset({A}), guard, judge.NOBODY, frozenset(consents if consented else ())
    )


def _judged(first, second, *, consented):
    observed, people = judge.observed(first), judge.people()
    aim = target.target(
        _desired(second),
        observed,
        people,
        holding=lambda _: None,
        shutting=_shutting(consented=consented),
    )
    drafts = steps.ordered(observed, aim, people, judge.GUARD_SCOPE).ordered.drafts
    reached = [judge.reached(*state) for state in judge.way(first, drafts)]
    before, after = reached[0], reached[-1]
    assert not any(each & ~(before | after) & OTHERS for each in reached), (first, second)
    gains = any(each & ~before & OWN for each in reached)
    every = judge.STATES[first][3:] != judge.STATES[second][3:]
    assert every or not gains, (first, second)
    opened = any(note.code in STILL_OPEN for note in aim.held)
    assert opened is bool(after & OWN), (first, second)
    own = [draft.reason for draft in drafts if f"/{A}@" in draft.address]
    assert own.count(StepReason.SHUT_OUT) == 1, (first, second)
    assert own[0] == StepReason.SHUT_OUT, (first, second)
    return {"judged": 1, "closed": not opened, "gains": gains}


def _told(counts):
    print("\nExchange, quarantined: " + ", ".join(f"{n} {key}" for key, n in counts.items()))


@pytest.mark.exhaustive
def test_exchange_every_pair_of_states_with_a_quarantine():
    counts = Counter()
    numbers = range(len(judge.STATES))
    for first, second, consented in itertools.product(numbers, numbers, (False, True)):
        counts.update(_judged(first, second, consented=consented))
    _told(counts)
    assert counts["judged"] == PAIRS == 1_062_882


def test_half_a_percent_of_exchange_with_a_quarantine():
    chance = random.Random(3)
    counts = Counter()
    numbers = range(len(judge.STATES))
    for _ in range(PAIRS // SHARE):
        pair = chance.choice(numbers), chance.choice(numbers)
        counts.update(_judged(*pair, consented=chance.random() < 0.5))
    _told(counts)
    assert counts["judged"] == PAIRS // SHARE
    assert counts["closed"] > 100
    assert counts["gains"] < counts["judged"]
