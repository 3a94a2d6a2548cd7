"""A new repository at the edge: who the tenant is, and the files that are written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.cli import printing, sources
from reconciler.documents.refusing import is_organization
from reconciler.errors import Refused, UsageFault
from reconciler.exporting.repositories import start_files
from reconciler.files import write_atomically
from reconciler.guids import guid
from reconciler.model.requests import CaptureRequest
from reconciler.reports.lines import Tone

if TYPE_CHECKING:
    from pathlib import Path


class Identity(Struct, frozen=True):
    """A tenant's id and initial domain; None: nobody said."""

    tenant_id: str | None
    organization: str | None


class Begun(Struct, frozen=True):
    """Files that were written, and files that were there and were kept."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def asked_identity(asked: Identity, tenant: str | None, *, is_terminal: bool) -> Identity:
    """Who the tenant is: as the command line says, as a tenant that can be read says, or as
    somebody answers.

    Raises:
        UsageFault: nobody says it, or it is not an id or a domain.
        CaptureFault: the tenant cannot be read.
    """
    if asked.tenant_id is None and tenant:
        asked = _of_tenant(asked, tenant)
    if asked.tenant_id is None and not is_terminal:
        raise UsageFault(
            "cannot ask for the tenant: standard input is not a terminal; use --tenant-id and"
            " --organization, or --tenant with a capture"
        )
    if asked.tenant_id is None:
        asked = Identity(
            _answer("Directory (tenant) id:"),
            asked.organization or _answer("Initial domain (NAME.onmicrosoft.com):"),
        )
    tenant_id, organization = (
        guid((asked.tenant_id or "").strip()),
        (asked.organization or "").strip(),
    )
    if tenant_id is None:
        raise UsageFault(
            f"{asked.tenant_id!r} is not a tenant id: write the directory (tenant) id, a GUID"
        )
    if organization and not is_organization(organization):
        raise UsageFault(
            f"{organization!r} is not a domain name: write the tenant's initial domain, such as"
            " contoso.onmicrosoft.com"
        )
    return Identity(tenant_id, organization)


def start_repository(folder: Path, identity: Identity) -> Begun:
    """Write the files that are not there yet.

    Raises:
        Refused: there is a Tenant document already.
        OSError: a file cannot be written.
    """
    files = start_files(identity.tenant_id or "", identity.organization or "")
    if (folder / files[0].path).exists():
        raise Refused(
            f"{(folder / files[0].path).as_posix()} exists, and nothing was written: this is a"
            " repository of documents already. Go on with `reconciler export`, or choose"
            " another folder"
        )
    written, kept = [], []
    for file in files:
        path = folder / file.path
        # A link that leads nowhere is somebody's, too.
        if path.exists() or path.is_symlink():
            kept.append(path.as_posix())
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, [file.text.encode()])
        written.append(path.as_posix())
    return Begun(tuple(written), tuple(kept))


def _of_tenant(asked: Identity, tenant: str) -> Identity:
    if tenant == sources.LIVE:
        raise UsageFault(
            "--tenant live requires a Tenant document, which is what `reconciler init` writes: use"
            " --tenant-id and --organization"
        )
    source = sources.choose(tenant, None, ())
    observed = sources.observe_source(source, CaptureRequest(frozenset()), None)
    return Identity(observed.tenant_id, asked.organization or observed.organization)


def _answer(question: str) -> str:
    printing.say(question, Tone.HEADING)
    return sys.stdin.readline().strip()
