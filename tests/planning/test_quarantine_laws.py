"""A quarantined application reaches nobody in the end, whatever groups and scopes people are in, and
after no step more than before: judged by the plain model in enumerated_access.py.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from reconciler.errors import TamperedPlan
from reconciler.model.access_rows import AccessDelta
from reconciler.model.codes import STILL_OPEN, RefusalRule
from reconciler.model.documents import AccessRight, ApplicationDocument
from reconciler.model.observed import ExchangePolicy, ExchangeState
from reconciler.planning import checking, prefixes
from reconciler.planning.consequences import prove_consequences
from reconciler.planning.making import PlanOptions, make_plan
from reconciler.planning.serial import summary
from tests.ordering import exchange_judge as judge
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    HERE,
    NAMES,
    SCOPES,
    USERS,
    ExchangeWorld,
    TeamsWorld,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    tenant,
)
from tests.thoroughness import samples

pytestmark = pytest.mark.no_cover

SAMPLES = samples(250)
A, B = APPS[:2]
ALONE = PlanOptions(only=(f"application/{A}",))
QUARANTINED = ApplicationDocument("bot", A, (), HERE, quarantined=True)


class GuardedWorld(ExchangeWorld):
    """A world with one more scope, an empty group."""

    def copy(self) -> GuardedWorld:
        return GuardedWorld(dict(self.policies))

    def run(self, cmdlet, given):
        if given.get("PolicyScopeGroupId") == judge.GUARD_SCOPE:
            given = {**given, "PolicyScopeGroupId": judge.NOBODY}
        super().run(cmdlet, given)

    def state(self) -> ExchangeState:
        return ExchangeState(
            {
                key: ExchangePolicy(*key, _sid(key[1]), right, text, text, judge.identity(key), "")
                for key, (right, text) in self.policies.items()
            }
        )


def _sid(scope):
    return judge.NOBODY_SID if scope == judge.NOBODY else f"S-1-5-21-1-1-1-{scope[-1]}"


def _here(teams, exchange):
    return replace(observed(teams, exchange), directory=judge.people())


def _shut(declared, *, guard=True, consents=()):
    owner = replace(
        declared.tenant or tenant(),
        guard_scope=judge.GUARD_SCOPE if guard else None,
        consents=tuple(consents),
    )
    return replace(declared, tenant=owner, applications=(QUARANTINED,))


def _along(teams, exchange, plan):
    """Both worlds before the first step, and after each."""
    along = [(teams.copy(), exchange.copy())]
    for step in plan.steps:
        worlds = tuple(world.copy() for world in along[-1])
        worlds[step.provider == "exchange"].run(step.cmdlet, dict(step.parameters))
        along.append(worlds)
    return along


def _open(plan, provider):
    return {
        note.address
        for note in plan.held
        if note.code in STILL_OPEN and note.address.startswith(f"{provider}.")
    }


# Exchange


def _exchange_case(seed):
    """Policies of the application and of `*`, of which the documents declare some; a group for
    guards, or none; consents to some of what they do not declare.
    """
    chance = random.Random(seed)
    world = GuardedWorld(random_exchange(chance, [A, "*"], SCOPES[:3]).policies)
    wanted = random_exchange(chance, [A, "*"], SCOPES[:3])
    every = "".join(chance.choices(["=", "-", "~"], [6, 3, 1]))
    kept = {key: value for key, value in world.policies.items() if key[0] == "*"}
    own = {key: value for key, value in wanted.policies.items() if key[0] != "*"}
    if every == "-":
        for key in kept:
            del world.policies[key]
    declared = ExchangeWorld(own if every != "~" else wanted.policies)
    consents = [
        f"undeclared:exchange.policy/{A}@{scope}" for scope in SCOPES if chance.random() < 0.5
    ]
    return world, _shut(
        documents([], exchange_documents(declared)),
        guard=chance.random() < 0.8,
        consents=consents,
    )


def _mailboxes(world, application):
    return {some for _, some in world.access([application], SCOPES[:3])}


WHOLE = PlanOptions()


def _plan(declared, teams, exchange, options=WHOLE):
    return make_plan(declared, _here(teams, exchange), options)


NO_TEAMS = TeamsWorld({}, frozenset(), [], {})


def _exchange_ends(seed):
    world, declared = _exchange_case(seed)
    for options in (PlanOptions(), ALONE):
        plan = _plan(declared, NO_TEAMS, world, options)
        yield world, declared, options, plan, [pair[1] for pair in _along(NO_TEAMS, world, plan)]


def test_exchange_ends_with_nobody_reached_or_says_what_is_open():
    closed = opened = 0
    for seed in range(SAMPLES):
        for world, declared, _, plan, along in _exchange_ends(seed):
            reached = _mailboxes(along[-1], A)
            assert bool(reached) is bool(_open(plan, "exchange")), f"seed {seed}"
            assert not any(note.code == RefusalRule.STILL_REACHING for note in plan.refusals), (
                f"seed {seed}"
            )
            if declared.tenant.guard_scope is not None:
                assert bool(reached) is _must_stay_open(world, along[-1], declared), f"seed {seed}"
            closed += not reached
            opened += bool(reached)
    assert closed > SAMPLES // 3
    assert opened > SAMPLES // 3


def _must_stay_open(world, end, declared):
    """What no quarantine can close: an undeclared restriction without its consent, or one of `*`; a
    Deny on the same scope outranks it.
    """
    mentioned = {
        document.scope.text.partition("@")[0]
        for document in declared.exchange
        if A in document.applications
    }
    consented = {consent.partition("@")[2] for consent in declared.tenant.consents}
    denied = {
        scope
        for (owner, scope), (right, _) in end.policies.items()
        if owner in (A, "*") and right is AccessRight.DENY
    }
    left = {
        scope
        for (owner, scope), (right, _) in world.policies.items()
        if owner == A and right is AccessRight.RESTRICT and scope not in mentioned | consented
    }
    left |= {
        scope
        for (owner, scope), (right, _) in end.policies.items()
        if owner == "*" and right is AccessRight.RESTRICT
    }
    return bool(left - denied)


def test_exchange_never_reaches_more_than_before_on_the_way():
    refused = 0
    for seed in range(SAMPLES):
        for _, _, options, plan, along in _exchange_ends(seed):
            before = _mailboxes(along[0], A)
            gains = any(not _mailboxes(world, A) <= before for world in along)
            told = any(note.code == RefusalRule.QUARANTINE for note in plan.refusals)
            assert gains is told, f"seed {seed}"
            assert not (gains and options is ALONE), f"seed {seed}"
            refused += gains
            either = _mailboxes(along[0], B) | _mailboxes(along[-1], B)
            assert all(_mailboxes(world, B) <= either for world in along), f"seed {seed}"
    assert 0 < refused < SAMPLES


def test_a_quarantine_alone_is_never_refused_and_is_all_of_the_application():
    steps = 0
    for seed in range(SAMPLES):
        world, declared = _exchange_case(seed)
        plan = _plan(declared, NO_TEAMS, world, ALONE)
        assert plan.refusals == (), f"seed {seed}"
        assert plan.applicable, f"seed {seed}"
        assert {step.address.partition("@")[0] for step in plan.steps} <= {f"exchange.policy/{A}"}
        news = [step for step in plan.steps if step.reason == "shut-out"]
        assert plan.steps[: len(news)] == tuple(news), f"seed {seed}"
        steps += len(plan.steps)
    assert steps > SAMPLES


def test_exchange_stopped_after_any_step_ends_in_the_same_state():
    for seed in range(SAMPLES // 3):
        for _, declared, options, plan, along in _exchange_ends(seed):
            for k, stopped in enumerate(along):
                assert prefixes.locate(plan, _here(NO_TEAMS, stopped)) == k, f"seed {seed}"
                again = _plan(declared, NO_TEAMS, stopped, options)
                end = _along(NO_TEAMS, stopped, again)[-1][1]
                assert _mailboxes(end, A) == _mailboxes(along[-1], A), f"seed {seed} after {k}"
            assert again.steps == (), f"seed {seed}"
            assert again.changes == (), f"seed {seed}"


def test_exchange_lifted_ends_as_the_documents_declare():
    restored = 0
    for seed in range(SAMPLES // 2):
        world, declared = _exchange_case(seed)
        shut = _along(NO_TEAMS, world, _plan(declared, NO_TEAMS, world))[-1][1]
        lifted = replace(declared, applications=(replace(QUARANTINED, quarantined=False),))
        if not any(A in document.applications for document in declared.exchange):
            continue
        plan = _plan(lifted, NO_TEAMS, shut)
        along = [pair[1] for pair in _along(NO_TEAMS, shut, plan)]
        wanted = {
            (A, document.scope.text.partition("@")[0]): document.right
            for document in declared.exchange
            if A in document.applications
        }
        own = {key: right for key, (right, _) in along[-1].policies.items() if key[0] == A}
        assert own == wanted, f"seed {seed}"
        either = _mailboxes(along[0], A) | _mailboxes(along[-1], A)
        assert all(_mailboxes(each, A) <= either for each in along), f"seed {seed}"
        guards = [step.id for step in plan.steps if step.address.endswith(judge.NOBODY)]
        others = [
            step.id
            for step in plan.steps
            if f"{A}@" in step.address and step.reason in ("create-restrict", "remove-restrict")
        ]
        assert not guards or guards[-1] == max(others), f"seed {seed}"
        restored += bool(guards)
    assert restored > SAMPLES // 10


# Teams


def _teams_case(seed):
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
    world = random_teams(chance, *sizes)
    wanted = documents(
        random_teams_documents(chance, *sizes), [], tenant(prune=chance.random() < 0.3)
    )
    return world, _shut(wanted)


def _people(world, application):
    return {who for who, apps in world.access(USERS, GROUPS[:3]).items() if application in apps}


SHUT_OUT = GuardedWorld({(A, judge.NOBODY): (AccessRight.RESTRICT, "")})


def _teams_ends(seed):
    world, declared = _teams_case(seed)
    for options in (PlanOptions(), ALONE):
        plan = _plan(declared, world, SHUT_OUT, options)
        yield world, declared, options, plan, [pair[0] for pair in _along(world, SHUT_OUT, plan)]


def _lists(world):
    return {name for name, (apps, _) in world.policies.items() if A in apps} | (
        {"Global"} if A in world.everyone else set()
    )


def test_teams_ends_in_no_list_and_never_reaches_more_than_before_on_the_way():
    listed = 0
    for seed in range(SAMPLES):
        for world, _, _, plan, along in _teams_ends(seed):
            assert _lists(along[-1]) == set(), f"seed {seed}"
            assert _open(plan, "teams") == set(), f"seed {seed}"
            before = _people(world, A)
            assert all(_people(each, A) <= before for each in along), f"seed {seed}"
            for other in APPS[1:3]:
                either = _people(world, other) | _people(along[-1], other)
                assert all(_people(each, other) <= either for each in along), f"seed {seed}"
            listed += bool(_lists(world))
    assert listed > SAMPLES


def test_teams_quarantined_alone_changes_nothing_else():
    for seed in range(SAMPLES):
        world, declared = _teams_case(seed)
        plan = _plan(declared, world, SHUT_OUT, ALONE)
        assert plan.refusals == (), f"seed {seed}"
        assert plan.applicable, f"seed {seed}"
        for teams, _ in _along(world, SHUT_OUT, plan):
            assert (teams.groups, teams.users) == (world.groups, world.users), f"seed {seed}"
            assert teams.everyone - {A} == world.everyone - {A}, f"seed {seed}"
            for name, (apps, text) in world.policies.items():
                assert (teams.apps(name) - {A}, teams.policies[name][1]) == (apps - {A}, text)


def test_teams_stopped_after_any_step_ends_in_no_list():
    for seed in range(SAMPLES // 3):
        for _, declared, options, plan, along in _teams_ends(seed):
            for k, stopped in enumerate(along):
                assert prefixes.locate(plan, _here(stopped, SHUT_OUT)) == k, f"seed {seed}"
                again = _plan(declared, stopped, SHUT_OUT, options)
                assert _lists(_along(stopped, SHUT_OUT, again)[-1][0]) == set(), f"seed {seed}"
            assert again.steps == (), f"seed {seed}"


def test_teams_lifted_gives_back_what_the_documents_declare():
    restored = 0
    for seed in range(SAMPLES // 2):
        world, declared = _teams_case(seed)
        shut = _along(world, SHUT_OUT, _plan(declared, world, SHUT_OUT))[-1][0]
        lifted = replace(declared, applications=())
        end = _along(shut, SHUT_OUT, _plan(lifted, shut, SHUT_OUT))[-1][0]
        for document in declared.teams:
            if document.applications is not None and document.name != "Global":
                assert end.apps(document.name) == set(document.applications), f"seed {seed}"
                restored += A in document.applications
    assert restored > SAMPLES // 10


def test_a_list_that_gets_the_application_after_planning_is_a_difference():
    world = TeamsWorld(
        {"Alpha": (frozenset({A}), ""), "Beta": (frozenset({B}), "")}, frozenset(), [], {}
    )
    plan = _plan(_shut(documents([], [])), world, SHUT_OUT)
    assert [step.address for step in plan.steps] == ["teams.policy/Alpha"]
    moved = world.copy()
    moved.policies["Beta"] = (frozenset({A, B}), "")
    assert prefixes.locate(plan, _here(world, SHUT_OUT)) == 0
    assert prefixes.locate(plan, _here(moved, SHUT_OUT)) is None


# Forged plans


def test_a_plan_without_one_of_the_steps_that_shut_out_is_seen():
    left_out = 0
    for seed in range(SAMPLES // 2):
        for cases in (_teams_ends, _exchange_ends):
            for world, _, _, plan, _ in cases(seed):
                told = {
                    (note.address.partition(".")[0], A)
                    for note in plan.held
                    if note.code in STILL_OPEN
                }
                ours = checking.still_reaching(plan.baseline, plan.steps)
                assert ours <= told, f"seed {seed}"
                for step in plan.steps:
                    rest = [each for each in plan.steps if each.id != step.id]
                    reaching = checking.still_reaching(plan.baseline, rest)
                    if step.reason == "shut-out" or _takes(step):
                        teams, exchange = _left(world, rest)
                        reached = (
                            _lists(teams) if step.provider == "teams" else _mailboxes(exchange, A)
                        )
                        assert not reached or (step.provider, A) in reaching, f"seed {seed}"
                        left_out += bool(reached)
    assert left_out > SAMPLES


def _left(world, steps):
    """Both worlds after some steps."""
    teams, exchange = (
        (world.copy(), SHUT_OUT.copy())
        if isinstance(world, TeamsWorld)
        else (NO_TEAMS.copy(), world.copy())
    )
    for step in steps:
        (teams if step.provider == "teams" else exchange).run(step.cmdlet, dict(step.parameters))
    return teams, exchange


def _takes(step):
    edit = step.parameters.get("AppIds")
    return isinstance(edit, dict) and A in edit.get("Remove", ())


def _waits(plan, numbers):
    """The warnings of steps that are kept which rely on others."""
    return [note for note in plan.warnings if note.details.get("on") in numbers]


def _renumbered(note, numbers):
    renumbered = {name: numbers[note.details[name]] for name in ("step", "on")}
    return replace(note, details={**note.details, **renumbered})


def test_a_forged_plan_that_keeps_access_is_not_taken_for_one_of_ours():
    """Without the steps, and without what follows from them, the file agrees with itself but for what
    it says of the quarantine; a note that a door is open would say so on top.
    """
    world = TeamsWorld({"Alpha": (frozenset({A}), "")}, frozenset({A}), [], {})
    exchange = GuardedWorld({(A, SCOPES[0]): (AccessRight.RESTRICT, "")})
    declared = _shut(documents([], exchange_documents(exchange)))
    plan = _plan(declared, world, exchange)
    assert [step.provider for step in plan.steps] == ["exchange"] * 2 + ["teams"] * 2
    prove_consequences(plan)
    for kept in ("exchange", "teams"):
        steps = [step for step in plan.steps if step.provider == kept]
        changes = tuple(each for each in plan.changes if each.address.startswith(kept))
        numbers = {step.id: number for number, step in enumerate(steps, 1)}
        forged = replace(
            plan,
            steps=tuple(replace(step, id=number) for number, step in enumerate(steps, 1)),
            changes=changes,
            warnings=tuple(_renumbered(note, numbers) for note in _waits(plan, numbers)),
            widened=tuple(row for row in plan.widened if row.address.startswith(kept)),
            narrowed=tuple(row for row in plan.shortened() if row.address.startswith(kept)),
            access=AccessDelta(
                *(
                    tuple(row for row in rows if row.provider == kept)
                    for rows in (plan.access.gained, plan.access.lost, plan.access.tenant_wide)
                ),
                tuple(row for row in plan.access.unpopulated if row.provider == kept),
            ),
            summary=summary(changes, plan.unmanaged, tuple(steps)),
        )
        other = {"exchange": "teams", "teams": "exchange"}[kept]
        with pytest.raises(TamperedPlan, match=rf"{other}\.application/{A} is quarantined"):
            prove_consequences(forged)


def test_a_forged_plan_that_lets_in_on_the_way_is_not_safe():
    """The list of nobody's: a step that adds the application exposes, whatever comes after it."""
    world = TeamsWorld({"Alpha": (frozenset({A}), "")}, frozenset(), [], {USERS[0]: "Alpha"})
    plan = _plan(_shut(documents([], [])), world, SHUT_OUT)
    (step,) = plan.steps
    adds = replace(
        step,
        parameters={"Identity": "Global", "AppIds": {"Add": [A]}},
        address="teams.policy/Global",
    )
    takes = replace(adds, parameters={"Identity": "Global", "AppIds": {"Remove": [A]}}, id=2)
    exposing = checking.violations(plan.baseline, [adds, takes, replace(step, id=3)])
    assert {each.application for each in exposing} == {A}
