"""`verify` of a live tenant: nothing is effective before its time, Exchange is asked itself, and of
Teams the effective assignment is read, which is all that can be seen.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.cli import verifying
from tests.conftest import PRINTED
from tests.live.service import output

if TYPE_CHECKING:
    from tests.live.places import Place

CHECK = "Test-ApplicationAccessPolicy"
EFFECTIVE = "Get-CsUserPolicyAssignment"


class Time:
    """Begins now, and passes when somebody waits."""

    def __init__(self) -> None:
        self.waited = 0.0
        self._began = verifying.time.time()

    def time(self) -> float:
        return self._began + self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    passing = Time()
    monkeypatch.setattr(verifying, "time", passing)
    return passing


@pytest.fixture
def applied(place: Place) -> Place:
    place.plan()
    assert place.apply().code == 0
    place.service.seen.clear()
    return place


def rows(place: Place, *more: str) -> tuple[int, list[dict[str, Any]]]:
    ran = place("verify", "plan.json", "--format", "json", *more)
    return ran.code, json.loads(ran.out)["verification"]["objects"]


def test_nothing_is_effective_before_its_time(applied: Place) -> None:
    code, objects = rows(applied, "--timeout", "0")
    assert code == 7
    assert {row["visible"] for row in objects} == {"visible"}
    assert {row["effective"] for row in objects} == {"pending"}
    assert not applied.service.calls(CHECK)


def test_it_waits_for_the_slower_product_and_asks_then(applied: Place, clock: Time) -> None:
    code, objects = rows(applied)
    assert code == 0
    assert 70 * 60 < clock.waited <= 75 * 60
    exchange = [row for row in objects if row["address"].startswith("exchange.")]
    assert {row["effective"] for row in exchange} == {"confirmed"}
    assert len(applied.service.calls(CHECK)) == 2 * len(exchange)
    grants = [row for row in objects if row["address"].startswith("teams.grant/user:")]
    assert {row["remark"] for row in grants} == {"assignment-agrees"}
    asked = {call["Identity"] for call in applied.service.calls(EFFECTIVE)}
    assert asked >= {row["address"].rpartition(":")[2] for row in grants}


def test_a_wait_that_was_too_short_is_made_longer(applied: Place, clock: Time) -> None:
    ran = applied("verify", "plan.json", "--timeout", "1")
    PRINTED.append(ran.out)
    assert "or let it wait longer with --timeout" in ran.out
    assert applied("verify", "plan.json", "--timeout", "90").code == 0


def test_it_says_when_and_what_cannot_be_seen(applied: Place, clock: Time) -> None:
    ran = applied("verify", "plan.json")
    assert ran.code == 0, ran.err
    assert clock.waited
    assert "Looking again at" in ran.err
    assert "only the assignment can be seen, never its enforcement" in ran.out
    assert "cannot be seen" in ran.out


def test_an_effective_assignment_that_says_otherwise_is_not_effective(
    applied: Place, clock: Time
) -> None:
    policy = {
        "PolicyType": "ApplicationAccessPolicy",
        "PolicyName": "Old",
        "PolicySource": [{"AssignmentType": "Direct", "PolicyName": "Old", "Reference": None}],
    }
    applied.service.spoil(EFFECTIVE, output(policy), times=99)
    code, objects = rows(applied, "--timeout", "80")
    assert code == 7
    assert clock.waited == 80 * 60
    assert {row["effective"] for row in objects if row["remark"] == "assignment-contradicts"} == {
        "contradicted"
    }
    assert any(row["remark"] == "assignment-contradicts" for row in objects)


def test_exchange_that_is_not_understood_is_told(applied: Place, clock: Time) -> None:
    applied.service.spoil(CHECK, output({"AccessCheckResult": "Odd"}), times=99)
    ran = applied("verify", "plan.json")
    assert clock.waited
    assert "not understood:" in ran.out
    assert ran.code == 0
