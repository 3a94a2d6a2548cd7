"""The door of a simulated tenant: what it runs, what it shows, what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given

from reconciler import canonical
from reconciler.captures import files, reading
from reconciler.errors import BindingFault, RefusedText, TenantFault
from reconciler.model.plans import Invocation
from reconciler.powershell.rendering import render
from reconciler.tenants.protocol import CaptureRequest, Done, Failed, Fault
from reconciler.tenants.simulated import Simulator, bundled
from tests.strategies.tenants import (
    APPS,
    BOTH,
    EVERYTHING,
    GROUPS,
    SCOPES,
    STRANGER,
    TENANT,
    USERS,
    assignment,
    empty,
    exchange_policy,
    grant,
    run,
    seen,
    send,
    teams_policy,
    tenants,
    writes,
)

NEW = Invocation("New-CsApplicationAccessPolicy", {"Identity": "Alpha", "AppIds": APPS[:1]})


STATE = {
    "teams": {
        "policies": [teams_policy("Alpha", APPS)],
        "groupAssignments": [assignment(GROUPS[1], "Alpha", 1)],
        "users": [grant(USERS[0], "Alpha")],
    },
    "exchange": {
        "policies": [
            exchange_policy(APPS[0], SCOPES[0], "DenyAccess"),
            exchange_policy(APPS[0], STRANGER, "DenyAccess"),
        ]
    },
}


class TestRun:
    @pytest.mark.parametrize(
        "text",
        [
            "New-CsApplicationAccessPolicy -Identity:'Beta' -AppIds:@('" + APPS[0] + "')",
            "New-CsApplicationAccessPolicy -Identity:'Alpha'",
            "Set-CsApplicationAccessPolicy -Identity:'Alpha' -AppIds:@{Add=@('" + APPS[0] + "')}",
            (
                "New-CsApplicationAccessPolicy -Identity:'Alpha'; Remove-CsApplicationAccessPolicy"
                " -Identity:'Beta'"
            ),
            "",
        ],
    )
    def test_a_text_that_says_something_else_is_refused_before_anything_happens(self, tenant, text):
        before = seen(tenant)
        with pytest.raises(RefusedText):
            tenant.run(NEW, text)
        assert seen(tenant) == before

    def test_true_is_not_one(self, make):
        tenant = make(teams={"policies": [teams_policy("Alpha", [])]})
        said = Invocation(
            "Grant-CsApplicationAccessPolicy",
            {"Group": GROUPS[0], "PolicyName": "Alpha", "Rank": 1},
        )
        with pytest.raises(RefusedText, match="nothing was run"):
            tenant.run(Invocation(said.cmdlet, {**said.parameters, "Rank": True}), render(said))

    def test_tuples_are_lists(self, tenant):
        invocation = Invocation(NEW.cmdlet, {"Identity": "Alpha", "AppIds": tuple(APPS)})
        assert tenant.run(invocation, render(invocation)) == Done()
        assert seen(tenant)["teams"]["policies"][1]["AppIds"] == APPS

    def test_what_does_not_bind_is_refused(self, tenant):
        with pytest.raises(BindingFault):
            tenant.run(
                Invocation(NEW.cmdlet, {"AppIds": APPS}),
                f"New-CsApplicationAccessPolicy -AppIds:@('{APPS[0]}','{APPS[1]}','{APPS[2]}')",
            )

    def test_what_reads_is_no_write(self, tenant):
        with pytest.raises(RefusedText, match="is not a write cmdlet"):
            send(tenant, Invocation("Get-ApplicationAccessPolicy", {}))

    def test_the_clock_moves_with_writes_that_were_done_and_never_otherwise(self, tenant):
        assert seen(tenant)["taken_at"] == "2026-11-02T09:00:00Z"
        send(tenant, NEW)
        assert isinstance(send(tenant, NEW), Failed)
        assert seen(tenant)["taken_at"] == seen(tenant)["taken_at"] == "2026-11-02T09:00:15Z"

    @given(tenants(), writes)
    def test_a_refused_write_changes_nothing(self, tmp_path_factory, state, write):
        path = tmp_path_factory.mktemp("tenant") / "tenant.json"
        path.write_bytes(canonical.dumps(state))
        tenant = Simulator(path)
        before = seen(tenant)
        if isinstance(send(tenant, write), Failed):
            assert seen(tenant) == before
            assert path.read_bytes() == canonical.dumps(state)
        else:
            assert seen(tenant)["taken_at"] > before["taken_at"]


class TestCapture:
    @given(tenants())
    def test_is_a_capture_that_parses(self, tmp_path_factory, state):
        from jsonschema import Draft7Validator

        path = tmp_path_factory.mktemp("tenant") / "tenant.json"
        path.write_bytes(canonical.dumps(state))
        raw = seen(Simulator(path))
        assert list(Draft7Validator(files.capture_schema()).iter_errors(raw)) == []
        observed = reading.parse_capture(
            raw, source="simulated", tenant_id=TENANT.upper(), needs=BOTH
        )
        teams = observed.states["teams"]
        assert {user: teams.spelled[key] for user, key in teams.users.items()} == {
            row["Identity"]: row["ApplicationAccessPolicy"]["Name"]
            for row in state["teams"]["users"]
        }

    def test_a_product_that_was_not_asked_for_is_not_complete(self, make):
        tenant = make(**STATE)
        raw = tenant.capture(CaptureRequest(frozenset({"teams"})))
        observed = reading.parse_capture(
            raw, source="simulated", tenant_id=None, needs=frozenset({"teams"})
        )
        assert "exchange" not in observed.states
        assert set(observed.directory.users) == {USERS[0]}
        assert set(observed.directory.groups) == {GROUPS[1]}
        assert not observed.directory.recipients

    def test_holders_and_scopes_are_named_and_dangling_scopes_are_absent(self, make):
        directory = make(**STATE).capture(CaptureRequest(BOTH))["directory"]
        assert [row["id"] for row in directory["users"]] == [USERS[0]]
        assert [row["id"] for row in directory["recipients"]] == [SCOPES[0]]
        assert directory["absent"] == [STRANGER]

    def test_names_are_looked_for_in_any_spelling(self, tenant):
        request = CaptureRequest(
            frozenset(),
            ("USER0@contoso.com", USERS[1].upper(), "gone@contoso.com"),
            ("Scope1.old@contoso.com", SCOPES[2], "x@y"),
        )
        directory = tenant.capture(request)["directory"]
        assert [row["id"] for row in directory["users"]] == USERS[:2]
        assert [row["id"] for row in directory["recipients"]] == SCOPES[1:]
        assert directory["absent"] == ["gone@contoso.com", "x@y"]

    def test_a_name_is_absent_where_it_was_asked_for_and_shown_where_it_is(self, tenant):
        directory = tenant.capture(
            CaptureRequest(
                frozenset(), users=("scope1@contoso.com",), recipients=("user0@contoso.com",)
            )
        )["directory"]
        assert directory["absent"] == ["scope1@contoso.com", "user0@contoso.com"]
        assert [row["id"] for row in directory["users"]] == [USERS[0]]
        assert [row["id"] for row in directory["recipients"]] == [SCOPES[1]]

    def test_everything_is_everybody(self, tenant):
        directory = seen(tenant)["directory"]
        assert len(directory["users"]), len(directory["groups"]) == (3, 4)
        assert len(directory["recipients"]) == 4

    def test_a_capture_keeps_what_it_saw(self, make):
        tenant = make(**STATE)
        before = tenant.capture(EVERYTHING)
        text = canonical.dumps(before)
        run(tenant, "Set-CsApplicationAccessPolicy", Identity="Alpha", AppIds={"Remove": APPS})
        run(tenant, "Grant-CsApplicationAccessPolicy", Group=GROUPS[2], PolicyName="Alpha", Rank=1)
        run(tenant, "Grant-CsApplicationAccessPolicy", Identity=USERS[1], PolicyName="Alpha")
        assert canonical.dumps(before) == text


class TestOpening:
    def test_the_bundled_tenant_is_one(self, tmp_path):
        tenant = Simulator(tmp_path / "tenant.json", seed_from=bundled())
        observed = reading.parse_capture(
            tenant.capture(EVERYTHING), source=tenant.source, tenant_id=tenant.tenant_id, needs=BOTH
        )
        assert (tenant.source, tenant.tenant_id, observed.organization) == (
            "simulated",
            TENANT,
            "contoso.onmicrosoft.com",
        )
        assert not list(tmp_path.iterdir())

    def test_a_capture_of_everything_is_a_tenant_itself(self, make, tmp_path):
        tenant = make(**STATE)
        files.write(tmp_path / "capture.json", tenant.capture(EVERYTHING))
        again = Simulator(tmp_path / "capture.json")
        assert seen(again) == seen(tenant)
        assert send(again, Invocation(NEW.cmdlet, {"Identity": "Other"})) == Done()

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"clock": "yesterday"}, "$.clock: is not a time"),
            ({"clock": None}, "$.clock: is not a time"),
            ({"tenant": {}}, "$.tenant.tenantId: is missing"),
            ({"tenant": []}, "$.tenant.tenantId: is missing"),
            ({"tenant": "contoso"}, "$.tenant: must be complete"),
            ({"teams": {"complete": False}}, "$.teams: must be complete"),
            ({"teams": {"policies": [{"Identity": "A"}, 3]}}, "$.teams.policies[1]: expected an"),
            ({"exchange": {"policies": ["x"]}}, "$.exchange.policies[0]: expected an object"),
            ({"directory": {"absent": [3]}}, "$.directory.absent[0]"),
        ],
    )
    def test_a_file_that_is_no_tenant_is_named_with_its_fault(self, make, change, told):
        with pytest.raises(TenantFault) as caught:
            make(**change)
        assert "tenant.json: " + told in str(caught.value)

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(TenantFault, match=r"nowhere\.json: cannot read the file"):
            Simulator(tmp_path / "nowhere.json")

    def test_the_first_write_makes_the_file(self, tmp_path):
        path = tmp_path / "state" / "tenant.json"
        (tmp_path / "seed.json").write_bytes(canonical.dumps(empty()))
        with Simulator(path, seed_from=tmp_path / "seed.json") as tenant:
            assert send(tenant, NEW) == Done()
        assert seen(Simulator(path, seed_from=tmp_path / "seed.json")) == seen(tenant)
        assert (tmp_path / "seed.json").read_bytes() == canonical.dumps(empty())

    def test_what_the_services_refuse_is_told_apart(self, tenant):
        assert send(tenant, NEW) == Done()
        assert send(tenant, NEW).fault is Fault.EXISTS
