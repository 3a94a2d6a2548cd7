"""Plans as text: each folder of `cases` is a plan and the text that people get."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from tests.reports import samples

CASES = Path(__file__).with_name("cases")
SIMULATED = {"everything"}
THEN = {"hostile": "To apply exactly this: reconciler apply plan.json"}


@pytest.mark.parametrize("name", sorted(case.name for case in CASES.iterdir()))
def test_the_text_of_a_case(name: str, tmp_path: Path) -> None:
    plan = samples.plan(
        tmp_path, json.loads((CASES / name / "plan.json").read_text(encoding="utf-8"))
    )
    told = plain_text(
        plans.plan_lines(
            plan, samples.DIGESTS, simulated=name in SIMULATED, then=THEN.get(name, "")
        )
    )
    assert told == (CASES / name / "expected.txt").read_text(encoding="utf-8")
