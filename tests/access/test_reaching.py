"""What an application reaches, who reaches somebody, and why: three answers from one state, which agree
for every application and everybody, also where members, ranks and policies are not known.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reconciler.access import reaching
from reconciler.access.explaining import explain
from reconciler.audiences.questions import Known, Question
from reconciler.audiences.verdicts import Granted
from reconciler.kinds.exchange.scopes import scope_coverage
from reconciler.kinds.teams.groups import group_coverage
from reconciler.model.access_rows import SubjectKind
from reconciler.model.observed import (
    Directory,
    ExchangeState,
    Group,
    Observed,
    OpaqueRow,
    Recipient,
    TeamsState,
    User,
)
from reconciler.planning import outcomes
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    tenant,
)

if TYPE_CHECKING:
    from reconciler.audiences.reached import ReachedPart

OPAQUE = OpaqueRow("{}", "odd")
SEEDS = range(150)


def _some(chance: random.Random, known: float) -> frozenset[str] | None:
    if chance.random() > known:
        return None
    return frozenset(user for user in USERS if chance.random() < 0.5)


def _recipient(object_id: str, kind: str, members: frozenset[str] | None) -> Recipient:
    address = f"{object_id}@contoso.com"
    return Recipient(
        object_id, "S-1", address, frozenset({address}), "", kind, principal=True, members=members
    )


def _directory(chance: random.Random) -> Directory:
    users = {user: User(user, f"{user}@contoso.com") for user in USERS}
    groups = {group: Group(group, "", _some(chance, 0.7)) for group in GROUPS}
    boxes = {
        user: _recipient(
            user, chance.choice(["UserMailbox", "UserMailbox", "DiscoveryMailbox"]), None
        )
        for user in USERS
    }
    scopes = {
        scope: _recipient(scope, "MailUniversalSecurityGroup", _some(chance, 0.7))
        for scope in SCOPES
    }
    recipients = {**boxes, **scopes}
    by_address = {row.primary: row.id for row in recipients.values()}
    upns = {user.upn: user.id for user in users.values()}
    return Directory(users, groups, recipients, frozenset(), upns, by_address)


def _odd(chance: random.Random, here: Observed) -> Observed:
    """The same tenant, of which something is not understood."""
    states = dict(here.states)
    teams, exchange = here.state(TeamsState), here.state(ExchangeState)
    assert teams is not None
    assert exchange is not None
    if chance.random() < 0.5:
        states["teams"] = replace(teams, opaque_ranks=(OPAQUE,))
    if chance.random() < 0.5:
        states["exchange"] = replace(exchange, opaque={chance.choice(APPS): (OPAQUE,)})
    return replace(here, states=states)


def _tenant(seed: int) -> tuple[Known, Known]:
    """A random tenant now, and once random documents are applied."""
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
    world = random_teams(chance, *sizes)
    store, wanted = (random_exchange(chance, APPS[:3], SCOPES[:3]) for _ in range(2))
    declared = documents(random_teams_documents(chance, *sizes), exchange_documents(wanted))
    here = replace(observed(world, store), directory=_directory(chance))
    after, _ = outcomes.after_documents(replace(declared, tenant=tenant()), here)
    if chance.random() < 0.7:
        here = _odd(chance, here)
    return Known(here.states, here.directory), after


def _surely(part: ReachedPart, knowledge: Known) -> frozenset[str]:
    """Who is certainly in a part, worked out from what it says."""
    if part.known is not None:
        return part.known
    if not part.certain:
        return frozenset()
    directory = knowledge.directory
    inside = group_coverage if part.provider == "teams" else scope_coverage
    excepted = [inside(directory)(other.id).inside for other in part.excepted]
    others = frozenset(USERS).difference(*excepted)
    teams = knowledge.states["teams"]
    assert isinstance(teams, TeamsState)
    if part.provider == "teams":
        return others - teams.users.keys()
    return frozenset(user for user in others if directory.recipients[user].type == "UserMailbox")


@pytest.mark.parametrize("seed", SEEDS)
def test_reach_and_explain_agree(seed: int) -> None:
    for knowledge in _tenant(seed):
        for application in APPS:
            parts = list(reaching.reached_parts(application, knowledge))
            for kind, product in ((SubjectKind.USER, "teams"), (SubjectKind.MAILBOX, "exchange")):
                own = [part for part in parts if part.provider == product]
                surely = frozenset[str]().union(*(_surely(part, knowledge) for part in own))
                for user in USERS:
                    question = Question(application, kind, user, resolved=True)
                    verdict = explain(question, knowledge).verdict
                    assert isinstance(verdict, Granted) == (user in surely), (
                        application,
                        user,
                        kind,
                    )


def test_granted_and_denied_and_unknown_are_all_among_them() -> None:
    verdicts = {
        type(explain(Question(APPS[0], kind, user, resolved=True), knowledge).verdict).__name__
        for seed in SEEDS
        for knowledge in _tenant(seed)
        for kind in (SubjectKind.USER, SubjectKind.MAILBOX)
        for user in USERS
    }
    assert verdicts == {"Granted", "Denied", "Depends"}


@pytest.mark.parametrize("seed", SEEDS[:30])
def test_rows_say_when(seed: int) -> None:
    """Every part is in a row for the times at which it is there, and people are told one by one."""
    now, after = _tenant(seed)
    for application in APPS:
        rows = list(reaching.reach(application, now, after))
        assert all(row.now or row.after for row in rows)
        for time, knowledge in (("now", now), ("after", after)):
            parts = list(reaching.reached_parts(application, knowledge))
            people = {
                (part.rule, user)
                for part in parts
                if part.kind is SubjectKind.USER
                for user in part.ids
            }
            told = [row.part for row in rows if getattr(row, time)]
            assert people == {
                (part.rule, user)
                for part in told
                if part.kind is SubjectKind.USER
                for user in part.ids
            }
            others = [(part.kind, part.ids, part.rule) for part in parts if part.kind != "user"]
            assert sorted(others) == sorted(
                (part.kind, part.ids, part.rule) for part in told if part.kind != "user"
            )
        alone = list(reaching.reach(application, now, None))
        assert [row.after for row in alone] == [None] * len(alone)


def test_who_is_every_application_that_policies_name() -> None:
    now, after = _tenant(1)
    named = reaching.named_applications((now, after, None))
    assert named <= set(APPS)
    questions = [Question(each, SubjectKind.USER, USERS[0], resolved=True) for each in APPS]
    rows = list(reaching.who(questions, now, after))
    assert [row.question for row in rows] == questions
    for row in rows:
        granted = isinstance(row.now, Granted) or isinstance(row.latest, Granted)
        assert reaching.is_reaching(row) or not granted
        assert row.latest == explain(row.question, after).verdict
    assert all(row.latest == row.now for row in reaching.who(questions, now, None))
