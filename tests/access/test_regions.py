"""Regions are sets: every operation agrees with the one on the combinations of groups that they
hold.
"""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from reconciler.access.regions import Region, Term, region

GROUPS = ("a", "b", "c", "d")
COMBINATIONS = [
    frozenset(some)
    for size in range(len(GROUPS) + 1)
    for some in itertools.combinations(GROUPS, size)
]

groups = st.frozensets(st.sampled_from(GROUPS), max_size=3)
terms = st.lists(st.builds(Term, groups, groups), max_size=5)


def _held(one: Region) -> set[frozenset[str]]:
    return {some for some in COMBINATIONS if some in one}


def _said(given_terms: list[Term]) -> set[frozenset[str]]:
    return {
        some
        for some in COMBINATIONS
        for term in given_terms
        if term.inside <= some and not term.outside & some
    }


@given(terms)
def test_simplifying_loses_and_adds_nobody(some: list[Term]) -> None:
    assert _held(region(some)) == _said(some)


@given(terms, terms)
def test_union_and_intersection(some: list[Term], others: list[Term]) -> None:
    one, two = region(some), region(others)
    assert _held(one | two) == _held(one) | _held(two)
    assert _held(one & two) == _held(one) & _held(two)


@given(terms)
def test_no_term_is_empty_or_within_another(some: list[Term]) -> None:
    kept = region(some).terms
    assert not any(term.is_empty for term in kept)
    assert not any(one.covers(two) for one, two in itertools.permutations(kept, 2))


def test_terms_that_differ_in_one_group_become_one() -> None:
    assert region([Term(frozenset("ab")), Term(frozenset("a"), frozenset("b"))]) == Region(
        frozenset({Term(frozenset("a"))})
    )
