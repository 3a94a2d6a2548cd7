"""Regions are sets: every operation agrees with the one on the combinations of groups that they
hold.
"""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from reconciler.audiences.clauses import Audience, Clause, audience

GROUPS = ("a", "b", "c", "d")
COMBINATIONS = [
    frozenset(some)
    for size in range(len(GROUPS) + 1)
    for some in itertools.combinations(GROUPS, size)
]

groups = st.frozensets(st.sampled_from(GROUPS), max_size=3)
clauses = st.lists(st.builds(Clause, groups, groups), max_size=5)


def _held(one: Audience) -> set[frozenset[str]]:
    return {some for some in COMBINATIONS if some in one}


def _said(given_terms: list[Clause]) -> set[frozenset[str]]:
    return {
        some
        for some in COMBINATIONS
        for clause in given_terms
        if clause.inside <= some and not clause.outside & some
    }


@given(clauses)
def test_simplifying_loses_and_adds_nobody(some: list[Clause]) -> None:
    assert _held(audience(some)) == _said(some)


@given(clauses, clauses)
def test_union_and_intersection(some: list[Clause], others: list[Clause]) -> None:
    one, two = audience(some), audience(others)
    assert _held(one | two) == _held(one) | _held(two)
    assert _held(one & two) == _held(one) & _held(two)


@given(clauses)
def test_no_term_is_empty_or_within_another(some: list[Clause]) -> None:
    kept = audience(some).clauses
    assert not any(clause.is_empty for clause in kept)
    assert not any(one.covers(two) for one, two in itertools.permutations(kept, 2))


def test_terms_that_differ_in_one_group_become_one() -> None:
    assert audience([Clause(frozenset("ab")), Clause(frozenset("a"), frozenset("b"))]) == Audience(
        frozenset({Clause(frozenset("a"))})
    )
