"""What a person is told of a live tenant: how a reading goes on, what Exchange says itself, when
applications notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reconciler.cli.live import ReadingProgress
from reconciler.model.applied import AccessCheck, Applied
from reconciler.reports.lines import plain_text
from reconciler.tenants.live import Progress, filters
from tests.live.test_applying_live import Case
from tests.reports import samples

if TYPE_CHECKING:
    from pathlib import Path

DONE = Applied((), 0, None, None, (), converged=True, moved=())


def test_a_long_reading_is_told_of_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    moments = iter([0.0, 4.0, 6.0, 6.0, 7.0, 12.0, 12.0])
    told = ReadingProgress(lambda: next(moments))
    for objects in (500, 1000, 1500, 2000):
        told(Progress("teams", "Get-CsOnlineUser", objects))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"Reading teams: Get-CsOnlineUser, {count} objects so far." for count in (1000, 2000)
    ]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def report(case: Case, applied: Applied, *, simulated: bool = False) -> str:
    return plain_text(samples.applied_lines(case.plan.plan, applied, simulated=simulated))


def test_what_exchange_says_stands_apart_from_what_is_configured(case: Case) -> None:
    checks = (
        AccessCheck("app", "inside", expected=True, granted=True),
        AccessCheck("app", "outside", expected=False, granted=True),
    )
    told = report(
        case,
        replace(
            DONE,
            checks=(
                *checks,
                AccessCheck("app", "other", expected=False, granted=None, text='"Odd"'),
            ),
        ),
    )
    assert "    app for inside: granted\n" in told
    assert (
        "    app for outside: granted, expected denied: Exchange may lag by half an hour;"
        " check again later\n" in told
    )
    assert '    app for other: not understood: "Odd"; expected denied: ask' in told


@pytest.mark.parametrize(("product", "other"), [("teams", "Exchange:"), ("exchange", "Teams:")])
def test_how_long_it_takes_is_told_for_the_products_that_changed(
    case: Case, product: str, other: str
) -> None:
    done = tuple(step.id for step in case.plan.plan.steps if step.provider == product)
    told = report(case, replace(DONE, done=done))
    assert "Changes take effect later than they are configured:" in told
    assert other not in told
    assert "In effect" not in report(case, replace(DONE, done=done), simulated=True)
    assert "In effect" not in report(case, DONE)


def test_a_filter_of_ids_takes_nothing_else() -> None:
    for ids in ((), ("x' -or 'a' -eq 'a",), ("D" * 8 + "-0000-4000-8000-000000000000",)):
        with pytest.raises(ValueError, match="object ids only"):
            filters.any_of_ids(ids)
