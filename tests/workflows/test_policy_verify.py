"""The job that looks, after an apply, whether what was applied is in effect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.workflows.live import live_reconciler
from tests.workflows.merged import NOTHING, WORKFLOW
from tests.workflows.running import ROOT, WORKFLOWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.workflows.merged import Merged

IN_EFFECT = "Verified: 13 objects accepted and visible"


class Live:
    """Runs with a live tenant; which tools were asked for what."""

    def __init__(self, merged: Merged) -> None:
        self.merged = merged

    def push(self, ended: str = "ok", code: int = 0, **inputs: Any) -> Any:
        tool = self.merged.platform.folder / "tools" / "reconciler"
        tool.write_text(live_reconciler(ended, code))
        return self.merged.push({"source": "live", **inputs})

    def asked(self) -> list[str]:
        return (self.merged.platform.folder / "tools.txt").read_text().splitlines()


@pytest.fixture
def live(merged: Merged) -> Live:
    return Live(merged)


def summary(merged: Merged) -> str:
    run = str(merged.platform._next_run - 1)
    return (merged.platform.folder / run / "verify" / "GITHUB_STEP_SUMMARY").read_text()


def test_what_was_applied_is_verified_by_a_job_with_a_checkout_of_its_own(merged: Merged) -> None:
    merged.approve()
    merged.platform.before["verify"] = (merged.platform.checkout / "tenant.json").unlink
    ran = merged.push()
    assert ran.results["verify"] == "success", ran.printed
    assert IN_EFFECT in summary(merged)
    assert "sleep" not in (merged.platform.folder / "tools.txt").read_text()


def of_the_tenant(merged: Merged, edit: Callable[[Any], object]) -> Callable[[], None]:
    """What edits the tenant between the apply and the job that verifies."""

    def changed() -> None:
        run = merged.platform.folder / "runs" / str(merged.platform._next_run - 1)
        (file,) = run.rglob("simulated.json")
        content = json.loads(file.read_text())
        edit(content)
        file.write_text(json.dumps(content))

    return changed


def assert_not_verified(merged: Merged, ran: Any, *texts: str) -> None:
    assert ran.results["verify"] == "failure"
    assert ran.results["apply"] == "success"
    assert "::error title=not verified::" in ran.printed
    assert "exit code 7" in ran.printed
    for text in texts:
        assert text in summary(merged)


def test_what_is_not_visible_yet_fails_and_is_shown(merged: Merged) -> None:
    merged.approve()
    old = json.loads((ROOT / "reconciler" / "tenants" / "contoso.json").read_text())

    def not_yet(content: Any) -> None:
        content.clear()
        content.update(old)

    merged.platform.before["verify"] = of_the_tenant(merged, not_yet)
    assert_not_verified(merged, merged.push(), "as before the plan")


def test_what_somebody_changed_since_fails_and_is_named(merged: Merged) -> None:
    merged.approve()

    def by_hand(content: Any) -> None:
        for policy in content["teams"]["policies"]:
            if policy["Identity"] == "Tag:Test-policy":
                policy["AppIds"] = ["11111111-1111-4111-8111-111111111111"]

    merged.platform.before["verify"] = of_the_tenant(merged, by_hand)
    assert_not_verified(merged, merged.push(), "changed since")


def test_it_can_be_switched_off(merged: Merged) -> None:
    merged.approve()
    ran = merged.push({"verify": False})
    assert ran.results == {**NOTHING, "plan": "success", "apply": "success"}


def test_a_live_tenant_is_read_as_the_reader_after_a_runner_has_waited(live: Live) -> None:
    ran = live.push()
    assert ran.results["verify"] == "success", ran.printed
    assert ran.results["wait"] == "skipped"
    asked = live.asked()
    (waited,) = (place for place, line in enumerate(asked) if line.startswith("sleep"))
    assert asked[waited] == "sleep 4500"
    assert sum(line.startswith("az account get-access-token") for line in asked[waited:]) == 3
    (line,) = (line for line in asked if line.startswith("reconciler verify"))
    assert "/plan/plan.json --tenant live --journal " in line
    assert line.endswith("apply-000010.jsonl --timeout 30 --path policies --format markdown")
    assert "a report" in summary(live.merged)


def test_an_environment_waits_in_place_of_a_runner(live: Live) -> None:
    given = {"verify-environment": "in-effect", "verify-timeout": 5}
    ran = live.push(**given)
    assert ran.results == dict.fromkeys(("plan", "apply", "wait", "verify"), "success")
    assert ran.environments["wait"] == "in-effect"
    assert "verify" not in ran.environments  # else the reader would need another credential
    assert not [line for line in live.asked() if line.startswith("sleep")]
    assert [line for line in live.asked() if "--timeout 5 " in line]


@pytest.mark.parametrize(
    ("ended", "code", "wrote"),
    [("applied-in-part", 6, True), ("not-verified", 7, True), ("stale", 5, False)],
)
def test_it_runs_only_where_something_may_have_been_written(
    live: Live, ended: str, code: int, wrote: bool
) -> None:
    ran = live.push(ended, code)
    assert ran.results["apply"] == "failure"
    assert ran.results["verify"] == ("success" if wrote else "skipped"), ran.printed
    assert any(line.startswith("sleep") for line in live.asked()) is wrote


def test_who_verifies_can_write_nothing() -> None:
    jobs = yaml.safe_load((WORKFLOWS / WORKFLOW).read_text())["jobs"]
    assert jobs["wait"]["permissions"] == {}
    assert jobs["verify"]["permissions"] == {"contents": "read", "id-token": "write"}
    (sign_in,) = (step for step in jobs["verify"]["steps"] if step.get("name") == "Sign in")
    assert "reader" in sign_in["with"]["client-id"]
