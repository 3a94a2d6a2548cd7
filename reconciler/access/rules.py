"""Rules of access tests, and every rule that a finding may name."""

from __future__ import annotations

from reconciler.documents.rules import RULES, DocumentRule

FAILED = DocumentRule(
    "access-test.failed",
    "An access test fails",
    "A test says what must stay true, whatever anyone edits. `validate` reports what fails whatever"
    " the tenant has; what only a tenant decides, `plan` and `test` judge.",
)
UNDECIDED = DocumentRule(
    "access-test.undecided",
    "An access test cannot be decided",
    "What nobody knows, as who is in a group, is not a pass: `test` and `plan` report it, `validate`"
    " only counts it.",
)
EXCUSED = DocumentRule(
    "access-test.excused",
    "An access test fails as it did before",
    "A plan of a part (`--only`, `--skip`) is not refused for what fails before it in the same way.",
)

EVERY_RULE: tuple[DocumentRule, ...] = (*RULES, FAILED, UNDECIDED, EXCUSED)
"""What `validate --rules` lists."""
