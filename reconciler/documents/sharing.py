"""Documents that several tenants share: `spec.tenants` says to which of them one applies.

Tenants that share documents have folders beside each other, each with its Tenant document, and
`shared` folders beside those. Which tenants there are is known of such folders only: a document that
lies elsewhere may be meant for a tenant that nobody sees from here.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.file_trees import DISK, FileTree
from reconciler.documents.input_files import SUFFIXES, decode_text, inside
from reconciler.documents.parsing import parse_yaml
from reconciler.documents.raw_documents import RawDocument, nearest, raw_document, short_value
from reconciler.model.addresses import name_key
from reconciler.model.documents import Kind
from reconciler.model.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.documents.trees import Steps

SHARED: Final = "shared"
"""The folder beside those of tenants whose documents they share."""
_TENANTS: Steps = ("spec", "tenants")
_TENANT_KIND: Final = Kind.TENANT.encode()
_SAYS_TENANT: Final = re.compile(rb"""^kind:[ ]*["']?Tenant\b""", re.MULTILINE)


class Sharing(Struct, frozen=True):
    """The documents of a run by whom they are for.

    Attributes:
        applying: Those that apply to the tenant of the run.
        elsewhere: Those that apply to other tenants only.
        findings: Faults of `spec.tenants`.
    """

    applying: tuple[RawDocument, ...]
    elsewhere: tuple[RawDocument, ...]
    findings: tuple[Finding, ...]


def share(
    documents: Sequence[RawDocument], files: FileTree = DISK, tenant: str | None = None
) -> Sharing:
    """Tell the documents of a run's tenant from those of others.

    `tenant`: its name, where its Tenant document is not among them.

    A document whose `spec.tenants` has a fault counts as the tenant's own, so that nothing is left
    out by mistake: the fault stops the run.
    """
    limited = [(document, names) for document in documents if (names := limited_to(document))]
    if not limited:
        return Sharing(tuple(documents), (), ())
    tenants = [document for document in documents if document.kind is Kind.TENANT]
    own = {name_key(document.name) for document in tenants if document.name}
    own |= {name_key(tenant)} if tenant and not tenants else set()
    if not own:
        return Sharing(tuple(documents), (), tuple(map(_unsaid, (each for each, _ in limited))))
    others = {each.start for each, names in limited if not own & set(map(name_key, names))}
    return Sharing(
        tuple(document for document in documents if document.start not in others),
        tuple(document for document in documents if document.start in others),
        tuple(_unknown_names(limited, tenants, files)),
    )


def limited_to(document: RawDocument) -> tuple[str, ...]:
    """The tenants that a document applies to; empty if it says none, or not properly."""
    names = document.at(*_TENANTS)
    if document.kind is Kind.TENANT or not isinstance(names, list):
        return ()
    texts = tuple(name for name in names if isinstance(name, str))
    return texts if len(texts) == len(names) else ()


def tenants_of(raw: bytes, file: str) -> tuple[RawDocument, ...] | None:
    """The Tenant documents of a file; None if it seems to have one that cannot be read."""
    if _TENANT_KIND not in raw:
        return ()
    decoded = decode_text(raw, file)
    trees = () if isinstance(decoded, Finding) else parse_yaml(decoded.text, file).trees
    documents = (raw_document(file, tree) for tree in trees)
    tenants = tuple(document for document in documents if document.kind is Kind.TENANT)
    return None if not tenants and _SAYS_TENANT.search(raw) else tenants


def _unsaid(document: RawDocument) -> Finding:
    message = (
        "the document is limited to tenants, and no Tenant document says which one this run is for:"
        " add the folder of a tenant to the PATHs"
    )
    return document.finding(rules.TENANTS_UNSAID, _TENANTS, message)


def _unknown_names(
    limited: Iterable[tuple[RawDocument, tuple[str, ...]]],
    tenants: Sequence[RawDocument],
    files: FileTree,
) -> Iterator[Finding]:
    own = {name_key(document.name): document.name for document in tenants if document.name}
    folders = [files.real(Path(document.file).parent) for document in tenants]
    everyone: Mapping[str, str] = {}
    for document, names in limited:
        strange = [index for index, name in enumerate(names) if name_key(name) not in own]
        if strange and not everyone:
            beside = _neighbours(folders, files)
            if beside is None:
                return
            everyone = {**beside, **own}
        if strange and _sees_everyone(document, folders, everyone, files):
            yield from (
                _unknown(document, index, names[index], everyone)
                for index in strange
                if name_key(names[index]) not in everyone
            )


def _unknown(document: RawDocument, index: int, name: str, everyone: Mapping[str, str]) -> Finding:
    meant = nearest(name, sorted(everyone.values()))
    message = (
        f"Tenant {short_value(name)} not found beside this one{meant}: correct the name, or"
        " remove it"
    )
    return document.finding(rules.UNKNOWN_TENANT, (*_TENANTS, index), message)


def _sees_everyone(
    document: RawDocument,
    folders: Sequence[Path],
    everyone: Mapping[str, str],
    files: FileTree,
) -> bool:
    """Whether all tenants that may read a document are known: it lies in a tenant's own folder, or
    in the `shared` folder beside those of several. Beside a single one, that folder may be a part of
    other repositories too.
    """
    place = files.real(Path(document.file))
    beside = [folder.parent / SHARED for folder in folders]
    return inside(place, folders) or (len(everyone) > 1 and inside(place, beside))


def _neighbours(folders: Sequence[Path], files: FileTree) -> Mapping[str, str] | None:
    """Names of the tenants in the folders beside; None if one of them cannot be read."""
    names: dict[str, str] = {}
    try:
        for file in _files_beside(folders, files):
            if not stat.S_ISREG(files.mode(file)):  # a pipe would be waited for
                return None
            tenants = tenants_of(files.read(file), file.as_posix())
            if tenants is None or not all(tenant.name for tenant in tenants):
                return None
            names |= {name_key(each.name): each.name for each in tenants if each.name}
    except OSError:
        return None
    return names


def _files_beside(folders: Sequence[Path], files: FileTree) -> Iterator[Path]:
    """Files of documents that lie directly in the folders beside these."""
    for parent in {folder.parent for folder in folders}:
        for name in sorted(files.names(parent)):
            place = parent / name
            if files.is_folder(place) and not name.startswith("."):
                within = sorted(files.names(place))
                yield from (place / file for file in within if _is_document(file))


def _is_document(name: str) -> bool:
    return name.endswith(SUFFIXES) and not name.startswith(".")
