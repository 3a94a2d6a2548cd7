"""Messages are written in the English of Terraform and git: what is wrong, then what to do."""

from __future__ import annotations

import re

import pytest

from tests.house.messages import texts
from tests.house.tree import expect_none

FORBIDDEN: dict[str, tuple[str, str]] = {
    "is no X": (
        r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b)",
        "is not a X; X not found",
    ),
    "anew": (r"\banew\b", "again"),
    "in vain": (r"\bin vain\b", "not found"),
    "say, for write": (r"[:;,] say (?:`|-|\$|which\b)", "add, set, write, use"),
    "stands, for is": (r"\bstands?\b(?! for\b)", "is, is written"),
    "look for, for search": (r"\blook(?:ed|s|ing)? for\b", "search for, cover, find"),
    "is meant": (r"\b(?:is|be|was|are) (?:not )?meant\b", "is intended, or leave it out"),
    "of its own": (
        r"(?<!policy )(?<!grant )(?<!mailbox )(?<!plan )(?<!session )\bof (?:its|their) own\b",
        "separate",
    ),
    "lacks nothing": (r"\black(?:s|ing)? nothing\b", "is complete"),
    "it holds that": (r"\bholds that\b", "leave it out"),
    "nowhere": (r"\bnowhere\b", "does not exist"),
    "goes with": (r"\bgoe?s? (?:with|without)\b", "requires; may be omitted"),
    "gave an answer": (r"\b(?:gave|gives) (?:an|no) answer\b", "answered; did not answer"),
    "nobody asked for": (r"\bnobody asked for\b", "unexpected"),
    "is there": (r"\b(?:is|are) there(?=[,.;]|$)", "exists, found"),
}
"""A turn of phrase that a native speaker would not use, and what to write instead."""


@pytest.mark.parametrize("turn", FORBIDDEN)
def test_no_text_has_the_turn(turn: str) -> None:
    pattern = re.compile(FORBIDDEN[turn][0], re.IGNORECASE)
    expect_none([str(one) for one in texts() if pattern.search(one.text)])


def test_the_listing_has_messages_helps_templates_and_schemas() -> None:
    listed = {(one.file, one.text) for one in texts()}
    assert {
        ("reconciler/cli/made_plans.py", "Exit with code 2 if there are changes."),
        ("reconciler/cli/commands/schema.py", "Print a JSON Schema."),
        ("reconciler/applying/applying.py", "access test {row.name}"),
        ("reconciler/reports/templates/script.ps1.j2", "Write-Host {{ step.progress }}"),
        ("schemas/plan.schema.json", "Exactly what PowerShell runs."),
    } <= listed
