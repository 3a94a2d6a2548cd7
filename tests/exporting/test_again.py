"""An export beside documents: whatever the tenant was and is, what is left has no fault, and with
`--force` it plans to no changes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.cli import exporting
from reconciler.cli.exporting import ExportAsked
from reconciler.documents import examine_documents
from reconciler.exporting.choosing import ExportWanted
from reconciler.model.findings import Severity
from reconciler.planning import making, requests
from tests.exporting.test_round_trip import observed, opened
from tests.exporting.worlds import hostile_tenants
from tests.strategies.tenants import APPS, empty, grant, teams_policy

EXAMPLES = 12


def exported(folder: Path, state: dict[str, Any], *, force: bool = False) -> exporting.ExportDone:
    """Export a tenant into `documents`."""
    opened(folder, state)
    asked = ExportAsked(
        (folder / "documents",),
        folder / "documents",
        f"sim:{folder / 'tenant.json'}",
        ExportWanted(),
        force=force,
    )
    return exporting.run_export(asked)


def faults(folder: Path) -> list[str]:
    """What is wrong with the documents."""
    examined = examine_documents([folder])
    return [str(each) for each in examined.findings if each.severity is Severity.ERROR]


def changes(folder: Path, state: dict[str, Any]) -> list[str]:
    """What a plan would change."""
    documents = examine_documents([folder / "documents"]).documents
    reading = observed(opened(folder, state), requests.capture_request(documents))
    plan = making.make_plan(documents, reading, making.PlanOptions())
    assert plan.refusals == ()
    return [change.address for change in plan.changes]


def content(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@settings(max_examples=EXAMPLES)
@given(hostile_tenants(), hostile_tenants(), st.booleans())
def test_an_export_over_one_of_another_time(
    then: dict[str, Any], now: dict[str, Any], is_edited: bool
) -> None:
    now["directory"] = then["directory"]  # the same people
    with tempfile.TemporaryDirectory() as name:
        folder, documents = Path(name), Path(name) / "documents"
        documents.mkdir()
        exported(folder, then)
        if is_edited:
            for path in documents.rglob("*.yaml"):
                path.write_text(f"# mine\n\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
        before = content(documents)
        assert exported(folder, then).paths == ()
        assert content(documents) == before

        done = exported(folder, now)
        after = content(documents)
        assert all(after[path].startswith(text) for path, text in before.items())
        assert faults(documents) == []

        forced = exported(folder, now, force=True)
        assert forced.differing == 0
        assert faults(documents) == []
        assert changes(folder, now) == []
        assert (done.differing == 0) == (forced.paths + forced.removed == ())


def test_a_move_that_a_plan_would_hold_is_written_anew(tmp_path: Path) -> None:
    """One of many whom the directory does not have moved to a policy with an entry that is not
    understood: a plan that is to move the user back waits, and both documents differ all the same.
    """
    then, now = empty(), empty()
    users = [f"bbbbbbbb-0000-4000-8000-0000000000{number:02x}" for number in range(0x63, 0x6E)]
    then["teams"]["policies"].append(teams_policy("Old", [APPS[0], "x"]))
    then["teams"]["users"] = [
        {**grant(user, "Old"), "UserPrincipalName": "x@contoso.com"} for user in users
    ]
    now["teams"]["policies"] += [teams_policy("Old", []), teams_policy("New", [APPS[0], "x"])]
    now["teams"]["users"] = [{**grant(users[0], "New"), "UserPrincipalName": "x@contoso.com"}]
    (tmp_path / "documents").mkdir()
    for state, force in ((then, False), (now, False), (now, True)):
        exported(tmp_path, state, force=force)
    assert changes(tmp_path, now) == []
    documents = (tmp_path / "documents" / "teams").glob("new*")
    assert any(users[0] in path.read_text(encoding="utf-8") for path in documents)
