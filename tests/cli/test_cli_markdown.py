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
    assert ran.out.startswith(MARKER.replace("reconciler:", "reconciler:test:"))
    assert ran.code == 3
    assert "\n4 passed, 1 failed.\n" in ran.out
    page = Parsed(ran.out)
    assert page.items("FAILED")[1].startswith("meeting-service-acts-for-its-user-only: ")
    assert "expected granted, found denied" in page.items("FAILED")
    assert len([item for item in page.items("Passed") if " is " in item.partition(": ")[2]]) == 4
    assert run("test", "--desired", "--format", "markdown").out.startswith(
        f"<!-- reconciler:test:{TENANT_ID} -->"
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
    small = run(*command, "--format", "markdown", "--max-bytes", "5")
    assert small.code == 64
    assert f"give {LEAST_BYTES} or more, or leave the option out" in " ".join(small.err.split())


@pytest.mark.parametrize(
    "command", [("show",), ("apply",), ("rehearse",), ("test", "--plan")], ids=" ".join
)
@pytest.mark.parametrize(
    ("name", "what"), [("policies", "is a folder"), ("no.json", "does not exist")]
)
def test_what_is_no_plan_file_says_where_one_comes_from(
    run: Run, folder: Path, command: tuple[str, ...], name: str, what: str
) -> None:
    assert folder
    ran = run(*command, name)
    assert ran.code == 64
    told = " ".join(ran.err.split())
    assert f"'{name}' {what}: name a file that `reconciler plan --out FILE` wrote" in told


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
    assert "--against and --redact cannot be used together" in compared.err


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_what_is_said_beside_a_plan_names_nobody(run: Run, folder: Path, form: str) -> None:
    """Faults of the documents, and a tenant that cannot be read: there is no plan then."""
    hosts = folder / "policies/teams/meeting-hosts.csv"
    hosts.write_text(hosts.read_text(encoding="utf-8") + "Zoe Zwick,x\nzoe@,x\n", encoding="utf-8")
    for redacted in (True, False):
        option = ("--redact", "names") if redacted else ()
        ran = run("plan", "--format", form, "--json-into", "all.json", *option)
        assert ran.code == 3
        told = ran.out + ran.err + (folder / "all.json").read_text(encoding="utf-8")
        assert "meeting-hosts.csv" in told
        assert ("Zoe" in told or "zoe" in told) == (not redacted)


def test_a_message_after_the_plan_names_nobody(run: Run, folder: Path) -> None:
    assert folder
    run("plan", "--out", "plan.json")
    lost = "gone/megan.bowen@contoso.com/plan.md"
    ran = run("show", "plan.json", "--redact", "names", "--out", lost, "--json-into", "all.json")
    assert ran.code == 1
    error = json.loads((folder / "all.json").read_text(encoding="utf-8"))["error"]
    assert "folder" in error
    assert "megan" not in f"{error}{ran.err}".lower()
    assert "megan" in run("show", "plan.json", "--out", lost).err
