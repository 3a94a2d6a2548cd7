"""`--tenant`: where the observed state comes from and where steps go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, assert_never

from reconciler.errors import UsageFault

if TYPE_CHECKING:
    from reconciler.model.observed import Observed
    from reconciler.model.requests import CaptureRequest
    from reconciler.tenants.protocol import Tenant

BUNDLED_ID = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
"""The tenant that the bundled simulator plays (MicrosoftDocs uses it in the examples of New-ApplicationAccessPolicy)."""
BUNDLED_STATE = Path(".reconciler/tenant.json")

_POSSIBLE = "name a capture file (read-only; `reconciler fetch` writes one) or `sim:FILE` (a simulated tenant kept in FILE; it begins as the bundled one)"


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """A tenant as it was when it was captured: it can be read and nothing else."""

    path: Path


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated tenant. `typed`: a person asked for it by `sim:`; else it is the bundled one, there by default."""

    path: Path
    typed: bool


Source: TypeAlias = CaptureFile | Simulated


def choose(value: str | None, tenant_id: str | None) -> Source:
    """Read `--tenant`.

    Args:
        value: What was typed, or RECONCILER_TENANT; None or empty if neither.
        tenant_id: The tenant that the documents or the plan are for; None if they do not say.

    Raises:
        UsageFault: it names nothing that can be read, or nothing was typed and the documents are not for the bundled tenant.
    """
    if not value:
        return _default(tenant_id)
    if value.startswith("sim:"):
        return _simulated(value.removeprefix("sim:"))
    if value == "live":
        raise UsageFault(f"--tenant live: this version cannot reach a live tenant. Instead, {_POSSIBLE}")
    if not Path(value).is_file():
        raise UsageFault(f"--tenant {value}: there is no such file; {_POSSIBLE}")
    return CaptureFile(Path(value))


def _default(tenant_id: str | None) -> Source:
    if tenant_id == BUNDLED_ID:
        return Simulated(BUNDLED_STATE, typed=False)
    whose = f"the documents are for tenant {tenant_id}" if tenant_id else "no Tenant document says which tenant is meant"
    raise UsageFault(f"--tenant is missing, and {whose}: {_POSSIBLE}. Only documents for the bundled tenant {BUNDLED_ID} go without")


def _simulated(name: str) -> Source:
    if not name:
        raise UsageFault("--tenant sim: lacks a file; write `sim:FILE`, where FILE keeps the simulated tenant")
    return Simulated(Path(name), typed=True)


def observe(source: Source, request: CaptureRequest, tenant_id: str | None) -> Observed:
    """Read a tenant, completely or not at all.

    Raises:
        CaptureFault: the capture is malformed, incomplete, or of another tenant than `tenant_id`.
        TenantFault: the tenant could not be read.
    """
    from reconciler.captures import files, reading  # noqa: PLC0415  lazy: only what a command needs

    match source:
        case CaptureFile(path):
            raw = files.load(path)
            return reading.parse(raw, source="capture", tenant_id=tenant_id, needs=request.products, file=str(path))
        case Simulated():
            tenant = opened(source)
            return reading.parse(tenant.capture(request), source=tenant.source, tenant_id=tenant_id, needs=request.products)
    assert_never(source)


def opened(source: Source) -> Tenant:
    """Open a tenant that can be written.

    Raises:
        UsageFault: a capture file cannot.
    """
    from reconciler.tenants.simulated import Simulator, bundled  # noqa: PLC0415  lazy: only what a command needs

    match source:
        case CaptureFile(path):
            raise UsageFault(f"--tenant {path}: a capture file is a reading of a tenant and cannot be changed. Apply to `sim:FILE`")
        case Simulated(path):
            return Simulator(path, seed_from=bundled())
    assert_never(source)
