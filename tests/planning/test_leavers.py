"""Listed users whom the tenant does not have: leavers, renamed people, mistyped names, wrong readings.

Nobody loses a grant because a name is misspelled or was changed; nobody gains one.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from reconciler.kinds.teams.renamed import MOST_ABSENT, is_near
from reconciler.model.codes import Held, RefusalRule, Unfound, WarningCode
from reconciler.model.documents import GroupGrant
from reconciler.model.observed import Directory, User
from reconciler.planning import making
from reconciler.planning.checking import judge_prefixes
from tests.planning.enumerated_access import (
    APPS,
    GENEROUS,
    GROUPS,
    HERE,
    TeamsWorld,
    documents,
    guid,
    listing,
    observed,
    teams_document,
    tenant,
)

PEOPLE = (
    ("anna.maier", "Anna Maier"),
    ("bert.kowalski", "Bert Kowalski"),
    ("chidi.okafor", "Chidi Okafor"),
    ("dolores.reyes", "Dolores Reyes"),
    ("emre.yildiz", "Emre Yıldız"),
    ("freya.lund", "Freya Lund"),
    ("goran.petrov", "Goran Petrov"),
    ("hana.sato", "Hana Sato"),
)
IDS = [guid(2, number) for number in range(len(PEOPLE))]
NAMES = [f"{local}@contoso.com" for local, _ in PEOPLE]
ANNA, BERT, CHIDI, DOLORES, EMRE, FREYA, GORAN, HANA = IDS
MAIER = NAMES[0]
HUBER = "anna.huber@contoso.com"


def _directory(absent=(), renamed=(), gone=()):
    """Everybody but those who are gone; `renamed` are (id, principal name now, display name)."""
    users = {
        user: User(user, name, shown)
        for user, name, (_, shown) in zip(IDS, NAMES, PEOPLE, strict=True)
        if user not in gone
    }
    users |= {user: User(user, name, shown) for user, name, shown in renamed}
    by_upn = {row.upn: row.id for row in users.values()}
    return Directory(users, {}, {}, frozenset(absent), by_upn, {})


def _world(**holders):
    """Two policies, Alpha and Beta; keywords name who holds which."""
    policies = {"Alpha": (frozenset(APPS[:1]), ""), "Beta": (frozenset(APPS[1:2]), "")}
    users = {user: name for name, some in holders.items() for user in some}
    return TeamsWorld(policies, frozenset(), [], users)


def _documents(alpha=None, beta=None, **given):
    wanted = [
        teams_document(name, users=(listing(list(users)),))
        for name, users in (("Alpha", alpha), ("Beta", beta))
        if users is not None
    ]
    return documents(wanted, [], replace(tenant(limits=GENEROUS), **given))


def _plan(world, declared, directory, **options):
    reading = replace(observed(world, None), directory=directory)
    return making.make_plan(declared, reading, making.PlanOptions(**options))


def _after(world, plan):
    world = world.copy()
    for step in plan.steps:
        world.run(step.cmdlet, dict(step.parameters))
    return world


def _revocations(plan):
    return {
        note.address.partition(":")[2]: note.details["may be"]
        for note in plan.held
        if note.code == Held.REVOCATION
    }


def _absences(plan):
    return [note for note in plan.warnings if note.code == WarningCode.USER_ABSENT]


# one who left


def test_the_row_of_a_leaver_is_left_out_and_the_plan_goes_on():
    world = _world(Alpha=[BERT], Beta=[DOLORES])
    declared = _documents([MAIER, NAMES[1], NAMES[2]], [])
    plan = _plan(world, declared, _directory({MAIER}, gone={ANNA}))
    assert plan.applicable
    assert plan.unresolved == ()
    (note,) = _absences(plan)
    assert note.address == f"teams.grant/user:{MAIER}"
    assert note.details["in"] == "Alpha"
    assert _after(world, plan).users == {BERT: "Alpha", CHIDI: "Alpha"}
    assert _revocations(plan) == {}
    assert judge_prefixes(plan) == ()


def test_unassignments_of_her_policy_wait_and_those_of_others_go_on():
    world = _world(Alpha=[BERT, CHIDI], Beta=[DOLORES, EMRE])
    declared = _documents([MAIER, NAMES[1]], [NAMES[3]])
    plan = _plan(world, declared, _directory({MAIER}, gone={ANNA}))
    assert _revocations(plan) == {CHIDI: [MAIER]}
    assert _after(world, plan).users == {BERT: "Alpha", CHIDI: "Alpha", DOLORES: "Beta"}


def test_a_consent_takes_one_grant_away_and_is_told():
    world = _world(Alpha=[BERT, CHIDI])
    declared = _documents([MAIER])
    directory = _directory({MAIER}, gone={ANNA})
    consent = f"removed:teams.grant/user:{CHIDI}"
    plan = _plan(world, declared, directory, allow=(consent,))
    assert plan.consents == (consent,)
    assert _revocations(plan) == {BERT: [MAIER]}
    assert _after(world, plan).users == {BERT: "Alpha"}
    assert not [note for note in plan.warnings if note.code == WarningCode.UNUSED_CONSENT]
    standing = _plan(world, replace(declared, tenant=tenant(consents=(consent,))), directory)
    assert standing.steps == plan.steps


def test_a_consent_that_nothing_needs_is_told_as_unused():
    world = _world(Alpha=[BERT])
    consent = f"removed:teams.grant/user:{BERT}"
    plan = _plan(world, _documents([]), _directory(), allow=(consent,))
    assert [note.code for note in plan.warnings] == [WarningCode.UNUSED_CONSENT]
    assert plan.consents == ()


def test_a_deleted_object_id_holds_nobody_else():
    """An object id never changes: nobody else was it. While the tenant lists the grant it stays."""
    world = _world(Alpha=[ANNA, BERT])
    plan = _plan(world, _documents([ANNA]), _directory({ANNA}, gone={ANNA}))
    assert _after(world, plan).users == {ANNA: "Alpha"}
    assert _revocations(plan) == {}
    assert plan.applicable
    elsewhere = _plan(_world(Beta=[BERT]), _documents([ANNA], []), _directory({ANNA}, gone={ANNA}))
    assert [note.address for note in _absences(elsewhere)] == [f"teams.grant/user:{ANNA}"]
    assert _after(_world(Beta=[BERT]), elsewhere).users == {}


# one who was renamed


@pytest.mark.parametrize("upn", [HUBER, "a.maier@contoso.com", "zz@contoso.com"])
def test_a_rename_inside_one_policy_takes_nothing_away(upn):
    """Whatever the new name is: the policy is the one that she is listed in."""
    world = _world(Alpha=[ANNA, BERT])
    directory = _directory({MAIER}, renamed=[(ANNA, upn, "Anna")])
    plan = _plan(world, _documents([MAIER, NAMES[1]]), directory)
    assert _after(world, plan).users == world.users
    assert _revocations(plan) == {ANNA: [MAIER]}


@pytest.mark.parametrize(
    ("upn", "shown"),
    [
        (HUBER, "Anna Huber"),
        ("a.maier@contoso.com", "A. Maier"),
        ("anna.maier@fabrikam.com", ""),
        ("ana.maier@contoso.com", ""),
        ("ahuber@contoso.com", "Huber, Anna"),
    ],
)
def test_a_rename_across_two_policies_takes_nothing_away(upn, shown):
    """She held Beta, the documents move her old name to Alpha, and Beta's list has her no more."""
    world = _world(Alpha=[BERT], Beta=[ANNA, DOLORES])
    directory = _directory({MAIER}, renamed=[(ANNA, upn, shown)])
    plan = _plan(world, _documents([MAIER, NAMES[1]], []), directory)
    assert _after(world, plan).users == {ANNA: "Beta", BERT: "Alpha"}
    assert _revocations(plan) == {ANNA: [MAIER]}


def test_a_holder_without_a_known_name_may_be_anybody():
    world = _world(Beta=[ANNA, BERT])
    directory = _directory({MAIER}, gone={ANNA})
    plan = _plan(world, _documents([MAIER], []), directory)
    assert _after(world, plan).users == {ANNA: "Beta"}


def test_mending_the_row_frees_what_was_held():
    world = _world(Alpha=[ANNA, BERT])
    directory = _directory({MAIER}, renamed=[(ANNA, HUBER, "Anna Huber")])
    for mended in (HUBER, ANNA):
        plan = _plan(world, _documents([mended]), directory)
        assert _after(world, plan).users == {ANNA: "Alpha"}
        assert plan.held == ()
    plan = _plan(world, _documents([]), directory)
    assert _after(world, plan).users == {}


def test_the_warning_names_who_may_be_meant():
    world = _world(Beta=[DOLORES])
    directory = _directory({MAIER}, renamed=[(ANNA, HUBER, "Anna Huber")])
    (note,) = _absences(_plan(world, _documents([MAIER]), directory))
    assert note.details["may be"] == [ANNA]
    typo = "bert.kowalsky@contoso.com"
    (note,) = _absences(_plan(world, _documents([typo]), _directory({typo})))
    assert note.details["may be"] == [BERT]


@pytest.mark.parametrize(
    ("name", "upn", "shown", "near"),
    [
        ("anna.maier@x.com", "anna.huber@x.com", "", True),
        ("anna.maier@x.com", "m.huber@x.com", "Maier-Huber, M.", True),
        ("adele.vnace@x.com", "adelev@x.com", "", True),
        ("jdoe@x.com", "jdeo@x.com", "", True),
        ("o'neill@x.com", "siobhan.oneill@x.com", "Siobhán O'Neill", True),
        ("anna.maier@x.com", "bert.kowalski@x.com", "Bert Kowalski", False),
        ("u1@x.com", "u2@x.com", "", False),
    ],
)
def test_who_is_near_a_name(name, upn, shown, near):
    assert is_near(name, User(IDS[0], upn, shown)) is near


@pytest.mark.parametrize("consented", [True, False])
def test_a_list_does_not_grow_for_somebody_who_is_kept(consented):
    """Whoever keeps a grant only because a name may be theirs gains nothing by it."""
    world = _world(Alpha=[BERT])
    declared = documents(
        [
            teams_document(
                "Alpha", applications=tuple(APPS[:3]), users=(listing([MAIER, NAMES[2]]),)
            )
        ],
        [],
        tenant(limits=GENEROUS),
    )
    allow = (f"removed:teams.grant/user:{BERT}",) if consented else ()
    plan = _plan(world, declared, _directory({MAIER}, gone={ANNA}), allow=allow)
    after = _after(world, plan)
    if consented:
        assert after.users == {CHIDI: "Alpha"}
        assert after.apps("Alpha") == frozenset(APPS[:3])
    else:
        assert after.users == {BERT: "Alpha", CHIDI: "Alpha"}
        assert after.apps("Alpha") == frozenset(APPS[:1])
        assert ("teams.policy/Alpha", Held.GRANT_HELD) in [
            (note.address, note.code) for note in plan.held
        ]


# many at once


def _many(count, listed=400):
    users = [guid(5, number) for number in range(listed)]
    names = [f"person{number}@contoso.com" for number in range(listed)]
    rows = {
        user: User(user, name, "") for user, name in zip(users[count:], names[count:], strict=True)
    }
    directory = Directory(
        rows, {}, {}, frozenset(names[:count]), {row.upn: row.id for row in rows.values()}, {}
    )
    return _world(Alpha=users), _documents(names), directory


def test_300_absences_at_once_are_a_wrong_reading():
    world, declared, directory = _many(300)
    plan = _plan(world, declared, directory)
    (refusal,) = plan.refusals
    assert refusal.code == RefusalRule.MANY_ABSENT
    assert refusal.details == {"absent": 300, "listed": 400}
    assert not plan.applicable
    assert len(_revocations(plan)) == 300
    assert not [step for step in plan.steps if step.parameters.get("PolicyName", "") is None]


@pytest.mark.parametrize(
    ("count", "listed", "refused"),
    [
        (MOST_ABSENT, 400, False),
        (MOST_ABSENT + 1, 400, True),
        (1, 10, False),
        (2, 10, True),
        (2, 20, False),
        (3, 20, True),
        (4, 9, False),
    ],
)
def test_over_ten_or_ten_percent_of_a_list_refuse(count, listed, refused):
    world, declared, directory = _many(count, listed)
    plan = _plan(world, declared, directory)
    assert plan.applicable is not refused
    assert [note.code for note in plan.refusals] == [RefusalRule.MANY_ABSENT] * refused


def test_the_documents_can_keep_to_refuse_any():
    world = _world(Alpha=[BERT])
    directory = _directory({MAIER}, gone={ANNA})
    plan = _plan(world, _documents([MAIER], refuses_absent_users=True), directory)
    assert not plan.applicable
    (note,) = plan.unresolved
    assert note.code == Unfound.USER_ABSENT
    assert _absences(plan) == []


def test_a_name_that_was_not_looked_for_stops_the_plan():
    plan = _plan(_world(), _documents([MAIER]), _directory(gone={ANNA}))
    assert [note.code for note in plan.unresolved] == [Unfound.USER_UNKNOWN]


# an absent group


def test_an_absent_group_holds_the_groups_of_its_own_policy_alone():
    world = _world(Beta=[ANNA])
    world.groups = [(GROUPS[0], "Alpha"), (GROUPS[1], "Beta")]
    gone = "gone@contoso.com"
    wanted = [
        teams_document("Alpha", groups=(GroupGrant(gone, 1, None, HERE),)),
        teams_document("Beta", groups=(), users=(listing([BERT]),)),
    ]
    plan = _plan(world, documents(wanted, [], tenant()), _directory({gone}))
    assert plan.applicable
    assert _after(world, plan).groups == [(GROUPS[0], "Alpha")]
    assert _after(world, plan).users == {BERT: "Beta"}
    codes = {note.address: note.code for note in plan.held}
    assert codes == {
        f"teams.grant/group:{gone}": Held.GROUP_ABSENT,
        f"teams.grant/group:{GROUPS[0]}": Held.GROUP_HELD,
    }


# law


def test_nobody_loses_and_nobody_gains_by_a_name_that_changed():
    """Random lists and holders, with names that changed since they were written: compared with what
    the same documents do once every row is mended.
    """
    kept = 0
    for seed in range(300):
        chance = random.Random(seed)
        world = _world(
            **{
                name: [
                    user for user in IDS if chance.random() < 0.5 and IDS.index(user) % 2 == side
                ]
                for side, name in enumerate(("Alpha", "Beta"))
            }
        )
        renamed = [
            (user, f"{PEOPLE[number][0].split('.')[0]}.changed@contoso.com", PEOPLE[number][1])
            for number, user in enumerate(IDS)
            if chance.random() < 0.25
        ]
        stale = {NAMES[IDS.index(user)] for user, _, _ in renamed}
        listed = chance.sample(range(len(IDS)), chance.randrange(1, len(IDS)))
        cut = chance.randrange(len(listed) + 1)
        alpha, beta = listed[:cut], listed[cut:]
        directory = _directory(stale, renamed)
        plan = _plan(
            world, _documents([NAMES[n] for n in alpha], [NAMES[n] for n in beta]), directory
        )
        truth = _plan(world, _documents([IDS[n] for n in alpha], [IDS[n] for n in beta]), directory)
        was, now, meant = world.users, _after(world, plan).users, _after(world, truth).users
        for user in IDS:
            if now.get(user) != was.get(user):
                assert now.get(user) == meant.get(user), f"seed {seed}: {user}"
            kept += now.get(user) != meant.get(user)
        assert judge_prefixes(plan) == (), f"seed {seed}"
    assert kept > 50
