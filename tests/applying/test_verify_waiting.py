"""How long `verify` waits: for what is overdue a little, for the rest until it is usually enforced,
and never for what time does not mend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.applying.waiting import Waiting, wait
from reconciler.errors import TenantFault
from reconciler.model.addresses import Address
from reconciler.model.verifications import (
    Acceptance,
    Effectiveness,
    Verification,
    VerifiedObject,
    Visibility,
)
from tests.applying.small_tenants import NOON, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOUR = 3600.0
FINE = VerifiedObject(
    address=Address("teams.policy/One"),
    provider="teams",
    accepted=Acceptance.ACCEPTED,
    accepted_at=NOON,
    enforced_by=NOON,
    visible=Visibility.VISIBLE,
    effect=Effectiveness.UNSEEN,
)
LATE = replace(FINE, enforced_by=NOON + HOUR, effect=Effectiveness.PENDING)
MISSING = replace(FINE, visible=Visibility.NOT_YET)
FOREIGN = replace(FINE, visible=Visibility.OTHERWISE)


class Looks:
    """A tenant that shows one thing after the other, and when it was looked at."""

    def __init__(self, clock: Clock, shown: Callable[[float], Sequence[VerifiedObject]]) -> None:
        self.clock, self._shown = clock, shown
        self.at: list[float] = []
        self.failing: set[int] = set()
        self.told: list[str] = []

    def __call__(self) -> Verification:
        self.at.append(self.clock.now)
        if len(self.at) in self.failing:
            raise TenantFault("busy")
        rows = tuple(self._shown(self.clock.now))
        return Verification(rows, (), "2026-11-02T06:30:00Z", self.clock.now)

    def waiting(self) -> Waiting:
        return Waiting(
            self.clock,
            self.clock.sleep,
            lambda _seen, _until: self.told.append("waits"),
            lambda fault: self.told.append(str(fault)),
        )


def looked(
    shown: Callable[[float], Sequence[VerifiedObject]], deadline: float, failing: int = 0
) -> tuple[Looks, Verification]:
    looks = Looks(Clock(), shown)
    looks.failing.add(failing)
    return looks, wait(looks, looks.waiting(), NOON + deadline)


def enforced(now: float) -> Sequence[VerifiedObject]:
    return [LATE] if now < LATE.enforced_by else [FINE]


def test_what_is_fine_is_looked_at_once() -> None:
    looks, seen = looked(lambda _now: [FINE], HOUR)
    assert looks.at == [NOON]
    assert seen.verified


def test_what_somebody_changed_is_not_waited_for() -> None:
    looks, seen = looked(lambda _now: [FOREIGN], HOUR)
    assert looks.at == [NOON]
    assert not seen.verified


def test_it_looks_again_when_the_last_change_is_usually_enforced() -> None:
    looks, seen = looked(enforced, 2 * HOUR)
    assert looks.at == [NOON, NOON + HOUR]
    assert seen.verified
    assert len(looks.told) == 12


def test_a_deadline_before_that_leaves_it_pending() -> None:
    looks, seen = looked(enforced, HOUR / 2)
    assert looks.at == [NOON, NOON + HOUR / 2]
    assert [row.effect for row in seen.objects] == [Effectiveness.PENDING]
    assert not seen.verified


def test_what_is_overdue_is_looked_at_soon() -> None:
    looks, seen = looked(lambda now: [MISSING if now < NOON + 400 else FINE, *enforced(now)], HOUR)
    assert looks.at == [NOON, NOON + 300, NOON + 600, NOON + HOUR]
    assert seen.verified


def test_a_deadline_of_now_takes_one_look() -> None:
    looks, seen = looked(lambda _now: [MISSING], 0)
    assert looks.at == [NOON]
    assert not seen.verified


def test_a_later_look_that_fails_is_repeated() -> None:
    looks, seen = looked(lambda now: [MISSING if now < NOON + 200 else FINE], HOUR, failing=2)
    assert looks.told == ["waits", "busy", "waits"]
    assert seen.verified


def test_the_first_look_that_fails_ends_it() -> None:
    with pytest.raises(TenantFault):
        looked(lambda _now: [MISSING], HOUR, failing=1)


def test_the_last_look_that_fails_ends_it() -> None:
    with pytest.raises(TenantFault):
        looked(lambda _now: [MISSING], 300, failing=2)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([FINE, LATE, MISSING, FOREIGN]),
            st.integers(0, 3 * int(HOUR)),
        ),
        max_size=4,
    ),
    st.integers(0, 4 * int(HOUR)),
)
def test_it_never_ends_before_its_time_nor_after(
    rows: list[tuple[VerifiedObject, int]], deadline: int
) -> None:
    """Rows that become fine, each at its own time: either all that time mends is mended, or the
    deadline has come.
    """

    def shown(now: float) -> Sequence[VerifiedObject]:
        return [
            row
            if row is FOREIGN or now < NOON + after
            else replace(row, visible=Visibility.VISIBLE, effect=Effectiveness.UNSEEN)
            for row, after in rows
        ]

    looks, seen = looked(shown, deadline)
    assert looks.clock.now <= NOON + deadline
    if any(row.may_become for row in seen.objects):
        assert looks.clock.now == NOON + deadline
    assert seen.verified is all(row.verified for row in shown(looks.clock.now))
