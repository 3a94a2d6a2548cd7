"""Rules of access tests and of drift, and every rule that a finding may name."""

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
    "What is unknown, such as who is in a group, is not a pass: `test` and `plan` report it, `validate`"
    " only counts it.",
)
EXCUSED = DocumentRule(
    "access-test.excused",
    "An access test fails as it did before",
    "A plan of a part (`--only`, `--skip`) is not refused for what fails before it in the same way.",
)
DIFFERS = DocumentRule(
    "drift.differs",
    "The tenant differs from a document",
    "Somebody changed the tenant by hand, or a document was edited and not applied: a plan leads back"
    " to the documents, `drift --patch` takes over what the tenant has.",
)
UNMANAGED = DocumentRule(
    "drift.unmanaged",
    "An unmanaged object that nobody accepted",
    "What no document declares is in no review: accept it as it is with a reason, declare it, or"
    " delete it.",
)
NOT_AS_ACCEPTED = DocumentRule(
    "drift.accepted",
    "An accepted object changed, or is gone",
    "An object is accepted as it was, not whatever takes its name later.",
)
NOT_READ = DocumentRule(
    "drift.not-read",
    "A part of the tenant was not read",
    "What was not read is never clean: whatever is there may differ.",
)

EVERY_RULE: tuple[DocumentRule, ...] = (
    *RULES,
    *(FAILED, UNDECIDED, EXCUSED),
    *(DIFFERS, UNMANAGED, NOT_AS_ACCEPTED, NOT_READ),
)
"""What `validate --rules` lists."""
