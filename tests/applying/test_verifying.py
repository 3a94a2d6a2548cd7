"""What `verify` holds against a plan: a tenant that is anywhere on the plan's way shows nothing of
somebody else, and one that is where the journal says shows all of it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.applying.journal import Header, Journal, StepState
from reconciler.applying.last_apply import JournalledStep, LastApply, last_apply
from reconciler.applying.verifying import (
    ChangedObject,
    Comparison,
    changed_objects,
    compared_with_plan,
    comparison_key,
    superseded,
)
from reconciler.captures import reading
from reconciler.model.addresses import Address
from reconciler.model.histories import LaterPlan
from reconciler.model.plans import Invocation
from reconciler.model.verifications import Acceptance, Visibility
from reconciler.planning.prefixes import differences_after
from reconciler.tenants.protocol import Done
from tests.applying import small_tenants
from tests.applying.small_tenants import EVERYTHING, NOON, TENANT, worlds

if TYPE_CHECKING:
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan
    from reconciler.tenants.simulated import Simulator
    from tests.applying.small_tenants import World

EXAMPLES = 40
QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate)


def journalled(plan: Plan, done: int) -> LastApply:
    """What journals say once so many steps are done, one a second."""
    steps = {
        step.id: JournalledStep(step.address, NOON + step.id, StepState.DONE)
        for step in plan.steps[:done]
    }
    return replace(journalled_nothing(), total=len(plan.steps), steps=steps)


def observed(tenant: Simulator) -> Observed:
    return reading.parse_capture(
        tenant.capture(EVERYTHING), source="simulated", tenant_id=TENANT, needs=EVERYTHING.products
    )


def course(before: World, after: World) -> tuple[Plan, list[Observed]]:
    """A plan from one state to another, and the tenant after each number of its steps."""
    with tempfile.TemporaryDirectory() as name:
        tenant = small_tenants.simulator(Path(name), before)
        gone = before.policies.keys() - after.policies.keys()
        plan = small_tenants.planned(tenant, small_tenants.documents(after, absent=gone))
        shown = [observed(tenant)]
        for step in plan.steps:
            assert isinstance(tenant.run(Invocation(step.cmdlet, step.parameters), step.text), Done)
            shown.append(observed(tenant))
        return plan, shown


@settings(max_examples=EXAMPLES, phases=QUICKLY)
@given(worlds(), worlds(), st.data())
def test_a_tenant_on_the_way_is_late_and_never_somebody_elses(
    before: World, after: World, data: st.DataObject
) -> None:
    plan, shown = course(before, after)
    done = data.draw(st.integers(0, len(plan.steps)))
    applied = journalled(plan, done)
    for late in range(done + 1):
        comparison = compared_with_plan(plan, applied, shown[late])
        assert set(comparison.states.values()) <= {Visibility.NOT_YET}
        assert bool(comparison.states) is bool(
            differences_after(plan, plan.steps[:done], shown[late])
        )
        written = {comparison_key(each.address) for each in changed_objects_of(plan, done)}
        assert comparison.states.keys() <= written
        assert not comparison.besides
    assert not compared_with_plan(plan, applied, shown[done]).states


@settings(max_examples=EXAMPLES, phases=QUICKLY)
@given(worlds(), worlds())
def test_what_was_done_further_than_the_journal_says_is_told(before: World, after: World) -> None:
    """A tenant that is beyond the journal shows what nobody journalled: never as verified."""
    plan, shown = course(before, after)
    for done in range(len(plan.steps)):
        comparison = compared_with_plan(plan, journalled(plan, done), shown[-1])
        if differences_after(plan, plan.steps[:done], shown[-1]):
            assert comparison.states or comparison.besides


def changed_objects_of(plan: Plan, done: int) -> tuple[ChangedObject, ...]:
    return changed_objects(journalled(plan, done), plan, simulated=False)


def test_what_a_later_apply_wrote_is_not_held_against_this_one() -> None:
    row = LaterPlan("plan:b", frozenset({"teams.policy/one"}))
    applied = replace(journalled_nothing(), later=(row,))
    states = {"teams.policy/one": Visibility.OTHERWISE, "teams.policy/two": Visibility.OTHERWISE}
    told = superseded(Comparison({}, states), applied).states
    assert told == {
        "teams.policy/one": Visibility.SUPERSEDED,
        "teams.policy/two": Visibility.OTHERWISE,
    }
    unknown = replace(applied, later=(LaterPlan("plan:b", None),))
    assert set(superseded(Comparison({}, states), unknown).states.values()) == {
        Visibility.SUPERSEDED
    }


def test_a_refused_write_leaves_what_an_earlier_one_did() -> None:
    address = Address("teams.policy/One")
    steps = {
        1: JournalledStep(address, NOON, StepState.DONE),
        2: JournalledStep(address, NOON + 1, StepState.FAILED),
        3: JournalledStep(Address("teams.policy/Two"), NOON + 2, StepState.FAILED),
    }
    objects = changed_objects(replace(journalled_nothing(), steps=steps), None, simulated=False)
    assert [(each.address, each.accepted, each.at) for each in objects] == [
        ("teams.policy/One", Acceptance.ACCEPTED, NOON),
        ("teams.policy/Two", Acceptance.REFUSED, NOON + 2),
    ]
    assert objects[0].enforced_by == NOON + 30 * 60


def test_a_step_that_an_earlier_run_did_was_done_when_that_run_says(tmp_path: Path) -> None:
    header = Header(
        tool="t", plan="plan:a", content="c", tenant=TENANT, source="live", steps=3, already=0
    )
    addresses = [Address(f"teams.policy/{name}") for name in ("One", "Two", "Three")]
    for already, numbers, at in ((0, (1, 2), NOON), (2, (3,), NOON + 3600)):
        with Journal.create(tmp_path, replace(header, already=already), lambda at=at: at) as lines:
            for number in numbers:
                lines.started(number, 1, addresses[number - 1])
                lines.done(number, seen=False)
    applied = last_apply(sorted(tmp_path.glob("*.jsonl")), "live", None, None)
    assert applied is not None
    assert applied.done == {1, 2, 3}
    objects = changed_objects(applied, None, simulated=False)
    assert [(each.address, each.at - NOON) for each in objects] == [
        *zip(addresses, (0, 0, 3600), strict=True)
    ]


def journalled_nothing() -> LastApply:
    return LastApply(
        plan="plan:a",
        tenant=TENANT,
        journal=Path("apply-000001.jsonl"),
        began=NOON,
        total=3,
        already=0,
        steps={},
        ended=True,
        later=(),
    )
