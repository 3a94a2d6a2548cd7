"""A plan that was applied, as a whole or in part, is undone on a simulated tenant by what its journal
says.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from reconciler.applying import earlier
from reconciler.captures import reading
from reconciler.errors import Interrupted, TamperedPlan
from reconciler.model.codes import Held, RefusalRule
from reconciler.model.documents import ApplicationDocument
from reconciler.model.histories import LaterPlan, PlanHistory
from reconciler.planning import planfile, undoing
from reconciler.planning.making import PlanOptions
from reconciler.tenants.protocol import Fault
from tests.applying.locked import TENANT, directories
from tests.applying.small_tenants import EVERYTHING, application, guid, policy
from tests.applying.test_applying import WANTED, Case
from tests.planning.consents import deletions

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.documents import Documents
    from reconciler.model.plans import Plan
    from reconciler.planning.planfile import SealedPlan


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def history(case: Case, plan: SealedPlan | None = None) -> PlanHistory | None:
    places = directories(case.directory / ".reconciler")
    digest = (plan or case.plan).digest
    return earlier.history(places, digest, "simulated", lambda _event: None)


def undo(
    case: Case,
    plan: SealedPlan | None = None,
    allow: tuple[str, ...] = (),
    wanted: Documents = WANTED,
    later: tuple[LaterPlan, ...] = (),
) -> Plan:
    """The plan that undoes one, with a consent to every deletion that takes one; `later`: further
    plans that journals tell of.
    """
    known = history(case, plan)
    assert known is not None
    known = replace(known, later=(*known.later, *later))
    observed = reading.parse_capture(
        case.simulator.capture(EVERYTHING),
        source="simulated",
        tenant_id=TENANT,
        needs=EVERYTHING.products,
    )
    undone = plan or case.plan
    first = undoing.make_undo(undone, known, wanted, observed, PlanOptions(allow=allow))
    given = (*allow, *deletions(first))
    return undoing.make_undo(undone, known, wanted, observed, PlanOptions(allow=given))


def have(case: Case) -> dict[str, Any]:
    """What the tenant has, but for what the service chose itself."""
    captured: Any = case.simulator.capture(EVERYTHING)
    policies = [
        [row["AppId"], row["Identity"].split(";")[1], row["AccessRight"]]
        for row in captured["exchange"]["policies"]
    ]
    teams = {
        name: sorted(map(_untimed, captured["teams"][name]), key=json.dumps)
        for name in ("policies", "groupAssignments", "users")
    }
    return {**teams, "exchange": sorted(policies)}


def _untimed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("Created")}


def saved(case: Case, plan: Plan) -> SealedPlan:
    path = case.directory / "undo.json"
    planfile.sealed(plan, path)
    return planfile.load_plan(path)


def test_stopped_after_every_step_it_leads_back(tmp_path: Path) -> None:
    first = Case(tmp_path)
    before = have(first)
    for stop in range(1, first.count + 1):
        folder = tmp_path / str(stop)
        folder.mkdir()
        case = Case(folder)
        try:
            case.apply(stop_after=stop)
        except Interrupted:
            assert stop < case.count
        plan = undo(case)
        assert plan.applicable, plan.refusals
        assert plan.undone_plan() == case.plan.digest
        case.apply(plan=saved(case, plan))
        assert have(case) == before, stop
        again = undo(case)
        assert (again.changes, again.held, again.refusals) == ((), (), ())


def test_an_undo_is_undone_by_its_own_journal(case: Case) -> None:
    case.apply()
    after = have(case)
    back = saved(case, undo(case))
    case.apply(plan=back)
    case.apply(plan=saved(case, undo(case, back)))
    assert have(case) == after


def test_steps_that_the_service_refused_are_not_undone(case: Case) -> None:
    before = have(case)
    case.door.refusing[case.step("Grant-CsApplicationAccessPolicy").text] = Fault.NOT_FOUND
    assert not case.apply(keep_going=lambda _way: True).complete
    case.door.refusing.clear()
    case.apply(plan=saved(case, undo(case)))
    assert have(case) == before


def test_a_plan_without_a_journal_has_no_history(case: Case) -> None:
    assert history(case) is None
    case.apply()
    forged = planfile.sealed(replace(case.plan.plan, names={"x": "y"}))
    assert history(case, forged) is None


def test_a_named_journal_of_another_plan_is_refused(case: Case, tmp_path: Path) -> None:
    case.apply()
    places = directories(case.directory / ".reconciler")
    [path] = places.lock.glob("apply-*.jsonl")
    elsewhere = directories(tmp_path / "elsewhere")
    tell = lambda _event: None
    read = earlier.history(elsewhere, case.plan.digest, "simulated", tell, path)
    assert read is not None
    assert read.done == frozenset(range(1, case.count + 1))
    with pytest.raises(TamperedPlan, match="this plan is"):
        earlier.history(elsewhere, "plan:" + "0" * 64, "simulated", tell, path)
    with pytest.raises(TamperedPlan, match="simulated tenant"):
        earlier.history(elsewhere, case.plan.digest, "live", tell, path)


def test_a_later_plan_on_the_same_objects_needs_a_consent(case: Case) -> None:
    case.apply()
    back = saved(case, undo(case))
    case.apply(plan=back)
    forth = saved(case, undo(case, back))
    case.apply(plan=forth)
    plan = undo(case)
    assert {note.code for note in plan.refusals} == {RefusalRule.UNDO_OLD}
    for note in plan.refusals:
        assert note.details["plans"] == [back.digest, forth.digest]
    allow = tuple(str(note.details["allow"]) for note in plan.refusals)
    assert set(allow) <= {"undo-old:teams", "undo-old:exchange"}
    assert undo(case, allow=allow).applicable


def test_a_later_plan_counts_only_where_it_may_have_written_to_what_is_undone(case: Case) -> None:
    case.apply()
    touched = case.step("Grant-CsApplicationAccessPolicy").address.lower()

    def refused_after(addresses: frozenset[str] | None) -> set[str]:
        plan = undo(case, later=(LaterPlan("plan:later", addresses),))
        return {note.address for note in plan.refusals if note.code == RefusalRule.UNDO_OLD}

    assert refused_after(frozenset({"teams.policy/elsewhere"})) == set()
    assert refused_after(frozenset({touched})) == {"teams"}
    assert refused_after(None) == {"teams", "exchange"}


def test_newcomers_of_a_list_gain_nothing(case: Case) -> None:
    case.apply()
    shortened = {row.address for row in case.plan.plan.shortened()}
    assert shortened
    key = next(iter(shortened)).partition("/")[2]
    newcomer = {
        "Identity": guid(0xB, 99),
        "UserPrincipalName": "newcomer@contoso.com",
        "ApplicationAccessPolicy": {"Authority": "Tenant", "Name": key},
    }
    case.change(users=lambda users: [*users, newcomer])
    plan = undo(case)
    assert [note.code for note in plan.held if note.address in shortened] == [Held.OTHER_HOLDERS]
    assert not any(
        "Add" in str(step.parameters.get("AppIds")) and step.parameters["Identity"] == key
        for step in plan.steps
    )


def test_with_a_scope_made_again_under_its_address_the_application_is_left_whole(
    case: Case,
) -> None:
    case.apply()
    removed = [
        step for step in case.plan.plan.steps if step.cmdlet == "Remove-ApplicationAccessPolicy"
    ]
    assert removed
    gone = removed[0].address.partition("@")[2]
    path = case.directory / "tenant.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    row = next(row for row in state["directory"]["recipients"] if row["id"] == gone)
    row["id"], row["sid"] = guid(0xD, 77), "S-1-5-21-1-2-3-77"
    path.write_text(json.dumps(state), encoding="utf-8")
    case.renew()
    plan = undo(case)
    application = removed[0].address.partition("/")[2].partition("@")[0]
    codes = {note.address: note.code for note in plan.held}
    assert codes[f"exchange.application/{application}"] == Held.SCOPE_GONE
    assert not any(application in step.address for step in plan.steps)


def test_a_scope_with_another_sid_is_another_scope(case: Case) -> None:
    case.apply()
    path = case.directory / "tenant.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    for row in state["directory"]["recipients"]:
        row["sid"] = f"{row['sid']}9"
    path.write_text(json.dumps(state), encoding="utf-8")
    case.renew()
    created = [
        step.address for step in undo(case).steps if step.cmdlet == "New-ApplicationAccessPolicy"
    ]
    assert created == []


def test_what_somebody_changed_since_is_named_and_left(case: Case) -> None:
    case.apply()
    touched = sorted(
        step.address.partition(":")[2]
        for step in case.plan.plan.steps
        if step.address.startswith("teams.grant/user:")
    )
    moved = touched[0]
    other = policy(1)

    def move(users: list[Any]) -> list[Any]:
        kept = [row for row in users if row["Identity"] != moved]
        grant = {"Authority": "Tenant", "Name": other}
        return [
            *kept,
            {
                "Identity": moved,
                "UserPrincipalName": f"user{int(moved[-2:], 16)}@contoso.com",
                "ApplicationAccessPolicy": grant,
            },
        ]

    case.change(users=move)
    plan = undo(case)
    held = {note.address: note.code for note in plan.held}
    steps = {step.address for step in plan.steps}
    address = f"teams.grant/user:{moved}"
    assert held.get(address) == Held.CHANGED_SINCE or address not in steps


def quarantine(number: int) -> Documents:
    place = WANTED.teams[0].position
    return replace(
        WANTED,
        applications=(
            ApplicationDocument("shut-out", application(number), (), place, quarantined=True),
        ),
    )


def test_a_quarantined_application_gets_nothing_back(case: Case) -> None:
    case.apply()
    for number in (1, 2, 3):
        plan = undo(case, wanted=quarantine(number))
        mine = application(number)
        added = [
            step
            for step in plan.steps
            if mine in str(step.parameters.get("AppIds")) and "Remove" not in str(step.parameters)
        ]
        assert added == []
        assert not any(f"exchange.policy/{mine}" in step.address for step in plan.steps)
        assert plan.access is not None
        assert mine not in {row.application for row in plan.access.gained}
        taken = any(mine in str(step.parameters) for step in undo(case).steps if "Add" in str(step))
        assert taken <= (Held.SHUT_OUT in {note.code for note in plan.held})
