"""Exact search against every permutation, on grounds that nothing but chance has made."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.ordering.components import components
from reconciler.kinds.ordering.orders import Chain, Gap, Pairs, Reliance
from reconciler.kinds.ordering.search import Ground, along, search

BITS = 4


def _ground(seed, count):
    """Nodes of one to three steps; what is reached is random for every set of nodes, mostly within
    what the ends reach.
    """
    chance = random.Random(seed)
    full = (1 << count) - 1
    reached = {done: chance.getrandbits(BITS) for done in range(full + 1)}
    either, both = reached[0] | reached[full], reached[0] & reached[full]
    for done in range(1, full):
        if chance.random() < 0.7:
            reached[done] = reached[done] & either | (both if chance.random() < 0.6 else 0)
    needs = tuple(
        sum(1 << other for other in range(node) if chance.random() < 0.2) for node in range(count)
    )
    sizes = tuple(chance.choice([1, 1, 1, 2, 3]) for _ in range(count))
    return Ground(sizes, needs, reached.__getitem__, ((0b0011, 1), (0b1100, 5)))


def _weight(pairs):
    return (pairs & 0b0011).bit_count() + 5 * (pairs & 0b1100).bit_count()


def _price(ground, order):
    """(exposed, missing) pair-steps, step by step: the users of a class move one by one, and each
    counts for its part of the difference.
    """
    before, after = ground.reached(0), ground.reached((1 << len(ground.sizes)) - 1)
    done = exposed = missing = 0
    for node in order:
        last = ground.reached(done)
        done |= 1 << node
        now, size = ground.reached(done), ground.sizes[node]
        for pairs_of, add in (
            (lambda one: before & after & ~one, "missing"),
            (lambda one: one & ~(before | after), "exposed"),
        ):
            old, new = _weight(pairs_of(last)), _weight(pairs_of(now))
            cost = new if size == 1 else (old * (size - 1) + new * (size + 1)) // 2
            missing, exposed = (
                (missing + cost, exposed) if add == "missing" else (missing, exposed + cost)
            )
    return exposed, missing


def _orders(ground):
    for order in itertools.permutations(range(len(ground.sizes))):
        if all(
            ground.needs[node] & ~sum(1 << other for other in order[:place]) == 0
            for place, node in enumerate(order)
        ):
            yield order


def _is_safe(ground, order):
    before, after = ground.reached(0), ground.reached((1 << len(ground.sizes)) - 1)
    states = itertools.accumulate(order, lambda done, node: done | 1 << node, initial=0)
    return all(ground.reached(done) & ~(before | after) == 0 for done in states)


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=1, max_value=5))
@settings(max_examples=300, deadline=None)
def test_no_order_is_better_and_of_equal_ones_the_first_is_taken(seed, count):
    ground = _ground(seed, count)
    safe = [order for order in _orders(ground) if _is_safe(ground, order)]
    found = search(ground)
    if not safe:
        assert found is None
        return
    best = min(safe, key=lambda order: (_price(ground, order)[1], order))
    assert (found.order, found.cost) == (best, _price(ground, best)[1])


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=2, max_value=5))
@settings(max_examples=200, deadline=None)
def test_where_exposing_is_allowed_the_least_is_exposed(seed, count):
    ground = _ground(seed, count)
    found = search(ground, exposing=True)
    if not any(_is_safe(ground, order) for order in _orders(ground)) and all(
        size == 1 for size in ground.sizes
    ):
        assert _price(ground, found.order) == min(
            _price(ground, order) for order in _orders(ground)
        )
    assert set(found.order) == set(range(count))


def test_within_a_class_of_users_some_have_moved_and_some_have_not():
    ground = Ground((3,), (0,), {0: 0b01, 1: 0b01}.__getitem__, ((1, 1),))
    assert [(one.first, one.last) for one in along(ground, (0,))] == [(1, 2), (3, 3)]
    ground = Ground((2, 1), (0, 0), {0: 1, 1: 0, 2: 1, 3: 1}.__getitem__, ((1, 1),))
    assert [(one.first, one.last, one.missing) for one in along(ground, (0, 1))] == [
        (1, 1, 1),
        (2, 2, 1),
        (3, 3, 0),
    ]


def test_nodes_that_share_a_hub_belong_together():
    assert components([("a",), ("b",), ("a", "c"), (), ("c",)]) == [[0, 2, 4], [1], [3]]
    assert components([]) == []


def test_components_stand_one_behind_the_other():
    chain = Chain()
    pairs = Pairs("app", {"kind": "everyone"}, certain=True, steps=(1, 2))
    chain.append(["x", "y"], (), (), [(True, False), (False, False)])
    chain.append(
        ["z", "w", "v"],
        [Gap(pairs, "why", proved=True)],
        [pairs],
        [(True, False), (False, True), (False, True)],
    )
    ordered = chain.ordered()
    assert ordered.drafts == ("x", "y", "z", "w", "v")
    assert ordered.gaps[0].pairs.steps == ordered.exposures[0].steps == (3, 4)
    assert ordered.reliances == (Reliance(4, 3),), (
        "of two removals that rely on one step, the first waits; nothing relies on another component"
    )
