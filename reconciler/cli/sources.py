"""`--tenant`: where the observed state comes from and where steps go."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, assert_never

from msgspec import Struct

from reconciler.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.canonical import Json
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed, Origin
    from reconciler.model.plans import Plan
    from reconciler.model.requests import CaptureRequest
    from reconciler.tenants.protocol import Tenant

BUNDLED_ID = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
"""The tenant that the bundled simulator plays (MicrosoftDocs uses it in the examples of
New-ApplicationAccessPolicy).
"""
BUNDLED_STATE = Path(".reconciler/tenant.json")

LIVE = "live"

_POSSIBLE = (
    "name a capture file (read-only; `reconciler fetch` writes one), `sim:FILE` (a simulated tenant"
    " kept in FILE; it begins as the bundled one) or `live` (through PowerShell)"
)


class Meant(Struct, frozen=True):
    """The tenant that documents or a plan are for, and how one signs in to it: names of variables,
    never values.
    """

    tenant_id: str
    organization: str | None
    connect: Mapping[str, Json]


def of_documents(documents: Documents) -> Meant | None:
    """The tenant that documents are for; None if they do not say."""
    tenant = documents.tenant
    return None if tenant is None else Meant(tenant.tenant_id, tenant.organization, tenant.connect)


def of_plan(plan: Plan) -> Meant:
    """The tenant that a plan is for."""
    return Meant(plan.tenant.tenant_id, plan.tenant.organization or None, plan.connect)


class CaptureFile(Struct, frozen=True):
    """A tenant as it was when it was captured: it can be read and nothing else."""

    path: Path


class Simulated(Struct, frozen=True):
    """A simulated tenant.

    `typed`: a person asked for it by `sim:`; else it is the bundled one, there by default.
    """

    path: Path
    typed: bool


class Live(Struct, frozen=True):
    """The tenant itself, reached through PowerShell."""

    meant: Meant


Source: TypeAlias = CaptureFile | Simulated | Live


def choose(value: str | None, meant: Meant | None) -> Source:
    """Read `--tenant`.

    Args:
        value: What was typed, or RECONCILER_TENANT; None or empty if neither.
        meant: The tenant that the documents or the plan are for; None if they do not say.

    Raises:
        UsageFault: it names nothing that can be read, or nothing was typed and the documents are
            not for the bundled tenant.
    """
    if not value:
        return _default(meant.tenant_id if meant is not None else None)
    if value.startswith("sim:"):
        return _simulated(value.removeprefix("sim:"))
    if value == LIVE:
        return _live(meant)
    if not Path(value).is_file():
        raise UsageFault(f"--tenant {value}: there is no such file; {_POSSIBLE}")
    return CaptureFile(Path(value))


def _default(tenant_id: str | None) -> Source:
    if tenant_id == BUNDLED_ID:
        return Simulated(BUNDLED_STATE, typed=False)
    whose = (
        f"the documents are for tenant {tenant_id}"
        if tenant_id
        else "no Tenant document says which tenant is meant"
    )
    raise UsageFault(
        f"--tenant is missing, and {whose}: {_POSSIBLE}. Only documents for the bundled tenant"
        f" {BUNDLED_ID} go without"
    )


def _live(meant: Meant | None) -> Source:
    if meant is None:
        raise UsageFault(
            "--tenant live needs a Tenant document, which says which tenant is meant and how to"
            " sign in (`reconciler schema Tenant`)"
        )
    return Live(meant)


def _simulated(name: str) -> Source:
    if not name:
        raise UsageFault(
            "--tenant sim: lacks a file; write `sim:FILE`, where FILE keeps the simulated tenant"
        )
    return Simulated(Path(name), typed=True)


_WRITTEN_BY_PEOPLE = frozenset((".yaml", ".yml", ".csv", ".txt"))


def assert_spared(source: Source, paths: Iterable[Path], files: Iterable[Path]) -> None:
    """See to it that no file to write is one that the run reads.

    Args:
        source: the tenant.
        paths: where documents, and the lists beside them, are read.
        files: what is going to be written.

    Raises:
        UsageFault: one is the tenant's file, or a document.
    """
    tenant = () if isinstance(source, Live) else (source.path,)
    for file in filter(Path.is_file, files):
        if any(file.samefile(one) for one in tenant if one.exists()):
            raise UsageFault(
                f"{file} is the tenant that is read, and would be gone: write to another file"
            )
        if file.suffix in _WRITTEN_BY_PEOPLE and any(
            file.resolve().is_relative_to(path.resolve()) for path in paths
        ):
            raise UsageFault(
                f"{file} lies among the documents that are read, and would be gone: write to"
                " another file"
            )


def observe(source: Source, request: CaptureRequest, tenant_id: str | None) -> Observed:
    """Read a tenant, completely or not at all.

    Raises:
        CaptureFault: the capture is malformed, incomplete, or of another tenant than `tenant_id`.
        TenantFault: the tenant could not be read.
    """
    if isinstance(source, CaptureFile):
        from reconciler.captures import reading  # noqa: PLC0415  lazy: only what a command needs

        return reading.load(source.path, tenant_id=tenant_id, needs=request.products)
    return parsed(captured(source, request), request, tenant_id)


class Captured(Struct, frozen=True):
    """What a reading brought: the content of a capture file, and what kind of tenant it is of."""

    raw: Mapping[str, Json]
    source: Origin


def captured(source: Source, request: CaptureRequest) -> Captured:
    """Read a tenant; a live one by sessions that can do nothing but read, and that are closed
    afterwards.

    Raises:
        UsageFault: a capture file is no tenant.
        TenantFault: the tenant could not be read.
    """
    tenant = opened(source, writes=False)
    try:
        return Captured(tenant.capture(request), tenant.source)
    finally:
        close(tenant)


def parsed(captured: Captured, request: CaptureRequest, tenant_id: str | None) -> Observed:
    """What a reading shows.

    Raises:
        CaptureFault: it is malformed, incomplete, or of another tenant than `tenant_id`.
    """
    from reconciler.captures import reading  # noqa: PLC0415  lazy: only what a command needs

    return reading.parse(
        captured.raw, source=captured.source, tenant_id=tenant_id, needs=request.products
    )


def opened(source: Source, *, writes: bool = True) -> Tenant:
    """Open a tenant that can be written; `close` it.

    Raises:
        UsageFault: a capture file cannot.
    """
    match source:
        case CaptureFile(path):
            raise UsageFault(
                f"--tenant {path}: a capture file is a reading of a tenant, to plan on, and cannot"
                " be changed or read anew; name `sim:FILE` or `live`"
            )
        case Simulated(path):
            from reconciler.tenants.simulated import (  # noqa: PLC0415
                Simulator,
                bundled,
            )

            return Simulator(path, seed_from=bundled())
        case Live(meant):
            from reconciler.cli import (  # noqa: PLC0415
                live,
            )

            return live.opened(meant, writes=writes)
    assert_never(source)


def close(tenant: Tenant) -> None:
    """End the processes of a tenant that has any."""
    from reconciler.tenants.protocol import Remote  # noqa: PLC0415  lazy: only what a command needs

    if isinstance(tenant, Remote):
        tenant.close()


def close_written(tenant: Tenant) -> None:
    """Like `close`, after writes: a simulated tenant is one file again.

    If it cannot be, nothing is lost: its log stays beside it.
    """
    from reconciler.errors import CaptureFault  # noqa: PLC0415  lazy: only what a command needs
    from reconciler.tenants.simulated import (  # noqa: PLC0415
        Simulator,
    )

    close(tenant)
    if isinstance(tenant, Simulator):
        with suppress(CaptureFault):
            tenant.close()
