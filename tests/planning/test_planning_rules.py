"""What a plan refuses, warns of, holds and leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from reconciler.errors import CaptureFault, DocumentFaults, UnfitText, UsageFault
from reconciler.model.codes import Held, RefusalRule, Unfound, WarningCode
from reconciler.model.documents import (
    AccessRight,
    ApplicationDocument,
    GroupGrant,
    Limits,
    UnknownGroups,
)
from reconciler.model.findings import Finding, Position
from reconciler.model.observed import Group
from reconciler.planning.making import PlanOptions, make_plan
from reconciler.planning.requests import capture_request, products
from reconciler.planning.selection import is_consent, selection
from tests.planning.enumerated_access import (
    APPS,
    GENEROUS,
    GROUPS,
    HERE,
    SCOPES,
    TENANT,
    USERS,
    ExchangeWorld,
    TeamsWorld,
    documents,
    exchange_document,
    listing,
    observed,
    teams_document,
    tenant,
)

A, B, C, _ = APPS
RESTRICT, DENY = AccessRight.RESTRICT, AccessRight.DENY
EMPTY = TeamsWorld({}, frozenset(), [], {})


def teams(policies=(), everyone=(), groups=(), users=()):
    return TeamsWorld(
        {name: (frozenset(apps), "") for name, apps in dict(policies).items()},
        frozenset(everyone),
        list(groups),
        dict(users),
    )


def exchange(**rights):
    return ExchangeWorld(
        {(A, SCOPES[int(name[1:])]): (right, "") for name, right in rights.items()}
    )


def texts(made):
    return [step.text for step in made.steps]


def codes(notes):
    return [(note.code, note.address) for note in notes]


def made(
    declared_teams=(),
    declared_exchange=(),
    world=None,
    store=None,
    *,
    owner=None,
    directory=None,
    **options,
):
    here = observed(world if world is not None or declared_exchange else EMPTY, store)
    if directory is not None:
        here = replace(here, directory=directory)
    return make_plan(
        documents(list(declared_teams), list(declared_exchange), owner),
        here,
        PlanOptions(**options),
    )


# Ownership


def test_an_absent_field_is_unmanaged():
    world = teams({"P": [A]}, users={USERS[0]: "P"}, groups=[(GROUPS[0], "P")])
    result = made([teams_document("P", description="new")], world=world)
    assert texts(result) == ["Set-CsApplicationAccessPolicy -Identity:'P' -Description:'new'"]


def test_a_list_that_is_present_is_the_whole_truth():
    world = teams({"P": [A, B]}, users={USERS[0]: "P", USERS[1]: "P"}, groups=[(GROUPS[0], "P")])
    result = made(
        [teams_document("P", applications=(A,), users=(listing([USERS[0]]),), groups=())],
        world=world,
    )
    assert texts(result) == [
        f"Grant-CsApplicationAccessPolicy -Group:'{GROUPS[0]}' -PolicyName:$null",
        f"Grant-CsApplicationAccessPolicy -Identity:'{USERS[1]}' -PolicyName:$null",
        f"Set-CsApplicationAccessPolicy -Identity:'P' -AppIds:@{{Remove=@('{B}')}}",
    ]


def test_stated_absence_takes_the_grants_away_first_each_as_a_step():
    world = teams({"P": [A]}, users={USERS[0]: "P"}, groups=[(GROUPS[0], "P")])
    result = made([teams_document("P", absent=True)], world=world)
    assert [step.reason for step in result.steps] == [
        "drop-group",
        "unassign-user",
        "delete-policy",
    ]
    assert made([teams_document("Q", absent=True)], world=world).steps == ()


def test_the_stored_spelling_of_names_and_ids_is_used():
    state = teams({"P": [A]}).state()
    spelled = replace(
        state.policies["p"], name="pOLICY".replace("OLICY", ""), applications={A: A.upper()}
    )
    named = replace(state, policies={**state.policies, "p": spelled})
    here = replace(observed(EMPTY, None), states={"teams": named})
    result = make_plan(documents([teams_document("P", applications=())], []), here, PlanOptions())
    assert texts(result) == [
        f"Set-CsApplicationAccessPolicy -Identity:'p' -AppIds:@{{Remove=@('{A.upper()}')}}"
    ]
    assert (
        make_plan(
            documents([teams_document("P", applications=(A,))], []), here, PlanOptions()
        ).steps
        == ()
    )


def test_undeclared_policies_are_listed_and_left_alone_unless_pruned():
    world = teams({"P": [A], "Q": [B]}, users={USERS[0]: "Q"})
    left = made([teams_document("R", applications=(C,))], world=world)
    assert [note.address for note in left.unmanaged] == ["teams.policy/P", "teams.policy/Q"]
    pruned = made([teams_document("R", applications=(C,))], world=world, owner=tenant(prune=True))
    assert "Remove-CsApplicationAccessPolicy -Identity:'P'" in texts(pruned)
    assert (WarningCode.PRUNE_BLOCKED, "teams.policy/Q") in codes(pruned.warnings)
    assert [note.address for note in pruned.unmanaged] == ["teams.policy/Q"]


def test_an_exchange_application_is_owned_as_a_whole():
    result = made(
        [], [exchange_document([A], SCOPES[1], RESTRICT)], store=exchange(s0=RESTRICT, s2=DENY)
    )
    assert [
        (
            change.address[-1],
            [str(one) for one in change.actions],
            change.replaces and change.replaces[-1],
        )
        for change in result.changes
    ] == [
        ("0", ["delete"], "1"),
        ("1", ["create"], "0"),
        ("2", ["delete"], None),
    ]
    assert [step.cmdlet[:6] for step in result.steps] == ["New-Ap", "Remove", "Remove"]


def test_stated_absence_of_an_exchange_policy_owns_only_its_key():
    result = made(
        [], [exchange_document([A], SCOPES[0], None)], store=exchange(s0=RESTRICT, s1=RESTRICT)
    )
    assert [change.address[-1] for change in result.changes] == ["0"]
    assert [note.address[-1] for note in result.unmanaged] == ["1"]


def test_a_replacement_carries_an_unmanaged_description_but_not_the_service_s_own():
    store = ExchangeWorld({(A, SCOPES[0]): (RESTRICT, "why")})
    carried = made([], [exchange_document([A], SCOPES[1], RESTRICT)], store=store)
    assert carried.steps[0].parameters["Description"] == "why"
    state = store.state()
    written = replace(
        state.policies[A, SCOPES[0]],
        description="",
        stored_description=f"AppId: {A}; ScopeIdentitySid: S-1",
    )
    here = replace(
        observed(None, store),
        states={"exchange": replace(state, policies={(A, SCOPES[0]): written})},
    )
    fresh = make_plan(
        documents([], [exchange_document([A], SCOPES[1], RESTRICT)]), here, PlanOptions()
    )
    assert "Description" not in fresh.steps[0].parameters
    blank = replace(written, stored_description=" ")
    here = replace(here, states={"exchange": replace(state, policies={(A, SCOPES[0]): blank})})
    assert (
        make_plan(documents([], [exchange_document([A], SCOPES[1], RESTRICT)]), here, PlanOptions())
        .steps[0]
        .parameters["Description"]
        == " "
    )


# Refusals and the consents that lift them


def test_entering_global_is_a_consent_of_its_own():
    declared = [teams_document("P", applications=(A,), tenant=True)]
    refused = made(declared)
    assert codes(refused.refusals) == [(RefusalRule.TENANT_WIDE, f"teams.application/{A}")]
    assert not refused.applicable
    assert len(refused.steps) == 2
    allowed = made(declared, allow=(f"tenant-wide:teams.application/{A.upper()}",))
    assert (allowed.applicable, allowed.consents) == (True, (f"tenant-wide:teams.application/{A}",))


@pytest.mark.parametrize(
    ("before", "after", "opens"),
    [
        ({"s0": RESTRICT}, {}, True),
        ({"s0": RESTRICT, "s1": RESTRICT}, {"s1": RESTRICT}, False),
        ({"s0": RESTRICT}, {"s1": DENY}, True),
        ({"s0": DENY}, {}, True),
        ({"s0": DENY, "s1": DENY}, {"s1": DENY}, False),
        ({}, {"s1": DENY}, False),
    ],
)
def test_opening_the_whole_tenant_to_an_application_is_a_consent_of_its_own(before, after, opens):
    declared = [
        exchange_document([A], SCOPES[int(name[1:])], right) for name, right in after.items()
    ]
    declared += [
        exchange_document([A], SCOPES[int(name[1:])], None) for name in before if name not in after
    ]
    result = made([], declared, store=exchange(**before))
    assert [note.address for note in result.refusals if note.code == RefusalRule.TENANT_WIDE] == [
        f"exchange.application/{A}"
    ] * opens


def test_a_star_that_goes_opens_applications_that_it_alone_restricted():
    store = ExchangeWorld(
        {
            ("*", SCOPES[0]): (RESTRICT, ""),
            (B, SCOPES[1]): (DENY, ""),
            (A, SCOPES[2]): (RESTRICT, ""),
        }
    )
    result = made([], [exchange_document(["*"], SCOPES[0], None)], store=store)
    assert [note.address for note in result.refusals] == [
        "exchange.application/*",
        f"exchange.application/{B}",
    ]


def test_taking_users_away_from_an_undeclared_policy_is_refused():
    world = teams({"Theirs": [A]}, users={USERS[0]: "Theirs"}, groups=[(GROUPS[0], "Theirs")])
    declared = [
        teams_document(
            "P",
            applications=(A,),
            users=(listing([USERS[0]]),),
            groups=(GroupGrant(GROUPS[0], 1, None, HERE),),
        )
    ]
    result = made(declared, world=world)
    assert codes(result.refusals) == [(RefusalRule.DISPLACED, "teams.policy/Theirs")]
    assert result.displaced[0].details == {"users": 1, "groups": 1}
    assert made(declared, world=world, allow=("displaced:teams.policy/theirs",)).applicable


def test_a_restrict_on_an_empty_group_is_refused():
    here = observed(None, ExchangeWorld())
    empty = replace(here.directory.recipients[SCOPES[0]], members=frozenset())
    directory = replace(here.directory, recipients={**here.directory.recipients, SCOPES[0]: empty})
    result = made(
        [],
        [exchange_document([A], SCOPES[0], RESTRICT)],
        store=ExchangeWorld(),
        directory=directory,
    )
    assert codes(result.refusals) == [(RefusalRule.EMPTY_SCOPE, f"exchange.policy/{A}@{SCOPES[0]}")]
    assert made(
        [], [exchange_document([A], SCOPES[0], DENY)], store=ExchangeWorld(), directory=directory
    ).applicable


def test_a_transition_that_needs_a_guard_is_refused_and_no_consent_helps():
    store = exchange(s0=RESTRICT, s1=DENY)
    declared = [
        exchange_document([A], SCOPES[0], DENY),
        exchange_document([A], SCOPES[1], RESTRICT),
    ]
    result = made([], declared, store=store)
    assert codes(result.refusals) == [
        (RefusalRule.NEEDS_GUARD, f"exchange.application/{A}"),
        (RefusalRule.DENY, f"exchange.policy/{A}@{SCOPES[1]}"),
    ]
    assert "allow" not in result.refusals[0].details


@pytest.mark.parametrize(
    ("limits", "refused"), [(Limits(max_deletes=1), True), (Limits(max_deletes=2), False)]
)
def test_policy_deletions_are_limited_per_kind(limits, refused):
    declared = [teams_document(name, absent=True) for name in ("P", "Q")]
    result = made(declared, world=teams({"P": [], "Q": []}), owner=tenant(limits=limits))
    assert codes(result.refusals) == [(RefusalRule.LIMITS, "teams.policy")] * refused
    scopes = [exchange_document([A], SCOPES[n], None) for n in (0, 1)]
    result = made(
        [],
        scopes,
        store=exchange(s0=RESTRICT, s1=RESTRICT, s2=RESTRICT),
        owner=tenant(limits=limits),
    )
    assert codes(result.refusals) == [(RefusalRule.LIMITS, "exchange.policy")] * refused


def many(count):
    return [f"{n:08x}-0000-4000-8000-00000000aaaa" for n in range(count)]


@pytest.mark.parametrize(
    ("holders", "taken", "refused"),
    [(9, 9, False), (10, 1, False), (10, 2, True), (2000, 101, True), (2000, 100, False)],
)
def test_users_who_lose_an_application_are_limited_by_number_and_by_share(holders, taken, refused):
    users = many(holders)
    world = teams({"P": [A]}, users=dict.fromkeys(users, "P"))
    result = made(
        [teams_document("P", users=(listing(users[taken:]),))],
        world=world,
        owner=tenant(limits=Limits()),
    )
    limited = [note for note in result.refusals if note.code == RefusalRule.LIMITS]
    assert bool(limited) is refused
    assert {note.details["concerned"] for note in limited} == (
        {"", "teams.policy/P"} if refused else set()
    )
    assert made(
        [teams_document("P", users=(listing(users[taken:]),))],
        world=world,
        owner=tenant(limits=Limits()),
        allow=("limits:teams.grant",),
    ).applicable


def test_an_edit_that_shortens_a_list_counts_every_holder():
    users = many(200)
    world = teams({"P": [A, B]}, users=dict.fromkeys(users, "P"))
    result = made(
        [teams_document("P", applications=(A,))], world=world, owner=tenant(limits=Limits())
    )
    assert result.refusals[0].details["losing"] == 200


def test_a_user_who_moves_and_keeps_all_applications_loses_nothing():
    users = many(200)
    world = teams({"P": [A], "Q": [A, B]}, users=dict.fromkeys(users, "P"))
    result = made(
        [teams_document("Q", users=(listing(users),)), teams_document("P")],
        world=world,
        owner=tenant(limits=Limits(max_people=200)),
    )
    assert result.refusals == ()


@pytest.mark.parametrize(("people", "refused"), [(3, False), (2, True)])
def test_how_many_people_an_application_may_newly_reach_is_limited(people, refused):
    """By application: two that reach three each are not one that reaches six."""
    users = many(3)
    declared = [teams_document("P", applications=(A, B), users=(listing(users),))]
    owner = tenant(limits=replace(GENEROUS, max_people=people))
    result = made(declared, world=teams({}), owner=owner)
    expected = [(RefusalRule.WIDENING, f"teams.application/{each}") for each in (A, B)]
    assert codes(result.refusals) == (expected if refused else [])
    assert [note.details["people"] for note in result.refusals] == ([3, 3] if refused else [])
    consented = made(declared, world=teams({}), owner=owner, allow=("limits:widening",))
    assert consented.applicable
    assert consented.consents == (("limits:widening",) if refused else ())


@pytest.mark.parametrize(
    ("members", "unknown", "refused"),
    [
        (frozenset(many(3)), UnknownGroups.NAME, True),
        (frozenset(many(2)), UnknownGroups.NAME, False),
        (frozenset(many(2)), UnknownGroups.REFUSE, False),
        (None, UnknownGroups.NAME, False),
        (None, UnknownGroups.REFUSE, True),
    ],
)
def test_a_group_of_unknown_size_counts_as_one_person_or_is_refused(members, unknown, refused):
    here = observed(teams({}), None)
    directory = replace(here.directory, groups={GROUPS[0]: Group(GROUPS[0], "Hosts", members)})
    declared = [
        teams_document("P", applications=(A,), groups=(GroupGrant(GROUPS[0], 1, None, HERE),))
    ]
    owner = tenant(limits=replace(GENEROUS, max_people=2, unknown_groups=unknown))
    result = made(declared, world=teams({}), directory=directory, owner=owner)
    assert [note.code for note in result.refusals] == ([RefusalRule.WIDENING] if refused else [])
    if refused:
        groups = result.refusals[0].details.get("groups of unknown size", [])
        assert groups == ([GROUPS[0]] if members is None else [])


def test_mailboxes_that_an_application_newly_reaches_are_limited_too():
    store = exchange(s0=RESTRICT)
    declared = [exchange_document([A], scope, RESTRICT) for scope in SCOPES[:2]]
    here = observed(None, store)
    group = replace(here.directory.recipients[SCOPES[1]], members=frozenset(many(5)))
    mailboxes = {
        each: replace(group, id=each, type="UserMailbox", members=None, primary=f"{each}@x.com")
        for each in many(5)
    }
    directory = replace(
        here.directory, recipients={**here.directory.recipients, **mailboxes, SCOPES[1]: group}
    )
    for most, refused in ((4, True), (5, False)):
        owner = tenant(limits=replace(GENEROUS, max_people=most))
        result = made([], declared, store=store, directory=directory, owner=owner)
        assert (RefusalRule.WIDENING in {note.code for note in result.refusals}) is refused


def test_who_reaches_everyone_is_asked_for_that_alone():
    declared = [teams_document("P", applications=(A,), tenant=True)]
    owner = tenant(limits=replace(GENEROUS, max_people=0))
    result = made(declared, world=teams({}), owner=owner)
    assert {note.code for note in result.refusals} == {RefusalRule.TENANT_WIDE}


def test_a_group_that_is_known_to_have_the_user_catches_the_fall():
    users = many(20)
    world = teams({"P": [A], "Q": [A]}, users=dict.fromkeys(users, "P"), groups=[(GROUPS[0], "Q")])
    here = observed(world, None)
    declared = [teams_document("P", users=())]
    for members, refused in ((frozenset(users), False), (frozenset(), True), (None, True)):
        directory = replace(here.directory, groups={GROUPS[0]: Group(GROUPS[0], "Hosts", members)})
        result = made(declared, world=world, directory=directory, owner=tenant(limits=Limits()))
        assert bool(result.refusals) is refused


def test_shortening_global_counts_the_known_users_without_a_grant():
    result = made(
        [teams_document("Global", applications=())],
        world=teams(everyone=[A]),
        owner=tenant(limits=Limits(max_removals=3)),
    )
    assert [note.details["losing"] for note in result.refusals] == [4, 4]


@pytest.mark.parametrize(
    ("declared", "losing"),
    [
        ([teams_document("Q", applications=())], {"teams.policy/Q": 20}),
        ([teams_document("Q", groups=())], {"teams.policy/Q": 20}),
        ([teams_document("Q", applications=(A, B))], {}),
        (
            [
                teams_document(
                    "R", applications=(C,), groups=(GroupGrant(GROUPS[1], 1, None, HERE),)
                ),
                teams_document("Q", groups=()),
            ],
            {"teams.policy/Q": 20},
        ),
        ([teams_document("Q", applications=(), users=(listing(many(20)),))], {}),
        ([teams_document("Global", applications=())], {"teams.policy/Global": 4}),
    ],
)
def test_members_of_known_groups_are_counted_with_the_policy_that_was_theirs(declared, losing):
    members = many(20)
    world = teams({"Q": [A]}, everyone=[C], groups=[(GROUPS[0], "Q")])
    here = observed(world, None)
    groups = {
        GROUPS[0]: Group(GROUPS[0], "Hosts", frozenset(members)),
        GROUPS[1]: Group(GROUPS[1], "Others", None),
    }
    directory = replace(here.directory, groups=groups)
    result = made(
        declared, world=world, directory=directory, owner=tenant(limits=Limits(max_removals=3))
    )
    limited = [note.details for note in result.refusals if note.code == RefusalRule.LIMITS]
    assert {row["concerned"]: row["losing"] for row in limited if row["concerned"]} == losing


def test_more_than_64_groups_at_once_are_refused():
    groups = [f"{n:08x}-0000-4000-8000-00000000bbbb" for n in range(65)]
    world = teams({"P": [A]}, groups=[(group, "P") for group in groups[:64]])
    grants = tuple(GroupGrant(group, rank, None, HERE) for rank, group in enumerate(groups[1:], 1))
    result = made([teams_document("P", groups=grants)], world=world)
    assert codes(result.refusals) == [(RefusalRule.GROUPS_FULL, "teams.grant")]


def test_policy_space_warns_from_100_and_refuses_above_300():
    def with_policies(count):
        store = ExchangeWorld(
            {
                (f"{n:08x}-0000-4000-8000-00000000cccc", SCOPES[0]): (RESTRICT, "")
                for n in range(count)
            }
        )
        return made([], [exchange_document([A], SCOPES[1], RESTRICT)], store=store)

    assert [note.code for note in with_policies(98).warnings] == [WarningCode.LEGACY_MECHANISM]
    assert WarningCode.POLICY_SPACE in [note.code for note in with_policies(99).warnings]
    assert with_policies(299).applicable
    assert codes(with_policies(300).refusals) == [(RefusalRule.POLICY_SPACE, "exchange")]


# Names


def test_users_are_found_by_id_or_upn_and_what_nobody_knows_is_unresolved():
    result = made(
        [
            teams_document(
                "P", applications=(A,), users=(listing(["U0@contoso.com", "nobody@contoso.com"]),)
            )
        ]
    )
    assert codes(result.unresolved) == [
        (Unfound.USER_UNKNOWN, "teams.grant/user:nobody@contoso.com")
    ]
    assert not result.applicable
    assert (
        texts(result)[1]
        == f"Grant-CsApplicationAccessPolicy -Identity:'{USERS[0]}' -PolicyName:'P'"
    )


def test_an_object_id_that_nobody_looked_for_is_used_with_a_warning_but_not_one_that_is_gone():
    stranger, gone = many(2)
    here = observed(EMPTY, None)
    directory = replace(here.directory, absent=frozenset({gone}))
    result = made([teams_document("P", users=(listing([stranger, gone]),))], directory=directory)
    assert (WarningCode.USER_NOT_LOOKED_FOR, f"teams.grant/user:{stranger}") in codes(
        result.warnings
    )
    assert (WarningCode.USER_ABSENT, f"teams.grant/user:{gone}") in codes(result.warnings)
    assert [step.address for step in result.steps[1:]] == [f"teams.grant/user:{stranger}"]


def test_one_user_under_two_names_is_a_fault_with_both_places():
    declared = [
        teams_document("P", users=(listing([USERS[0]]),)),
        teams_document("Q", users=(listing(["u0@contoso.com"]),)),
    ]
    with pytest.raises(DocumentFaults) as caught:
        made(declared)
    assert [finding.rule for finding in caught.value.findings] == ["user.two-policies"]
    assert "policies/test.yaml:1" in caught.value.findings[0].message


def test_scopes_are_found_by_any_address_and_judged_as_principals():
    by_address = made(
        [],
        [exchange_document([A], f"{SCOPES[0].upper()}@contoso.com", RESTRICT)],
        store=ExchangeWorld(),
    )
    assert by_address.steps[0].address == f"exchange.policy/{A}@{SCOPES[0]}"
    here = observed(None, ExchangeWorld())
    shared = replace(here.directory.recipients[SCOPES[0]], principal=False)
    directory = replace(
        here.directory,
        recipients={**here.directory.recipients, SCOPES[0]: shared},
        absent=frozenset({"x@contoso.com"}),
    )
    scopes = [
        exchange_document([A], SCOPES[0], RESTRICT),
        exchange_document([A], "x@contoso.com", RESTRICT),
        exchange_document([A], "y@contoso.com", DENY),
    ]
    result = made([], scopes, store=ExchangeWorld(), directory=directory)
    assert [note.code for note in result.unresolved] == [
        Unfound.SCOPE_NOT_PRINCIPAL,
        Unfound.SCOPE_UNKNOWN,
    ]
    assert [note.code for note in result.held] == [Held.SCOPE_ABSENT]


def test_a_dangling_scope_resolves_itself_and_stays_deletable():
    here = observed(None, exchange(s0=RESTRICT, s1=RESTRICT))
    directory = replace(here.directory, recipients={}, recipients_by_address={})
    result = made(
        [],
        [exchange_document([A], SCOPES[0], None)],
        store=exchange(s0=RESTRICT, s1=RESTRICT),
        directory=directory,
    )
    assert [step.reason for step in result.steps] == ["remove-restrict"]


def test_a_scope_that_a_policy_has_was_accepted_once_whatever_its_type_is_now():
    here = observed(None, exchange(s0=RESTRICT))
    converted = replace(here.directory.recipients[SCOPES[0]], principal=False)
    result = made(
        [],
        [exchange_document([A], SCOPES[0], RESTRICT, description="new")],
        store=exchange(s0=RESTRICT),
        directory=replace(here.directory, recipients={SCOPES[0]: converted}),
    )
    assert result.unresolved == ()
    assert [step.cmdlet for step in result.steps] == ["Set-ApplicationAccessPolicy"]


def test_two_names_of_one_scope_are_a_fault():
    with pytest.raises(DocumentFaults, match="1 fault"):
        made(
            [],
            [
                exchange_document([A], SCOPES[0], RESTRICT),
                exchange_document([A], f"{SCOPES[0]}@contoso.com", DENY),
            ],
            store=ExchangeWorld(),
        )


def test_names_for_people_stand_beside_every_known_id():
    here = observed(teams({"P": []}, groups=[(GROUPS[0], "P")]), exchange(s0=RESTRICT))
    directory = replace(
        here.directory, groups={GROUPS[0]: Group(GROUPS[0], "Hosts", None)}, recipients={}
    )
    declared = documents(
        [teams_document("P", applications=(A,), users=(listing([USERS[0]]),), groups=())], []
    )
    declared = replace(declared, applications=(ApplicationDocument("bot", A, (), HERE),))
    names = make_plan(declared, replace(here, directory=directory), PlanOptions()).names
    assert names == {
        A: "bot",
        USERS[0]: "User 0 <u0@contoso.com>",
        GROUPS[0]: "Hosts",
        SCOPES[0]: "Scope 0",
        "*": "every application",
    } | {key: value for key, value in names.items() if key == SCOPES[0]}


# Selection


def test_only_and_skip_hold_the_rest_at_its_observed_value():
    world = teams({"P": [A], "Q": []}, users={USERS[0]: "Q"})
    declared = [
        teams_document("P", applications=(B,), users=(listing([USERS[0], USERS[1]]),)),
        teams_document("Q", applications=(C,)),
    ]
    only = made(declared, world=world, only=("teams.policy/p",))
    assert {step.address for step in only.steps} == {"teams.policy/P"}
    assert codes(only.held) == [
        (Held.NOT_SELECTED, f"teams.grant/user:{USERS[0]}"),
        (Held.NOT_SELECTED, f"teams.grant/user:{USERS[1]}"),
        (Held.NOT_SELECTED, "teams.policy/Q"),
    ]
    assert WarningCode.HELD in [note.code for note in only.warnings]
    skip = made(declared, world=world, skip=(f"teams.grant/user:{USERS[0]}",))
    assert codes(skip.held) == [(Held.SKIPPED, f"teams.grant/user:{USERS[0]}")]


def test_what_hangs_on_something_held_is_held_too():
    world = teams({"Old": [A]}, users={USERS[1]: "Old"})
    declared = [
        teams_document(
            "New",
            applications=(A,),
            tenant=True,
            users=(listing([USERS[0]]),),
            groups=(GroupGrant(GROUPS[0], 1, None, HERE),),
        ),
        teams_document("Old", absent=True),
    ]
    result = made(declared, world=world, skip=("teams.policy/New", f"teams.grant/user:{USERS[1]}"))
    assert result.steps == ()
    assert codes(result.held) == [
        (Held.POLICY_HELD, f"teams.grant/group:{GROUPS[0]}"),
        (Held.POLICY_HELD, "teams.grant/tenant"),
        (Held.POLICY_HELD, f"teams.grant/user:{USERS[0]}"),
        (Held.SKIPPED, f"teams.grant/user:{USERS[1]}"),
        (Held.SKIPPED, "teams.policy/New"),
        (Held.GRANT_HELD, "teams.policy/Old"),
    ]


@pytest.mark.parametrize("absent", [True, False])
def test_a_held_name_may_be_any_holder_whom_nobody_lists(absent):
    """Renamed, or never looked up: neither the known nor the unknown holder loses a grant, whatever
    policy it is of; who moves by a name that is known moves.
    """
    name, stranger = "new.name@contoso.com", many(1)[0]
    users = {stranger: "P", USERS[3]: "P", USERS[2]: "Q", USERS[1]: "Old"}
    world = teams({"P": [A], "Q": [A], "Old": [A]}, users=users)
    declared = [
        teams_document("P", users=(listing([name, USERS[1]]),)),
        teams_document("Q", users=(listing([USERS[0]]),)),
        teams_document("Old", absent=True),
    ]
    here = observed(EMPTY, None).directory
    directory = replace(here, absent=frozenset({name})) if absent else None
    result = made(declared, world=world, directory=directory, skip=(f"teams.grant/user:{name}",))
    assert result.applicable
    assert {step.address for step in result.steps} == {
        f"teams.grant/user:{USERS[0]}",
        f"teams.grant/user:{USERS[1]}",
        "teams.policy/Old",
    }
    assert sorted(codes(result.held)) == sorted(
        [
            (Held.SKIPPED, f"teams.grant/user:{name}"),
            *((Held.MAY_BE_LISTED, f"teams.grant/user:{user}") for user in (stranger, *USERS[2:4])),
        ]
    )


def test_an_unresolved_name_is_told_with_the_holders_it_may_be():
    world = teams({"P": [A], "Q": [A]}, users={USERS[3]: "P", USERS[2]: "P", USERS[1]: "Q"})
    declared = [teams_document("P", users=(listing(["old.name@contoso.com", USERS[2]]),))]
    (unresolved,) = made(declared, world=world).unresolved
    assert unresolved.details["may be"] == [USERS[3]]


def test_an_object_id_is_nobody_else():
    """Who is listed by an id that does not exist was not renamed: others lose what is not theirs."""
    gone = many(1)[0]
    world = teams({"P": [A]}, users={USERS[3]: "P"})
    declared = [teams_document("P", users=(listing([gone]),))]
    directory = replace(observed(EMPTY, None).directory, absent=frozenset({gone}))
    result = made(declared, world=world, directory=directory, skip=(f"teams.grant/user:{gone}",))
    assert [step.address for step in result.steps] == [f"teams.grant/user:{USERS[3]}"]


def test_an_exchange_application_is_selected_as_a_whole():
    declared = [
        exchange_document([A, B], SCOPES[0], RESTRICT),
        exchange_document([A], SCOPES[1], DENY),
    ]
    result = made([], declared, store=ExchangeWorld(), skip=(f"exchange.application/{A}",))
    assert [step.address for step in result.steps] == [f"exchange.policy/{B}@{SCOPES[0]}"]
    assert codes(result.held) == [(Held.SKIPPED, f"exchange.application/{A}")]
    both = (f"exchange.application/{A}", f"exchange.policy/{B}@{SCOPES[0]}")
    assert made([], declared, store=ExchangeWorld(), skip=both).steps == ()


def test_a_policy_of_an_application_is_selected_alone():
    """Another one of the same application stays; a new Deny and a new Restrict harm nobody."""
    declared = [
        exchange_document([A], SCOPES[0], RESTRICT),
        exchange_document([A], SCOPES[1], DENY),
        exchange_document([B], SCOPES[1], DENY),
    ]
    deny, restrict = f"exchange.policy/{A}@{SCOPES[1]}", f"exchange.policy/{A}@{SCOPES[0]}"
    only = made([], declared, store=ExchangeWorld(), only=(deny,))
    assert [step.address for step in only.steps] == [deny]
    assert codes(only.held) == [
        (Held.NOT_SELECTED, f"exchange.application/{B}"),
        (Held.NOT_SELECTED, restrict),
    ]
    skip = made([], declared, store=ExchangeWorld(), skip=(restrict,))
    assert sorted(step.address for step in skip.steps) == [deny, f"exchange.policy/{B}@{SCOPES[1]}"]
    assert codes(skip.held) == [(Held.SKIPPED, restrict)]
    assert only.applicable
    assert skip.applicable


def test_half_of_a_replacement_that_would_open_an_application_is_refused():
    """The old Restrict alone may not go; the new one alone may come, with the description that it
    takes over.
    """
    store = exchange(s0=RESTRICT)
    declared = [exchange_document([A], SCOPES[1], RESTRICT, moved_from=SCOPES[0])]
    old, new = f"exchange.policy/{A}@{SCOPES[0]}", f"exchange.policy/{A}@{SCOPES[1]}"
    whole = f"exchange.application/{A}"
    removing = made([], declared, store=store, only=(old,))
    refusal = next(note for note in removing.refusals if note.code == RefusalRule.BEYOND_SELECTION)
    assert (refusal.address, refusal.details["only"]) == (whole, [whole])
    consented = made([], declared, store=store, only=(old,), allow=(f"tenant-wide:{whole}",))
    assert not consented.applicable
    assert made([], declared, store=store, only=(new,)).applicable
    assert not made([], declared, store=store, skip=(new,)).applicable
    assert made([], declared, store=store, only=(old, whole)).applicable


def test_a_scope_that_nothing_resolves_stops_its_whole_application():
    """A policy that cannot be planned may be a Deny: what the application shall reach is not known."""
    declared = [
        exchange_document([A], "x@contoso.com", DENY),
        exchange_document([A], SCOPES[0], RESTRICT),
    ]
    for options in (
        {"only": (f"exchange.policy/{A}@{SCOPES[0]}",)},
        {"skip": (f"exchange.policy/{A}@x@contoso.com",)},
    ):
        plan = made([], declared, store=ExchangeWorld(), **options)
        assert codes(plan.unresolved) == [
            (Unfound.SCOPE_UNKNOWN, f"exchange.policy/{A}@x@contoso.com")
        ]
    held = made([], declared, store=ExchangeWorld(), skip=(f"exchange.application/{A}",))
    assert held.applicable
    assert held.steps == ()


@pytest.mark.parametrize("option", ["only", "skip"])
def test_a_grant_of_a_list_that_is_left_as_it_is_does_not_widen(option):
    """The documents take an application out of a policy and list a user: without the first, the
    user would be reached by what the documents remove.
    """
    world = teams({"P": [A, B]})
    declared = [teams_document("P", applications=(A,), users=(listing([USERS[0]]),))]
    user, policy = f"teams.grant/user:{USERS[0]}", "teams.policy/P"
    named = {"only": user, "skip": policy}[option]
    plan = made(declared, world=world, **{option: (named,)})
    refusal = next(note for note in plan.refusals if note.code == RefusalRule.BEYOND_SELECTION)
    assert refusal.address == f"teams.application/{B}"
    assert refusal.details[option] == [{"only": policy, "skip": user}[option]]
    again = made(declared, world=world, **{option: (named, *refusal.details[option])})
    assert again.applicable


def test_a_list_that_changes_while_the_order_of_groups_is_left_names_the_groups():
    """Who is in both groups gets the policy of the other one in the end, and never this list."""
    world = teams({"P": [A], "Q": [A]}, groups=[(GROUPS[0], "P"), (GROUPS[1], "Q")])
    declared = [
        teams_document("P", applications=(A, B), groups=(GroupGrant(GROUPS[0], 2, None, HERE),)),
        teams_document("Q", groups=(GroupGrant(GROUPS[1], 1, None, HERE),)),
    ]
    policy = "teams.policy/P"
    refusal = next(
        note
        for note in made(declared, world=world, only=(policy,)).refusals
        if note.code == RefusalRule.BEYOND_SELECTION
    )
    assert refusal.address == f"teams.application/{B}"
    assert refusal.details["only"] == [f"teams.grant/group:{group}" for group in GROUPS[:2]]
    assert made(declared, world=world, only=(policy, *refusal.details["only"])).applicable


def test_who_would_have_to_name_too_much_plans_everything():
    """Twenty-one holders whose grants go, left out, would keep a policy that gains an application."""
    people = many(21)
    world = teams({"P": [A]}, users=dict.fromkeys(people, "P"))
    declared = [teams_document("P", applications=(A, B), users=(listing([USERS[0]]),))]
    plan = made(declared, world=world, only=("teams.policy/P", f"teams.grant/user:{USERS[0]}"))
    refusal = next(note for note in plan.refusals if note.code == RefusalRule.BEYOND_SELECTION)
    assert not refusal.details.keys() & {"only", "skip"}


def test_held_groups_and_pruned_policies_stay():
    world = teams({"P": [A], "Q": [A]}, groups=[(GROUPS[0], "P"), (GROUPS[1], "Q")])
    declared = [teams_document("P", groups=(GroupGrant(GROUPS[1], 1, None, HERE),))]
    result = made(
        declared,
        world=world,
        owner=tenant(prune=True),
        skip=(f"teams.grant/group:{GROUPS[0]}", f"teams.grant/group:{GROUPS[1]}", "teams.policy/Q"),
    )
    assert result.steps == ()


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("teams.policy/Beat", "did you mean teams.policy/Beta"),
        (f"teams.grant/user:{many(1)[0]}", ""),
        (f"teams.grant/group:{GROUPS[3]}", ""),
        ("exchange.application/x", ""),
    ],
)
def test_a_mistyped_selection_is_a_usage_fault(text, near):
    declared = [
        teams_document("Beta", applications=(A,), users=(listing([USERS[0], "x@contoso.com"]),))
    ]
    with pytest.raises(UsageFault, match=f"not found in the documents or the tenant.*{near}"):
        made(declared, skip=(text,))
    for there in (
        "teams.policy/BETA",
        f"teams.grant/user:{USERS[0]}",
        "teams.grant/user:X@contoso.com",
        "teams.grant/tenant",
    ):
        assert made(declared, skip=(there,)) is not None


@pytest.mark.parametrize("text", ["P", "teams.policy/", "teams.grant/P", "exchange.policy/x", ""])
def test_a_text_that_is_no_address_is_a_usage_fault(text):
    with pytest.raises(UsageFault, match="nor an address"):
        selection((text,), ())


@pytest.mark.parametrize(
    ("only", "subject", "blocks"),
    [
        ((), "TeamsApplicationAccessPolicy/P", True),
        (("teams.policy/p",), "TeamsApplicationAccessPolicy/P", True),
        (("teams.policy/p",), "TeamsApplicationAccessPolicy/Q", False),
        (("teams.policy/p",), "ExchangeApplicationAccessPolicy/x", False),
        (("teams.policy/p", "teams.grant/tenant"), "TeamsApplicationAccessPolicy/Q", True),
        (("exchange.application/x",), "TeamsApplicationAccessPolicy/P", False),
        (("exchange.application/x",), "ExchangeApplicationAccessPolicy/y", True),
        (("teams.policy/p",), "Application/bot", True),
        (("teams.policy/p",), "", True),
    ],
)
def test_only_faults_that_can_bear_on_the_selection_block(only, subject, blocks):
    finding = Finding(Position("f", 1, 1), "$", "r", "m", subject=subject)
    assert selection(only, ()).concerns(finding) is blocks


def test_a_fault_outside_of_the_selection_is_told_only_where_it_is_selected():
    declared = [teams_document("P", applications=(A,))]
    twice = [
        exchange_document([A], SCOPES[0], RESTRICT),
        exchange_document([A], f"{SCOPES[0]}@contoso.com", DENY),
    ]
    store = ExchangeWorld()
    assert made(declared, twice, teams({}), store, only=("teams.policy/P",)).steps
    with pytest.raises(DocumentFaults, match="1 fault"):
        made(declared, twice, teams({}), store, only=(f"exchange.application/{A}",))


# The rest


def test_a_global_that_nobody_declares_is_named_with_its_applications():
    result = made([teams_document("P", applications=(A,))], world=teams(everyone=[B]))
    assert [(note.address, note.details) for note in result.unmanaged] == [
        ("teams.policy/Global", {"applications": [B]})
    ]
    assert (
        made([teams_document("Global", description="d")], world=teams(everyone=[B]))
        .unmanaged[0]
        .address
        == "teams.policy/Global"
    )


def test_grants_of_a_policy_that_does_not_exist_are_warned_of():
    state = teams({"P": []}).state()
    here = observed(EMPTY, None)
    ghost = replace(state, users={USERS[0]: "ghost"}, spelled={"ghost": "Ghost"})
    here = replace(here, states={**here.states, "teams": ghost})
    result = make_plan(
        documents([teams_document("P", users=(listing([USERS[0]]),))], []),
        here,
        PlanOptions(allow=("displaced:teams.policy/Ghost",)),
    )
    assert (WarningCode.DANGLING_GRANT, "teams.policy/Ghost") in codes(result.warnings)
    assert result.changes[0].before == {"policy": "Ghost"}


def test_a_user_who_falls_to_a_group_that_the_plan_changes_is_named():
    world = teams({"P": [A], "Q": [B]}, users={USERS[0]: "P"})
    here = observed(world, None)
    directory = replace(
        here.directory, groups={GROUPS[0]: Group(GROUPS[0], "Hosts", frozenset({USERS[0]}))}
    )
    declared = [
        teams_document("P", users=()),
        teams_document("Q", groups=(GroupGrant(GROUPS[0], 1, None, HERE),)),
    ]
    result = made(declared, world=world, directory=directory)
    assert [
        note.details for note in result.warnings if note.code == WarningCode.FALLS_TO_CHANGED_GROUP
    ] == [{"users": [USERS[0]], "skip": [f"teams.grant/user:{USERS[0]}"]}]


def test_standing_consents_that_nothing_asks_for_warn():
    result = made([teams_document("P")], owner=tenant(consents=("displaced:teams.policy/X",)))
    assert (WarningCode.UNUSED_CONSENT, "displaced:teams.policy/X") in codes(result.warnings)
    assert result.consents == ()


@pytest.mark.parametrize("prune", [True, False])
def test_a_standing_consent_of_teams_is_unused_only_where_teams_is_planned(*, prune):
    consent = "displaced:teams.policy/X"
    result = made(
        declared_exchange=[exchange_document([A], SCOPES[0], RESTRICT)],
        world=teams({"P": []}),
        store=exchange(s0=RESTRICT),
        owner=tenant(consents=(consent,), prune=prune),
    )
    unused = {note.address for note in result.warnings if note.code == WarningCode.UNUSED_CONSENT}
    assert unused == ({consent} if prune else set())


def test_in_a_plan_of_a_part_only_consents_of_the_command_line_warn():
    owner = tenant(consents=("displaced:teams.policy/X",))
    part = {"only": ("teams.policy/P",), "allow": ("displaced:teams.policy/Y",)}
    result = made([teams_document("P")], owner=owner, **part)
    unused = {note.address for note in result.warnings if note.code == WarningCode.UNUSED_CONSENT}
    assert unused == {"displaced:teams.policy/Y"}


def test_a_reading_of_another_tenant_or_without_the_product_is_refused():
    with pytest.raises(CaptureFault, match="fetch the right tenant"):
        made([teams_document("P")], owner=replace(tenant(), tenant_id=TENANT.replace("5", "6")))
    with pytest.raises(CaptureFault, match="the capture is not complete for exchange"):
        made([], [exchange_document([A], SCOPES[0], DENY)])


def test_a_stored_text_that_may_not_be_rendered_names_its_object():
    store = ExchangeWorld({(A, SCOPES[0]): (RESTRICT, "zero\u200bwidth")})
    with pytest.raises(UnfitText, match=f"exchange.policy/{A}@{SCOPES[1]}"):
        made([], [exchange_document([A], SCOPES[1], RESTRICT)], store=store)


def test_the_capture_is_asked_for_what_the_documents_name():
    declared = documents(
        [teams_document("P", users=(listing(["b@x", "a@x"]),))],
        [exchange_document([A], "s@x", DENY)],
    )
    request = capture_request(declared)
    assert (request.products, sorted(request.users), request.recipients) == (
        frozenset({"teams", "exchange"}),
        ["a@x", "b@x"],
        ("s@x",),
    )
    assert products(documents([], [])) == frozenset()
    assert capture_request(documents([], [])).products == {"teams", "exchange"}
    connected = replace(tenant(), connect={"cloud": "commercial", "teams": {"device": True}})
    assert capture_request(documents([], [], connected)).products == {"teams"}
    assert products(documents([], [], tenant(prune=True))) == {"teams"}


@pytest.mark.parametrize(
    "text",
    [
        "foo",
        "limits:",
        "limits:teams",
        "tenant-wide:teams.application/x",
        "exposure:exchange.policy/*",
        "unsafe:plan",
    ],
)
def test_a_text_that_is_no_consent_is_a_usage_fault(text):
    with pytest.raises(UsageFault, match="is not a consent"):
        made([teams_document("P")], allow=(text,))


@pytest.mark.parametrize("text", ["tenant-wide:foo", "Undeclared:exchange.policy/foo@bar"])
def test_a_name_that_nothing_has_is_told_with_the_names_that_are_taken(text):
    with pytest.raises(UsageFault, match="Names of documents, user principal names") as fault:
        made([teams_document("P")], allow=(text,))
    assert repr(text.partition(":")[2]) in str(fault.value)


def test_the_command_line_takes_the_consents_that_a_tenant_document_takes():
    schema = json.loads(
        (Path(__file__).parents[2] / "schemas/tenant.schema.json").read_text("utf-8")
    )
    consents = schema["properties"]["spec"]["properties"]["consents"]["items"]
    for text in (
        "tenant-wide:exchange.application/*",
        f"exposure:teams.application/{A.upper()}",
        "limits:teams.grant",
        "policy-space:exchange",
        "read-warning:teams",
        "read-warning:graph",
        "read-warning:",
        f"empty-scope:exchange.policy/*@{SCOPES[0]}",
        "displaced:teams.policy/A b",
        "displaced:teams.policy/",
        "limits:all",
        "exposure:*",
    ):
        assert is_consent(text) == jsonschema.Draft7Validator(consents).is_valid(text), text
