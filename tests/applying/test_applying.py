"""An apply runs exactly the steps that the tenant does not show yet, or refuses and names what
moved (laws 3, 4, 5, 10).
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.applying import lookups
from reconciler.applying.events import (
    PlanLocated,
    ReadingReason,
    ReadingTenant,
    StepDone,
    StepStarted,
    WaitingToReadAgain,
)
from reconciler.applying.journal import Header, Journal
from reconciler.errors import (
    AppliedInPart,
    CaptureFault,
    Interrupted,
    LockHeld,
    ReconcilerError,
    Refused,
    StalePlan,
    TamperedPlan,
    TenantFault,
)
from reconciler.model.addresses import teams_user_grant
from reconciler.model.plans import Note, Plan, PlanTenant
from reconciler.planning import planfile
from reconciler.processes.groups import child_identity
from reconciler.tenants.simulated import Simulator
from tests.applying import small_tenants
from tests.applying.locked import apply, directories, hold
from tests.applying.small_tenants import (
    Clock,
    Door,
    World,
    address,
    application,
    policy,
    scope,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reconciler.applying.deciding import KeepGoing
    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied
    from reconciler.model.plans import Step
    from reconciler.planning.planfile import SealedPlan

BEFORE = World(
    policies={1: frozenset({1, 2}), 2: frozenset({2})},
    users={1: 1, 2: 2, 3: 1},
    groups=((1, 1), (2, 2)),
    exchange={(1, 1): "RestrictAccess", (2, 3): "DenyAccess"},
)
AFTER = World(
    policies={1: frozenset({1, 3}), 3: frozenset({3})},
    users={1: 3, 2: 1, 4: 3},
    groups=((3, 1), (2, 3), (1, 1)),
    exchange={(1, 2): "RestrictAccess", (2, 3): "DenyAccess"},
)
WANTED = small_tenants.documents(AFTER, absent=[2])


class Case:
    """The plan from BEFORE to AFTER, and the tenant it is for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = Clock()
        self.simulator: Simulator = small_tenants.simulator(directory, BEFORE)
        self.plan: SealedPlan = small_tenants.loaded(
            directory, small_tenants.planned(self.simulator, WANTED)
        )
        self.door = Door(self.simulator, self.clock)
        self.told: list[Event] = []
        assert self.plan.plan.applicable, self.plan.plan.refusals
        self.count = len(self.plan.plan.steps)
        assert self.count > 10

    def renew(self) -> None:
        """Open the tenant anew, after its file was written by somebody else."""
        self.simulator = Simulator(self.directory / "tenant.json")
        self.door.inner = self.simulator

    def apply(
        self,
        stop_after: int | None = None,
        plan: SealedPlan | None = None,
        keep_going: KeepGoing | None = None,
    ) -> Applied:
        stop = (
            small_tenants.stop_after(self.door, stop_after)
            if stop_after is not None
            else lambda: False
        )
        return small_tenants.ran(
            plan or self.plan,
            self.door,
            self.directory,
            self.clock,
            stop=stop,
            told=self.told,
            keep_going=keep_going,
        )

    def step(self, cmdlet: str) -> Step:
        return next(step for step in self.plan.plan.steps if step.cmdlet == cmdlet)

    def change(self, **parts: Callable[[list[Any]], list[Any]]) -> None:
        """What somebody else does to the tenant, past the door."""
        path = self.directory / "tenant.json"
        state = json.loads(path.read_text(encoding="utf-8"))
        for name, value in parts.items():
            state["teams"][name] = value(state["teams"][name])
        path.write_text(json.dumps(state), encoding="utf-8")
        self.renew()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def everything(count: int) -> tuple[int, ...]:
    return tuple(range(1, count + 1))


def test_all_steps_run_in_order_as_reviewed_and_a_new_plan_has_none(case: Case) -> None:
    applied = case.apply()
    assert applied.done == everything(case.count)
    assert (
        applied.already,
        applied.failed,
        applied.unknown,
        applied.not_tried,
        applied.converged,
    ) == (0, None, None, (), True)
    assert case.door.sent == [step.text for step in case.plan.plan.steps]
    assert small_tenants.planned(case.simulator, WANTED).steps == ()


def test_applied_again_nothing_is_done_or_written_down(case: Case) -> None:
    case.apply()
    before = list(case.door.sent)
    applied = case.apply()
    assert (applied.done, applied.already, applied.converged) == ((), case.count, True)
    assert case.door.sent == before
    assert len(small_tenants.journal_lines(case.directory)) == 1


def test_a_plan_without_steps_reads_and_writes_nothing(case: Case) -> None:
    case.apply()
    empty = planfile.sealed(small_tenants.planned(case.simulator, WANTED))
    case.door.requests.clear()
    applied = case.apply(plan=empty)
    assert (applied.done, applied.converged) == ((), True)
    assert case.door.requests == []


def test_every_step_is_told_and_journalled_before_and_after(case: Case) -> None:
    case.apply()
    steps = everything(case.count)
    assert [event.step.id for event in case.told if isinstance(event, StepStarted)] == list(steps)
    assert [event.step.id for event in case.told if isinstance(event, StepDone)] == list(steps)
    assert PlanLocated(0, case.count) in case.told
    (lines,) = small_tenants.journal_lines(case.directory)
    assert [(line["step"], line["state"]) for line in lines if "state" in line] == [
        (step, state) for step in steps for state in ("started", "done")
    ]
    assert (lines[0]["plan"], lines[0]["content"], lines[-1]["end"]) == (
        case.plan.digest,
        case.plan.content_digest,
        "converged",
    )


def test_the_product_is_read_again_before_each_exchange_removal_and_after_each_group_step(
    case: Case,
) -> None:
    case.apply()
    readings = [event.why for event in case.told if isinstance(event, ReadingTenant)]
    removals = sum(step.cmdlet == "Remove-ApplicationAccessPolicy" for step in case.plan.plan.steps)
    groups = sum("Group" in step.parameters for step in case.plan.plan.steps)
    assert removals > 0
    assert groups > 0
    assert (readings.count(ReadingReason.REMOVAL), readings.count(ReadingReason.GROUP)) == (
        removals,
        groups,
    )


def test_five_minutes_after_the_last_reading_the_next_step_looks_again(case: Case) -> None:
    first = next(
        step.id for step in case.plan.plan.steps if step.cmdlet == "New-CsApplicationAccessPolicy"
    )
    case.door.between[first - 1] = lambda: case.clock.sleep(300)
    case.apply()
    index = case.told.index(ReadingTenant(frozenset({"teams"}), ReadingReason.INTERVAL))
    after = next(event for event in case.told[index:] if isinstance(event, StepStarted))
    assert after.step.id == first


# --- stopped and resumed


@pytest.mark.parametrize("writes", range(13))
def test_stopped_after_any_step_the_same_plan_goes_on(case: Case, writes: int) -> None:
    stop = min(writes, case.count - 1)
    with pytest.raises(Interrupted) as caught:
        case.apply(stop_after=stop)
    applied = caught.value.applied
    if stop:
        assert applied is not None
        assert applied.done == everything(stop)
        assert applied.not_tried == everything(case.count)[stop:]
        assert not applied.converged
        assert small_tenants.journal_lines(case.directory)[0][-1]["end"] == "interrupted"
    resumed = case.apply()
    assert (resumed.already, len(resumed.done), resumed.converged) == (
        stop,
        case.count - stop,
        True,
    )
    assert case.door.sent == [step.text for step in case.plan.plan.steps]


@given(small_tenants.worlds(), small_tenants.worlds(), st.data())
@settings(max_examples=40)
def test_from_any_state_to_any_other_stopped_anywhere_it_converges(
    tmp_path_factory: pytest.TempPathFactory, before: World, after: World, data: st.DataObject
) -> None:
    directory, clock = tmp_path_factory.mktemp("world"), Clock()
    simulator = small_tenants.simulator(directory, before)
    wanted = small_tenants.documents(after, absent=before.policies.keys() - after.policies.keys())
    plan = small_tenants.loaded(directory, small_tenants.planned(simulator, wanted))
    assume(plan.plan.applicable and plan.plan.steps)
    stop = data.draw(st.integers(0, len(plan.plan.steps)))
    door = Door(simulator, clock, lag=data.draw(st.sampled_from([0, 15])))
    if stop < len(plan.plan.steps):
        with pytest.raises(Interrupted):
            small_tenants.ran(
                plan, door, directory, clock, stop=small_tenants.stop_after(door, stop)
            )
    applied = small_tenants.ran(plan, door, directory, clock)
    assert applied.converged
    assert door.sent == [step.text for step in plan.plan.steps]
    assert small_tenants.planned(simulator, wanted).steps == ()


def test_a_wish_to_stop_before_the_first_reading_stops_before_anything(case: Case) -> None:
    with pytest.raises(Interrupted) as caught:
        case.apply(stop_after=0)
    assert caught.value.applied is None
    assert case.door.sent == []
    assert small_tenants.journal_lines(case.directory) == []


# --- refused


def tampered(case: Case, fields: Mapping[str, Any]) -> SealedPlan:
    steps = (*case.plan.plan.steps[:-1], replace(case.plan.plan.steps[-1], **fields))
    return planfile.sealed(replace(case.plan.plan, steps=steps))


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Remove-CsApplicationAccessPolicy -Identity:'Other'"},
        {"parameters": {"Identity": "Other"}},
    ],
)
def test_a_plan_with_one_tampered_step_runs_no_step(case: Case, fields: Mapping[str, Any]) -> None:
    with pytest.raises(TamperedPlan, match=f"step {case.count} "):
        case.apply(plan=tampered(case, fields))
    assert case.door.requests[1:] == []
    assert case.door.sent == []


def test_a_plan_that_is_not_applicable_is_refused_with_what_it_lacks(case: Case) -> None:
    lacking = replace(
        case.plan.plan, applicable=False, refusals=(Note("limits", "teams.grant", {}),)
    )
    with pytest.raises(Refused, match=r"limits:teams\.grant"):
        case.apply(plan=planfile.sealed(lacking))
    assert case.door.sent == []


def test_a_plan_for_another_tenant_is_refused(case: Case) -> None:
    other = replace(case.plan.plan, tenant=PlanTenant("00000000-0000-4000-8000-000000000000", ""))
    with pytest.raises(CaptureFault, match="--tenant"):
        case.apply(plan=planfile.sealed(other))


def test_while_another_apply_runs_nothing_is_read(case: Case) -> None:
    case.door.requests.clear()
    with (
        hold(directories(case.directory / ".reconciler").lock),
        pytest.raises(LockHeld),
    ):
        case.apply()
    assert case.door.requests == []


def test_a_tenant_that_cannot_be_read_is_an_error_of_its_own(case: Case) -> None:
    case.door.blind_after = 0
    with pytest.raises(TenantFault):
        case.apply()
    assert small_tenants.journal_lines(case.directory) == []


# --- moved


def moved_user(case: Case) -> None:
    case.change(users=lambda users: [row for row in users if row["Identity"] != user(1)])


def test_a_moved_baseline_is_refused_and_named(case: Case) -> None:
    moved_user(case)
    with pytest.raises(StalePlan, match=user(1)) as caught:
        case.apply()
    assert caught.value.exit_code == 5
    assert case.door.sent == []
    assert not any(isinstance(event, WaitingToReadAgain) for event in case.told)


def test_what_moved_after_a_stop_is_named_as_seen_from_where_the_plan_stands(case: Case) -> None:
    with pytest.raises(Interrupted):
        case.apply(stop_after=case.count - 1)
    case.clock.sleep(3600)
    case.change(users=lambda users: [row for row in users if row["Identity"] != user(4)])
    with pytest.raises(StalePlan) as caught:
        case.apply()
    named = str(caught.value)
    assert user(4) in named
    assert f"{policy(3)}:" not in named
    assert f"should hold {policy(3)} after step {case.count - 1}, has no policy now" in named


def test_what_the_plan_does_not_rest_on_may_move(case: Case) -> None:
    other = {"Identity": "Tag:Elsewhere", "AppIds": [application(1)], "Description": ""}
    grant = {
        "Identity": user(5),
        "UserPrincipalName": "user5@contoso.com",
        "ApplicationAccessPolicy": {"Authority": "Tenant", "Name": "Elsewhere"},
    }
    case.change(policies=lambda policies: [*policies, other], users=lambda users: [*users, grant])
    assert case.apply().converged


@pytest.mark.parametrize("reason", ["grant-group", "move-group"])
def test_somebody_who_moves_things_between_two_steps_stops_the_run(case: Case, reason: str) -> None:
    """Only where a group was regranted in place may that be why."""
    group = next(step.id for step in case.plan.plan.steps if step.reason == reason)
    case.door.between[group] = lambda: moved_user(case)
    with pytest.raises(AppliedInPart, match=user(1)) as caught:
        case.apply()
    applied = caught.value.applied
    assert applied is not None
    assert applied.done == everything(group)
    assert applied.not_tried == everything(case.count)[group:]
    assert any(user(1) in one for one in applied.moved)
    in_place = reason == "move-group"
    assert ("--group-changes remove-add" in str(caught.value)) is in_place
    assert small_tenants.journal_lines(case.directory)[0][-1]["end"] == "stopped"


def test_what_moves_before_the_first_write_of_a_run_leaves_it_stale(tmp_path: Path) -> None:
    removing = World(exchange={(1, 1): "RestrictAccess", (1, 2): "RestrictAccess"})
    kept = small_tenants.documents(World(exchange={(1, 2): "RestrictAccess"}))
    simulator, clock = small_tenants.simulator(tmp_path, removing), Clock()
    plan = small_tenants.loaded(tmp_path, small_tenants.planned(simulator, kept))
    assert [step.cmdlet for step in plan.plan.steps] == ["Remove-ApplicationAccessPolicy"]
    door = Door(simulator, clock)

    def tell(event: Event) -> None:
        if isinstance(event, ReadingTenant) and event.why is ReadingReason.REMOVAL:
            door.inner = small_tenants.simulator(tmp_path, World())

    with pytest.raises(StalePlan, match="Nothing was written"):
        apply(plan, door, state_dir=tmp_path, tell=tell, clock=clock, sleep=clock.sleep)


def test_the_end_is_verified_and_what_differs_is_named(case: Case) -> None:
    case.door.between[case.count] = lambda: moved_user(case)
    applied = case.apply()
    assert (applied.done, applied.converged) == (everything(case.count), False)
    assert any(user(1) in one for one in applied.moved)
    assert small_tenants.journal_lines(case.directory)[0][-1]["end"] == "not-verified"


def test_a_tenant_that_cannot_be_read_at_the_end_is_not_converged(case: Case) -> None:
    case.door.blind_after = case.count
    applied = case.apply()
    assert (applied.done, applied.converged, applied.moved) == (everything(case.count), False, ())
    assert "does not answer" in applied.trouble


def test_a_tenant_that_cannot_be_read_on_the_way_leaves_the_plan_applied_in_part(
    case: Case,
) -> None:
    group = next(step.id for step in case.plan.plan.steps if "Group" in step.parameters)
    case.door.blind_after = group
    with pytest.raises(AppliedInPart, match="does not answer") as caught:
        case.apply()
    assert caught.value.applied is not None
    assert caught.value.applied.done == everything(group)


def test_what_moves_while_one_product_is_written_stops_the_other_before_anybody_is_let_in(
    case: Case,
) -> None:
    steps = case.plan.plan.steps
    last_exchange = max(step.id for step in steps if step.provider == "exchange")
    case.door.between[last_exchange] = lambda: moved_user(case)
    with pytest.raises(AppliedInPart, match=user(1)) as caught:
        case.apply()
    assert ReadingTenant(frozenset({"teams"}), ReadingReason.WIDENING) in case.told
    sent = steps[last_exchange : len(case.door.sent)]
    assert not [step.text for step in sent if lookups.may_widen(step)]
    assert caught.value.applied is not None
    assert caught.value.applied.not_tried


def test_a_product_is_read_before_its_first_step_that_may_let_somebody_in_and_only_then(
    case: Case,
) -> None:
    assert case.apply().converged
    before: list[tuple[str, str]] = []
    read: set[str] = set()
    for event in case.told:
        if isinstance(event, ReadingTenant) and event.why is ReadingReason.WIDENING:
            read |= event.products
        elif isinstance(event, StepStarted) and lookups.may_widen(event.step):
            before.append((event.step.provider, "read" if event.step.provider in read else "not"))
            read.clear()
    teams = [how for provider, how in before if provider == "teams"]
    assert (teams[0], set(teams[1:])) == ("read", {"not"})


# --- names that are looked up again


def test_a_scope_s_address_that_leads_elsewhere_stops_before_the_policy_is_created(
    case: Case,
) -> None:
    path = case.directory / "tenant.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    for row in state["directory"]["recipients"]:
        if row["id"] == scope(2):
            row.update(primary="moved@contoso.com", addresses=["moved@contoso.com"])
        if row["id"] == scope(4):
            row["addresses"].append(address(2))
    path.write_text(json.dumps(state), encoding="utf-8")
    case.renew()
    create = case.step("New-ApplicationAccessPolicy").id
    assert create == 1
    with pytest.raises(StalePlan, match=address(2)):
        case.apply()
    assert case.door.sent == []


def test_a_user_who_was_never_looked_for_is_looked_up_before_anything_is_written(
    case: Case,
) -> None:
    ghost = user(99)
    trusted: dict[str, SealedPlan] = {}
    for known in (user(4), ghost):
        written = msgspec.json.encode(case.plan.plan).decode().replace(user(4), known)
        plan = msgspec.json.decode(written, type=Plan)
        warning = Note("user-not-looked-for", teams_user_grant(known), {"user": known})
        trusted[known] = planfile.sealed(replace(plan, warnings=(*plan.warnings, warning)))
    with pytest.raises(StalePlan, match=f"user not found in the directory: {ghost}"):
        case.apply(plan=trusted[ghost])
    assert case.door.sent == []
    assert case.apply(plan=trusted[user(4)]).converged


# --- processes of earlier applies


def test_an_apply_waits_for_the_process_that_runs_an_earlier_one_s_steps(case: Case) -> None:
    directory = directories(case.directory / ".reconciler").lock
    header = Header(
        tool="t",
        plan="plan:other",
        content="c",
        tenant=small_tenants.TENANT,
        source="live",
        steps=1,
        already=0,
    )
    with Journal.create(directory, header, case.clock) as lines:
        lines.runner("teams", child_identity(os.getpid()))
        lines.started(1, 1)
    with pytest.raises(LockHeld, match=f"process {os.getpid()}"):
        case.apply()
    assert case.clock.now - small_tenants.NOON == 130
    assert case.door.sent == []


def test_a_journal_that_cannot_be_written_stops_the_run_before_the_step(case: Case) -> None:
    def full(descriptor: int) -> None:
        journals = {
            path.stat().st_ino for path in case.directory.glob(".reconciler/*/apply-*.jsonl")
        }
        if len(case.door.sent) == 3 and os.fstat(descriptor).st_ino in journals:
            raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(AppliedInPart, match="No space left") as caught:
            case.apply()
    assert len(case.door.sent) == 3
    assert caught.value.applied is not None
    assert caught.value.applied.done == (1, 2, 3)
    assert isinstance(caught.value.__cause__, ReconcilerError)
    assert case.apply().converged


def test_a_step_whose_last_line_cannot_be_written_is_among_those_that_are_done(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Journal.done

    def full(journal: Journal, step: int, *, seen: bool) -> None:
        if step == 3:
            raise ReconcilerError("the disk is full")
        done(journal, step, seen=seen)

    monkeypatch.setattr(Journal, "done", full)
    with pytest.raises(AppliedInPart, match="the disk is full") as caught:
        case.apply()
    assert caught.value.applied is not None
    assert caught.value.applied.done == (1, 2, 3)


def test_an_error_while_the_first_step_is_sent_is_an_apply_in_part(case: Case) -> None:
    """It may have been carried out."""

    def broken(_write: object) -> NoReturn:
        raise ReconcilerError("it broke")

    case.door.answers[1] = broken
    with pytest.raises(AppliedInPart, match="it broke") as caught:
        case.apply()
    assert caught.value.applied is not None
    assert (caught.value.applied.done, caught.value.applied.not_tried[0]) == ((), 1)


def test_applications_are_what_the_tenant_shows_after_all(case: Case) -> None:
    case.apply()
    raw = case.simulator.capture(small_tenants.EVERYTHING)
    text = json.dumps(raw)
    assert application(3) in text
    assert policy(2) not in text
