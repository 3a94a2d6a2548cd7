"""Users whom a refusal is about: what they hold in turn, and who they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reconciler.reports.holders import in_words
from tests.cli.sample import TENANT_ID, tenant_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

USER, GROUP = "2bc1ecb4-10e1-42bc-883b-ce6f212b41e1", "3bc1ecb4-10e1-42bc-883b-ce6f212b41e2"
NONE = "no direct grant"


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"text": "x"}, {"text": "x"}),
        ({"grants": [NONE, NONE, "p"], "groups": []}, {"grants": f"{NONE} -> p"}),
        ({"grants": ["p", "q", "p"], "groups": []}, {"grants": "p -> q -> p"}),
        (
            {"grants": [NONE, "p", "p"], "groups": [GROUP], "step": 2},
            {"grants": f"{NONE} -> p -> p", "groups": [GROUP], "step": 2},
        ),
        (
            {"grants": ["p", "p", "q"], "groups": [], "only": [f"teams.grant/user:{USER}"]},
            {"grants": "p -> q", "only": [f"teams.grant/user:{USER}"], "users": [USER]},
        ),
        ({"grants": ["p", "p", "q"], "skip": ["teams.policy/P"]}, None),
        ({"grants": "5"}, {"grants": "5"}),
        ({"grants": []}, {"grants": []}),
    ],
)
def test_grants_are_told_as_a_move(details: dict, told: dict | None) -> None:
    expected = told or {"grants": "p -> q", "skip": ["teams.policy/P"]}
    assert in_words(details) == expected


def test_a_refused_part_names_the_user_and_the_move(run: Run, tmp_path: Path) -> None:
    """Without the user's grant, the policy's list would grow for everyone who holds it."""
    old, new = "82d41ec2-84d5-4e13-8609-c8f1dbd81d34", "92d41ec2-84d5-4e13-8609-c8f1dbd81d35"
    state = {
        "format_version": "1.0",
        "tenant": {"tenantId": TENANT_ID, "organization": "contoso.onmicrosoft.com"},
        "clock": "2026-11-02T06:30:00Z",
        "teams": {
            "policies": [
                {"Identity": "Global", "AppIds": [], "Description": ""},
                {"Identity": "Tag:P", "AppIds": [old], "Description": ""},
            ],
            "groupAssignments": [],
            "users": [
                {"Identity": USER, "ApplicationAccessPolicy": {"Name": "P", "Authority": "Tenant"}}
            ],
        },
        "exchange": {"policies": []},
        "directory": {
            "users": [{"id": USER, "upn": "ida@contoso.com", "displayName": "Ida"}],
            "groups": [],
            "recipients": [],
        },
    }
    (tmp_path / "tenant.json").write_text(json.dumps(state), encoding="utf-8")
    (tmp_path / "policies").mkdir()
    spec = {"applications": [old, new], "grants": {"users": []}}
    head = {"apiVersion": "reconciler/v1", "kind": "TeamsApplicationAccessPolicy"}
    document = {**head, "metadata": {"name": "P"}, "spec": spec}
    text = f"{tenant_document()}---\n{json.dumps(document)}\n"
    (tmp_path / "policies" / "all.yaml").write_text(text, encoding="utf-8")
    ran = run("plan", "--tenant", "sim:tenant.json", "--only", "teams.policy/P", cwd=tmp_path)
    assert ran.code == 4
    assert "users Ida" in ran.out
    assert f"p -> {NONE}" in ran.out
