"""What the tool needs is pinned by a file with hashes, where a pipeline names one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.workflows import test_policy_drift, test_policy_plan
from tests.workflows.live import live_reconciler
from tests.workflows.merged import Merged
from tests.workflows.running import ROOT, commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Fixture = Callable[[str], Any]

PINS: Final = "pins/requirements.txt"
PIP: Final = "python -m pip install --quiet --disable-pip-version-check"
WITHOUT: Final = [f"{PIP} -- reconciler==1"]
WITH: Final = [
    f"{PIP} --require-hashes --requirement {PINS}",
    f"{PIP} --no-deps -- reconciler==1",
]


@pytest.fixture(autouse=True)
def _quick(platform: Any, project: Any) -> None:
    """What is installed is looked at, not what it does."""
    for folder in (platform.folder, project.organization.folder):
        (folder / "tools" / "reconciler").write_text(live_reconciler("ok", 0))


def _plan(fixture: Fixture, requirements: str) -> Any:
    pull = test_policy_plan.Pull(fixture("platform"), ROOT / "policies")
    return pull.run(requirements=requirements)


def _drift(fixture: Fixture, requirements: str) -> Any:
    nights = test_policy_drift.Nights(fixture("platform"), fixture("run"))
    return nights.night(requirements=requirements)


def _apply(fixture: Fixture, requirements: str) -> Any:
    return Merged(fixture("platform"), fixture("run")).push(
        {"requirements": requirements, "source": "live"}
    )


def _action(fixture: Fixture, requirements: str) -> Any:
    given = {"tool": "reconciler==1", "live": "false", "requirements": requirements}
    return fixture("platform").run_action(given)


RUNS: Final = {
    "plan": (_plan, 1),
    "drift": (_drift, 1),
    "apply": (_apply, 3),
    "action": (_action, 1),
}
AZURE: Final = {"plan.yml": 1, "drift.yml": 1, "apply.yml": 3}


def asked(folder: Path) -> list[str]:
    """What pip was asked."""
    return [line for line in (folder / "tools.txt").read_text().splitlines() if " pip " in line]


def pinned(checkout: Path) -> None:
    (checkout / PINS).parent.mkdir()
    shutil.copy(ROOT / ".github" / "requirements.txt", checkout / PINS)


@pytest.mark.parametrize("name", RUNS)
def test_a_file_with_hashes_is_installed_first_and_the_tool_alone_after_it(
    name: str, platform: Any, request: pytest.FixtureRequest
) -> None:
    run, times = RUNS[name]
    pinned(platform.checkout)
    commit(platform.checkout, "pins")
    ran = run(request.getfixturevalue, PINS)
    assert "failure" not in ran.results.values(), ran.printed
    assert asked(platform.folder) == WITH * times


@pytest.mark.parametrize("name", RUNS)
def test_without_one_pip_chooses(name: str, platform: Any, request: pytest.FixtureRequest) -> None:
    run, times = RUNS[name]
    run(request.getfixturevalue, "")
    assert asked(platform.folder) == WITHOUT * times


@pytest.mark.parametrize("text", [None, "click==8.1.7\n"], ids=["missing", "without hashes"])
@pytest.mark.parametrize("name", RUNS)
def test_a_file_that_pins_nothing_fails_before_anything_else_is_installed(
    name: str, text: str | None, platform: Any, request: pytest.FixtureRequest
) -> None:
    if text is not None:
        (platform.checkout / PINS).parent.mkdir()
        (platform.checkout / PINS).write_text(text)
    run, _ = RUNS[name]
    ran = run(request.getfixturevalue, PINS)
    assert "failure" in ran.results.values()
    assert asked(platform.folder) == WITH[:1]


@pytest.mark.parametrize("name", AZURE)
def test_on_azure_too(name: str, project: Any) -> None:
    pinned(project.organization.checkout)
    live = {"requirements": PINS, "source": "live"}
    project.run("drift.yml", live)
    if name != "drift.yml":
        (project.organization.folder / "tools.txt").unlink()
        given = {"requirements": PINS} if name == "plan.yml" else live
        ran = project.run(name, given)
        assert "failure" not in ran.results.values(), ran.printed
    assert asked(project.organization.folder) == WITH * AZURE[name]


def test_on_azure_a_file_that_is_missing_fails_before_anything_else(project: Any) -> None:
    ran = project.run("drift.yml", {"requirements": PINS})
    assert ran.results["drift"] == "failure"
    assert asked(project.organization.folder) == WITH[:1]
