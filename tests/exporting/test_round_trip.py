"""What is exported plans to no changes, whatever a tenant is called and holds."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.captures.reading import parse_capture
from reconciler.documents import examine_documents
from reconciler.exporting.composing import exported
from reconciler.model.findings import Severity
from reconciler.planning import making, requests
from reconciler.tenants.simulated import Simulator
from tests.exporting.worlds import hostile_tenants
from tests.strategies.tenants import EVERYTHING

if TYPE_CHECKING:
    from reconciler.exporting.values import Export
    from reconciler.model.observed import Observed

EXAMPLES = 25


def observed(tenant: Simulator, request: Any = EVERYTHING) -> Observed:
    """A reading of a simulated tenant."""
    return parse_capture(
        tenant.capture(request), source="simulated", tenant_id=None, needs=request.products
    )


def opened(folder: Path, state: dict[str, Any]) -> Simulator:
    """A simulated tenant of this file."""
    file = folder / "tenant.json"
    file.write_text(json.dumps(state), encoding="utf-8")
    return Simulator(file)


def put(export: Export, folder: Path) -> None:
    """Write an export into an empty folder, as the command does."""
    for file in export.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8", newline="")


@settings(max_examples=EXAMPLES)
@given(hostile_tenants())
def test_what_is_exported_plans_to_no_changes(state: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "documents"
        folder.mkdir()
        tenant = opened(Path(name), state)
        put(exported(observed(tenant)), folder)
        examined = examine_documents([folder])
        errors = [str(each) for each in examined.findings if each.severity is Severity.ERROR]
        assert errors == []
        request = requests.capture_request(examined.documents)
        plan = making.make_plan(examined.documents, observed(tenant, request), making.PlanOptions())
        assert plan.changes == ()
        assert plan.steps == ()
        assert plan.unresolved == ()
        assert plan.refusals == ()


@settings(max_examples=EXAMPLES)
@given(hostile_tenants(), st.randoms(use_true_random=False))
def test_an_export_is_the_same_bytes_whatever_the_order_of_rows(
    state: dict[str, Any], chance: Any
) -> None:
    with tempfile.TemporaryDirectory() as name:
        before = exported(observed(opened(Path(name), state)), suggest=True)
        for section, key in (
            *(("teams", "users"), ("teams", "policies"), ("exchange", "policies")),
            *(("directory", "users"), ("directory", "groups"), ("directory", "recipients")),
        ):
            chance.shuffle(state[section][key])
        assert exported(observed(opened(Path(name), state)), suggest=True) == before


@settings(max_examples=EXAMPLES)
@given(hostile_tenants())
def test_files_have_names_that_every_system_takes_and_text_that_stays_in_its_place(
    state: dict[str, Any],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        export = exported(observed(opened(Path(name), state)))
    paths = [file.path for file in export.files]
    assert len({path.lower() for path in paths}) == len(paths)
    reserved = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
    for file in export.files:
        *folders, last = file.path.split("/")
        assert folders in ([], ["teams"], ["exchange"])
        stem = last.split(".")[0]
        assert stem
        assert stem not in reserved
        assert all(char in "abcdefghijklmnopqrstuvwxyz0123456789-" for char in stem)
        lines = file.text.removesuffix("\n").split("\n")
        assert all(line.isprintable() for line in lines)
        if last.endswith(".csv"):
            for user, label in csv.reader(lines, strict=True):
                assert user.replace("-", "").isalnum()
                assert label[:1] not in tuple("=+-@\t\r＝＋－＠")
                assert ";" not in label
        elif last.endswith(".yaml"):
            directives = [line for line in lines if "yaml-language-server" in line.split("#")[-1]]
            own = [line for line in lines if line.startswith("# yaml-language-server: $schema=")]
            mistakable = [line for line in directives if line not in own and "# yaml-l" in line]
            assert mistakable == []
            assert all(line.endswith("document.schema.json") for line in own)
