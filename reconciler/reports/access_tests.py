"""Results of access tests, rows as a plan file has them: as part of other reports, and as the
report of `reconciler test` for people, as JSON and as JUnit XML.

The way to a verdict is a list of sentences: what the services' rules ask, in their order, and
the answers. A code that a newer version of the tool wrote has no sentence here; then the code
itself is shown.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.access.testing import AMBIGUOUS
from reconciler.audiences.verdicts import Asked, Unnamed
from reconciler.guids import GUID
from reconciler.model.test_results import ResultKind
from reconciler.reports import values
from reconciler.reports.lines import Line, capped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.findings import Position
    from reconciler.model.test_results import AccessTestResult, ResultPath

MOST = 50
TITLE = "Access tests"


class Outcome(StrEnum):
    """How an expectation came out. Only what is certain passes."""

    PASSED = "passed"
    FAILED = "FAILED"
    UNDECIDED = "UNDECIDED"
    EXCUSED = "excused"


NOT_BLOCKED: Final = "not blocked"
REACHED: Mapping[ResultKind, str] = {
    ResultKind.MAILBOX: "the mailbox",
    ResultKind.USER: "the meetings of",
}

REASONS: Mapping[tuple[str, bool | None], str] = {
    (Asked.DIRECT_GRANT, True): "a policy is granted to the user directly",
    (Asked.DIRECT_GRANT, False): "no policy is granted to the user directly",
    (Asked.DIRECT_GRANT, None): "whether a policy is granted to the user directly is not known",
    (Asked.GROUP_GRANT, True): "the user is a direct member of the group, the first that counts",
    (Asked.GROUP_GRANT, False): "the user is not a direct member of the group",
    (Asked.GROUP_GRANT, None): "whether the user is a direct member of the group is not known",
    (Asked.GLOBAL, True): "where no grant counts, Global does",
    (Asked.LISTED, True): "the policy lists the application",
    (Asked.LISTED, False): "the policy does not list the application",
    (Asked.LISTED, None): "no document says what the policy lists",
    (Asked.DENY_COVERS, True): "a DenyAccess policy covers the mailbox",
    (Asked.DENY_COVERS, False): "a DenyAccess policy does not cover the mailbox",
    (Asked.DENY_COVERS, None): "whether a DenyAccess policy covers the mailbox is not known",
    (Asked.RESTRICT_COVERS, True): "a RestrictAccess policy covers the mailbox",
    (Asked.RESTRICT_COVERS, False): "a RestrictAccess policy does not cover the mailbox",
    (
        Asked.RESTRICT_COVERS,
        None,
    ): "whether a RestrictAccess policy covers the mailbox is not known",
    (
        Asked.RESTRICTED,
        True,
    ): "the application is restricted: it reaches only what a RestrictAccess policy covers",
    (
        Asked.RESTRICTED,
        False,
    ): "the application is not restricted: it reaches what no DenyAccess policy covers",
    (
        Asked.RESTRICTED,
        None,
    ): "no document declares its policies, so the tenant may have one that denies",
    (Asked.UNDERSTOOD, None): "what the tenant has here could not be understood",
    (Asked.SCOPE_FOUND, False): (
        "the documents declare a policy whose scope is not in the tenant: the application is held"
        " until it is"
    ),
    (Asked.GOVERNED, True): "application access policies cover such a mailbox",
    (Asked.GOVERNED, False): (
        "application access policies do not govern the mailbox of a Microsoft 365 group, so that it"
        " cannot be restricted here"
    ),
    (Asked.GOVERNED, None): (
        "this is a discovery or system mailbox, or one of another special type: no source says that"
        " application access policies cover it, and discovery mailboxes are reported not to be"
        " covered"
    ),
}

NOBODY: Mapping[str, str] = {
    Unnamed.USER_ABSENT: "user not found: correct the test, or remove the expectation",
    Unnamed.USER_UNKNOWN: (
        "the reading of the tenant does not cover this user: fetch again with these documents"
    ),
    Unnamed.MAILBOX_ABSENT: "mailbox not found: correct the test, or remove the expectation",
    Unnamed.MAILBOX_UNKNOWN: (
        "the reading of the tenant does not cover this mailbox: fetch again with these documents"
    ),
    AMBIGUOUS: (
        "this is the principal name of one user and an address of another: write the object id of the"
        " right one"
    ),
    Unnamed.NOT_A_MAILBOX: (
        "this is a group or another recipient without a mailbox of its own: name one of its members"
    ),
}


def row_outcome(row: AccessTestResult) -> Outcome:
    """How a row came out."""
    if row.passed:
        return Outcome.PASSED
    if row.excused:
        return Outcome.EXCUSED
    return Outcome.UNDECIDED if row.verdict == "depends" else Outcome.FAILED


def undecided_lines(rows: Sequence[AccessTestResult]) -> Iterator[Line]:
    """What the documents alone do not decide, and how many they do."""
    undecided = [row for row in rows if row_outcome(row) is Outcome.UNDECIDED]
    if rows:
        passed = sum(row.passed for row in rows)
        left = (
            f"{len(undecided)} cannot be decided by the documents alone: run `plan` or `test`"
            if undecided
            else "all decided"
        )
        yield Line(f"{TITLE}: {passed} {'holds' if passed == 1 else 'hold'} in any tenant, {left}.")
    yield from capped(undecided, MOST, lambda row: Line(f"    {row.name}: {expectation(row, {})}"))


def outcome_counts(rows: Sequence[AccessTestResult]) -> str:
    """How many came out how."""
    if not rows:
        return "No access tests: the documents have none."
    counts = Counter(map(row_outcome, rows))
    return (
        ", ".join(
            f"{counts[kind]} {kind.value.lower()}"
            for kind in Outcome
            if counts[kind] or kind is Outcome.PASSED
        )
        + "."
    )


def expectation(row: AccessTestResult, names: Mapping[str, str]) -> str:
    """What is expected, as a sentence without an end."""
    whom = values.with_name(row.subject.id, names)
    return f"{values.with_name(row.application, names)} is {expected_access(row)} {whom}"


def expected_access(row: AccessTestResult) -> str:
    """What is expected of an application, up to the name of whom it is about."""
    link = "from " if _in_words(row.expected, row) == NOT_BLOCKED else ""
    return f"{_in_words(row.expected, row)} {link}{REACHED[row.subject.kind]}"


def contrast(row: AccessTestResult) -> str:
    """What is expected and what was found."""
    return f"expected {_in_words(row.expected, row)}, found {_in_words(row.verdict, row)}"


def _in_words(verdict: str, row: AccessTestResult) -> str:
    """A verdict as `explain` says it: policies of Exchange block, and grant nothing."""
    if verdict == "depends":
        return "not decided"
    is_open = verdict == "granted" and row.subject.kind is ResultKind.MAILBOX
    return NOT_BLOCKED if is_open else verdict


def reasons(why: ResultPath, names: Mapping[str, str]) -> Iterator[str]:
    """A line for each question of a `why` as a plan file has it, with the object it is asked of; of
    a name that leads to nobody, why not.
    """
    for step in why.path:
        asked, address = step.asked, step.address
        reason = REASONS.get((asked, step.holds), f"{asked}: {values.quoted(step.holds)}")
        yield f"{reason}: {address}{values.of(address, names)}"
    if not why.path:
        yield from (
            f"either {values.with_name(code, names)}"
            if GUID.fullmatch(code)
            else NOBODY.get(code, str(code))
            for code in why.unknown
        )


class Tested(Struct, frozen=True):
    """The results of one run.

    Attributes:
        ground: What was judged, in words: the documents alone, a plan's outcome, a tenant.
        rows: The results, each as a plan file has it.
        positions: Where each expectation is written; empty if that is not known.
        names: Ids to names for people.
        simulated: It is about a simulated tenant.
        tenant_id: The tenant's; empty where neither the tenant nor the documents say.
    """

    ground: str
    rows: Sequence[AccessTestResult]
    positions: Sequence[Position]
    names: Mapping[str, str]
    simulated: bool
    tenant_id: str = ""
