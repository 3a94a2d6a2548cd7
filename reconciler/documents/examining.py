"""From PATHs to documents and everything that is wrong with them, in one pass."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.documents import rules
from reconciler.documents.building import build
from reconciler.documents.checks_names import applications, name_findings, reference_findings
from reconciler.documents.checks_other import exchange_findings, tenant_findings
from reconciler.documents.checks_teams import Roster, teams_findings, user_findings
from reconciler.documents.checks_tests import test_findings
from reconciler.documents.drafts import Draft, draft
from reconciler.documents.parsing import parse
from reconciler.documents.schemas import users_from_form
from reconciler.documents.shapes import shape_findings
from reconciler.documents.texts import decode
from reconciler.documents.trees import ListMarks, MapMarks, json_path
from reconciler.documents.user_files import STEPS as USERS_FROM
from reconciler.documents.user_files import read_listing
from reconciler.documents.walking import walk
from reconciler.errors import DocumentFaults
from reconciler.model.documents import Documents, Kind, Listing
from reconciler.model.findings import Finding, Position, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from reconciler.documents.trees import Steps

_USERS: Steps = ("spec", "grants", "users")


class Examined(Struct, frozen=True):
    """What could be read, and every fault, sorted by position.

    A document with a fault is not among the documents.
    """

    documents: Documents
    findings: tuple[Finding, ...]


class _Read(Struct, frozen=True):
    drafts: list[Draft]
    findings: list[Finding]


def examine(paths: Sequence[Path]) -> Examined:
    """Read all documents at or below the paths and judge them by every rule.

    Args:
        paths: files or folders. `usersFrom` has to lie in one of the folders, or in the folder of
            one of the files.

    Raises:
        UsageFault: a path does not exist, or there is no document file at all.
    """
    walked = walk(paths)
    read = _read(walked.files)
    drafts = read.drafts
    rosters, findings = _rosters(drafts, walked.roots)
    known = applications(drafts)
    findings += [*walked.findings, *read.findings]
    judged = [finding for one in drafts for finding in shape_findings(one)]
    judged += [*name_findings(drafts), *reference_findings(drafts, known), *tenant_findings(drafts)]
    judged += [*teams_findings(drafts), *user_findings(rosters), *exchange_findings(drafts, known)]
    judged += test_findings(drafts, known)
    findings += _unexplained(judged, read.findings)
    listings = {id(roster.draft): roster.listings for roster in rosters}
    faultless = _without_fault(drafts, findings)
    return Examined(build(faultless, known, listings), tuple(sorted(set(findings))))


def load(paths: Sequence[Path]) -> Documents:
    """Read all documents at or below the paths.

    Raises:
        DocumentFaults: a document breaks a rule; it carries every finding of the run.
        UsageFault: a path does not exist, or there is no document file at all.
    """
    examined = examine(paths)
    if any(finding.severity is Severity.ERROR for finding in examined.findings):
        raise DocumentFaults(examined.findings)
    return examined.documents


def _read(files: Iterable[Path]) -> _Read:
    read = _Read([], [])
    for path in files:
        drafts, findings = _read_file(path)
        read.drafts.extend(drafts)
        read.findings.extend(_attributed(findings, drafts))
    return read


def _read_file(path: Path) -> tuple[list[Draft], list[Finding]]:
    file = path.as_posix()
    try:
        raw = path.read_bytes()
    except OSError as fault:
        message = f"the file cannot be read: {fault.strerror or fault}"
        return [], [Finding(Position(file, 1, 1), "$", rules.UNREADABLE.id, message)]
    decoded = decode(raw, file)
    if isinstance(decoded, Finding):
        return [], [decoded]
    if (
        decoded.indented_by_tab
    ):  # no YAML at all: whatever else was said of it would follow from the tabs
        return [], list(decoded.findings)
    parsed = parse(decoded.text, file)
    return [draft(file, tree) for tree in parsed.trees], [*decoded.findings, *parsed.findings]


def _attributed(findings: Iterable[Finding], drafts: Sequence[Draft]) -> Iterator[Finding]:
    """Name the document that each finding of a file stands in; `drafts` are those of the file, in
    its order.
    """
    for finding in findings:
        owner = _owner(finding.position, drafts)
        yield replace(finding, subject=owner.subject) if owner else finding


def _owner(position: Position, drafts: Sequence[Draft]) -> Draft | None:
    before = bisect_right(drafts, position.line, key=lambda one: one.tree.first_line)
    owner = drafts[before - 1] if before else None
    return owner if owner and position.line <= owner.tree.last_line else None


def _unexplained(judged: Iterable[Finding], earlier: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out what is said about a value that could not be read properly in the first place."""
    places = {finding.position for finding in earlier}
    values = {
        (finding.position.file, finding.subject, finding.path)
        for finding in earlier
        if finding.path != "$"
    }
    for finding in judged:
        if (
            finding.position not in places
            and (finding.position.file, finding.subject, finding.path) not in values
        ):
            yield finding


def _rosters(drafts: Iterable[Draft], roots: Sequence[Path]) -> tuple[list[Roster], list[Finding]]:
    rosters: list[Roster] = []
    findings: list[Finding] = []
    for one in drafts:
        if one.kind is Kind.TEAMS_POLICY:
            listings = [*_listed_in_document(one)]
            named = one.at(*USERS_FROM)
            if isinstance(named, str) and users_from_form().search(named):
                listed = read_listing(one, roots)
                findings += listed.findings
                listings += [listed.listing] if listed.listing else []
            if listings:
                rosters.append(Roster(one, tuple(listings)))
    return rosters, findings


def _listed_in_document(one: Draft) -> Iterator[Listing]:
    users = one.at(*_USERS)
    marks = one.tree.marks
    for step in _USERS:
        marks = marks.inner.get(str(step)) if isinstance(marks, MapMarks) else None
    if isinstance(users, list) and isinstance(marks, ListMarks):
        yield Listing(_texts(users), one.file, marks.lines, marks.columns, json_path(_USERS))


def _texts(users: list[object]) -> tuple[str, ...]:
    """The users of a list; what is no text or blank is a fault of its own and shall equal nothing."""
    try:
        if "" not in users:
            return tuple(map(str.__str__, users))  # refuses what is no text
    except TypeError:
        pass
    return tuple(
        user if isinstance(user, str) and user.strip(" ") else f"\0{index}"
        for index, user in enumerate(users)
    )


def _without_fault(drafts: Iterable[Draft], findings: Iterable[Finding]) -> list[Draft]:
    """Documents that no finding is about.

    One that has no name or kind always has a finding of its own, but no subject.
    """
    subjects = {finding.subject for finding in findings if finding.severity is Severity.ERROR}
    return [one for one in drafts if one.subject and one.subject not in subjects]
