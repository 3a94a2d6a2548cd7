"""The runner's contract, check by check: what a real PowerShell was found to do, the stand-in does."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from tests.door import check_runner
from tests.standin.places import STAND_IN

if TYPE_CHECKING:
    from tests.standin.places import Place

SWITCHES = ("-NoLogo", "-NoProfile", "-NonInteractive", "-OutputFormat", "Text", "-File")


@pytest.mark.parametrize("check", check_runner.CHECKS, ids=lambda check: check.__name__)
def test_contract(place: Place, check: check_runner.Check) -> None:
    with resources.as_file(resources.files("reconciler.powershell") / "runner.ps1") as runner:
        command = [*place.program, *SWITCHES, str(runner)]
        with check_runner.started(command, str(place.modules) if place.modules else None) as (
            process,
            server,
        ):
            check(process, server)


def test_the_suite_runs_by_hand_and_says_what_passed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["check_runner", "--only", "close", "--", *STAND_IN])
    assert check_runner.main() == 0
    assert capsys.readouterr().out.endswith("2 passed, 0 failed\n")


def test_the_suite_fails_for_what_does_not_speak_the_contract(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["check_runner", "--only", "close", "--", STAND_IN[0], "-c", "print('{}')"]
    )
    assert check_runner.main() == 1
    assert "FAIL  close operation ends with zero" in capsys.readouterr().out
