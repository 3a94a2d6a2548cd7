"""The comment in a pull request on Azure Repos: one for each tenant, made, and then edited in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.workflows.azure import AzureRan
    from tests.workflows.project import Project

MARKER = "<!-- reconciler plan contoso -->"
ME = {"id": "the-build-service"}


@pytest.fixture
def captured(project: Project) -> Project:
    """A project whose tenant was read."""
    project.run("drift.yml")
    project.organization.state["written"].clear()
    return project


def plan(project: Project, given: dict[str, str] | None = None, **changed: str) -> AzureRan:
    return project.run("plan.yml", given, **{**project.pull(), **changed})


def comments(project: Project) -> list[str]:
    return [each["comments"][0]["content"] for each in project.organization.state["threads"]]


def test_a_comment_is_made_and_then_edited_in_place(captured: Project) -> None:
    ran = plan(captured)
    assert ran.results == {"plan": "success", "comment": "success"}, ran.printed
    (first,) = comments(captured)
    assert first.startswith(f"{MARKER}\n")
    assert "3 applications newly reach EVERYONE" in first
    assert ran.outputs["plan.content_digest"] in first
    crm = captured.organization.checkout / "policies" / "exchange" / "crm.yaml"
    crm.write_text(crm.read_text().replace("description: ", "description: Edited. "))
    again = plan(captured)
    (second,) = comments(captured)
    assert again.outputs["plan.content_digest"] in second != first
    assert captured.organization.state["written"] == [
        "POST 7/threads?api-version=7.1",
        "PATCH 7/threads/101/comments/1?api-version=7.1",
    ]


@pytest.mark.parametrize(
    "foreign",
    [
        {"author": {"id": "mallory"}},
        {"content": f"Quoted:\n{MARKER}\n"},
        {"content": None},
        {"content": MARKER.replace("contoso", "fabrikam") + "\n"},
        {"isDeleted": True},
    ],
    ids=["of somebody else", "quoted", "empty", "of another tenant", "deleted"],
)
def test_a_comment_that_only_looks_like_it_is_left_alone(
    captured: Project, foreign: dict[str, Any]
) -> None:
    row = {"id": 1, "author": ME, "content": f"{MARKER}\nold", "isDeleted": False, **foreign}
    thread = {"id": 3, "isDeleted": False, "comments": [row]}
    captured.organization.state["threads"] = [thread, {"id": 4, "isDeleted": False}]
    plan(captured)
    assert captured.organization.state["written"] == ["POST 7/threads?api-version=7.1"]
    assert captured.organization.state["threads"][0] == thread


def test_an_answer_in_a_thread_is_not_the_comment(captured: Project) -> None:
    rows = [
        {"id": 1, "author": {"id": "mallory"}, "content": "Hm.", "isDeleted": False},
        {"id": 2, "author": ME, "content": f"{MARKER}\nold", "isDeleted": False},
    ]
    captured.organization.state["threads"] = [{"id": 3, "isDeleted": False, "comments": rows}]
    plan(captured)
    assert captured.organization.state["written"] == ["POST 7/threads?api-version=7.1"]


def test_lines_that_the_service_ends_otherwise_are_the_same_comment(captured: Project) -> None:
    row = {"id": 1, "author": ME, "content": f"{MARKER}\r\nold", "isDeleted": False}
    captured.organization.state["threads"] = [{"id": 3, "isDeleted": False, "comments": [row]}]
    plan(captured)
    assert captured.organization.state["written"] == [
        "PATCH 7/threads/3/comments/1?api-version=7.1"
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"System.PullRequest.IsFork": "True"},
        {"Build.Reason": "Manual"},
        {"Build.Repository.Provider": "GitHub"},
    ],
    ids=["a fork", "no pull request", "not in Azure Repos"],
)
def test_nothing_is_written_elsewhere(captured: Project, changed: dict[str, str]) -> None:
    ran = plan(captured, **changed)
    assert ran.results == {"plan": "success", "comment": "skipped"}
    assert captured.organization.state["written"] == []
    assert captured.artefact("plan-contoso-1") >= {"plan.json", "plan.md"}


def test_a_refused_plan_is_shown(captured: Project) -> None:
    tenant = captured.organization.checkout / "policies" / "tenant.yaml"
    lines = [line for line in tenant.read_text().splitlines() if "tenant-wide:" not in line]
    tenant.write_text("\n".join(lines).replace("consents:", "consents: []"))
    ran = plan(captured)
    assert ran.results == {"plan": "failure", "comment": "success"}, ran.printed
    assert "NOT APPLICABLE" in comments(captured)[0]


def test_without_a_capture_there_is_nothing_to_show(project: Project) -> None:
    ran = plan(project)
    assert ran.results == {"plan": "failure", "comment": "success"}, ran.printed
    assert "There is no plan to show." in ran.printed
    assert comments(project) == []


def test_a_redacted_plan_names_nobody(captured: Project) -> None:
    ran = plan(captured, {"redact": "names"})
    assert ran.results["comment"] == "success", ran.printed
    assert "Adele" not in comments(captured)[0]
