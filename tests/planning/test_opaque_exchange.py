"""One Exchange policy that nobody understands: it stops what rests on it, and nothing else."""

from __future__ import annotations

import random

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from reconciler.audiences.verdicts import Denied, Depends, Granted
from reconciler.kinds.exchange.mailbox_access import mailbox_verdict
from reconciler.model.access_rows import Certainty
from reconciler.model.codes import Held
from reconciler.model.documents import AccessRight
from reconciler.model.observed import OpaqueRow
from reconciler.planning import making, prefixes
from reconciler.planning.checking import ViolationKind, judge_prefixes
from tests.planning.enumerated_access import (
    APPS,
    SCOPES,
    ExchangeWorld,
    documents,
    exchange_documents,
    observed,
    random_exchange,
)

SAMPLES = 300
OWNERS = [*APPS[:2], "*"]
ODD = (OpaqueRow('{"Identity": "what nobody understands"}', "Identity: odd"),)
HIDDEN = SCOPES[3]
"""The scope that the odd policy really has."""


def _case(seed):
    chance = random.Random(seed)
    world = random_exchange(chance, OWNERS, SCOPES[:2])
    wanted = random_exchange(chance, OWNERS, SCOPES[:2])
    return world, wanted, chance.choice(OWNERS), chance.choice(list(AccessRight))


def _reading(world, owner):
    """A reading of the world in which the owner has one policy more that is not understood."""
    found = observed(None, world)
    state = replace(found.states["exchange"], opaque={owner: ODD})
    return replace(found, states={"exchange": state})


def _plan(wanted, found, skip=()):
    options = making.PlanOptions(skip=tuple(skip))
    return making.make_plan(documents([], exchange_documents(wanted)), found, options)


def _owner(step):
    return step.address.partition("/")[2].partition("@")[0]


def _held(owner):
    """The owners whose policies rest on an odd one of this owner: what `*` has counts for all."""
    return set(OWNERS) if owner == "*" else {owner, "*"}


@pytest.fixture(scope="module")
def cases():
    made = []
    for seed in range(SAMPLES):
        world, wanted, owner, right = _case(seed)
        plan = _plan(wanted, _reading(world, owner))
        made.append((seed, world, wanted, owner, right, plan))
    return made


def test_nothing_but_a_deny_comes_where_a_policy_is_not_understood(cases):
    denies = 0
    for seed, _, _, owner, _, plan in cases:
        touching = [step for step in plan.steps if _owner(step) in _held(owner)]
        denies += len(touching)
        for step in touching:
            given = (step.cmdlet, step.parameters.get("AccessRight"))
            assert given == ("New-ApplicationAccessPolicy", "DenyAccess"), f"seed {seed}"
        notes = [note for note in plan.held if note.code == Held.NOT_UNDERSTOOD]
        assert [(note.address, note.details["text"]) for note in notes] == [
            (f"exchange.application/{owner}", ODD[0].text)
        ]
        assert plan.access is not None
        assert not [row for row in plan.access.gained if row.application in _held(owner)]
        lost = [row for row in plan.access.lost if owner in {row.application, "*"}]
        assert {row.certainty for row in lost} <= {Certainty.POSSIBLE}, f"seed {seed}"
    assert denies > SAMPLES // 4


def test_everything_else_is_planned_as_if_the_odd_policy_were_not_there(cases):
    steps = 0
    for seed, world, wanted, owner, _, plan in cases:
        concerned = sorted(
            _held(owner) & {key[0] for key in world.policies.keys() | wanted.policies}
        )
        skip = [f"exchange.application/{name}" for name in concerned]
        without = _plan(wanted, observed(None, world), skip)
        others = [step.text for step in plan.steps if _owner(step) not in _held(owner)]
        assert sorted(others) == sorted(step.text for step in without.steps), f"seed {seed}"
        if len(others) == len(plan.steps):
            assert others == [step.text for step in without.steps], f"seed {seed}"
            assert plan.access == without.access, f"seed {seed}"
        steps += len(others)
    assert steps > SAMPLES // 8


def test_what_the_documents_want_of_it_and_is_not_done_is_named(cases):
    named = 0
    for seed, world, wanted, owner, _, plan in cases:
        complete = _plan(wanted, observed(None, world))
        differing = {
            change.address.partition("/")[2].partition("@")[0] for change in complete.changes
        }
        resting = {
            note.address.partition("/")[2]
            for note in plan.held
            if note.code == Held.RESTS_ON_OPAQUE
        }
        denied = {_owner(step) for step in plan.steps}
        assert resting <= differing & _held(owner), f"seed {seed}"
        assert differing & _held(owner) <= resting | denied, f"seed {seed}"
        named += len(resting)
    assert named > SAMPLES // 2


def test_whatever_the_odd_policy_is_no_prefix_opens_anything(cases):
    """The world really has the policy that the reading does not understand."""
    apps = [*APPS[:2], APPS[3]]
    for seed, world, _, owner, right, plan in cases:
        along = [ExchangeWorld({**world.policies, (owner, HIDDEN): (right, "")})]
        for step in plan.steps:
            later = along[-1].copy()
            later.run(step.cmdlet, dict(step.parameters))
            along.append(later)
        reached = [each.access(apps, [*SCOPES[:2], HIDDEN]) for each in along]
        for prefix in reached:
            assert prefix <= reached[0] | reached[-1], f"seed {seed}"


def test_a_deny_of_another_scope_waits_for_nothing_and_nothing_is_certain():
    """The odd policy's text has the SID of its scope: a scope with another SID is another one."""
    world = ExchangeWorld({(APPS[0], SCOPES[0]): (AccessRight.RESTRICT, "")})
    wanted = ExchangeWorld(
        {
            (APPS[0], SCOPES[0]): (AccessRight.RESTRICT, "new"),
            (APPS[0], SCOPES[1]): (AccessRight.DENY, ""),
            (APPS[0], SCOPES[2]): (AccessRight.DENY, ""),
        }
    )
    found = observed(None, world)
    row = OpaqueRow(f'{{"Identity": "{APPS[0]}:S-1-5-21-1-1-1-2"}}', "odd")
    state = replace(found.states["exchange"], opaque={APPS[0]: (row,)})
    plan = _plan(wanted, replace(found, states={"exchange": state}))
    assert plan.applicable
    assert [step.address for step in plan.steps] == [f"exchange.policy/{APPS[0]}@{SCOPES[1]}"]
    assert plan.access is not None
    assert [row.certainty for row in plan.access.lost] == [Certainty.POSSIBLE]
    assert not plan.access.gained
    assert plan.baseline.opaque == {f"exchange.application/{APPS[0]}": (row.text,)}
    assert judge_prefixes(plan) == ()
    assert prefixes.locate(plan, replace(found, states={"exchange": state})) == 0
    assert prefixes.locate(plan, found) is None


def test_a_policy_that_is_odd_since_the_plan_was_made_makes_it_stale():
    plan = _plan(
        ExchangeWorld({(APPS[0], SCOPES[0]): (AccessRight.DENY, "")}),
        observed(None, ExchangeWorld()),
    )
    assert prefixes.locate(plan, observed(None, ExchangeWorld())) == 0
    for owner, count in ((APPS[0], None), ("*", None), (APPS[1], 0)):
        assert prefixes.locate(plan, _reading(ExchangeWorld(), owner)) == count


@pytest.mark.parametrize("owner", [APPS[0], "*"])
def test_the_checker_refuses_every_step_that_rests_on_one(owner):
    """Whatever a planner makes: the baseline says what was not understood."""
    refused = 0
    for seed in range(60):
        world, wanted, _, _ = _case(seed)
        plan = _plan(wanted, observed(None, world))
        if not plan.steps:
            continue
        assert plan.baseline.opaque is UNSET
        forged = replace(
            plan,
            baseline=replace(plan.baseline, opaque={f"exchange.application/{owner}": ("odd",)}),
        )
        resting = [
            step
            for step in plan.steps
            if _owner(step) in _held(owner)
            and (step.cmdlet, step.parameters.get("AccessRight"))
            != ("New-ApplicationAccessPolicy", "DenyAccess")
        ]
        found = [each for each in judge_prefixes(forged) if each.why is ViolationKind.OPAQUE]
        assert [each.step for each in found] == [step.id for step in resting[:1]], f"seed {seed}"
        refused += bool(resting)
    assert refused > 20


MEANINGS = [None, *((right, scope) for right in AccessRight for scope in (*SCOPES[:2], HIDDEN))]
"""What the odd policy may be: nothing that counts, or a right of a scope."""


def test_a_verdict_that_an_odd_policy_bears_on_is_decided_only_if_no_meaning_changes_it():
    decided = undecided = 0
    for seed in range(SAMPLES):
        world, _, owner, _ = _case(seed)
        state = _reading(world, owner).states["exchange"]
        for application in (*APPS[:2], APPS[3]):
            for member_of in (frozenset(), frozenset(SCOPES[:1]), frozenset(SCOPES[:2])):
                verdict = mailbox_verdict(state, application, member_of.__contains__)
                if owner not in {application, "*"}:
                    assert not isinstance(verdict, Depends)
                    continue
                meant = {
                    _granted(world, owner, meaning, application, member_of) for meaning in MEANINGS
                }
                if isinstance(verdict, Depends):
                    undecided += 1
                    assert f"exchange.application/{owner}" in verdict.unknown
                else:
                    decided += 1
                    assert meant == {isinstance(verdict, Granted)}
                    assert isinstance(verdict, Denied)
    assert decided > 100
    assert undecided > 100


def _granted(world, owner, meaning, application, member_of):
    policies = dict(world.policies)
    if meaning is not None:
        right, scope = meaning
        policies.setdefault((owner, scope), (right, ""))
    return ExchangeWorld(policies).granted(application, member_of)
