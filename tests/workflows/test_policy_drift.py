"""The nightly workflow: the capture that is kept, and one ticket, opened, updated, closed, reopened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.workflows.running import BRANCH, REPOSITORY, commit, run_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Run
    from tests.workflows.running import Platform, Ran

WORKFLOW = "policy-drift.yml"
MARKER = "<!-- reconciler drift contoso -->"
ISSUES = f"repos/{REPOSITORY}/issues"
TOKENS = ("https://graph.microsoft.com", "48ac35b8-9aa8-4d74-927d-1f4a14a0b239")


def event(visibility: str = "private", ref: str = BRANCH) -> Mapping[str, Any]:
    repository = {"default_branch": BRANCH, "visibility": visibility}
    return {"event_name": "schedule", "ref_name": ref, "event": {"repository": repository}}


class Nights:
    """A tenant, simulated in the checkout, that is read night after night."""

    def __init__(self, platform: Platform, run: Run) -> None:
        self.platform, self._run = platform, run
        commit(platform.checkout, "the sample")

    @property
    def tenant(self) -> Path:
        return self.platform.checkout / "tenant.json"

    def apply(self) -> None:
        """Bring the tenant to what the documents declare, and accept what is beside them."""
        sim = ("--tenant", "sim:tenant.json")
        checkout = self.platform.checkout
        assert self._run("apply", *sim, "--auto-approve", cwd=checkout).code == 0
        for address in (
            "teams.policy/Legacy-recorder",
            "exchange.policy/9d9e9ef6-700e-43b4-b202-9af752d31077@sales@contoso.com",
        ):
            accept = ("export", *sim, "--accept", address, "--reason", "known")
            assert self._run(*accept, cwd=checkout).code == 0

    def night(self, **changed: Any) -> Ran:
        inputs = {"tool": "reconciler==1", "tenant": "contoso", "source": "sim:tenant.json"}
        return self.platform.run(WORKFLOW, event(), {**inputs, **changed})

    def ticket(self) -> dict[str, Any]:
        (ticket,) = self.platform.state["issues"]
        return ticket


@pytest.fixture
def nights(platform: Platform, run: Run) -> Nights:
    return Nights(platform, run)


def test_a_ticket_is_opened_updated_and_closed(nights: Nights) -> None:
    ran = nights.night()
    assert ran.results == {"drift": "success", "ticket": "success"}, ran.printed
    assert ran.blocks == run_blocks(WORKFLOW) - {("drift", "PowerShell and its modules")}
    first = nights.ticket()
    assert first["title"] == "Drift: contoso differs from its documents"
    assert first["body"].startswith(f"{MARKER}\n")
    assert "reconciler export" in first["body"]  # to accept what is there
    assert f"https://github.com/{REPOSITORY}/actions/runs/1" in first["body"]
    before = first["body"]
    nights._run(
        "apply", "--tenant", "sim:tenant.json", "--auto-approve", cwd=nights.platform.checkout
    )
    nights.night()
    assert nights.ticket()["body"] != before
    nights.apply()
    assert nights.night().results["ticket"] == "success"
    assert nights.ticket()["state"] == "closed"
    written = nights.platform.written()
    assert written == [
        f"POST {ISSUES}",
        f"PATCH {ISSUES}/100",
        f"POST {ISSUES}/100/comments",
        f"PATCH {ISSUES}/100",
    ]
    nights.night()
    assert nights.platform.written() == written


def test_what_differs_again_within_a_month_reopens_the_ticket_and_later_makes_another(
    nights: Nights,
) -> None:
    body, robot = f"{MARKER}\nold", {"login": "github-actions[bot]"}
    ticket = {"number": 3, "user": robot, "state": "closed", "body": body, "created_at": "2026-09"}
    old = {**ticket, "number": 2, "closed_at": "2026-01-01T00:00:00Z"}
    nights.platform.state["issues"] = [old]
    nights.night()
    assert nights.platform.written() == [f"POST {ISSUES}"]
    nights.platform.state["issues"] = [old, {**ticket, "closed_at": "2999-01-01T00:00:00Z"}]
    nights.night()
    assert nights.platform.written()[1:] == [f"PATCH {ISSUES}/3"]
    assert [row["state"] for row in nights.platform.state["issues"]] == ["closed", "open"]


@pytest.mark.parametrize(
    "foreign",
    [
        {"user": {"login": "mallory"}},
        {"body": f"Quoted:\n{MARKER}\n"},
        {"pull_request": {}},
        {"body": None},
    ],
)
def test_an_issue_that_only_looks_like_the_ticket_is_left_alone(
    nights: Nights, foreign: Mapping[str, Any]
) -> None:
    row = {
        "number": 3,
        "user": {"login": "github-actions[bot]"},
        "state": "open",
        "closed_at": None,
        "created_at": "2026-11-01T00:00:00Z",
        "body": f"{MARKER}\n",
    }
    nights.platform.state["issues"] = [{**row, **foreign}]
    nights.night()
    assert nights.platform.written() == [f"POST {ISSUES}"]


def test_a_reading_that_fails_leaves_the_ticket_and_keeps_no_capture(nights: Nights) -> None:
    nights.night()
    nights.tenant.write_text("{")
    ran = nights.night()
    assert ran.results == {"drift": "failure", "ticket": "skipped"}, ran.printed
    assert len(nights.platform.written()) == 1
    assert [row["workflow_run"]["id"] for row in nights.platform.state["artifacts"]] == [1, 1]


def test_faulty_documents_leave_the_ticket_and_the_capture_is_kept(nights: Nights) -> None:
    tenant = nights.platform.checkout / "policies" / "tenant.yaml"
    text = tenant.read_text()
    nights.night()
    tenant.write_text(text.replace("maxDeletes: 5", "maxDeletes: five"))
    ran = nights.night()
    assert ran.results == {"drift": "failure", "ticket": "skipped"}, ran.printed
    assert len(nights.platform.written()) == 1


@pytest.mark.parametrize("visibility", ["public", ""])
def test_a_public_repository_keeps_no_capture(nights: Nights, visibility: str) -> None:
    inputs = {"tool": "reconciler==1", "source": "sim:tenant.json"}
    ran = nights.platform.run(WORKFLOW, event(visibility), inputs)
    assert ran.results == {"drift": "failure", "ticket": "skipped"}
    assert "A capture holds the tenant's directory" in ran.printed
    assert nights.platform.state["artifacts"] == []


def test_another_branch_reads_nothing(nights: Nights) -> None:
    inputs = {"tool": "reconciler==1", "source": "sim:tenant.json"}
    ran = nights.platform.run(WORKFLOW, event(ref="a-branch"), inputs)
    assert ran.results["drift"] == "failure"
    assert nights.platform.state["artifacts"] == []


def test_live_signs_in_masks_the_tokens_and_installs_exact_modules(nights: Nights) -> None:
    ran = nights.night(source="live")
    assert ran.blocks >= {("drift", "PowerShell and its modules"), ("drift", "Read the tenant")}
    assert ran.results == {"drift": "failure", "ticket": "skipped"}  # no PowerShell that answers
    tools = (nights.platform.folder / "tools.txt").read_text()
    assert "Install-PSResource -Name MicrosoftTeams -Version '[7.7.0]'" in tools
    assert "Install-PSResource -Name ExchangeOnlineManagement -Version '[3.10.1]'" in tools
    assert [line for line in tools.splitlines() if line.startswith("az ")] == [
        f"az account get-access-token --resource {resource} --query accessToken --output tsv"
        for resource in (*TOKENS, "https://outlook.office365.com")
    ]
    lines = ran.printed.splitlines()
    masked = [
        line.removeprefix("::add-mask::") for line in lines if line.startswith("::add-mask::")
    ]
    assert len(masked) == 3
    assert not [
        line for line in lines if any(each in line for each in masked) and "mask" not in line
    ]


@pytest.mark.parametrize(("version", "fits"), [("7.6.0", True), ("7.10.2", True), ("7.4.9", False)])
def test_an_old_powershell_is_named(nights: Nights, version: str, fits: bool) -> None:
    tool = nights.platform.folder / "tools" / "pwsh"
    tool.write_text(tool.read_text().replace("7.6.1", version))
    ran = nights.night(source="live")
    assert ("PowerShell 7.6 or newer is required" in ran.printed) is not fits
