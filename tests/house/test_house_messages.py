"""Every text that a person may read is in the listing of messages."""

from __future__ import annotations

from tests.house.messages import texts


def test_the_listing_has_messages_helps_templates_and_schemas() -> None:
    listed = {(one.file, one.text) for one in texts()}
    assert {
        ("reconciler/cli/commands/plan.py", "Exit with code 2 if there are changes."),
        ("reconciler/cli/commands/schema.py", "Print a JSON Schema."),
        ("reconciler/applying/applying.py", "access test {row.name}"),
        ("reconciler/reports/templates/script.ps1.j2", "Write-Host {{ step.progress }}"),
        ("schemas/plan.schema.json", "Exactly what PowerShell runs."),
    } <= listed
