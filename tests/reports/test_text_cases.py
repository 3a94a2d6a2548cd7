"""Plans as text: each folder of `cases` is a plan and the text that people get.

`python -m tests.reports` writes what is expected anew.
"""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from tests.reports import golden_cases, samples
from tests.reports.golden_cases import CASES, Case

_TYPED = re.compile(r" *\d+  \S+-\S+|.*--(skip|only|allow) ")


def rendered(case: Case) -> str:
    """The text at 100 columns."""
    shown = plans.Shown(then="To apply exactly this: reconciler apply plan.json")
    return plain_text(plans.plan_lines(golden_cases.reviewed(case), shown))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_text_of_a_case(case: Case) -> None:
    assert rendered(case) == case.expected("txt")


def stopped() -> str:
    """The text of an apply that stopped."""
    sample = next(case for case in CASES if case.name == "sample")
    return plain_text(
        samples.applied_lines(
            sample.plan,
            golden_cases.partly_applied(),
            simulated=True,
            resume="reconciler apply plan.json",
        )
    )


def test_the_text_of_an_apply_that_stopped() -> None:
    assert stopped() == golden_cases.PARTLY_APPLIED.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_line_is_wider_than_the_terminal_but_what_is_typed(case: Case) -> None:
    wide = [line for line in rendered(case).splitlines() if cell_len(line) > 100]
    assert [line for line in wide if not _TYPED.match(line)] == []


@pytest.mark.parametrize(
    ("name", "most"), [("500-grants", 80), ("10000-grants", 80), ("sample", 60)]
)
def test_the_text_is_short_beside_its_commands(name: str, most: int) -> None:
    case = next(case for case in CASES if case.name == name)
    commands = [line for line in rendered(case).splitlines() if re.match(r" *\d+  \S+-\S+ ", line)]
    assert len(commands) in (0, len(case.plan.steps))
    assert rendered(case).count("\n") - len(commands) <= most
