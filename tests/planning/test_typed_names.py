"""Names wherever an address is typed: they are stored and compared as ids, and what may mean several
objects is refused with those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.errors import UsageFault
from reconciler.model.documents import AccessRight, ApplicationDocument, GroupGrant
from reconciler.planning.making import PlanOptions, make_plan
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    HERE,
    SCOPES,
    USERS,
    ExchangeWorld,
    TeamsWorld,
    documents,
    exchange_document,
    listing,
    observed,
    teams_document,
)

if TYPE_CHECKING:
    from reconciler.model.plans import Plan

A, B = APPS[:2]
RESTRICT, DENY = AccessRight.RESTRICT, AccessRight.DENY
NAMES = {A: "crm", B: "Ticket sync"}
EXCHANGE_B = f"exchange.application/{B}"
ON_SCOPE = f"exchange.policy/{A}@{SCOPES[0]}"


def _made(**options: Any) -> Plan:
    """Two Exchange applications and one Teams policy with a user and a group, all to be added."""
    teams = [
        replace(
            teams_document("Hosts", applications=(A,), users=(listing([USERS[0]]),)),
            groups=(GroupGrant(GROUPS[0], 1, "Meeting hosts", HERE),),
        )
    ]
    exchange = [
        replace(exchange_document([A], f"{SCOPES[0]}@contoso.com", RESTRICT), name="first"),
        replace(exchange_document([A, B], f"{SCOPES[1]}@contoso.com", RESTRICT), name="second"),
    ]
    applications = tuple(
        ApplicationDocument(name, application, (), HERE) for application, name in NAMES.items()
    )
    declared = replace(documents(teams, exchange), applications=applications)
    world = TeamsWorld({}, frozenset(), [], {})
    return make_plan(declared, observed(world, ExchangeWorld()), PlanOptions(**options))


def _upn(user: str) -> str:
    directory = observed(TeamsWorld({}, frozenset(), [], {}), ExchangeWorld()).directory
    return directory.users[user].upn


def _touched(plan: Plan) -> set[str]:
    return {step.address for step in plan.steps}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("exchange.application/ticket SYNC", {f"exchange.policy/{B}@{SCOPES[1]}"}),
        (f"exchange.policy/crm@{SCOPES[0]}@contoso.com", {ON_SCOPE}),
        (f"exchange.policy/{A}@{SCOPES[0].upper()}@CONTOSO.com", {ON_SCOPE}),
        ("exchange.policy/first", {ON_SCOPE}),
        (
            "exchange.policy/second",
            {f"exchange.policy/{each}@{SCOPES[1]}" for each in (A, B)},
        ),
        (f"{SCOPES[0]}@contoso.com", {ON_SCOPE}),
        ("hosts", {"teams.policy/Hosts"}),
        (EXCHANGE_B, {f"exchange.policy/{B}@{SCOPES[1]}"}),
    ],
)
def test_a_selection_takes_names(typed: str, meant: set[str]) -> None:
    plan = _made(only=(typed,))
    assert _touched(plan) == meant
    rest = _made(skip=(typed,))
    everything = _touched(_made())
    assert _touched(rest) >= everything - meant - {
        address for address in everything if address.startswith("teams.grant")
    }
    assert _touched(rest).isdisjoint(meant)


@pytest.mark.parametrize("form", ["teams.grant/user:{}", "{}"])
def test_a_users_grant_is_selected_by_the_principal_name(form: str) -> None:
    plan = _made(skip=(form.format(_upn(USERS[0])),))
    assert [note.address for note in plan.held] == [f"teams.grant/user:{USERS[0]}"]


@pytest.mark.parametrize("typed", ["teams.grant/group:meeting hosts", "Meeting Hosts"])
def test_a_groups_grant_is_selected_by_its_label(typed: str) -> None:
    plan = _made(skip=(typed,))
    assert [note.address for note in plan.held] == [f"teams.grant/group:{GROUPS[0]}"]


def test_a_name_of_two_objects_is_refused_with_both() -> None:
    with pytest.raises(UsageFault) as fault:
        _made(only=(f"{SCOPES[1]}@contoso.com",))
    for application in (A, B):
        assert f"exchange.policy/{application}@{SCOPES[1]}" in str(fault.value)


@pytest.mark.parametrize("option", ["only", "skip"])
def test_a_name_of_nothing_is_refused(option: str) -> None:
    for typed in ("exchange.policy/unknown@x@contoso.com", "exchange.application/unknown"):
        with pytest.raises(UsageFault, match="not found"):
            _made(**{option: (typed,)})
    with pytest.raises(UsageFault, match="nor an address"):
        _made(**{option: ("nobody at all",)})


def _refused(allow: tuple[str, ...] = ()) -> Plan:
    """A Restrict goes and opens an application; a Deny goes too."""
    store = ExchangeWorld({(A, SCOPES[0]): (RESTRICT, ""), (A, SCOPES[1]): (DENY, "")})
    declared = replace(
        documents(
            [],
            [
                exchange_document([A], f"{scope}@contoso.com", None)
                for scope in (SCOPES[0], SCOPES[1])
            ],
        ),
        applications=(ApplicationDocument("crm", A, (), HERE),),
    )
    return make_plan(declared, observed(None, store), PlanOptions(allow=allow))


def test_a_consent_takes_names_and_is_stored_by_ids() -> None:
    assert not _refused().applicable
    plan = _refused(("tenant-wide:exchange.application/CRM", f"deny:crm@{SCOPES[1]}@contoso.com"))
    assert plan.applicable
    assert plan.consents == (
        f"deny:exchange.policy/{A}@{SCOPES[1]}",
        f"tenant-wide:exchange.application/{A}",
    )


def test_a_consent_that_may_be_for_two_products_is_refused_with_both() -> None:
    with pytest.raises(UsageFault) as fault:
        _refused(("tenant-wide:crm",))
    for address in (f"teams.application/{A}", f"exchange.application/{A}"):
        assert f"tenant-wide:{address}" in str(fault.value)
        assert _refused((f"tenant-wide:{address}",)).steps


@given(st.text(max_size=40), st.sampled_from(["only", "skip", "allow"]))
def test_whatever_is_typed_is_refused_or_means_what_it_names(typed: str, option: str) -> None:
    """No text selects, or consents to, anything that it does not name."""
    try:
        plan = _made(**{option: (typed,)})
    except UsageFault:
        return
    named = typed.casefold()
    assert named.strip() in {
        "crm",
        "ticket sync",
        "hosts",
        "meeting hosts",
        "first",
        "second",
        "global",
    }
    assert plan.applicable is not None
