"""Every error text that pages and people report is diagnosed, and no kind of error lacks a case."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reconciler.diagnosing.causes import RefusalCause
from reconciler.diagnosing.received import read_error
from reconciler.diagnosing.signs import GATE_PRODUCTS, SIGNS, Gate, sign_of
from tests.cli.sample import settle
from tests.diagnosing.golden_errors import FOLDERS, diagnosed, error_file, golden

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_what_is_told_of_an_error(
    case: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    expected = (case / "diagnosis.txt").read_text(encoding="utf-8")
    assert golden(diagnosed(run, case)) == expected, "python -m tests.diagnosing --write"


def test_every_kind_of_error_has_a_case() -> None:
    kinds = {
        sign.id
        for case in FOLDERS
        if (sign := sign_of(read_error(error_file(case).read_bytes()))) is not None
    }
    assert kinds == {sign.id for sign in SIGNS}
    assert {sign.gate for sign in SIGNS} == set(Gate)


def test_every_row_can_be_reached() -> None:
    for sign in SIGNS:
        for phrases in sign.phrases:
            words = json.dumps({"error": {"code": "x", "message": " ".join(phrases)}})
            met = sign_of(read_error(words.encode()))
            assert met is not None
            assert met.id == sign.id


def test_machines_read_the_same(run: Run, tmp_path: Path) -> None:
    settle(tmp_path)
    outcomes = set()
    for case in FOLDERS:
        ran = diagnosed(run, case, "--format", "json")
        envelope = json.loads(ran.out)
        answer = envelope["diagnosis"]
        outcomes.add(answer["cause"])
        assert (answer["sign"] is None) == (answer["cause"] == "unknown") == (ran.code == 1)
        gates = {gate.value for gate in GATE_PRODUCTS}
        by_policies = answer["cause"] not in {"not-ours", "unknown", "wrong-id"}
        assert (answer["gate"] in gates) == by_policies or answer["cause"] == "wrong-id"
        assert len(answer["explanations"]) == 1 or not by_policies
    assert outcomes == {each.value for each in RefusalCause} - {"waiting", "undecided"}
