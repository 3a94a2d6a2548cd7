"""What the Exchange cmdlets do, one fact a test."""

from __future__ import annotations

import pytest

from reconciler.captures import reading
from reconciler.kinds.exchange.parse import IDENTITY
from reconciler.model.plans import Invocation
from reconciler.tenants.protocol import Done, Failed, Fault
from reconciler.tenants.simulated import Faults
from reconciler.tenants.simulated.world import world
from tests.strategies.tenants import (
    APPS,
    BOTH,
    EVERYTHING,
    SCOPES,
    SHARED,
    TENANT,
    empty,
    guid,
    run,
    seen,
    sid,
)

NEW, SET, REMOVE = (f"{verb}-ApplicationAccessPolicy" for verb in ("New", "Set", "Remove"))


def new(tenant, *apps, scope="scope0@contoso.com", right="RestrictAccess", **more):
    return run(
        tenant,
        NEW,
        AppId=list(apps or APPS[:1]),
        PolicyScopeGroupId=scope,
        AccessRight=right,
        **more,
        Confirm=False,
    )


def several(tenant, *apps, right="RestrictAccess"):
    """One call for several applications: the product never renders one, the service takes it."""
    service = world(tenant.capture(EVERYTHING), "tenant.json")
    parameters = {"AppId": list(apps), "PolicyScopeGroupId": SCOPES[0], "AccessRight": right}
    return (
        service.write(Invocation(NEW, parameters), Faults()),
        service.state()["exchange"]["policies"],
    )


def policies(tenant):
    return seen(tenant)["exchange"]["policies"]


def fault(outcome):
    assert isinstance(outcome, Failed)
    return outcome.fault


def test_new_makes_an_object_whose_identity_can_be_known_before(tenant):
    assert new(tenant, Description="text") == Done()
    (row,) = policies(tenant)
    assert row["Identity"] == f"{TENANT}\\{APPS[0]}:{sid(0)};{SCOPES[0]}"
    assert row["ScopeIdentityRaw"] == f"{sid(0)};{SCOPES[0]}"
    assert (row["AppId"], row["AccessRight"], row["Description"], row["ScopeName"]) == (
        APPS[0],
        "RestrictAccess",
        "text",
        "Scope0",
    )
    assert IDENTITY.fullmatch(row["Identity"])


def test_new_with_several_applications_makes_one_object_for_each(tenant):
    outcome, made = several(tenant, *APPS, "*", right="DenyAccess")
    assert outcome == Done()
    assert [row["AppId"] for row in made] == [*APPS, "*"]


@pytest.mark.parametrize(
    "scope", ["Scope1@Contoso.com", "scope1.old@contoso.com", SCOPES[1], SCOPES[1].upper()]
)
def test_new_finds_a_scope_by_every_address_and_by_id(tenant, scope):
    assert new(tenant, scope=scope) == Done()
    assert policies(tenant)[0]["Identity"].endswith(SCOPES[1])


def test_new_for_an_unknown_scope_is_not_found(tenant):
    outcome = new(tenant, scope="nobody@contoso.com")
    assert fault(outcome) is Fault.NOT_FOUND
    assert "ManagementObjectNotFoundException" in outcome.message
    assert "'nobody@contoso.com'" in outcome.message


def test_new_for_a_scope_that_is_no_security_principal_is_refused(tenant):
    assert new(tenant, scope=SHARED) == Failed(
        Fault.SCOPE_INVALID, "||The identity of the policy scope is not a security principal."
    )


@pytest.mark.parametrize("right", ["RestrictAccess", "DenyAccess"])
def test_a_second_policy_of_one_application_and_scope_is_refused_whatever_its_right(tenant, right):
    new(tenant)
    assert fault(new(tenant, APPS[0].upper(), right=right)) is Fault.EXISTS
    outcome, made = several(tenant, APPS[1], APPS[0], right=right)
    assert fault(outcome) is Fault.EXISTS
    assert len(made) == 1


def test_one_application_twice_in_a_call_makes_nothing(tenant):
    outcome, made = several(tenant, APPS[0], APPS[0])
    assert fault(outcome) is Fault.EXISTS
    assert made == []


def test_a_description_that_is_not_given_is_written_by_the_service_and_read_as_none(tenant):
    new(tenant)
    (row,) = policies(tenant)
    assert (
        row["Description"]
        == f"AppId: {APPS[0]}; ScopeIdentitySid: {sid(0)}; ScopeIdentityOid: {SCOPES[0]};"
        " AccessRight: RestrictAccess; ShardType: All"
    )
    observed = reading.parse_capture(
        tenant.capture(EVERYTHING), source="simulated", tenant_id=TENANT, needs=BOTH
    )
    assert observed.states["exchange"].policies[APPS[0], SCOPES[0]].description == ""


def test_set_changes_the_description_only(tenant):
    new(tenant, Description="one")
    (before,) = policies(tenant)
    assert (
        run(tenant, SET, Identity=before["Identity"].upper(), Description="two", Confirm=False)
        == Done()
    )
    assert policies(tenant) == [{**before, "Description": "two"}]


def test_remove_takes_the_identity(tenant):
    new(tenant, APPS[0])
    new(tenant, APPS[1])
    first, second = policies(tenant)
    assert run(tenant, REMOVE, Identity=first["Identity"].lower(), Confirm=False) == Done()
    assert policies(tenant) == [second]
    assert fault(run(tenant, REMOVE, Identity=first["Identity"], Confirm=False)) is Fault.NOT_FOUND
    assert (
        fault(run(tenant, SET, Identity=first["Identity"], Description="x", Confirm=False))
        is Fault.NOT_FOUND
    )


@pytest.mark.parametrize(
    ("description", "fit"), [({}, range(95, 111)), ({"Description": " "}, range(300, 301))]
)
def test_the_store_is_limited_by_size(tenant, description, fit):
    outcomes = [new(tenant, guid("7", number), **description) for number in range(310)]
    made = outcomes.count(Done())
    assert made in fit
    assert set(outcomes[made:]) == {
        Failed(Fault.STORE_FULL, "||The total size of App Access Policies exceeded the limit.")
    }
    identity = policies(tenant)[0]["Identity"]
    assert (
        fault(run(tenant, SET, Identity=identity, Description="x" * 500, Confirm=False))
        is Fault.STORE_FULL
    )
    assert run(tenant, SET, Identity=identity, Description=" ", Confirm=False) == Done()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_tenant_without_policies_is_empty_in_every_language(make, seed):
    tenant = make(Faults(seed=seed))
    section = seen(tenant)["exchange"]
    assert (section["complete"], section["policies"], section["reads"][0]["count"]) == (True, [], 0)


def test_a_scope_without_a_known_sid_gets_one(make):
    directory = empty()["directory"]
    for row in directory["recipients"]:
        del row["sid"]
    tenant = make(directory=directory)
    assert new(tenant) == Done()
    assert IDENTITY.fullmatch(policies(tenant)[0]["Identity"])
