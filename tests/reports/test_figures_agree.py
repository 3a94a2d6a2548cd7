"""One set of figures: what text, Markdown, HTML and JSON count of a plan, and what an apply of it says
at its end, add up.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.kinds.golden_folders import FOLDERS, folder_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

NAMED = frozenset(
    {
        *("teams/global-by-document", "teams/tenant-grant-is-a-copy", "teams/rename-and-edit"),
        *(
            "teams/prune",
            "teams/move-group-documented-way",
            "teams/unmanaged",
            "teams/opaque-entry",
        ),
        *("teams/limit-counts-groups", "teams/skip", "teams/drop-groups", "teams/seed-001"),
        *("exchange/guard", "exchange/replace-two-scopes", "exchange/seed-004", "both/quarantine"),
        *("both/consents", "both/opaque-in-both", "both/one-product-refused"),
    }
)
REFUSED = frozenset(
    {
        *("both/one-product-refused", "exchange/guard", "exchange/replace-two-scopes"),
        *("teams/global-by-document", "teams/limit-counts-groups"),
    }
)
CASES = [folder for folder in FOLDERS if folder_id(folder) in NAMED]
APPLICABLE = [folder for folder in CASES if folder_id(folder) not in REFUSED]
PLANNED = re.compile(
    r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy\. Grants: (\d+) to add, (\d+) to move,"
    r" (\d+) to remove\."
)
APPLIED = re.compile(
    r"Policies: (\d+) added, (\d+) changed, (\d+) destroyed\. Grants: (\d+) added, (\d+) moved,"
    r" (\d+) removed\."
)
COUNTED = (
    *(("steps", r"(\d+) steps?[;,.:]"), ("held", r"(\d+) objects? held")),
    *(("refusals", r"(\d+) refusals?\b"), ("unresolved", r"(\d+) unresolved")),
)
EMPTY: dict[str, dict[str, Any]] = {
    "teams": {"policies": [], "groupAssignments": [], "users": []},
    "exchange": {"policies": []},
}


class Told(NamedTuple):
    """A plan, the figures of its envelope, and each report as one line of plain text."""

    plan: dict[str, Any]
    summary: dict[str, int]
    reports: dict[str, str]


def plain(report: str) -> str:
    without = re.sub(r"<(style|script)\b.*?</\1>", " ", report, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without)).split())


def made(run: Run, folder: Path, scratch: Path, tenant: str) -> Told:
    options = folder / "options.txt"
    more = options.read_text("utf-8").splitlines() if options.exists() else []
    file = scratch / "plan.json"
    planned = run(
        *("plan", str(folder / "policies"), *more, "--tenant", tenant),
        *("--out", str(file), "--format", "json"),
    )
    envelope = json.loads(planned.out)
    forms = ("text", "markdown", "html")
    reports = {form: plain(run("show", str(file), "--format", form).out) for form in forms}
    return Told(envelope["plan"], envelope["summary"], reports)


def by_action(summary: dict[str, int]) -> tuple[int, ...]:
    return tuple(
        summary[f"{noun}_{action}"]
        for noun in ("policies", "grants")
        for action in ("create", "update", "delete")
    )


def test_the_cases_are_there() -> None:
    assert len(CASES) == len(NAMED)


@pytest.mark.parametrize("folder", CASES, ids=folder_id)
def test_every_report_of_a_plan_counts_alike(run: Run, folder: Path, tmp_path: Path) -> None:
    told = made(run, folder, tmp_path, str(folder / "capture.json"))
    counts = by_action(told.plan["summary"])
    for noun, changed, after in (("policies", "changed", 0), ("grants", "moved", 3)):
        once = {key.rpartition(".")[2]: told.summary[key] for key in told.summary if noun in key}
        both = once.get("replaced", 0) + once.get("renamed", 0)
        ends = (once["added"] + both, once[changed], once["removed"] + both)
        assert counts[after : after + 3] == ends
    for form, report in told.reports.items():
        closing = PLANNED.search(report)
        assert (form, closing is not None) == (form, bool(told.plan["changes"]))
        if closing:
            assert (form, tuple(map(int, closing.groups()))) == (form, counts)
        for name, pattern in COUNTED:
            counted = re.search(pattern, report)
            number = int(counted[1]) if counted else 0
            assert (form, name, number) == (form, name, told.summary[name])


@pytest.mark.parametrize("folder", APPLICABLE, ids=folder_id)
def test_an_apply_ends_with_the_figures_of_its_plan(run: Run, folder: Path, tmp_path: Path) -> None:
    capture = json.loads((folder / "capture.json").read_text("utf-8"))
    for product, nothing in EMPTY.items():
        section = capture.get(product) or {}
        read = section if section.get("complete") else nothing
        capture[product] = {**read, "complete": True, "reads": []}
    tenant = tmp_path / "tenant.json"
    tenant.write_text(json.dumps(capture), encoding="utf-8")
    told = made(run, folder, tmp_path, f"sim:{tenant}")
    assert told.plan["applicable"]
    applied = run(
        "apply", str(tmp_path / "plan.json"), "--tenant", f"sim:{tenant}", "--auto-approve"
    )
    closing = APPLIED.search(plain(applied.out))
    assert closing is not None
    assert tuple(map(int, closing.groups())) == by_action(told.plan["summary"])
