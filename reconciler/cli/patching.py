"""`drift --patch`: the edit of the documents that accepts what a tenant has, tried on a copy before it
is shown.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli import collecting, printing
from reconciler.cli.drifting import drift_of
from reconciler.cli.exporting import names_below
from reconciler.cli.working import working
from reconciler.documents import examine_documents, input_files
from reconciler.errors import ReconcilerError, UsageFault
from reconciler.exporting.comparing import standing
from reconciler.exporting.diffs import unified_diff
from reconciler.exporting.patching import Manner, Sources, accepting_changes
from reconciler.files import write_atomically
from reconciler.git.work_trees import work_tree
from reconciler.model.addresses import (
    ExchangePolicyAddress,
    TeamsPolicyAddress,
    name_key,
    parse_address,
)
from reconciler.model.documents import Kind, TeamsPolicyDocument
from reconciler.model.findings import Severity
from reconciler.model.outputs import OutputPatch
from reconciler.powershell.door.homes import temporary_folder
from reconciler.reports.lines import SIMULATED
from reconciler.reports.patches import PatchTold, patch_chapter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.cli.drifting import Drifted
    from reconciler.exporting.diffs import FileChange
    from reconciler.model.documents import Documents, ExchangePolicyDocument
    from reconciler.model.findings import Finding, Position
    from reconciler.planning.drift import Drift
    from reconciler.reports.outline import Outline

STANDARD_OUTPUT: Final = Path("-")
_TRIES = 4
"""Times that a patch is made: line by line, with whole documents rewritten where that does not
do, and without what cannot be said at all.
"""


class Patch(Struct, frozen=True):
    """A patch.

    Attributes:
        text: What `git apply` takes; empty if nothing can be accepted.
        files: How many files it changes.
        left: Addresses of what differs after it all the same.
        unmanaged: Addresses that no document declares after it, and that did so before.
    """

    text: str
    files: int
    left: tuple[str, ...]
    unmanaged: tuple[str, ...]


class _Copy(Struct, frozen=True):
    """Where files of documents are copied to, to be tried."""

    base: Path
    folder: Path

    def path(self, file: str) -> Path:
        """A file of the copy."""
        return self.folder / input_files.real(Path(file)).relative_to(self.base)


class _Tried(Struct, frozen=True):
    """What a drift is once a patch is applied; the documents that differ still, by where they begin
    before it. None: the documents have faults.
    """

    drift: Drift | None
    failing: frozenset[Position]


def patch_of(made: Drifted, paths: Sequence[Path]) -> Patch:
    """Make the patch that accepts what the tenant has.

    Raises:
        OSError: a file cannot be read.
    """
    sources = _sources(made.documents, paths)
    manner = Manner()
    changes: list[FileChange] = []
    tried = _Tried(made.drift, frozenset())
    for _ in range(_TRIES):
        changes = accepting_changes(made.documents, sources, made.observed, made.drift.plan, manner)
        tried = _tried(made, paths, sources, changes)
        if not tried.failing - manner.left:
            break
        manner = Manner(
            manner.coarse | tried.failing, manner.left | (tried.failing & manner.coarse)
        )
    if tried.drift is None:
        changes = []
        tried = _Tried(made.drift, frozenset())
    root = _root()
    shown = [replace(change, path=_shown(change.path, root)) for change in changes]
    return Patch(unified_diff(shown), len(shown), *_left(made.drift, tried.drift or made.drift))


def is_output(file: Path) -> bool:
    """Whether a patch goes to standard output."""
    return file == STANDARD_OUTPUT


def assert_apart(file: Path | None, form: str) -> None:
    """See to it that nothing else goes where a patch goes.

    Raises:
        UsageFault: a report for machines would.
    """
    if file is not None and is_output(file) and form != "text":
        raise UsageFault(
            "--patch - writes the patch to standard output, where --format"
            f" {form} writes the report: name a file with --patch, or leave --format out"
        )


def write_patch(made: Drifted, paths: Sequence[Path], file: Path, report: Outline) -> Outline:
    """Write the patch, and tell of it in the report.

    Raises:
        OSError: a file cannot be read or written.
    """
    with working("Making the patch"):
        patch = patch_of(made, paths)
    if patch.text:
        head = f"{SIMULATED.printed()}\n" if made.observed.source == "simulated" else ""
        _write_text(file, f"{head}{patch.text}")
    left, unmanaged = _without_people(patch.left), _without_people(patch.unmanaged)
    collecting.add_part("patch", OutputPatch(str(file) if patch.text else None, left, unmanaged))
    chapter = patch_chapter(PatchTold(str(file), patch.files, left, unmanaged))
    return replace(report, chapters=(*report.chapters, chapter))


def _write_text(file: Path, text: str) -> None:
    if is_output(file):
        printing.raw(text)
    else:
        write_atomically(file, [text.encode()], private=True)


def _without_people(addresses: Sequence[str]) -> tuple[str, ...]:
    redaction = collecting.current().redaction
    return tuple(addresses if redaction is None else map(redaction.message, addresses))


def _left(before: Drift, after: Drift) -> tuple[tuple[str, ...], tuple[str, ...]]:
    plan = after.plan
    left = {str(change.address) for change in plan.changes}
    left |= {note.address for note in (*plan.held, *plan.unresolved, *plan.refusals)}
    earlier = {(note.address, note.code) for note in before.objects}
    unmanaged = {note.address for note in after.objects if (note.address, note.code) not in earlier}
    return tuple(sorted(left)), tuple(sorted(unmanaged))


def _root() -> Path:
    """The folder that git takes paths from: the working tree, or where the command runs."""
    here = input_files.real(Path.cwd())
    return work_tree(here) or here


def _shown(file: str, root: Path) -> str:
    path = Path(os.path.normpath(Path.cwd() / file))
    real = input_files.real(path.parent) / path.name
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else file


def _sources(documents: Documents, paths: Sequence[Path]) -> Sources:
    folder = next((path for path in paths if path.is_dir()), paths[0].parent)
    names = [path.as_posix() for path in input_files.walk(paths).files]
    names += [listing.file for policy in documents.teams for listing in policy.users or ()]
    texts = {}
    for name in dict.fromkeys(names):
        raw = Path(name).read_bytes()
        try:
            texts[name] = raw.decode("utf-8")
        except UnicodeDecodeError:
            continue  # UTF-16: the document is rewritten
    return Sources(texts, folder.as_posix(), names_below(folder))


def _tried(
    made: Drifted, paths: Sequence[Path], sources: Sources, changes: Sequence[FileChange]
) -> _Tried:
    """Apply changes to a copy of the files, and hold the tenant against it."""
    roots = [input_files.real(path) for path in paths]
    folders = [root if root.is_dir() else root.parent for root in roots]
    base = Path(os.path.commonpath(folders))
    with temporary_folder() as folder:
        copy = _Copy(base, input_files.real(folder))
        _write(copy, sources.texts, changes)
        tried_paths = [copy.path(path.as_posix()) for path in paths]
        return _judged(made, [path for path in tried_paths if path.exists()])


def _write(copy: _Copy, texts: Mapping[str, str], changes: Sequence[FileChange]) -> None:
    after = {**texts, **{change.path: change.after for change in changes}}
    for file, text in after.items():
        path = copy.path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_bytes(text.encode("utf-8"))


def _judged(made: Drifted, paths: Sequence[Path]) -> _Tried:
    try:
        examined = examine_documents(paths)
        errors = [each for each in examined.findings if each.severity is Severity.ERROR]
        if errors:
            return _Tried(None, frozenset(_of_subjects(made.documents, errors)))
        drift, desired = drift_of(examined.documents, made.observed, made.allow, made.only)
    except ReconcilerError:
        return _Tried(None, frozenset(each.position for each in _policies(made.documents)))
    differing = standing(examined.documents, made.observed, desired).differing.values()
    named = {*differing, *(change.address for change in drift.plan.changes)}
    named |= {note.address for note in (*drift.plan.held, *drift.plan.unresolved)}
    return _Tried(drift, frozenset(_of_addresses(made.documents, named)))


def _policies(documents: Documents) -> Iterator[TeamsPolicyDocument | ExchangePolicyDocument]:
    yield from documents.teams
    yield from documents.exchange


def _of_subjects(documents: Documents, findings: Iterable[Finding]) -> Iterator[Position]:
    """The documents that have faults, by where they begin."""
    subjects = {finding.subject for finding in findings}
    for policy in _policies(documents):
        is_teams = isinstance(policy, TeamsPolicyDocument)
        kind = Kind.TEAMS_POLICY if is_teams else Kind.EXCHANGE_POLICY
        if f"{kind}/{policy.name}" in subjects:
            yield policy.position


def _of_addresses(documents: Documents, addresses: Collection[str]) -> Iterator[Position]:
    """The documents that addresses are about, by where they begin."""
    parsed = [parse_address(address) for address in addresses]
    names = {name_key(each.name) for each in parsed if isinstance(each, TeamsPolicyAddress)}
    owners = {each.application for each in parsed if isinstance(each, ExchangePolicyAddress)}
    for policy in documents.teams:
        if name_key(policy.name) in names:
            yield policy.position
    for document in documents.exchange:
        if owners & {*document.applications}:
            yield document.position
