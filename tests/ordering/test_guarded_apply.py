"""Apply of a plan with a guard: the group is empty just before, the policy is found under the
expected name, and waits are kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from reconciler.applying.applying import ApplyPatience
from reconciler.applying.events import Settling
from reconciler.errors import AppliedInPart, StalePlan
from reconciler.planning.prefixes import locate
from reconciler.tenants.simulated import Simulator
from tests.applying import small_tenants
from tests.applying.locked import apply
from tests.applying.small_tenants import Clock, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied

NOBODY, SID, EMAIL = small_tenants.guid(0xE, 1), "S-1-5-21-9-9-9-9", "nobody@contoso.com"
BEFORE = World(exchange={(1, 1): "RestrictAccess", (1, 2): "DenyAccess"})
AFTER = World(exchange={(1, 1): "DenyAccess", (1, 2): "RestrictAccess"})


class Flip:
    """The plan that turns an application's only Restrict and only Deny into each other, and the
    tenant it is for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        small_tenants.simulator(folder, BEFORE)
        self.change(lambda directory: directory["recipients"].append(_nobody()))
        documents = small_tenants.documents(AFTER)
        owner = replace(
            documents.tenant,
            guard_scope=EMAIL,
        )
        self.plan = small_tenants.loaded(
            folder, small_tenants.planned(self.tenant, replace(documents, tenant=owner))
        )
        self.clock = Clock()
        self.told: list[Event] = []

    @property
    def tenant(self) -> Simulator:
        return Simulator(self.folder / "tenant.json")

    def change(self, how: Callable[[dict[str, Any]], object], part: str = "directory") -> None:
        path = self.folder / "tenant.json"
        state = json.loads(path.read_text(encoding="utf-8"))
        how(state[part])
        path.write_text(json.dumps(state), encoding="utf-8")

    def apply(self, *, settle: float = 0.0, tell: Callable[[Event], None] | None = None) -> Applied:
        return apply(
            self.plan,
            self.tenant,
            state_dir=self.folder / ".reconciler",
            tell=tell or self.told.append,
            clock=self.clock,
            sleep=self.clock.sleep,
            patience=ApplyPatience(),
            settle=settle,
        )


def _nobody() -> dict[str, Any]:
    names = {
        "primary": EMAIL,
        "addresses": [EMAIL],
        "displayName": "Nobody",
        "type": "MailUniversalSecurityGroup",
    }
    return {"id": NOBODY, "sid": SID, "isValidSecurityPrincipal": True, "members": [], **names}


@pytest.fixture
def flip(tmp_path: Path) -> Flip:
    return Flip(tmp_path)


def test_a_guarded_plan_is_applicable_and_converges(flip: Flip) -> None:
    assert flip.plan.plan.applicable, flip.plan.plan.refusals
    assert [step.reason for step in flip.plan.plan.steps if step.temporary] == [
        "create-guard",
        "remove-guard",
    ]
    assert flip.apply().converged
    assert flip.apply().already == len(flip.plan.plan.steps)


def test_stopped_after_any_step_the_place_is_found(flip: Flip) -> None:
    tenant = flip.tenant
    for step in flip.plan.plan.steps:
        tenant.run(worlds_invocation(step), step.text)
        raw = tenant.capture(small_tenants.EVERYTHING)
        observed = small_tenants.reading.parse_capture(
            raw,
            source="simulated",
            tenant_id=small_tenants.TENANT,
            needs=small_tenants.EVERYTHING.products,
        )
        assert locate(flip.plan.plan, observed) == step.id


def worlds_invocation(step: Any) -> Any:
    from reconciler.model.plans import Invocation

    return Invocation(step.cmdlet, step.parameters)


@pytest.mark.parametrize(
    "row",
    [
        {"members": [small_tenants.user(1)]},
        {"members": None},
        {"sid": "S-1-5-21-9-9-9-8"},
        {"isValidSecurityPrincipal": False},
    ],
)
def test_a_group_that_is_not_empty_any_more_stops_before_its_guard_is_made(
    flip: Flip, row: dict[str, Any]
) -> None:
    flip.change(lambda directory: directory["recipients"][-1].update(row))
    with pytest.raises((StalePlan, AppliedInPart), match=f"{EMAIL} is no longer the empty group"):
        flip.apply()
    assert not any(
        NOBODY in policy["Identity"]
        for policy in json.loads((flip.folder / "tenant.json").read_text())["exchange"]["policies"]
    )


def test_a_guard_that_the_service_calls_otherwise_is_not_removed_by_a_guess(flip: Flip) -> None:
    renamed: list[bool] = []

    def rename(policies: dict[str, Any]) -> None:
        for policy in policies["policies"]:
            if policy["Identity"].endswith(NOBODY):
                policy["Identity"] = policy["Identity"].replace(SID, "S-1-5-21-9-9-9-7")
                policy["ScopeIdentityRaw"] = policy["ScopeIdentityRaw"].replace(
                    SID, "S-1-5-21-9-9-9-7"
                )
                renamed.append(True)

    guard_made = next(step.id for step in flip.plan.plan.steps if step.reason == "create-guard")
    tenant = flip.tenant
    for step in flip.plan.plan.steps[:guard_made]:
        tenant.run(worlds_invocation(step), step.text)
    flip.change(rename, "exchange")
    assert renamed
    with pytest.raises(
        (StalePlan, AppliedInPart), match="the service has given the temporary policy"
    ):
        flip.apply()


def test_settle_waits_between_a_step_and_a_removal_that_relies_on_it(flip: Flip) -> None:
    relying = [note.details for note in flip.plan.plan.warnings if note.code == "relies-on"]
    assert relying
    began = flip.clock.now
    assert flip.apply(settle=1800.0).converged
    waits = [event for event in flip.told if isinstance(event, Settling)]
    assert [(one.on, one.step.id) for one in waits] == [
        (row["on"], row["step"]) for row in sorted(relying, key=lambda row: row["step"])
    ]
    assert flip.clock.now - began >= 1800.0 * len(waits) - 60


def test_without_settle_nothing_is_waited_for(flip: Flip) -> None:
    assert flip.apply().converged
    assert not any(isinstance(event, Settling) for event in flip.told)
