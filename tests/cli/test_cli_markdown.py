"""`--format markdown` of `plan`, `show` and `test`, and `--max-bytes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.reports.markdown.limits import LEAST_BYTES
from tests.cli.sample import TENANT_ID
from tests.reports.markdown_parsed import Parsed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

MARKER = f"<!-- reconciler:{TENANT_ID} -->\n\n**SIMULATED TENANT: "


def test_a_plan_is_the_same_page_planned_and_shown_but_for_where_it_is_declared(
    run: Run, folder: Path
) -> None:
    planned = run("plan", "--out", "plan.json", "--format", "markdown")
    shown = run("show", "plan.json", "--format", "markdown", "--out", "plan.md")
    assert (planned.code, shown.code, shown.out) == (0, 0, "")
    page = (folder / "plan.md").read_text(encoding="utf-8")
    assert planned.out.startswith(MARKER)
    assert page.startswith(MARKER)
    assert "even-users.yaml:" in planned.out
    assert "even-users.yaml:" not in page
    assert Parsed(page).fence("MORE") == Parsed(planned.out).fence("MORE")


def test_a_page_is_no_larger_than_it_may_be(run: Run, folder: Path) -> None:
    assert folder
    whole = run("plan", "--format", "markdown", "--commands", "--ids").out
    assert len(whole.encode()) > LEAST_BYTES
    assert "Cut to size" not in whole
    cut = run(
        *("plan", "--format", "markdown", "--commands", "--ids", "--max-bytes", str(LEAST_BYTES))
    ).out
    assert len(cut.encode()) <= LEAST_BYTES
    assert "Cut to size" in cut
    for title in ("EVERYONE", "MORE"):
        assert Parsed(cut).fence(title) == Parsed(whole).fence(title)


def test_results_of_access_tests(run: Run, folder: Path) -> None:
    assert folder
    ran = run("test", "--format", "markdown")
    assert ran.out.startswith(MARKER)
    assert ran.code == 3
    assert "Access tests: 4 passed, 1 failed." in ran.out
    page = Parsed(ran.out)
    assert page.items("FAILED")[1].startswith("meeting-service-acts-for-its-user-only: ")
    assert "expected granted, found denied" in page.items("FAILED")
    assert len([item for item in page.items("Passed") if " is " in item.partition(": ")[2]]) == 4
    assert run("test", "--desired", "--format", "markdown").out.startswith(
        f"<!-- reconciler:{TENANT_ID} -->"
    )
    run("plan", "--out", "plan.json")
    assert "5 passed" in run("test", "--plan", "plan.json", "--format", "markdown").out


@pytest.mark.parametrize(
    "command", [("plan",), ("show", "plan.json"), ("test", "--desired")], ids=" ".join
)
def test_only_markdown_is_cut(run: Run, folder: Path, command: tuple[str, ...]) -> None:
    assert folder
    run("plan", "--out", "plan.json")
    ran = run(*command, "--max-bytes", "60000")
    assert ran.code == 64
    assert "--max-bytes requires --format markdown" in ran.err
    small = run(*command, "--format", "markdown", "--max-bytes", "1000")
    assert small.code == 64
