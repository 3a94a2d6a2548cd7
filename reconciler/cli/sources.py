"""`--tenant`: where the observed state comes from and where steps go."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, assert_never

from msgspec import Struct

from reconciler.captures import reading
from reconciler.cli.working import working
from reconciler.errors import CaptureFault, UsageFault
from reconciler.files import real_path
from reconciler.model.target_tenant import TargetTenant
from reconciler.tenants.protocol import Remote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Directory, Observed, Origin
    from reconciler.model.outputs import OutputEffective
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
    "name a capture file (read-only; `reconciler fetch` writes one), `sim:FILE` (a simulated"
    " tenant kept in FILE; it starts as a copy of the bundled one) or `live` (through"
    " PowerShell)"
)


def target_of_documents(documents: Documents) -> TargetTenant | None:
    """The tenant that documents are for; None if they do not say."""
    tenant = documents.tenant
    return (
        None
        if tenant is None
        else TargetTenant(tenant.tenant_id, tenant.organization, tenant.connect)
    )


def target_of_plan(plan: Plan) -> TargetTenant:
    """The tenant that a plan is for."""
    return TargetTenant(plan.tenant.tenant_id, plan.tenant.organization or None, plan.connect)


class CaptureFile(Struct, frozen=True):
    """A tenant as it was when it was captured: it can be read and nothing else."""

    path: Path


class SimulatedTenant(Struct, frozen=True):
    """A simulated tenant.

    `typed`: a person asked for it by `sim:`; else it is the bundled one, there by default.
    """

    path: Path
    typed: bool


class LiveTenant(Struct, frozen=True):
    """The tenant itself, reached through PowerShell.

    `reads`: paths of documents, of a plan, from whose repository nothing is started.
    """

    target: TargetTenant
    reads: tuple[Path, ...]


WritableSource: TypeAlias = SimulatedTenant | LiveTenant
Source: TypeAlias = CaptureFile | WritableSource


def choose(value: str | None, target: TargetTenant | None, reads: Iterable[Path]) -> Source:
    """Read `--tenant`.

    Args:
        value: What was typed, or RECONCILER_TENANT; None or empty if neither.
        target: The tenant that the documents or the plan are for; None if they do not say.
        reads: Where those are: a live tenant's PowerShell is never one that lies beside them.

    Raises:
        UsageFault: it names nothing that can be read, or nothing was typed and the documents are
            not for the bundled tenant.
    """
    if not value:
        return _default(target.tenant_id if target is not None else None)
    if value.startswith("sim:"):
        return _simulated(value.removeprefix("sim:"))
    if value == LIVE:
        return _live(target, reads)
    if Path(value).exists() and not Path(value).is_file():
        raise UsageFault(f"--tenant {value}: not a regular file; {_POSSIBLE}")
    if not Path(value).is_file():
        raise UsageFault(f"--tenant {value}: file not found; {_POSSIBLE}")
    return CaptureFile(Path(value))


def file_of(value: str | None) -> Path | None:
    """The file that `--tenant` names; None if it is the tenant itself."""
    if not value:
        return BUNDLED_STATE
    return None if value == LIVE else Path(value.removeprefix("sim:"))


def _default(tenant_id: str | None) -> Source:
    if tenant_id == BUNDLED_ID:
        return SimulatedTenant(BUNDLED_STATE, typed=False)
    whose = (
        f"the documents are for tenant {tenant_id}" if tenant_id else "there is no Tenant document"
    )
    raise UsageFault(
        f"--tenant is required because {whose}: {_POSSIBLE}. It may be omitted only for the"
        f" bundled tenant {BUNDLED_ID}"
    )


def _live(target: TargetTenant | None, reads: Iterable[Path]) -> Source:
    if target is None:
        raise UsageFault(
            "--tenant live requires a Tenant document with the tenant id and how to sign in"
            " (`reconciler schema Tenant`)"
        )
    return LiveTenant(target, tuple(reads))


def _simulated(name: str) -> Source:
    if not name:
        raise UsageFault(
            "--tenant sim: is missing a file; use `sim:FILE`, where FILE stores the simulated tenant"
        )
    path = Path(name)
    leads_in_a_circle = real_path(path).is_symlink()
    if leads_in_a_circle or (path.exists() and not path.is_file()):
        raise UsageFault(
            f"--tenant sim:{name}: not a regular file; a simulated tenant is stored in one, and a"
            " file that does not exist is made"
        )
    return SimulatedTenant(path, typed=True)


_WRITTEN_BY_PEOPLE = frozenset((".yaml", ".yml", ".csv", ".txt"))


def assert_spared(source: Source, paths: Collection[Path], files: Collection[Path]) -> None:
    """See to it that no file to write is one that the run reads.

    Args:
        source: the tenant.
        paths: where documents, and the lists beside them, are read.
        files: what is going to be written.

    Raises:
        UsageFault: one is the tenant's file, or a document.
    """
    assert_tenant_spared(() if isinstance(source, LiveTenant) else (source.path,), files)
    assert_documents_spared(paths, files)


def assert_tenant_spared(tenants: Collection[Path], files: Iterable[Path]) -> None:
    """See to it that no file to write is a tenant.

    Raises:
        UsageFault: one is.
    """
    for file in filter(Path.is_file, files):
        if any(file.samefile(path) for path in tenants if path.exists()):
            raise UsageFault(
                f"{file} is the tenant that is read and would be overwritten: choose another file"
            )


def assert_documents_spared(paths: Collection[Path], files: Iterable[Path]) -> None:
    """See to it that no file to write is a document, or a list, under these paths.

    Raises:
        UsageFault: one is.
    """
    for file in filter(Path.is_file, files):
        written = real_path(file)  # through a link, as it would be written
        if written.suffix in _WRITTEN_BY_PEOPLE and any(
            written.is_relative_to(real_path(path)) for path in paths
        ):
            raise UsageFault(
                f"{file} is among the documents that are read and would be overwritten: choose"
                " another file"
            )


class Captured(Struct, frozen=True):
    """What a reading brought: the content of a capture, and what kind of tenant it is of.

    `file`: what faults name as their place; the kind of tenant if it is None.
    """

    raw: Mapping[str, Json]
    source: Origin
    file: str | None = None


def observe_source(
    source: Source, request: CaptureRequest, tenant_id: str | None, *, digested: bool = True
) -> Observed:
    """Read a tenant, completely or not at all; `digested` if anybody asks for the reading's digest.

    Raises:
        CaptureFault: the capture is malformed, incomplete, or of another tenant than `tenant_id`.
        TenantFault: the tenant could not be read.
    """
    match source:
        case LiveTenant():  # tells itself how it goes on
            captured = capture(source, request)
            observed = observed_of(captured, request, tenant_id, digested=digested)
        case SimulatedTenant() | CaptureFile():
            with working("Reading the tenant"):
                filed = _filed(source, request)
                observed = observed_of(filed, request, tenant_id, digested=digested)
        case _:
            assert_never(source)
    _tell_effective(observed.directory)
    return observed


def _tell_effective(directory: Directory) -> None:
    """Say what rests on effective assignments of users, and which of them are not used."""
    if not directory.effective:
        return
    from reconciler.cli import collecting, printing  # noqa: PLC0415  lazy: seldom there
    from reconciler.reports.lines import Line, counted  # noqa: PLC0415  likewise

    collecting.add_part("effective", tuple(_effective_rows(directory)))
    used = [user for user, answer in directory.effective.items() if answer.members]
    if used:
        printing.notice(
            [
                Line(
                    f"Effective assignments of {counted(len(used), 'user')} say in which groups"
                    f" {'the user is' if len(used) == 1 else 'they are'}: access tests and answers"
                    " rest on that where nobody has read the members."
                )
            ]
        )
    printing.notice(
        Line(f"The effective assignment of user {user} is not used: {answer.doubt}.")
        for user, answer in directory.effective.items()
        if answer.doubt
    )


def _effective_rows(directory: Directory) -> Iterator[OutputEffective]:
    from reconciler.cli import collecting  # noqa: PLC0415  lazy: seldom there
    from reconciler.model.outputs import OutputEffective  # noqa: PLC0415  likewise

    redaction = collecting.current().redaction
    for user, answer in directory.effective.items():
        yield OutputEffective(
            contradicts=answer.contradicts,
            doubt=answer.doubt if redaction is None else redaction.message(answer.doubt),
            taken_at=answer.taken_at,
            user=user if redaction is None else None,
        )


def _filed(source: SimulatedTenant | CaptureFile, request: CaptureRequest) -> Captured:
    if isinstance(source, SimulatedTenant):
        return capture(source, request)
    return Captured(reading.capture_content(source.path), "capture", str(source.path))


def capture(source: Source, request: CaptureRequest) -> Captured:
    """Read a tenant; a live one by sessions that can do nothing but read, and that are closed
    afterwards.

    Raises:
        UsageFault: a capture file is not a tenant.
        TenantFault: the tenant could not be read.
    """
    tenant = open_source(writable(source), writes=False)
    try:
        return Captured(tenant.capture(request), tenant.source)
    finally:
        close(tenant)


def observed_of(
    captured: Captured, request: CaptureRequest, tenant_id: str | None, *, digested: bool = True
) -> Observed:
    """What a reading shows; `digested` if anybody asks for its digest.

    Raises:
        CaptureFault: it is malformed, incomplete, or of another tenant than `tenant_id`.
    """
    return reading.parse_capture(
        captured.raw,
        source=captured.source,
        tenant_id=tenant_id,
        needs=request.products,
        tolerated=request.tolerated,
        file=captured.file,
        digested=digested,
    )


def writable(source: Source) -> WritableSource:
    """A source that steps can go to.

    Raises:
        UsageFault: a capture file is none.
    """
    if isinstance(source, CaptureFile):
        raise UsageFault(
            f"--tenant {source.path}: a capture file is read-only; it can be planned against, but not"
            " applied to or fetched from. Use `sim:FILE` or `live`"
        )
    return source


def open_source(source: WritableSource, *, writes: bool = True) -> Tenant:
    """Open a tenant; `close` it. Who is going to write holds the tenant's lock already."""
    match source:
        case SimulatedTenant(path):
            from reconciler.tenants.simulated import (  # noqa: PLC0415
                Simulator,
                bundled,
            )

            return Simulator(path, seed_from=bundled())
        case LiveTenant(target, reads):
            from reconciler.cli import (  # noqa: PLC0415
                live,
            )

            return live.open_live(target, writes=writes, reads=reads)
    assert_never(source)


def close(tenant: Tenant) -> None:
    """End the processes of a tenant that has any."""
    if isinstance(tenant, Remote):
        tenant.close()


def close_written(tenant: Tenant) -> None:
    """Like `close`, after writes: a simulated tenant is one file again.

    If it cannot be, nothing is lost: its log stays beside it.
    """
    from reconciler.tenants.simulated import (  # noqa: PLC0415
        Simulator,
    )

    close(tenant)
    if isinstance(tenant, Simulator):
        with suppress(CaptureFault):
            tenant.close()
