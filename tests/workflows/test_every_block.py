"""No script of a workflow, an action or a template is left unexecuted: whatever runs one notes where it
stands, and this compares with every script that there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.workflows import test_ci, test_policy_drift, test_policy_plan, test_release
from tests.workflows.agent import EXECUTED
from tests.workflows.blocks import GITHUB, every_script, scripts
from tests.workflows.live import live_reconciler

if TYPE_CHECKING:
    from collections.abc import Callable

    Fixture = Callable[[str], Any]


def _azure(fixture: Fixture) -> None:
    project = fixture("project")
    project.run("drift.yml")
    project.run("plan.yml", **project.pull())
    project.approve()
    project.run("apply.yml")
    tool = project.organization.folder / "tools" / "reconciler"
    tool.write_text(live_reconciler("ok", 0))
    project.run("apply.yml", {"source": "live"})
    project.organization.state["requests"] = []
    project.run("apply.yml", {"source": "live"})


def _apply(fixture: Fixture) -> None:
    merged = fixture("merged")
    merged.approve()
    merged.push()
    tool = merged.platform.folder / "tools" / "reconciler"
    tool.write_text(live_reconciler("ok", 0))
    merged.push({"source": "live"})
    merged.push({"source": "live", "verify-environment": "in-effect"})


def _drift(fixture: Fixture) -> None:
    nights = test_policy_drift.Nights(fixture("platform"), fixture("run"))
    nights.night()
    nights.night(source="live")


SCENARIOS: Final[dict[str, Callable[[Fixture], object]]] = {
    "actions/setup/action.yml": lambda fixture: fixture("platform").run_action(
        {"tool": "reconciler==1", "tokens": "true"}
    ),
    "azure/": _azure,
    "workflows/ci.yml": lambda fixture: test_ci.ci(fixture("own")),
    "workflows/policy-apply.yml": _apply,
    "workflows/policy-drift.yml": _drift,
    "workflows/policy-plan.yml": lambda fixture: test_policy_plan.Pull(
        fixture("platform"), fixture("capture")
    ).run(),
    "workflows/release.yml": lambda fixture: test_release.release(
        test_release.made_ready(fixture("own"))
    ),
}
"""What runs the scripts of the files whose names begin like this."""

EVERY: Final = every_script()


def test_every_file_with_a_script_has_what_runs_it() -> None:
    begun = tuple(SCENARIOS)
    assert [name for name in EVERY if not name.startswith(begun)] == []
    assert [each for each in begun if not any(name.startswith(each) for name in EVERY)] == []


@pytest.mark.parametrize("group", SCENARIOS)
def test_every_script_is_executed(group: str, request: pytest.FixtureRequest) -> None:
    EXECUTED.clear()
    SCENARIOS[group](request.getfixturevalue)
    wanted = {place for name, places in EVERY.items() if name.startswith(group) for place in places}
    assert wanted
    assert sorted(wanted - EXECUTED) == []


def test_a_script_is_found_wherever_it_stands() -> None:
    named = {place for places in EVERY.values() for place in places}
    texts = {
        f"{name}:{number}"
        for name in EVERY
        for number, line in enumerate(lines_of(name), 1)
        if line.lstrip().removeprefix("- ").startswith(("run: ", "bash: ", "inlineScript: "))
    }
    assert named == texts
    assert list(scripts({"run": {"shell": "bash"}})) == []


def lines_of(name: str) -> list[str]:
    return (GITHUB / name).read_text(encoding="utf-8").splitlines()
