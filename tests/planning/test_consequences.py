"""A plan file agrees with itself: what it says follows from its baseline and steps, whatever is known
of memberships; and one that was changed and sealed again does not.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import pytest
from msgspec.structs import replace

from reconciler.errors import TamperedPlan
from reconciler.model.access_rows import AccessDelta
from reconciler.model.codes import WarningCode
from reconciler.model.observed import Group
from reconciler.planning import consequences, making
from reconciler.planning.making import PlanOptions
from reconciler.planning.serial import summary
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
)
from tests.thoroughness import samples


def some_known(chance, reading):
    """The same tenant with memberships that are known, empty, or not known."""

    def members(people):
        return chance.choice(
            [None, frozenset(), frozenset(chance.sample(people, chance.randint(1, len(people))))]
        )

    directory = reading.directory
    groups = {group: Group(group, group, members(USERS)) for group in GROUPS}
    recipients = {
        scope: replace(recipient, members=members(USERS))
        if chance.random() < 0.7
        else replace(recipient, type="UserMailbox")
        for scope, recipient in directory.recipients.items()
    }
    absent = frozenset(scope for scope in recipients if chance.random() < 0.1)
    return replace(
        reading,
        directory=replace(directory, groups=groups, recipients=recipients, absent=absent),
    )


def case(seed):
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:4], GROUPS[:3], NAMES)
    teams, declared = random_teams(chance, *sizes), random_teams_documents(chance, *sizes)
    apps = [*APPS[:2], "*"]
    store, wanted = (random_exchange(chance, apps, SCOPES[:3]) for _ in range(2))
    wanted = documents(declared, exchange_documents(wanted))
    return wanted, some_known(chance, observed(teams, store))


def consented(seed):
    """A plan with every consent that it asks for."""
    wanted, reading = case(seed)
    plan = making.make_plan(wanted, reading, PlanOptions())
    allow = tuple(str(note.details["allow"]) for note in plan.refusals if "allow" in note.details)
    return making.make_plan(wanted, reading, PlanOptions(allow=allow)) if allow else plan


@pytest.mark.no_cover
def test_every_plan_agrees_with_itself_whatever_is_known_of_memberships():
    counted = Counter()
    for seed in range(samples(250)):
        plan = consented(seed)
        consequences.prove_consequences(plan)
        counted["applicable"] += plan.applicable
        counted["tenant-wide"] += bool(plan.applicable and plan.access.tenant_wide)
        counted["unpopulated"] += bool(plan.access.unpopulated)
    assert counted["applicable"] > samples(175), counted
    assert min(counted["tenant-wide"], counted["unpopulated"]) > samples(7), counted


def applicable(seed):
    plan = consented(seed)
    return plan if plan.applicable and plan.steps else None


@cache
def applicable_plans():
    return [plan for plan in map(applicable, range(samples(120))) if plan is not None]


def without(rows, chance):
    place = chance.randrange(len(rows))
    return rows[:place] + rows[place + 1 :]


def refused(plan):
    with pytest.raises(TamperedPlan, match="was changed after planning") as fault:
        consequences.prove_consequences(plan)
    assert fault.value.exit_code == 5


def test_a_plan_without_one_of_its_changes_is_refused():
    chance = random.Random(1)
    for plan in applicable_plans():
        refused(replace(plan, changes=without(plan.changes, chance)))
        refused(replace(plan, changes=()))


def test_a_change_whose_values_are_not_what_the_steps_do_is_refused():
    altered = 0
    for plan in applicable_plans():
        for place, change in enumerate(plan.changes):
            if change.before is not None and change.after is not None:
                changes = list(plan.changes)
                changes[place] = replace(change, after=change.before, before=change.after)
                altered += 1
                refused(replace(plan, changes=tuple(changes)))
    assert altered > 50


def test_a_plan_whose_access_is_emptied_is_refused():
    emptied = 0
    for plan in applicable_plans():
        if plan.access.gained or plan.access.lost:
            certain = [row for row in plan.access.gained if row.subject.kind != "group-members"]
            if any(row.certainty == "certain" for row in certain):
                emptied += 1
                refused(replace(plan, access=AccessDelta((), (), (), ())))
                refused(replace(plan, access=None))
    assert emptied > 30


def test_a_gain_of_an_application_that_no_step_concerns_is_refused():
    for plan in applicable_plans():
        for row in plan.access.gained[:1]:
            stray = replace(row, application="99999999-0000-4000-8000-000000000000")
            refused(replace(plan, access=replace(plan.access, gained=(*plan.access.gained, stray))))


def test_whoever_comes_to_reach_everyone_is_named_and_has_a_consent():
    wide = [plan for plan in applicable_plans() if plan.access.tenant_wide]
    assert len(wide) > 5
    for plan in wide:
        kept = tuple(one for one in plan.consents if not one.startswith("tenant-wide:"))
        refused(replace(plan, consents=kept))
        refused(
            replace(
                plan,
                consents=kept,
                access=replace(plan.access, tenant_wide=()),
            )
        )


def test_applicable_beside_a_refusal_is_refused_and_so_is_its_opposite():
    for seed in range(samples(80)):
        wanted, reading = case(seed)
        plan = making.make_plan(wanted, reading, PlanOptions())
        refused(replace(plan, applicable=not plan.applicable))


def test_figures_that_are_not_those_of_changes_and_steps_are_refused():
    for plan in applicable_plans()[:20]:
        for figure in ("steps", "policies_create", "grants_delete", "unmanaged"):
            summary = {**plan.summary, figure: plan.summary[figure] + 1}
            refused(replace(plan, summary=summary))


def test_a_step_is_temporary_only_if_a_later_one_undoes_it():
    hidden = 0
    for plan in applicable_plans():
        for place, change in enumerate(plan.changes):
            address = change.address.lower()
            steps = tuple(
                replace(step, temporary=True) if step.address.lower() == address else step
                for step in plan.steps
            )
            changes = plan.changes[:place] + plan.changes[place + 1 :]
            summary_ = summary(changes, plan.unmanaged, steps)
            hidden += 1
            refused(
                replace(plan, steps=steps, changes=changes, summary={**plan.summary, **summary_})
            )
    assert hidden > 100


def test_a_step_waits_only_for_an_earlier_one_of_its_product():
    seen = 0
    for seed in range(samples(200)):
        plan = consented(seed)
        relying = [note for note in plan.warnings if note.code == WarningCode.RELIES_ON]
        if not relying:
            continue
        seen += 1
        note, others = relying[0], tuple(each for each in plan.warnings if each != relying[0])
        step = note.details["step"]
        strangers = [
            each.id for each in plan.steps if each.provider != plan.steps[step - 1].provider
        ]
        for on in (step, len(plan.steps) + 1, 0, "1", None, 1.5, *strangers):
            forged = replace(note, details={**note.details, "on": on})
            with pytest.raises(TamperedPlan, match="relies on step"):
                consequences.prove_consequences(replace(plan, warnings=(*others, forged)))
        forged = replace(note, address="teams.policy/another")
        with pytest.raises(TamperedPlan, match="relies on step"):
            consequences.prove_consequences(replace(plan, warnings=(*others, forged)))
    assert seen > 10
