"""A tenant with years of policies made by hand is under management in three commands."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.exporting import brownfield

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

SECONDS = 3
"""CPU seconds for all three commands; a busy machine does not count."""


def test_it_is_adopted_by_init_export_and_plan(run: Run, tmp_path: Path) -> None:
    brownfield.write(tmp_path / "tenant.json", brownfield.LARGE)
    sim = ("--tenant", "sim:tenant.json")
    start = time.process_time()
    begun = run("init", *sim)
    ran = run("export", *sim, "--out-dir", "policies", "--suggest")
    plan = run("plan", *sim, "--detailed-exitcode")
    seconds = time.process_time() - start
    assert begun.code == 0, begun.err
    assert ran.code == 0, ran.err
    assert plan.code == 0, plan.out
    assert "\nNo changes" in plan.out
    assert "Unmanaged" not in plan.out
    assert seconds < SECONDS
    for remark in (
        "is gone: its grant of",
        "the scope is gone; the policy lets its application into no mailbox",
        "the scope has no members",
        "1 holder not in the directory that was read",
        "lists no application: it governs nothing",
        "says the same as",
        "applications without a name in the documents",
    ):
        assert remark in ran.out
    files = {path.name for path in (tmp_path / "policies" / "teams").iterdir()}
    assert {"raume.yaml", "raume-2.yaml", "con-policy.yaml", "transcription-50.yaml"} <= files
