"""Group ranks: the final order, and moves that never show a member a third policy."""

from __future__ import annotations

import itertools
import random

import pytest

from reconciler.kinds.teams.ranks import final_order, moves

pytestmark = pytest.mark.no_cover

SAMPLES = 4000


@pytest.mark.parametrize(
    ("observed", "declared", "dropped", "expected"),
    [
        ("", "ab", "", "ab"),
        ("xy", "ab", "", "xyab"),
        ("xay", "ab", "", "xaby"),
        ("xby", "ab", "", "xaby"),
        ("ab", "ba", "", "ba"),
        ("cab", "abc", "", "abc"),
        ("xaybz", "ba", "", "xbayz"),
        ("adb", "ba", "d", "ba"),
        ("bxaycz", "abc", "", "xabycz"),
    ],
)
def test_final_order(observed, declared, dropped, expected):
    assert "".join(final_order(observed, declared, dropped)) == expected


def _run(current, move):
    """What the service does: a grant takes the group out of the list and puts it at its rank, no
    policy takes it out.
    """
    group, policy, rank = move
    rest = [row for row in current if row[0] != group]
    if rank is not None:
        rest.insert(rank - 1, (group, policy))
    return rest


def _case(seed):
    chance = random.Random(seed)
    groups = "abcdefg"
    observed = chance.sample(groups, chance.randrange(len(groups)))
    declared = chance.sample(groups, chance.randrange(len(groups)))
    dropped = {group for group in observed if group not in declared and chance.random() < 0.5}
    changed = {group for group in declared if group not in observed or chance.random() < 0.4}
    return observed, declared, dropped, changed


def _along(observed, declared, dropped, changed):
    """The lists (group, policy) before the first move and after each; a policy is old or new, of
    its group alone.
    """
    final = final_order(observed, declared, dropped)
    states = [[(group, f"old {group}") for group in observed]]
    for move in moves(observed, final, changed, declared):
        policy = f"{'new' if move.group in changed else 'old'} {move.group}"
        states.append(_run(states[-1], (move.group, policy, move.rank)))
    return final, states


def _first(state, members):
    return next((policy for group, policy in state if group in members), None)


def test_no_member_ever_gets_a_third_policy():
    judged = 0
    for seed in range(SAMPLES):
        observed, declared, dropped, changed = _case(seed)
        final, states = _along(observed, declared, dropped, changed)
        assert tuple(group for group, _ in states[-1]) == final, f"seed {seed}"
        everyone = sorted({group for state in states for group, _ in state})
        for members in itertools.chain.from_iterable(
            itertools.combinations(everyone, size) for size in (1, 2, 3, 4)
        ):
            allowed = {_first(states[0], members), _first(states[-1], members)}
            assert all(_first(state, members) in allowed for state in states), (
                f"seed {seed}: members of {members}"
            )
            judged += len(states)
    assert judged > 100 * SAMPLES


def test_a_plan_made_after_any_stop_ends_in_the_same_order():
    for seed in range(SAMPLES):
        observed, declared, dropped, changed = _case(seed)
        final, states = _along(observed, declared, dropped, changed)
        for state in states:
            now = [group for group, _ in state]
            assert final_order(now, declared, dropped & set(now)) == final, (
                f"seed {seed}: {observed} {declared} {now}"
            )


def test_no_move_can_be_left_out():
    for seed in range(SAMPLES):
        observed, declared, dropped, changed = _case(seed)
        final = final_order(observed, declared, dropped)
        steps = moves(observed, final, changed, declared)
        for left_out in steps:
            if left_out.group in changed or left_out.rank is None:
                continue
            state = [(group, "") for group in observed]
            for move in steps:
                if move is not left_out:
                    state = _run(state, (move.group, "", move.rank))
            assert tuple(group for group, _ in state) != final, f"seed {seed}: {left_out}"
