"""The rows of Teams transitions: few, named, and their cost that of what changes."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.kinds.teams import access_delta as teams_delta
from reconciler.model.observed import Group, GroupAssignment, TeamsPolicy, TeamsState
from tests.access.written import delta
from tests.planning.enumerated_access import directory, guid

APP, OTHER = guid(1, 1), guid(1, 2)
GROUP = guid(3, 1)
MANY = 100_000


def _user(number):
    return guid(2, number)


def _state(users, groups=(), **lists):
    named = {"global": (), **lists}
    policies = {
        key: TeamsPolicy(key.capitalize(), dict.fromkeys(apps, ""), "")
        for key, apps in named.items()
    }
    return TeamsState(policies, tuple(GroupAssignment(*row) for row in groups), users, {})


def _delta(before, after, members=None):
    known = (
        directory()
        if members is None
        else replace(directory(), groups={GROUP: Group(GROUP, "", frozenset(members))})
    )
    return delta({"teams": before}, {"teams": after}, known)


def _subjects(rows):
    return [row["subject"] for row in rows]


def test_the_holders_of_a_policy_whose_list_grows_are_one_row():
    users = dict.fromkeys(map(_user, range(MANY)), "one")
    found = _delta(_state(users, one=(APP,)), _state(users, one=(APP, OTHER)))
    assert _subjects(found["gained"]) == [{"kind": "policy-holders", "id": "One"}]
    assert found["lost"] == []


def test_a_list_that_many_get_together_is_one_row():
    users = dict.fromkeys(map(_user, range(MANY)), "one")
    found = _delta(_state({}, one=()), _state(users, one=(APP,)))
    assert _subjects(found["gained"]) == [{"kind": "policy-holders", "id": "One"}]


def test_who_had_the_application_already_is_excepted():
    users = dict.fromkeys(map(_user, range(60)), "new")
    found = _delta(_state({_user(0): "old"}, old=(APP,)), _state(users, old=(APP,), new=(APP,)))
    assert _subjects(found["gained"]) == [
        {"kind": "policy-holders", "id": "New", "except": [{"kind": "user", "id": _user(0)}]}
    ]


def test_a_few_are_named():
    found = _delta(_state({_user(1): "one"}, one=(APP,)), _state({_user(2): "one"}, one=(APP,)))
    assert _subjects(found["gained"]) == [{"kind": "user", "id": _user(2)}]
    assert _subjects(found["lost"]) == [{"kind": "user", "id": _user(1)}]


def test_many_who_join_a_policy_that_others_hold_are_named_one_by_one():
    """The row must not depend on how many hold the policy besides: that changes daily, and with it
    would the plan's content digest.
    """
    users = dict.fromkeys(map(_user, range(60)), "one")
    found = _delta(
        _state({_user(99): "one"}, one=(APP,)), _state({**users, _user(99): "one"}, one=(APP,))
    )
    assert len(found["gained"]) == 60


class _Counted(dict):
    """A mapping that counts how often it is asked."""

    asked = 0

    def get(self, *key):
        self.asked += 1
        return super().get(*key)

    def __getitem__(self, key):
        self.asked += 1
        return super().__getitem__(key)


def test_the_cost_is_that_of_what_changes():
    """100,000 grants of which 1 % move: each grant is looked at once, memberships and lists only
    for the moved ones.
    """
    moved = MANY // 100
    before = _Counted({_user(number): "one" for number in range(MANY)} | {_user(MANY): "two"})
    after = _Counted({**before, **{_user(number): "two" for number in range(moved)}})
    known = replace(directory(), groups=_Counted({GROUP: Group(GROUP, "", frozenset())}))
    states = [
        _state(users, [(GROUP, "one")], one=(APP,), two=(OTHER,)) for users in (before, after)
    ]
    states = [replace(state, policies=_Counted(state.policies)) for state in states]
    found = delta({"teams": states[0]}, {"teams": states[1]}, known)
    assert len(found["gained"]) == len(found["lost"]) == moved
    assert before.asked + after.asked <= MANY + 10 * moved
    assert known.groups.asked + states[0].policies.asked + states[1].policies.asked <= 100


def test_members_of_a_new_group_are_one_row_whatever_stands_below():
    below = [(guid(3, number), "other") for number in range(2, 60)]
    lists = {"one": (APP,), "other": (OTHER,)}
    found = _delta(_state({}, below, **lists), _state({}, [(GROUP, "one"), *below], **lists))
    assert _subjects(found["gained"]) == [{"kind": "group-members", "id": GROUP}]


def test_whom_an_application_reached_before_it_enters_global_is_named():
    lists = {"one": (APP,), "two": (OTHER,)}
    groups = [(GROUP, "one"), (guid(3, 2), "two")]
    (row,) = _delta(
        _state({_user(1): "one"}, groups, **lists),
        _state({_user(1): "one"}, groups, **lists, **{"global": (APP,)}),
    )["tenant_wide"]
    assert row["application"] == APP
    assert row["subject"] == {
        "kind": "everyone",
        "except": [{"kind": "group-members", "id": guid(3, 2)}],
    }
    assert row["was"] == [
        {"kind": "group-members", "id": GROUP},
        {"kind": "policy-holders", "id": "One"},
    ]


def test_a_direct_grant_that_takes_applications_away_is_found():
    before = _state({}, [(GROUP, "one")], one=(APP,), two=(OTHER,))
    after = _state({_user(1): "two", _user(2): "two"}, [(GROUP, "one")], one=(APP,), two=(OTHER,))
    known = replace(directory(), groups={GROUP: Group(GROUP, "", frozenset({_user(1)}))})
    assert teams_delta.reduced(teams_delta.transition(before, after, known)) == (
        {"two": [_user(1)]},
        {},
    )


def test_a_group_grant_that_takes_applications_away_is_found():
    before = _state({}, one=(OTHER,), **{"global": (APP,)})
    after = _state({}, [(GROUP, "one")], one=(OTHER,), **{"global": (APP,)})
    assert teams_delta.reduced(teams_delta.transition(before, after, directory())) == (
        {},
        {GROUP: [APP]},
    )


def test_a_group_of_whom_nobody_falls_under_it_takes_nothing_away():
    before = _state({_user(1): "one"}, one=(OTHER,), **{"global": (APP,)})
    after = _state({_user(1): "one"}, [(GROUP, "one")], one=(OTHER,), **{"global": (APP,)})
    known = replace(directory(), groups={GROUP: Group(GROUP, "", frozenset({_user(1)}))})
    assert teams_delta.reduced(teams_delta.transition(before, after, known)) == ({}, {})
