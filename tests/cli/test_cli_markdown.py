"""`--format markdown` of `plan`, `show` and `test`, `--max-bytes` and `--redact`."""

from __future__ import annotations

import json
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


def _directory(folder: Path) -> set[str]:
    """Ids and principal names of all users of the sample."""
    capture = json.loads((folder / "capture.json").read_text(encoding="utf-8"))
    users = capture["directory"]["users"]
    return {text.lower() for user in users for text in (user["id"], user["upn"])}


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_people_are_redacted_on_every_surface(run: Run, folder: Path, form: str) -> None:
    run("fetch", "--directory", "all", "--out", "capture.json")
    people = _directory(folder)
    assert len(people) > 10
    planned = run("plan", "--out", "plan.json", "--json-into", "all.json", "--redact", "names")
    assert planned.code == 0
    shown = run("show", "plan.json", "--format", form, "--ids", "--commands", "--redact", "names")
    envelope = (folder / "all.json").read_text(encoding="utf-8")
    for told in (planned.out, shown.out, envelope):
        assert [text for text in people if text in told.lower()] == []
        assert "Person 1" in told
        assert "Grant-CsApplicationAccessPolicy -" not in told
    assert "event-registration" in shown.out
    assert "meeting-hosts.csv:3" in planned.out  # a place is found by the address as it was
    kept = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert kept["content_digest"] in shown.out
    assert run("show", "plan.json").code == 0


def test_a_script_and_a_comparison_take_no_redaction(run: Run, folder: Path) -> None:
    assert folder
    run("plan", "--out", "plan.json")
    script = run("show", "plan.json", "--format", "powershell", "--redact", "names")
    assert script.code == 64
    assert "--redact leaves commands out" in script.err
    compared = run("show", "plan.json", "--against", "plan.json", "--redact", "names")
    assert compared.code == 64
    assert "takes no --redact" in compared.err
