"""A scope that documents name and that is not in the tenant: it holds its own application, and
nothing else.
"""

from __future__ import annotations

import random

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from reconciler.audiences.verdicts import Denied, Depends, Granted
from reconciler.kinds.exchange.mailbox_access import documented_verdict, mailbox_verdict
from reconciler.model.codes import Held, WarningCode
from reconciler.model.documents import AccessRight
from reconciler.planning import making, outcomes, planfile, prefixes
from reconciler.planning.checking import ViolationKind, judge_prefixes
from tests.planning.enumerated_access import (
    APPS,
    SCOPES,
    ExchangeWorld,
    documents,
    exchange_document,
    exchange_documents,
    observed,
    random_exchange,
)

SAMPLES = 300
OWNERS = [*APPS[:2], "*"]
GONE = SCOPES[3]
"""The scope that is not in the tenant, when the first plan is made."""
ADDRESS = f"{GONE}@contoso.com"
RIGHTS = [*AccessRight, None]
"""What a document may say about it; None states a deletion."""


def _case(seed):
    chance = random.Random(seed)
    world = random_exchange(chance, OWNERS, SCOPES[:2])
    wanted = random_exchange(chance, OWNERS, SCOPES[:2])
    return world, wanted, chance.choice(OWNERS), chance.choice(RIGHTS)


def _reading(world, *, is_gone=True):
    found = observed(None, world)
    if not is_gone:
        return found
    recipients = {key: row for key, row in found.directory.recipients.items() if key != GONE}
    addresses = {row.primary: key for key, row in recipients.items()}
    directory = replace(
        found.directory,
        recipients=recipients,
        recipients_by_address=addresses,
        absent=frozenset({ADDRESS}),
    )
    return replace(found, directory=directory)


def _documents(wanted, owner, right):
    awaited = exchange_document([owner], ADDRESS, right)
    return documents([], [*exchange_documents(wanted), awaited])


def _plan(declared, found, skip=()):
    return making.make_plan(declared, found, making.PlanOptions(skip=tuple(skip)))


def _owner(address):
    return address.partition("/")[2].partition("@")[0]


def _concerned(owner):
    """The owners whose policies rest on what this one waits for: what `*` has counts for all."""
    return set(OWNERS) if owner == "*" else {owner, "*"}


def _run(world, plan):
    along = [world]
    for step in plan.steps:
        later = along[-1].copy()
        later.run(step.cmdlet, dict(step.parameters))
        along.append(later)
    return along


def _rights(world):
    """Without descriptions: whose a new policy carries over depends on what goes with it."""
    return {key: right for key, (right, _) in world.policies.items()}


@pytest.fixture(scope="module")
def cases():
    made = []
    for seed in range(SAMPLES):
        world, wanted, owner, right = _case(seed)
        declared = _documents(wanted, owner, right)
        made.append((seed, world, wanted, owner, right, _plan(declared, _reading(world))))
    return made


def test_it_is_named_and_holds_nothing_up(cases):
    for seed, _, _, owner, _, plan in cases:
        assert plan.unresolved == (), f"seed {seed}"
        rows = [note for note in plan.held if note.code == Held.SCOPE_ABSENT]
        assert [(note.address, note.details["text"]) for note in rows] == [
            (f"exchange.policy/{owner}@{ADDRESS}", ADDRESS)
        ]
        (warning,) = (note for note in plan.warnings if note.code == WarningCode.SCOPE_ABSENT)
        assert warning.details == {"policies": 1}


def test_nothing_but_a_deny_comes_for_its_application(cases):
    denies = 0
    for seed, _, _, owner, _, plan in cases:
        touching = [step for step in plan.steps if _owner(step.address) in _concerned(owner)]
        denies += len(touching)
        for step in touching:
            given = (step.cmdlet, step.parameters.get("AccessRight"))
            assert given == ("New-ApplicationAccessPolicy", "DenyAccess"), f"seed {seed}"
        assert plan.access is not None
        assert not [row for row in plan.access.gained if row.application in _concerned(owner)]
    assert denies > SAMPLES // 4


def test_everything_else_is_planned_as_if_it_was_left_out(cases):
    steps = 0
    for seed, world, wanted, owner, _, plan in cases:
        concerned = sorted(
            _concerned(owner) & {key[0] for key in world.policies.keys() | wanted.policies}
        )
        skip = [f"exchange.application/{name}" for name in concerned]
        without = _plan(documents([], exchange_documents(wanted)), _reading(world), skip)
        others = [step.text for step in plan.steps if _owner(step.address) not in _concerned(owner)]
        assert sorted(others) == sorted(step.text for step in without.steps), f"seed {seed}"
        steps += len(others)
    assert steps > SAMPLES // 8


def test_what_the_documents_want_of_it_and_is_not_done_is_named(cases):
    named = 0
    for seed, world, wanted, owner, _, plan in cases:
        complete = _plan(documents([], exchange_documents(wanted)), observed(None, world))
        differing = {_owner(change.address) for change in complete.changes} & _concerned(owner)
        resting = {_owner(note.address) for note in plan.held if note.code == Held.RESTS_ON_ABSENT}
        for note in plan.held:
            if note.code == Held.RESTS_ON_ABSENT:
                assert note.details["on"] == [f"exchange.policy/{owner}@{ADDRESS}"]
        denied = {_owner(step.address) for step in plan.steps}
        assert differing <= resting | denied, f"seed {seed}"
        named += len(resting)
    assert named > SAMPLES // 2


def test_whatever_the_scope_is_no_prefix_opens_anything(cases):
    """The address may be another name of a scope that has policies, or that of a new one."""
    apps = [*APPS[:2], APPS[3]]
    for seed, world, wanted, owner, right, plan in cases:
        reached = [each.access(apps, [*SCOPES[:2], GONE]) for each in _run(world, plan)]
        for meant in (*SCOPES[:2], GONE):
            aim = dict(wanted.policies)
            if right is not None:
                aim.setdefault((owner, meant), (right, ""))
            end = ExchangeWorld(aim).access(apps, [*SCOPES[:2], GONE])
            for prefix in reached:
                mine = {(app, scopes) for app, scopes in prefix if app in _concerned(owner)}
                assert mine <= reached[0] | end, f"seed {seed}"
        for prefix in reached:
            assert prefix <= reached[0] | reached[-1], f"seed {seed}"


def test_once_the_scope_is_there_everything_converges(cases):
    for seed, world, wanted, owner, right, plan in cases:
        declared = _documents(wanted, owner, right)
        between = _run(world, plan)[-1]
        again = _plan(declared, _reading(between))
        assert again.steps == (), f"seed {seed}"
        assert again.changes == (), f"seed {seed}"
        found = _plan(declared, _reading(between, is_gone=False))
        assert found.held == (), f"seed {seed}"
        direct = _plan(declared, _reading(world, is_gone=False))
        if not (found.refusals or direct.refusals):
            assert _rights(_run(between, found)[-1]) == _rights(_run(world, direct)[-1]), seed


def test_the_checker_refuses_every_step_that_rests_on_one():
    """Whatever a planner makes: the baseline says what is awaited."""
    refused = 0
    for seed in range(60):
        world, wanted, owner, _ = _case(seed)
        plan = _plan(documents([], exchange_documents(wanted)), observed(None, world))
        if not plan.steps:
            continue
        assert plan.baseline.awaited is UNSET
        awaited = {f"exchange.application/{owner}": (f"exchange.policy/{owner}@{ADDRESS}",)}
        forged = replace(plan, baseline=replace(plan.baseline, awaited=awaited))
        resting = [
            step
            for step in plan.steps
            if _owner(step.address) in _concerned(owner)
            and (step.cmdlet, step.parameters.get("AccessRight"))
            != ("New-ApplicationAccessPolicy", "DenyAccess")
        ]
        found = [each for each in judge_prefixes(forged) if each.why is ViolationKind.AWAITED]
        assert [each.step for each in found] == [step.id for step in resting[:1]], f"seed {seed}"
        refused += bool(resting)
    assert refused > 20


def test_a_plan_file_keeps_what_is_awaited(cases, tmp_path):
    plan = next(plan for *_, plan in cases if plan.baseline.awaited is not UNSET)
    planfile.sealed(plan, tmp_path / "plan.json")
    assert planfile.load_plan(tmp_path / "plan.json").plan.baseline == plan.baseline


def test_a_plan_beside_one_is_safe_and_says_so_in_its_baseline(cases):
    told = 0
    for seed, world, _, owner, _, plan in cases:
        assert judge_prefixes(plan) == (), f"seed {seed}"
        if plan.steps:
            told += 1
            assert plan.baseline.awaited_of("exchange").keys() == {f"exchange.application/{owner}"}
            assert prefixes.locate(plan, _reading(world)) == 0
    assert told > SAMPLES // 4


def test_a_verdict_on_the_documents_is_decided_only_if_no_meaning_of_it_changes_it():
    decided = undecided = 0
    for seed in range(SAMPLES):
        world, wanted, owner, right = _case(seed)
        if right is None or not wanted.policies:
            continue
        known, unresolved = outcomes.after_documents(
            _documents(wanted, owner, right), _reading(world)
        )
        assert unresolved == 1
        state = known.states["exchange"]
        for application in (*APPS[:2], APPS[3]):
            for member_of in (frozenset(), frozenset(SCOPES[:1]), frozenset(SCOPES[:2])):
                covers = member_of.__contains__
                verdict = documented_verdict(state, application, covers)
                if owner not in {application, "*"}:
                    assert not isinstance(verdict, Depends)
                elif isinstance(verdict, Depends):
                    undecided += 1
                    assert verdict.unknown == (f"exchange.policy/{owner}@{ADDRESS}",)
                else:
                    decided += 1
                    assert isinstance(verdict, Denied)
                plain = mailbox_verdict(state, application, covers)
                reached = ExchangeWorld(
                    {key: (policy.right, "") for key, policy in state.policies.items()}
                ).granted(application, member_of)
                assert isinstance(plain, Granted) is reached, "after the plan it is known"
    assert decided > 100
    assert undecided > 100
