"""Injected faults: the same seed, the same trouble; and what a fault did to the tenant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import canonical
from reconciler.errors import TenantFault
from reconciler.kinds.teams.parse import POLICY_TYPE
from reconciler.model.plans import Invocation
from reconciler.powershell.rendering import render
from reconciler.tenants.protocol import Done, Failed, Fault, Lost
from reconciler.tenants.simulated import Faults, Mishap, Simulator
from tests.strategies.tenants import (
    APPS,
    EVERYTHING,
    GROUPS,
    USERS,
    run,
    seen,
    send,
    teams_policy,
    tenants,
    writes,
)

POLICIES = {"policies": [teams_policy("Alpha", APPS[:1]), teams_policy("Beta", APPS)]}
NEW = Invocation("New-CsApplicationAccessPolicy", {"Identity": "Gamma"})


def grant(number, policy="Alpha"):
    return Invocation(
        "Grant-CsApplicationAccessPolicy", {"Identity": USERS[number], "PolicyName": policy}
    )


def names(tenant):
    return [row["Identity"] for row in seen(tenant)["teams"]["policies"]]


@pytest.mark.parametrize(
    ("mishap", "fault"),
    [
        (Mishap.THROTTLED, Fault.THROTTLED),
        (Mishap.TRANSIENT, Fault.TRANSIENT),
        (Mishap.DENIED, Fault.DENIED),
    ],
)
def test_a_refusal_changes_nothing(make, mishap, fault):
    tenant = make(Faults(fail_on={1: mishap}))
    before = seen(tenant)
    assert send(tenant, NEW).fault is fault
    assert seen(tenant) == before
    assert send(tenant, NEW) == Done()


@pytest.mark.parametrize(
    ("mishap", "happened"), [(Mishap.LOST_BEFORE, False), (Mishap.LOST_AFTER, True)]
)
def test_a_lost_answer_says_nothing_of_the_write(make, mishap, happened):
    tenant = make(Faults(fail_on={1: mishap}))
    assert isinstance(send(tenant, NEW), Lost)
    assert ("Tag:Gamma" in names(tenant)) is happened
    assert isinstance(send(tenant, NEW), Failed) is happened


def test_a_lost_answer_to_a_write_that_is_refused_is_lost_all_the_same(make):
    tenant = make(Faults(fail_on={2: Mishap.LOST_AFTER}))
    send(tenant, NEW)
    assert isinstance(send(tenant, NEW), Lost)


def test_a_text_fails_every_time_and_with_any_outcome(make):
    tenant = make(Faults(fail_on={render(NEW): Failed(Fault.UNKNOWN, "a fault of its own")}))
    assert [send(tenant, NEW) for _ in range(2)] == [
        Failed(Fault.UNKNOWN, "a fault of its own")
    ] * 2
    assert send(tenant, Invocation(NEW.cmdlet, {"Identity": "Other"})) == Done()


def test_a_cmdlet_may_be_denied(make):
    tenant = make(Faults(denied=frozenset({NEW.cmdlet})), teams=POLICIES)
    assert send(tenant, NEW).fault is Fault.DENIED
    assert send(tenant, grant(0)) == Done()


def test_a_capture_may_break_off_and_is_never_empty(make):
    tenant = make(Faults(incomplete_captures=frozenset({2})))
    tenant.capture(EVERYTHING)
    with pytest.raises(TenantFault, match="was interrupted"):
        tenant.capture(EVERYTHING)
    tenant.capture(EVERYTHING)


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.floats(0, 0.25), st.lists(writes, max_size=15))
def test_one_seed_one_story(tmp_path_factory, seed, chance, script):
    faults = Faults(seed, chance, chance, chance, chance, lag=2, scattered=True)

    def story():
        tenant = Simulator(
            tmp_path_factory.mktemp("tenant") / "tenant.json",
            seed_from=seed_file(tmp_path_factory),
            faults=faults,
        )
        return [(send(tenant, write), seen(tenant)) for write in script]

    assert story() == story()


def seed_file(tmp_path_factory):
    from tests.strategies.tenants import empty

    path = tmp_path_factory.mktemp("seed") / "seed.json"
    path.write_bytes(canonical.dumps({**empty(), "teams": POLICIES}))
    return path


def test_probabilities_are_met(make):
    tenant = make(
        Faults(seed=7, throttled=0.2, transient=0.2, lost_before=0.2, lost_after=0.2),
        teams=POLICIES,
    )
    outcomes = [send(tenant, grant(number % 3)) for number in range(300)]
    assert {getattr(outcome, "fault", type(outcome)) for outcome in outcomes} == {
        Fault.THROTTLED,
        Fault.TRANSIENT,
        Lost,
        Done,
    }
    assert 40 < outcomes.count(Done()) < 80


class TestLag:
    def test_so_many_captures_do_not_show_a_write(self, make):
        tenant = make(Faults(lag=2))
        send(tenant, NEW)
        assert ["Tag:Gamma" in names(tenant) for _ in range(4)] == [False, False, True, True]

    def test_the_services_know_what_captures_do_not_show(self, make):
        tenant = make(Faults(lag=5))
        send(tenant, NEW)
        assert isinstance(send(tenant, NEW), Failed)
        assert send(tenant, grant(0, "Gamma")) == Done()

    def test_a_later_write_may_show_first_but_never_before_what_it_rests_on(self, make):
        orders = set()
        for seed in range(30):
            tenant = make(Faults(seed=seed, lag=3, scattered=True), teams=POLICIES)
            send(tenant, grant(0))
            send(tenant, grant(1))
            send(tenant, NEW)
            send(tenant, grant(2, "Gamma"))
            shown = [
                (
                    frozenset(row["Identity"] for row in raw["teams"]["users"]),
                    len(raw["teams"]["policies"]),
                )
                for raw in (seen(tenant) for _ in range(5))
            ]
            assert all(USERS[2] not in users or count == 4 for users, count in shown)
            assert shown[-1] == (frozenset(USERS), 4)
            orders.add(tuple(users for users, _ in shown))
        assert any(
            USERS[1] in users and USERS[0] not in users for order in orders for users in order
        )

    @pytest.mark.parametrize("seed", range(30))
    def test_writes_to_one_grant_and_writes_to_other_objects_show_in_their_order(self, make, seed):
        tenant = make(Faults(seed=seed, lag=3, scattered=True), teams=POLICIES)
        for write in (
            grant(0),
            NEW,
            grant(0, "Beta"),
            Invocation(NEW.cmdlet, {"Identity": "Delta"}),
        ):
            send(tenant, write)
        shown = [seen(tenant)["teams"] for _ in range(8)]
        held = [[row[POLICY_TYPE]["Name"] for row in teams["users"]] for teams in shown]
        assert held == sorted(held), "no grant, Alpha, Beta"
        made = [
            {"Tag:Gamma", "Tag:Delta"} & {row["Identity"] for row in teams["policies"]}
            for teams in shown
        ]
        assert {"Tag:Delta"} not in made
        assert (held[-1], made[-1]) == (["Beta"], {"Tag:Gamma", "Tag:Delta"})

    @settings(max_examples=50)
    @given(tenants(), st.lists(writes, max_size=10), st.integers(0, 100))
    def test_in_the_end_everything_shows(self, tmp_path_factory, state, script, seed):
        path = tmp_path_factory.mktemp("tenant") / "tenant.json"
        path.write_bytes(canonical.dumps(state))
        tenant = Simulator(path, faults=Faults(seed=seed, lag=2, scattered=True))
        for write in script:
            send(tenant, write)
            seen(tenant)
        # A write that waits for an earlier one of its line shows no later than `lag` captures after
        # it.
        for _ in range(3 * len(script) + 3):
            seen(tenant)
        assert seen(tenant) == seen(Simulator(path))


def test_faults_of_the_service_and_of_the_line_meet(make):
    tenant = make(
        Faults(in_place_regrant_refused=True, fail_on={2: Mishap.LOST_AFTER}), teams=POLICIES
    )
    run(tenant, "Grant-CsApplicationAccessPolicy", Group=GROUPS[0], PolicyName="Alpha", Rank=1)
    assert isinstance(
        run(tenant, "Grant-CsApplicationAccessPolicy", Group=GROUPS[0], PolicyName="Beta", Rank=1),
        Lost,
    )
    assert seen(tenant)["teams"]["groupAssignments"][0]["PolicyName"] == "Alpha"
