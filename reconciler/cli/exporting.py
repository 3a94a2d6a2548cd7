"""An export at the edge: the documents that are there, the tenant, and the files that are written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli import collecting, loading, sources
from reconciler.cli.working import working
from reconciler.documents import input_files
from reconciler.documents.tenant_folders import only_tenant
from reconciler.errors import Refused, UsageFault
from reconciler.exporting.choosing import choice_of
from reconciler.exporting.comparing import Standing, standing, written_already
from reconciler.exporting.composing import exported
from reconciler.exporting.removing import with_head, with_order, without_documents
from reconciler.files import read_regular, write_atomically
from reconciler.model.documents import Documents
from reconciler.model.plans import PlanTenant
from reconciler.model.requests import CaptureRequest
from reconciler.planning import making, requests
from reconciler.planning.selection import known_addresses
from reconciler.planning.typed_names import TypedNames

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.exporting.choosing import ExportWanted
    from reconciler.exporting.values import Export, ExportedFile
    from reconciler.model.findings import Position
    from reconciler.model.observed import Observed

_NO_DOCUMENTS = Documents(None, (), (), ())
_NOTHING_DECLARED = Standing({}, {})


class ExportAsked(Struct, frozen=True):
    """What the command line asks for.

    Attributes:
        paths: Where documents are; empty if none were named.
        folder: Where files are written; None: nowhere.
        tenant: `--tenant`.
        wanted: What is exported.
        allow: Consents to readings with warnings.
        force: Rewrite documents that differ from the tenant.
        suggest: Look for what is worth a look.
    """

    paths: tuple[Path, ...]
    folder: Path | None
    tenant: str | None
    wanted: ExportWanted
    allow: tuple[str, ...] = ()
    force: bool = False
    suggest: bool = False


class ExportDone(Struct, frozen=True):
    """What an export did.

    Attributes:
        export: New files and remarks.
        observed: The tenant.
        paths: Files that were written.
        removed: Paths of files of which no document was left.
        kept: How many documents say already what the tenant has.
        differing: How many say something else, and were kept.
        limited: Whether one of those says which tenants it is for.
    """

    export: Export
    observed: Observed
    paths: tuple[str, ...]
    removed: tuple[str, ...]
    kept: int
    differing: int
    limited: bool = False


class _Known(Struct, frozen=True):
    """Documents: those that are read together with the folder, and those elsewhere, which only tell
    the tenant and names.
    """

    together: Documents
    elsewhere: Documents


def run_export(asked: ExportAsked) -> ExportDone:
    """Read the tenant and write what is not written yet.

    Raises:
        ReconcilerError: any fault of the documents, the tenant or the options.
        OSError: a file cannot be written.
    """
    documents = _documents(asked)
    target = sources.target_of_documents(
        documents.together if documents.together.tenant is not None else documents.elsewhere
    )
    source = sources.choose(asked.tenant, target, asked.paths or (Path.cwd(),))
    whole = replace(
        documents.together, tenant=documents.together.tenant or documents.elsewhere.tenant
    )
    observed = sources.observe_source(
        source, _request(source, whole, asked), None if target is None else target.tenant_id
    )
    collected = collecting.current()
    collected.tenant = PlanTenant(observed.tenant_id, observed.organization)
    collected.simulated = observed.source == "simulated"
    with working("Writing the documents"):
        return _done(asked, documents, observed)


def assert_complete(done: ExportDone, plan: str) -> None:
    """See to it that nothing was kept back; `plan` is the command that shows the differences.

    Raises:
        Refused: documents differ from the tenant, and were not overwritten.
    """
    if done.differing:
        raise Refused(
            "documents that differ from the tenant were kept as they are; see above. Run"
            f" `{plan}` to see the differences; --force rewrites these documents, and loses"
            " the comments in them"
            + ("; not those with `spec.tenants`, which other tenants read" if done.limited else "")
        )


def _documents(asked: ExportAsked) -> _Known:
    folders = [path for path in (asked.folder,) if path is not None]
    around = [path for path in asked.paths if any(_contains(path, folder) for folder in folders)]
    others = [path for path in asked.paths if path not in around]
    tenant = only_tenant([*asked.paths, *folders])
    return _Known(
        _loaded([*around, *folders], tenant),
        _loaded(others, tenant, strict=True),
    )


def _loaded(paths: Sequence[Path], tenant: str | None, *, strict: bool = False) -> Documents:
    """Documents at or below these paths, of which some may have none unless it is `strict`."""
    kept = [path for path in paths if strict or _has_documents(path)]
    options = making.PlanOptions()
    return loading.documents(kept, options, tenant=tenant) if kept else _NO_DOCUMENTS


def _has_documents(path: Path) -> bool:
    try:
        walked = input_files.walk([path])
    except UsageFault:  # not there, or without a document
        return False
    return bool(walked.files or walked.findings)


def _contains(path: Path, folder: Path) -> bool:
    return input_files.inside(input_files.real(folder), [input_files.real(path)])


def _request(source: sources.Source, documents: Documents, asked: ExportAsked) -> CaptureRequest:
    consented = requests.consented_warnings(documents, asked.allow)
    if isinstance(source, sources.CaptureFile):
        return CaptureRequest(requests.products(documents), tolerated=consented)
    request = requests.capture_request(documents, allow=asked.allow)
    return replace(request, everything=True, products=requests.reachable(documents))


def _with_ids(wanted: ExportWanted, documents: _Known, observed: Observed) -> ExportWanted:
    """What was typed with addresses for the names that people type."""
    if not wanted.only:
        return wanted
    together = documents.together
    applications = dict.fromkeys((*together.applications, *documents.elsewhere.applications))
    named = replace(together, applications=tuple(applications))
    desired = making.resolve_desired(together, observed, making.PlanOptions())
    names = TypedNames(named, observed, known_addresses(desired, observed))
    return replace(wanted, only=names.selected(wanted.only, "--only"))


def _done(asked: ExportAsked, documents: _Known, observed: Observed) -> ExportDone:
    declared = _standing(documents.together, observed)
    names = {each.name: each.application for each in documents.elsewhere.applications}
    names |= {each.name: each.application for each in documents.together.applications}
    choice = choice_of(_with_ids(asked.wanted, documents, observed), observed, names)
    chosen = declared.chosen(choice) - declared.limited if asked.force else frozenset()
    going = _going(declared, asked.folder, chosen)
    staying = declared.without(going.places)
    export = exported(
        observed,
        written=written_already(
            documents.together, staying, names_below(asked.folder) - going.freed, observed.directory
        ),
        choice=choice,
        preferred={application: name for name, application in names.items()},
        suggest=asked.suggest,
    )
    export = replace(export, remarks=tuple(sorted({*export.remarks, *staying.remarks(choice)})))
    if asked.folder is None:
        return ExportDone(export, observed, (), (), 0, 0)
    paths, removed = _write(asked.folder, export.files, going)
    differing = len(staying.chosen(choice))
    kept = len(declared.places) - len(declared.differing)
    limited = bool(staying.chosen(choice) & staying.limited)
    return ExportDone(export, observed, paths, removed, kept, differing, limited)


def _standing(documents: Documents, observed: Observed) -> Standing:
    if not (documents.teams or documents.exchange):
        return _NOTHING_DECLARED
    desired = making.resolve_desired(documents, observed, making.PlanOptions())
    return standing(documents, observed, desired)


class _Going(Struct, frozen=True):
    """Documents that are rewritten.

    Attributes:
        texts: What is left of the files that they are in; empty: no document.
        freed: Paths in the folder whose content is not needed any more, in lower case.
        places: Where the documents begin.
    """

    texts: Mapping[Path, str]
    freed: frozenset[str]
    places: frozenset[Position] = frozenset()


def _going(declared: Standing, folder: Path | None, chosen: Collection[Position]) -> _Going:
    """Those of the chosen documents that are in the folder, and the lists that they name."""
    places = [
        position
        for position in sorted(chosen)
        if folder is not None and _contains(folder, Path(position.file))
    ]
    if folder is None or not places:
        return _Going({}, frozenset())
    texts = {
        Path(file): without_documents(
            read_regular(Path(file)).decode("utf-8-sig"),
            file,
            [position.line for position in places if position.file == file],
        )
        for file in sorted({position.file for position in places})
    }
    lists = [
        Path(listing.file)
        for document in declared.teams.values()
        if document.position in places
        for listing in document.users or ()
        if listing.file != document.position.file and _contains(folder, Path(listing.file))
    ]
    texts |= dict.fromkeys(lists, "")
    freed = frozenset(_relative(file, folder) for file, text in texts.items() if not text)
    return _Going(texts, freed, frozenset(places))


def _relative(file: Path, folder: Path) -> str:
    return input_files.real(file).relative_to(input_files.real(folder)).as_posix().lower()


def names_below(folder: Path | None) -> frozenset[str]:
    """Everything in the folder, by relative path in lower case; links are not followed."""
    if folder is None or not folder.is_dir():
        return frozenset()
    return frozenset(
        (Path(parent) / name).relative_to(folder).as_posix().lower()
        for parent, folders, names in os.walk(folder)
        for name in (*folders, *names)
    )


def _write(
    folder: Path, files: Sequence[ExportedFile], going: _Going
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write the new files, then what is left of those whose documents are in them now: stopped
    between, there is a document twice, which every command refuses, and never none.
    """
    paths = [_placed(folder, file) for file in files]
    left = {input_files.real(path): (path, text) for path, text in going.texts.items()}
    for path, file in zip(paths, files, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        _, text = left.pop(input_files.real(path), (path, None))
        before = read_regular(path) if file.appended or text is not None else b""
        write_atomically(path, [_content(file, before, text)])
    removed = []
    for path, text in left.values():
        if text:
            write_atomically(path, [text.encode()])
            paths.append(path)
        else:
            path.unlink()
            removed.append(path.as_posix())
    return tuple(path.as_posix() for path in paths), tuple(removed)


def _content(file: ExportedFile, before: bytes, text: str | None) -> bytes:
    """The content of a file: what is new, with what of the old content stays.

    Args:
        file: what is new.
        before: what the file has now.
        text: what is left of that without the documents that are written new; None: all.
    """
    if file.appended:
        return _joined(before if text is None else text.encode(), file.text)
    old = before.decode("utf-8-sig", errors="replace")
    taken_over = with_order if file.path.endswith(".csv") else with_head
    return (taken_over(file.text, old) if old else file.text).encode()


def _placed(folder: Path, file: ExportedFile) -> Path:
    """Where a file is written: in the folder itself, whatever links are in it.

    Raises:
        UsageFault: a link would lead elsewhere.
    """
    path = folder / file.path
    if not input_files.inside(input_files.real(path), [input_files.real(folder)]):
        raise UsageFault(
            f"{path} is not written, because a link there leads out of {folder}: remove the link"
        )
    return path


def _joined(before: bytes, text: str) -> bytes:
    """A text behind what a file has, with the line ends of the file."""
    if not before:
        return text.encode()
    ends = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if before.endswith(b"\n") else ends
    return before + gap + text.encode().replace(b"\n", ends)
