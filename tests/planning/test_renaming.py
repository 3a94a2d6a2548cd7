"""`movedFrom` of a Teams policy: a new one takes the place of the old one, as one change by which
nobody gains or loses; judged by the plain model in enumerated_access.py and on the simulator.
"""

from __future__ import annotations

import itertools
import random
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.errors import TamperedPlan
from reconciler.model.codes import ChangeReason, Held, WarningCode
from reconciler.model.documents import GroupGrant
from reconciler.model.plans import Action, Invocation, Plan
from reconciler.planning import consequences, making, prefixes
from reconciler.planning.checking import judge_prefixes
from tests.applying import small_tenants
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    HERE,
    NAMES,
    USERS,
    StepFailed,
    TeamsWorld,
    documents,
    listing,
    observed,
    random_teams,
    random_teams_documents,
    teams_document,
    tenant,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.model.documents import Documents, TeamsPolicyDocument

NEW = "Delta"
SIZES = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)


def _plan(declared: Documents, world: TeamsWorld, **options: Any) -> Plan:
    return making.make_plan(declared, observed(world, None), making.PlanOptions(**options))


def _along(world: TeamsWorld, plan: Plan) -> list[TeamsWorld]:
    """The world before the first step, and after each."""
    worlds = [world.copy()]
    for step in plan.steps:
        worlds.append(worlds[-1].copy())
        worlds[-1].run(step.cmdlet, dict(step.parameters))
    return worlds


def _access(world: TeamsWorld) -> Mapping[Any, frozenset[str]]:
    """Of all users of the case and one that nothing names, in every combination of groups."""
    return world.access(USERS, GROUPS[:3])


@cache
def _rename(seed: int) -> tuple[TeamsWorld, Documents, str]:
    """A world, a document that renames one of its policies and says as much of it as it likes, and
    the old name.
    """
    chance = random.Random(seed)
    world = random_teams(chance, *SIZES)
    world.policies.setdefault("Alpha", (frozenset(chance.sample(APPS[:3], 2)), "old"))
    old = chance.choice(sorted(world.policies))
    apps, text = world.policies[old]
    groups = [group for group, name in world.groups if name == old]
    document = teams_document(
        NEW,
        moved_from=chance.choice([old, old.upper()]),
        applications=chance.choice([None, tuple(sorted(apps))]),
        description=chance.choice([None, text]),
        users=chance.choice(
            [None, (listing(sorted(user for user, name in world.users.items() if name == old)),)]
        ),
        groups=chance.choice(
            [
                None,
                tuple(GroupGrant(group, rank, None, HERE) for rank, group in enumerate(groups, 1)),
            ]
        ),
    )
    return world, documents([document], [], tenant(prune=chance.random() < 0.3)), old


def _renamed(world: TeamsWorld, old: str) -> TeamsWorld:
    """What the service would make of it if it could rename."""

    def name(each: str) -> str:
        return NEW if each == old else each

    return TeamsWorld(
        {name(each): content for each, content in world.policies.items()},
        world.everyone,
        [(group, name(held)) for group, held in world.groups],
        {user: name(held) for user, held in world.users.items()},
    )


SEEDS = range(300)


@pytest.mark.no_cover
def test_nobody_gains_or_loses_at_any_step_and_only_the_name_differs_in_the_end():
    moved = 0
    for seed in SEEDS:
        world, declared, old = _rename(seed)
        pruned = declared.tenant is not None and bool(declared.tenant.prune)
        plan = _plan(declared, world)
        along = _along(world, plan)
        assert all(_access(each) == _access(world) for each in along), f"seed {seed}"
        end, expected = along[-1], _renamed(world, old)
        assert (end.users, end.groups, end.everyone) == (
            expected.users,
            expected.groups,
            expected.everyone,
        ), f"seed {seed}"
        assert end.policies[NEW] == world.policies[old]
        assert old not in end.policies
        assert pruned or end.policies == expected.policies, f"seed {seed}"
        assert plan.applicable, f"seed {seed}: {plan.refusals}"
        assert plan.access is not None
        assert (plan.access.gained, plan.access.lost, plan.gaps) == ((), (), ()), f"seed {seed}"
        assert judge_prefixes(plan) == (), f"seed {seed}"
        consequences.prove_consequences(plan)
        moved += sum(change.reason == ChangeReason.RENAMED for change in plan.changes)
    assert moved > 3 * len(SEEDS)


def test_it_is_one_change_that_comes_and_goes_together():
    for seed in SEEDS:
        world, declared, old = _rename(seed)
        changes = {change.address: change for change in _plan(declared, world).changes}
        made, gone = changes[f"teams.policy/{NEW}"], changes[f"teams.policy/{old}"]
        assert (made.actions, gone.actions) == ((Action.CREATE,), (Action.DELETE,))
        assert (made.replaces, gone.replaces) == (gone.address, made.address)
        assert {made.reason, gone.reason} == {ChangeReason.RENAMED}


@pytest.mark.no_cover
def test_stopped_after_any_step_a_new_plan_goes_on():
    for seed in SEEDS[:120]:
        world, declared, old = _rename(seed)
        plan = _plan(declared, world)
        along = _along(world, plan)
        for number, stopped in enumerate(along):
            assert prefixes.locate(plan, observed(stopped, None)) == number, f"seed {seed}"
            again = _plan(declared, stopped)
            worlds = _along(stopped, again)
            assert all(_access(each) == _access(world) for each in worlds), f"seed {seed}"
            assert worlds[-1] == along[-1], f"seed {seed} after {number}"
        done = _plan(declared, along[-1])
        assert done.changes == ()
        moved_on = [
            note.address.lower() for note in done.warnings if note.code == WarningCode.MOVED_ON
        ]
        assert moved_on == [f"teams.policy/{old.lower()}"]


def _anything(seed: int) -> tuple[TeamsWorld, Documents]:
    """Random documents of which one takes the place of a policy that no other declares; it may exist
    already, with any content, and have holders.
    """
    chance = random.Random(seed)
    world = random_teams(chance, *SIZES)
    declared = random_teams_documents(chance, *SIZES)
    free = sorted(set(NAMES) - {document.name for document in declared})
    may_move = [
        place
        for place, document in enumerate(declared)
        if not document.absent and document.name != "Global"
    ]
    if free and may_move:
        place = chance.choice(may_move)
        declared[place] = replace(declared[place], moved_from=chance.choice(free))
    return world, documents(declared, [], tenant(prune=chance.random() < 0.3))


@pytest.mark.no_cover
@pytest.mark.parametrize("group_changes", ["in-place", "remove-add"])
def test_with_any_other_change_prefixes_are_safe_and_plans_converge(group_changes: str):
    renames = stops = 0
    for seed in range(400):
        world, declared = _anything(seed)
        if not any(document.moved_from for document in declared.teams):
            continue
        plan = _plan(declared, world, group_changes=group_changes)
        if group_changes == "remove-add" and not plan.applicable:
            continue  # the documented way of groups exposes somebody in any order
        along = _along(world, plan)
        before, after = _access(along[0]), _access(along[-1])
        for each in along:
            reached = _access(each)
            assert all(reached[key] <= before[key] | after[key] for key in reached), f"seed {seed}"
        assert judge_prefixes(plan) == (), f"seed {seed}"
        again = _plan(declared, along[-1], group_changes=group_changes)
        assert (again.steps, again.changes) == ((), ()), f"seed {seed}"
        renames += any(change.replaces for change in plan.changes)
        for stopped in along[1:-1] if seed % 3 == 0 and group_changes == "in-place" else ():
            assert _along(stopped, _plan(declared, stopped))[-1] == along[-1], f"seed {seed}"
            stops += 1
    assert renames > 20
    assert stops > 50 or group_changes == "remove-add"


def test_no_step_can_be_left_out():
    for seed in range(0, 300, 5):
        world, declared, _ = _rename(seed)
        plan = _plan(declared, world)
        for left_out in range(len(plan.steps)):
            fewer = replace(plan, steps=plan.steps[:left_out] + plan.steps[left_out + 1 :])
            try:
                end = _along(world, fewer)[-1]
            except StepFailed:
                continue
            assert _plan(declared, end).steps, f"seed {seed}: {plan.steps[left_out].text}"


# forged plans


def _with_steps(plan: Plan, steps: Sequence[Any]) -> Plan:
    numbered = tuple(replace(step, id=number) for number, step in enumerate(steps, 1))
    return replace(plan, steps=numbered)


def _deleted_first(plan: Plan, _world: TeamsWorld, old: str) -> Plan | None:
    first = [step for step in plan.steps if step.address == f"teams.policy/{old}"]
    rest = [step for step in plan.steps if step not in first]
    return _with_steps(plan, [*first, *rest]) if len(rest) > 1 else None


def _granted_first(plan: Plan, _world: TeamsWorld, _old: str) -> Plan | None:
    grants = [step for step in plan.steps if step.cmdlet.startswith("Grant-")]
    rest = [step for step in plan.steps if step not in grants]
    return _with_steps(plan, [*grants, *rest]) if grants else None


def _with_one_more_application(plan: Plan, world: TeamsWorld, old: str) -> Plan | None:
    more = sorted(set(APPS[:3]) - world.apps(old))
    if not more or old not in {*world.users.values(), *(name for _, name in world.groups)}:
        return None
    steps = [
        replace(step, parameters={**step.parameters, "AppIds": [*step.parameters["AppIds"], *more]})  # type: ignore[misc]
        if step.cmdlet.startswith("New-") and "AppIds" in step.parameters
        else step
        for step in plan.steps
    ]
    return _with_steps(plan, steps) if tuple(steps) != plan.steps else None


def _granted_another(plan: Plan, world: TeamsWorld, old: str) -> Plan | None:
    """One holder gets another policy than the new one."""
    others = [
        name for name in world.policies if name != old and world.apps(name) != world.apps(old)
    ]
    place = next(
        (place for place, step in enumerate(plan.steps) if step.parameters.get("PolicyName")), None
    )
    if not others or place is None:
        return None
    steps = list(plan.steps)
    steps[place] = replace(
        steps[place], parameters={**steps[place].parameters, "PolicyName": others[0]}
    )
    return _with_steps(plan, steps)


def _never_deleted(plan: Plan, _world: TeamsWorld, old: str) -> Plan | None:
    return _with_steps(plan, [step for step in plan.steps if step.address != f"teams.policy/{old}"])


def _called_another(plan: Plan, world: TeamsWorld, old: str) -> Plan | None:
    """The new policy is said to take the place of another one."""
    changes = tuple(
        replace(change, replaces="teams.policy/Somebody")
        if change.address == f"teams.policy/{NEW}"
        else change
        for change in plan.changes
    )
    return replace(plan, changes=changes)


def _half_named(plan: Plan, world: TeamsWorld, old: str) -> Plan | None:
    changes = tuple(
        replace(change, replaces=None) if change.before is not None else change
        for change in plan.changes
    )
    return replace(plan, changes=changes)


FORGERIES = {
    "deleted first": _deleted_first,
    "granted first": _granted_first,
    "one application more": _with_one_more_application,
    "another policy": _granted_another,
    "never deleted": _never_deleted,
    "called another": _called_another,
    "half named": _half_named,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_rename_is_refused(forgery: str):
    """By the checker of prefixes, which looks at baseline and steps alone, or because the file
    contradicts itself.
    """
    forged = 0
    for seed in SEEDS[:100]:
        world, declared, old = _rename(seed)
        plan = FORGERIES[forgery](_plan(declared, world), world, old)
        if plan is None:
            continue
        forged += 1
        if judge_prefixes(plan):
            continue
        with pytest.raises(TamperedPlan):
            consequences.prove_consequences(plan)
    assert forged > 20


# whose grants go along


def _world() -> TeamsWorld:
    return TeamsWorld(
        {"Alpha": (frozenset(APPS[:1]), ""), "Beta": (frozenset(APPS[1:2]), "")},
        frozenset(),
        [(GROUPS[0], "Alpha"), (GROUPS[1], "Beta"), (GROUPS[2], "Alpha")],
        {USERS[0]: "Alpha", USERS[1]: "Alpha", USERS[2]: "Beta"},
    )


def _end(document: TeamsPolicyDocument, *others: TeamsPolicyDocument, **options: Any) -> TeamsWorld:
    world = _world()
    return _along(world, _plan(documents([document, *others], []), world, **options))[-1]


def test_a_list_is_the_whole_truth_about_both_names():
    end = _end(
        teams_document(
            NEW,
            moved_from="alpha",
            users=(listing([USERS[0]]),),
            groups=(GroupGrant(GROUPS[2], 1, None, HERE),),
        )
    )
    assert end.users == {USERS[0]: NEW, USERS[2]: "Beta"}
    assert end.groups == [(GROUPS[1], "Beta"), (GROUPS[2], NEW)]
    assert "Alpha" not in end.policies


def test_whom_another_document_lists_goes_there():
    end = _end(
        teams_document(NEW, moved_from="Alpha"),
        teams_document("Beta", users=(listing([USERS[1], USERS[2]]),)),
    )
    assert end.users == {USERS[0]: NEW, USERS[1]: "Beta", USERS[2]: "Beta"}


def test_what_is_held_keeps_the_old_policy_and_the_rest_moves():
    world = _world()
    declared = documents([teams_document(NEW, moved_from="Alpha")], [])
    plan = _plan(declared, world, skip=(f"teams.grant/user:{USERS[0]}",))
    end = _along(world, plan)[-1]
    assert end.users == {USERS[0]: "Alpha", USERS[1]: NEW, USERS[2]: "Beta"}
    assert {"Alpha", NEW} <= end.policies.keys()
    assert {note.address: note.code for note in plan.held}["teams.policy/Alpha"] == Held.GRANT_HELD
    assert _access(end) == _access(world)


@pytest.mark.parametrize("choice", ["only", "skip"])
def test_a_selection_never_acts_beyond_what_was_named(choice: str):
    world = _world()
    declared = documents([teams_document(NEW, moved_from="Alpha")], [])
    new, old = f"teams.policy/{NEW}", "teams.policy/Alpha"
    for named in (new, old):
        plan = _plan(declared, world, **{choice: (named,)})
        touched = {step.address for step in plan.steps}
        assert touched <= {named} if choice == "only" else named not in touched
        assert old not in touched, "it has holders"
        assert _access(_along(world, plan)[-1]) == _access(world)


def test_the_digest_of_the_documents_tells_a_rename_from_a_deletion():
    world = _world()
    users = (listing([USERS[0], USERS[1]]),)
    renamed = documents([teams_document(NEW, moved_from="Alpha", users=users, groups=())], [])
    deleted = documents(
        [teams_document(NEW, users=users, groups=()), teams_document("Alpha", absent=True)], []
    )
    digests = {_plan(declared, world).inputs.documents_digest for declared in (renamed, deleted)}
    assert len(digests) == 2


# on the simulator


def _reached(state: Mapping[str, Any]) -> Mapping[Any, frozenset[str]]:
    """Whom applications reach in what a simulated tenant shows."""
    teams = state["teams"]
    lists = {
        row["Identity"].removeprefix("Tag:"): frozenset(row["AppIds"]) for row in teams["policies"]
    }
    direct = {row["Identity"]: row["ApplicationAccessPolicy"]["Name"] for row in teams["users"]}
    ranked = sorted(teams["groupAssignments"], key=lambda row: row["Priority"])
    groups = [small_tenants.group(number) for number in range(1, 4)]
    reached = {}
    for user in map(small_tenants.user, range(1, 6)):
        for size in range(len(groups) + 1):
            for members in itertools.combinations(groups, size):
                through = [row["PolicyName"] for row in ranked if row["GroupId"] in members]
                reached[user, members] = lists[direct.get(user, [*through, "Global"][0])]
    return reached


@pytest.mark.no_cover
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(world=small_tenants.worlds(), lists=st.booleans(), data=st.data())
def test_on_the_simulator_stopped_after_every_step_nobody_s_access_changes(
    world: small_tenants.World, lists: bool, data: st.DataObject, tmp_path: Path
):
    if not world.policies:
        return
    old = data.draw(st.sampled_from(sorted(world.policies)))
    world = replace_exchange(world)
    (document,) = (
        each
        for each in small_tenants.documents(world).teams
        if each.name == small_tenants.policy(old)
    )
    given_lists = {} if lists else {"users": None, "groups": None, "applications": None}
    renamed = replace(document, name=NEW, moved_from=small_tenants.policy(old), **given_lists)
    declared = replace(small_tenants.documents(small_tenants.World()), teams=(renamed,))
    before = _reached(small_tenants.state(world))
    total = len(small_tenants.planned(small_tenants.simulator(tmp_path, world), declared).steps)
    for stop in range(total + 1):
        simulated = small_tenants.simulator(tmp_path, world)
        for most in (stop, None):
            for step in small_tenants.planned(simulated, declared).steps[:most]:
                simulated.run(Invocation(step.cmdlet, step.parameters), step.text)
                assert _reached(simulated.capture(small_tenants.EVERYTHING)) == before  # type: ignore[arg-type]
        again = small_tenants.planned(simulated, declared)
        assert again.changes == ()
        names = simulated.capture(small_tenants.EVERYTHING)["teams"]["policies"]  # type: ignore[index,call-overload]
        assert {f"Tag:{NEW}"} <= {row["Identity"] for row in names}
        assert f"Tag:{small_tenants.policy(old)}" not in {row["Identity"] for row in names}


def replace_exchange(world: small_tenants.World) -> small_tenants.World:
    """The same world without policies of Exchange."""
    return small_tenants.World(world.policies, world.users, world.groups)
