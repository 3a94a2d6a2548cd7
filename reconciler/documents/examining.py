"""From PATHs to documents and everything that is wrong with them, in one pass."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.documents import rules
from reconciler.documents.applications import declared_applications
from reconciler.documents.checks_names import name_findings, reference_findings
from reconciler.documents.file_trees import DISK, FileTree
from reconciler.documents.input_files import decode_text, walk
from reconciler.documents.kinds import build, kind_findings
from reconciler.documents.parsing import parse_yaml
from reconciler.documents.raw_documents import RawDocument, raw_document
from reconciler.documents.shapes import shape_findings
from reconciler.documents.sharing import share
from reconciler.documents.unnamed_lists import unnamed_lists
from reconciler.documents.users import read_rosters, roster_findings
from reconciler.errors import DocumentFaults, UsageFault
from reconciler.model.documents import Documents
from reconciler.model.findings import Finding, Position, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.documents.applications import Applications
    from reconciler.documents.sharing import Sharing


class Examined(Struct, frozen=True):
    """What could be read, and every fault, sorted by position.

    A document with a fault is not among the documents, nor is one that applies to other tenants
    only; those are counted (`elsewhere`). `texts` has the text of each document with an error, by its
    subject, and what of a file is in no document, by the name of the file; nothing of a file that
    cannot be read.
    """

    documents: Documents
    findings: tuple[Finding, ...]
    texts: Mapping[str, str] = {}
    elsewhere: int = 0

    def text_at(self, finding: Finding) -> str | None:
        """What is written where an error is; None if that cannot be read."""
        return self.texts.get(finding.subject or finding.position.file)


class _Read(Struct, frozen=True):
    documents: list[RawDocument]
    findings: list[Finding]


def examine_documents(
    paths: Sequence[Path], files: FileTree = DISK, tenant: str | None = None
) -> Examined:
    """Read all documents at or below the paths and judge them by every rule.

    Args:
        paths: files or folders. `usersFrom` has to be in one of the folders, or in the folder of
            one of the files.
        files: what they are paths of, and where `usersFrom` is read.
        tenant: the tenant's name, if its Tenant document is elsewhere.

    Raises:
        UsageFault: a path does not exist, or there is no document file at all.
    """
    walked = walk(paths, files)
    read = _read(walked.files, files)
    sharing = share(read.documents, files, tenant)
    own = sharing.applying
    users = read_rosters(own, walked.roots, files)
    applications = declared_applications(own)
    judged = (*_judged(sharing, applications), *roster_findings(users.rosters, files))
    findings = {
        *walked.findings,
        *read.findings,
        *users.findings,
        *unnamed_lists(walked.lists, read.documents, files),
        *_unexplained(judged, read.findings),
    }
    documents = build(
        _without_fault(own, findings),
        applications,
        {roster.document.start: roster.listings for roster in users.rosters},
    )
    return Examined(
        documents,
        tuple(sorted(findings)),
        _texts(read.documents, findings, {path.as_posix(): path for path in walked.files}, files),
        len(sharing.elsewhere),
    )


def _judged(sharing: Sharing, applications: Applications) -> Iterator[Finding]:
    """What is wrong with the documents that apply, beside their lists of users."""
    own = sharing.applying
    yield from sharing.findings
    for document in own:
        yield from shape_findings(document)
    yield from name_findings(own)
    yield from reference_findings(own, applications, sharing.elsewhere)
    yield from kind_findings(own, applications)


def examine_earlier(paths: Sequence[Path], files: FileTree) -> Examined:
    """Read the documents of an earlier state, in which some of the paths may not have been yet, or
    hold no document.

    Args:
        paths: files or folders, as of `examine_documents`.
        files: what they are paths of.
    """
    there = [path for path in paths if files.exists(path)]
    try:
        return examine_documents(there, files)
    except UsageFault:
        return Examined(Documents(None, (), (), ()), ())


def load_documents(paths: Sequence[Path]) -> Documents:
    """Read all documents at or below the paths.

    Raises:
        DocumentFaults: a document breaks a rule; it carries every finding of the run.
        UsageFault: a path does not exist, or there is no document file at all.
    """
    examined = examine_documents(paths)
    if any(finding.severity is Severity.ERROR for finding in examined.findings):
        raise DocumentFaults(examined.findings)
    return examined.documents


def _read(paths: Iterable[Path], files: FileTree) -> _Read:
    read = _Read([], [])
    for path in paths:
        documents, findings = _read_file(path, files)
        read.documents.extend(documents)
        read.findings.extend(_attributed(findings, documents))
    return read


def _read_file(path: Path, files: FileTree) -> tuple[list[RawDocument], list[Finding]]:
    file = path.as_posix()
    try:
        raw = files.read(path)
    except OSError as fault:
        message = f"cannot read the file: {fault.strerror or fault}"
        return [], [Finding(Position(file, 1, 1), "$", rules.UNREADABLE.id, message)]
    decoded = decode_text(raw, file)
    if isinstance(decoded, Finding):
        return [], [decoded]
    if (
        decoded.indented_by_tab
    ):  # no YAML at all: whatever else was said of it would follow from the tabs
        return [], list(decoded.findings)
    parsed = parse_yaml(decoded.text, file)
    return [raw_document(file, tree) for tree in parsed.trees], [
        *decoded.findings,
        *parsed.findings,
    ]


def _attributed(findings: Iterable[Finding], documents: Sequence[RawDocument]) -> Iterator[Finding]:
    """Name the document that each finding of a file is in; `documents` are those of the file, in
    their order.
    """
    for finding in findings:
        owner = _owner(finding.position, documents)
        yield replace(finding, subject=owner.subject) if owner else finding


def _owner(position: Position, documents: Sequence[RawDocument]) -> RawDocument | None:
    before = bisect_right(documents, position.line, key=lambda document: document.tree.first_line)
    owner = documents[before - 1] if before else None
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


def _texts(
    documents: Sequence[RawDocument],
    findings: Iterable[Finding],
    regular: Mapping[str, Path],
    files: FileTree,
) -> dict[str, str]:
    """The texts that errors are in, as `Examined` has them. Only regular files are opened again: a
    pipe would be waited for, and a device may never end.
    """
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    subjects = {finding.subject for finding in errors}
    outside = {finding.position.file for finding in errors if not finding.subject}
    of_files: dict[str, list[RawDocument]] = {file: [] for file in outside}
    for document in documents:
        if document.subject and (document.file in outside or document.subject in subjects):
            of_files.setdefault(document.file, []).append(document)
    texts: dict[str, str] = {}
    for file, own in of_files.items():
        lines = _lines(regular[file], files) if file in regular else None
        if lines is None:
            continue
        for document in own:
            extent = slice(document.tree.first_line - 1, document.tree.last_line)
            if document.subject in subjects:
                earlier = texts.get(document.subject, "")
                texts[document.subject] = "\n".join([earlier, *lines[extent]])
            lines[extent] = [""] * len(lines[extent])
        if file in outside:
            texts[file] = "\n".join(lines)
    return texts


def _lines(path: Path, files: FileTree) -> list[str] | None:
    try:
        decoded = decode_text(files.read(path), path.as_posix())
    except OSError:
        return None
    return None if isinstance(decoded, Finding) else decoded.text.split("\n")


def _without_fault(
    documents: Iterable[RawDocument], findings: Iterable[Finding]
) -> list[RawDocument]:
    """Documents that no finding is about.

    One that has no name or kind always has a finding of its own, but no subject.
    """
    subjects = {finding.subject for finding in findings if finding.severity is Severity.ERROR}
    return [
        document for document in documents if document.subject and document.subject not in subjects
    ]
