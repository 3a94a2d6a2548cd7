"""The tenants of a repository: folders with a Tenant document, and the `shared` folder beside each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.file_trees import DISK
from reconciler.documents.input_files import walk
from reconciler.documents.sharing import SHARED, tenants_of
from reconciler.errors import UsageFault
from reconciler.guids import guid
from reconciler.model.addresses import name_key
from reconciler.model.findings import Finding, Position, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.documents.raw_documents import RawDocument

_NOT_WORDS: Final = re.compile(r"[^\w.-]+")


class TenantFolder(Struct, frozen=True):
    """A folder with a Tenant document.

    Attributes:
        name: The document's; the folder's if the document cannot be read.
        tenant_id: Lower case; None if it cannot be read.
        organization: None if the document does not say it.
        folder: The folder.
        paths: What is read for this tenant: the folder, and the shared one beside it.
        word: The name as a part of a file's name; no other tenant's is the same.
        namesake: The folder of another tenant of this name.
    """

    name: str
    tenant_id: str | None
    organization: str | None
    folder: Path
    paths: tuple[Path, ...]
    word: str
    namesake: Path | None = None


class TenantFolders(Struct, frozen=True):
    """Folders of tenants, sorted by name, and what could not be looked at, or is read for none of
    them.
    """

    tenants: tuple[TenantFolder, ...]
    findings: tuple[Finding, ...]


def tenant_folders(paths: Sequence[Path]) -> TenantFolders:
    """Find the tenants at or below the paths. Which shared folder a tenant has does not depend on
    the paths, so that a plan of one is the plan that it has among all.

    Raises:
        UsageFault: a path does not exist, or there is no document file at all.
    """
    walked = walk(paths)
    by_folder: dict[Path, RawDocument | None] = {}
    findings = [each for each in walked.findings if each.severity is Severity.ERROR]
    for file in walked.files:
        try:
            raw = DISK.read(file)
        except OSError:  # its folder may be a tenant's: the run of that tenant says so
            continue
        documents = tenants_of(raw, file.as_posix())
        if documents is None or documents:
            by_folder[file.parent] = by_folder.get(file.parent) or next(iter(documents or ()), None)
    tenants = _named(by_folder)
    read = [path for tenant in tenants for path in tenant.paths]
    unread = [_unread(file) for file in walked.files if not _is_below(file, read)]
    outside = [each for each in findings if not _is_below(Path(each.position.file), read)]
    return TenantFolders(tenants, tuple(sorted([*outside, *unread])))


def only_tenant(paths: Sequence[Path]) -> str | None:
    """The name of the tenant at or below the paths, some of which may have no document; None unless
    it is exactly one.
    """
    there = [path for path in paths if DISK.exists(path)]
    try:
        tenants = tenant_folders(there).tenants
    except UsageFault:
        return None
    return tenants[0].name if len(tenants) == 1 else None


def _unread(file: Path) -> Finding:
    """What no tenant reads may be the rest of a tenant whose own document was lost."""
    message = (
        "read for no tenant: no folder around it has a Tenant document, and it is not in the"
        f" `{SHARED}` folder beside one: add the document, or move it"
    )
    return Finding(Position(file.as_posix(), 1, 1), "$", rules.NOT_READ.id, message)


def _named(by_folder: dict[Path, RawDocument | None]) -> tuple[TenantFolder, ...]:
    tenants = [_tenant(folder, document) for folder, document in by_folder.items()]
    tenants.sort(key=lambda tenant: (name_key(tenant.name), tenant.folder.as_posix()))
    words = _words(tenant.name for tenant in tenants)
    return tuple(
        TenantFolder(
            tenant.name,
            tenant.tenant_id,
            tenant.organization,
            tenant.folder,
            tenant.paths,
            word,
            _namesake(tenant, tenants),
        )
        for tenant, word in zip(tenants, words, strict=True)
    )


def _tenant(folder: Path, document: RawDocument | None) -> TenantFolder:
    beside = folder.parent / SHARED if folder.name not in {"", ".."} else folder / ".." / SHARED
    paths = tuple(dict.fromkeys((folder, *((beside,) if DISK.is_folder(beside) else ()))))
    named = None if document is None else document.name
    if document is None or not named or not named.strip():
        return TenantFolder(DISK.real(folder).name, None, None, folder, paths, "")
    organization = document.at("spec", "organization")
    return TenantFolder(
        named,
        guid(document.at("spec", "tenantId")),
        organization if isinstance(organization, str) else None,
        folder,
        paths,
        "",
    )


def _namesake(tenant: TenantFolder, every: Sequence[TenantFolder]) -> Path | None:
    key = name_key(tenant.name)
    others = (each for each in every if each is not tenant and name_key(each.name) == key)
    return next((each.folder for each in others), None)


def _words(names: Iterable[str]) -> Iterator[str]:
    """Names as parts of file names, each another one also where case does not count."""
    taken: set[str] = set()
    for name in names:
        word = stem = _NOT_WORDS.sub("-", name).strip(".-") or "tenant"
        number = 2
        while word.casefold() in taken:
            word, number = f"{stem}-{number}", number + 1
        taken.add(word.casefold())
        yield word


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
