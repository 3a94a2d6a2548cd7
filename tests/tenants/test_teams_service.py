"""What the Teams cmdlets do, one fact a test."""

from __future__ import annotations

import pytest

from reconciler.tenants.protocol import Done, Failed, Fault
from reconciler.tenants.simulated import Faults, Simulator
from tests.strategies.tenants import APPS, GROUPS, STRANGER, USERS, guid, run, seen, teams_policy

NEW, SET, GRANT, REMOVE = (
    f"{verb}-CsApplicationAccessPolicy" for verb in ("New", "Set", "Grant", "Remove")
)
ALPHA = {
    "policies": [teams_policy("Alpha", APPS[:1], "first"), teams_policy("Beta", APPS[1:])],
    "groupAssignments": [],
    "users": [],
}


def policy(tenant, name):
    return next(row for row in seen(tenant)["teams"]["policies"] if row["Identity"] == name)


def ranks(tenant):
    return [
        (row["GroupId"], row["PolicyName"], row["Priority"])
        for row in seen(tenant)["teams"]["groupAssignments"]
    ]


def granted(tenant):
    return {
        row["Identity"]: row["ApplicationAccessPolicy"]["Name"]
        for row in seen(tenant)["teams"]["users"]
    }


def fault(outcome):
    assert isinstance(outcome, Failed)
    return outcome.fault


def test_ranks_are_told_once_however_the_file_tells_them(make, tmp_path):
    rows = [
        {"GroupId": GROUPS[0], "PolicyName": "Alpha", "Rank": 1},
        {"GroupId": GROUPS[1], "PolicyName": "Beta", "Priority": 2, "Rank": 2},
    ]
    tenant = make(teams={**ALPHA, "groupAssignments": rows})
    run(tenant, GRANT, Group=GROUPS[2], PolicyName="Alpha", Rank=1)
    again = Simulator(tmp_path / "tenant.json")
    assert ranks(again) == [
        (GROUPS[2], "Alpha", 1),
        (GROUPS[0], "Alpha", 2),
        (GROUPS[1], "Beta", 3),
    ]
    assert not any("Rank" in row for row in seen(again)["teams"]["groupAssignments"])


class TestNew:
    def test_makes_a_policy_whose_identity_has_a_tag(self, tenant):
        assert run(tenant, NEW, Identity="Alpha", AppIds=APPS[:2], Description="text") == Done()
        assert policy(tenant, "Tag:Alpha") == {
            "Identity": "Tag:Alpha",
            "AppIds": APPS[:2],
            "Description": "text",
        }

    def test_without_applications_and_description_both_are_empty(self, tenant):
        run(tenant, NEW, Identity="Alpha")
        assert policy(tenant, "Tag:Alpha") == {
            "Identity": "Tag:Alpha",
            "AppIds": [],
            "Description": "",
        }

    @pytest.mark.parametrize("name", ["Alpha", "ALPHA", "Tag:alpha", "Global", "Default"])
    def test_a_name_that_exists_in_any_case_is_refused(self, make, name):
        tenant = make(teams=ALPHA)
        before = seen(tenant)
        assert fault(run(tenant, NEW, Identity=name)) is Fault.EXISTS
        assert seen(tenant) == before


class TestSet:
    def test_adds_without_looking_for_doubles(self, make):
        tenant = make(teams=ALPHA)
        assert run(tenant, SET, Identity="alpha", AppIds={"Add": [APPS[0], APPS[2]]}) == Done()
        assert policy(tenant, "Tag:Alpha")["AppIds"] == [APPS[0], APPS[0], APPS[2]]

    def test_removes_one_of_each_and_passes_over_what_is_missing(self, make):
        tenant = make(teams=ALPHA)
        run(tenant, SET, Identity="Alpha", AppIds={"Add": [APPS[0]]})
        assert run(tenant, SET, Identity="Alpha", AppIds={"Remove": [APPS[0], APPS[2]]}) == Done()
        assert policy(tenant, "Tag:Alpha")["AppIds"] == [APPS[0]]

    @pytest.mark.parametrize(("ordinal", "left"), [(False, []), (True, APPS[:1])])
    def test_a_spelling_in_another_case_may_or_may_not_be_removed(self, make, ordinal, left):
        tenant = make(Faults(ordinal_removal=ordinal), teams=ALPHA)
        run(tenant, SET, Identity="Alpha", AppIds={"Remove": [APPS[0].upper()]})
        assert policy(tenant, "Tag:Alpha")["AppIds"] == left

    def test_the_description_alone_leaves_the_list(self, make):
        tenant = make(teams=ALPHA)
        assert run(tenant, SET, Identity="Alpha", Description="second") == Done()
        assert policy(tenant, "Tag:Alpha") == {
            "Identity": "Tag:Alpha",
            "AppIds": APPS[:1],
            "Description": "second",
        }

    def test_global_is_there_even_if_nothing_lists_it(self, make):
        tenant = make(teams={"policies": [], "groupAssignments": [], "users": []})
        assert run(tenant, SET, Identity="Global", AppIds={"Add": APPS[:1]}) == Done()
        assert policy(tenant, "Global")["AppIds"] == APPS[:1]

    def test_an_unknown_name_is_not_found(self, tenant):
        assert run(tenant, SET, Identity="Idont exist", Description="x") == Failed(
            Fault.NOT_FOUND, '[ClientError] : "Idont exist" not found'
        )


class TestGrantToAUser:
    def test_replaces_the_policy_before(self, make):
        tenant = make(teams=ALPHA)
        assert run(tenant, GRANT, Identity=USERS[0], PolicyName="alpha") == Done()
        assert granted(tenant) == {USERS[0]: "Alpha"}
        assert run(tenant, GRANT, Identity=USERS[0].upper(), PolicyName="Tag:Beta") == Done()
        assert granted(tenant) == {USERS[0]: "Beta"}

    def test_takes_a_user_principal_name_and_shows_the_object_id(self, make):
        tenant = make(teams=ALPHA)
        assert run(tenant, GRANT, Identity="USER1@contoso.com", PolicyName="Alpha") == Done()
        assert granted(tenant) == {USERS[1]: "Alpha"}

    def test_null_takes_away_and_may_be_repeated(self, make):
        tenant = make(teams=ALPHA)
        run(tenant, GRANT, Identity=USERS[0], PolicyName="Alpha")
        assert [run(tenant, GRANT, Identity=USERS[0], PolicyName=None) for _ in range(2)] == [
            Done(),
            Done(),
        ]
        assert granted(tenant) == {}

    @pytest.mark.parametrize("name", ["Alpha", None])
    def test_a_user_who_is_not_in_the_directory_is_not_found(self, make, name):
        assert (
            fault(run(make(teams=ALPHA), GRANT, Identity=STRANGER, PolicyName=name))
            is Fault.NOT_FOUND
        )

    def test_an_unknown_policy_is_not_found(self, tenant):
        assert run(tenant, GRANT, Identity=USERS[0], PolicyName="X") == Failed(
            Fault.NOT_FOUND, '[ClientError] : "X" not found'
        )

    def test_global_is_no_user_policy(self, tenant):
        assert fault(run(tenant, GRANT, Identity=USERS[0], PolicyName="Global")) is Fault.INVALID


class TestGrantToAGroup:
    def test_the_worked_example_of_the_documentation(self, make):
        tenant = make(teams=ALPHA)
        for group, rank in ((GROUPS[0], 1), (GROUPS[1], 2), (GROUPS[2], 3)):
            run(tenant, GRANT, Group=group, PolicyName="Alpha", Rank=rank)
        assert run(tenant, GRANT, Group=GROUPS[3], PolicyName="Beta", Rank=2) == Done()
        assert ranks(tenant) == [
            (GROUPS[0], "Alpha", 1),
            (GROUPS[3], "Beta", 2),
            (GROUPS[1], "Alpha", 3),
            (GROUPS[2], "Alpha", 4),
        ]
        assert run(tenant, GRANT, Group=GROUPS[3], PolicyName=None) == Done()
        assert ranks(tenant) == [
            (GROUPS[0], "Alpha", 1),
            (GROUPS[1], "Alpha", 2),
            (GROUPS[2], "Alpha", 3),
        ]

    def test_a_rank_beyond_the_end_is_the_last(self, make):
        tenant = make(teams=ALPHA)
        run(tenant, GRANT, Group=GROUPS[0], PolicyName="Alpha", Rank=9)
        run(tenant, GRANT, Group=GROUPS[1], PolicyName="Alpha", Rank=40)
        assert ranks(tenant) == [(GROUPS[0], "Alpha", 1), (GROUPS[1], "Alpha", 2)]

    @pytest.mark.parametrize(("rank", "order"), [(1, [2, 0, 1]), (2, [0, 2, 1]), (3, [0, 1, 2])])
    def test_a_grant_in_place_moves_the_group_to_the_rank(self, make, rank, order):
        tenant = make(teams=ALPHA)
        for group in GROUPS[:3]:
            run(tenant, GRANT, Group=group, PolicyName="Alpha", Rank=9)
        assert run(tenant, GRANT, Group=GROUPS[2].upper(), PolicyName="Beta", Rank=rank) == Done()
        assert [group for group, _, _ in ranks(tenant)] == [GROUPS[number] for number in order]

    def test_a_grant_in_place_may_be_refused_and_then_changes_nothing(self, make):
        tenant = make(Faults(in_place_regrant_refused=True), teams=ALPHA)
        run(tenant, GRANT, Group=GROUPS[0], PolicyName="Alpha", Rank=1)
        assert fault(run(tenant, GRANT, Group=GROUPS[0], PolicyName="Beta", Rank=1)) is Fault.EXISTS
        assert ranks(tenant) == [(GROUPS[0], "Alpha", 1)]
        assert run(tenant, GRANT, Group=GROUPS[0], PolicyName=None) == Done()
        assert run(tenant, GRANT, Group=GROUPS[0], PolicyName="Beta", Rank=1) == Done()

    def test_sixty_four_groups_are_the_most(self, make):
        full = [
            {
                "GroupId": guid("9", number),
                "PolicyType": "ApplicationAccessPolicy",
                "PolicyName": "Alpha",
                "Priority": number + 1,
            }
            for number in range(64)
        ]
        tenant = make(teams={**ALPHA, "groupAssignments": full})
        assert (
            fault(run(tenant, GRANT, Group=GROUPS[0], PolicyName="Alpha", Rank=1)) is Fault.INVALID
        )
        assert run(tenant, GRANT, Group=guid("9", 63), PolicyName="Beta", Rank=1) == Done()
        assert len(ranks(tenant)) == 64


class TestGrantToTheTenant:
    def test_copies_values_and_keeps_no_pointer(self, make):
        tenant = make(teams=ALPHA)
        assert run(tenant, GRANT, Global=True, PolicyName="alpha") == Done()
        run(tenant, SET, Identity="Alpha", AppIds={"Add": [APPS[2]]})
        assert policy(tenant, "Global") == {
            "Identity": "Global",
            "AppIds": APPS[:1],
            "Description": "first",
        }
        assert run(tenant, REMOVE, Identity="Alpha") == Done()
        assert policy(tenant, "Global")["AppIds"] == APPS[:1]

    def test_null_clears(self, make):
        tenant = make(teams=ALPHA)
        run(tenant, GRANT, Global=True, PolicyName="Alpha")
        assert run(tenant, GRANT, Global=True, PolicyName=None) == Done()
        assert policy(tenant, "Global") == {"Identity": "Global", "AppIds": [], "Description": ""}

    def test_an_unknown_policy_is_not_found(self, tenant):
        assert fault(run(tenant, GRANT, Global=True, PolicyName="X")) is Fault.NOT_FOUND


class TestRemove:
    def test_removes(self, make):
        tenant = make(teams=ALPHA)
        assert run(tenant, REMOVE, Identity="ALPHA") == Done()
        assert [row["Identity"] for row in seen(tenant)["teams"]["policies"]] == [
            "Global",
            "Tag:Beta",
        ]

    @pytest.mark.parametrize("holder", [{"Identity": USERS[0]}, {"Group": GROUPS[0], "Rank": 1}])
    def test_is_refused_while_anybody_holds_the_policy(self, make, holder):
        tenant = make(teams=ALPHA)
        run(tenant, GRANT, **holder, PolicyName="Alpha")
        refusal = run(tenant, REMOVE, Identity="Alpha")
        assert fault(refusal) is Fault.ASSIGNED
        assert (
            'The policy "Alpha" is currently assigned to one or more users or groups.'
            in refusal.message
        )
        holder.pop("Rank", None)
        run(tenant, GRANT, **holder, PolicyName=None)
        assert run(tenant, REMOVE, Identity="Alpha") == Done()

    def test_empties_global_which_stays(self, make):
        tenant = make(teams=ALPHA)
        run(tenant, GRANT, Global=True, PolicyName="Alpha")
        assert run(tenant, REMOVE, Identity="Global") == Done()
        assert policy(tenant, "Global")["AppIds"] == []

    def test_an_unknown_name_is_not_found(self, tenant):
        assert fault(run(tenant, REMOVE, Identity="X")) is Fault.NOT_FOUND
