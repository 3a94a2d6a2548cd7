"""A capture file's content -> `Observed`: the envelope first, then every row, every fault told at
once.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.captures import files
from reconciler.captures.decoding import decode_capture, is_decoded
from reconciler.captures.digests import capture_digest
from reconciler.captures.envelope import envelope_faults
from reconciler.characters import has_surrogate
from reconciler.file_kinds import FileKind
from reconciler.kinds.capture_directory import parse_directory
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import is_time, shown
from reconciler.kinds.products import PRODUCTS
from reconciler.kinds.read_warnings import read_warning
from reconciler.model.addresses import PROVIDERS
from reconciler.model.observed import Observed, ReadWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Directory, Origin, State


def capture_content(path: Path) -> Mapping[str, Any]:
    """The content of a capture file, as `parse_capture` takes it.

    Raises:
        CaptureFault: the file cannot be read, is not a JSON object, or is a file of another kind.
    """
    data = files.file_bytes(path)
    return decode_capture(data) or files.object_of_kind(data, str(path), FileKind.CAPTURE)


def load_capture(
    path: Path,
    *,
    tenant_id: str | None,
    needs: frozenset[Provider],
    tolerated: frozenset[Provider] = frozenset(),
) -> Observed:
    """Read a capture file; otherwise like `parse_capture`.

    Raises:
        CaptureFault: as `capture_content` and `parse_capture`.
    """
    return parse_capture(
        capture_content(path),
        source="capture",
        tenant_id=tenant_id,
        needs=needs,
        tolerated=tolerated,
        file=str(path),
    )


def parse_capture(
    raw: Mapping[str, Any],
    *,
    source: Origin,
    tenant_id: str | None,
    needs: frozenset[Provider],
    tolerated: frozenset[Provider] = frozenset(),
    file: str | None = None,
    digested: bool = True,
) -> Observed:
    """Parse a capture.

    A product that is not in `needs` and was not read completely, or has a fault, is None in the
    result, never an empty product.

    Args:
        raw: the content of a capture file, as `capture_content` or `Tenant.capture` gives it.
        source: `live`, `capture` or `simulated`; becomes `Observed.source`, unless the capture says
            that a simulated tenant was read.
        tenant_id: the tenant that is meant, in any case; None takes any.
        needs: the products that must have been read completely.
        tolerated: the products that count as read completely although their service warned.
        file: what faults name as their place; `source` if it is None.
        digested: whether anybody asks for the digest, which takes as long as a third of the rest.

    Raises:
        CaptureFault: malformed, contradicting itself, incomplete for a needed product, or of
            another tenant; one line per fault.
    """
    place, faults = file or source, FaultList()
    envelope_faults(raw, faults)
    faults.refuse(place)
    _right_tenant(raw, tenant_id, faults)
    _right_time(raw, faults)
    directory = parse_directory(raw.get("directory") or {}, "$.directory", faults)
    states, faulty = _states(raw, needs, tolerated, faults)
    faults.refuse(place)
    states = _told_apart(states, directory)
    directory = _with_effective(directory, raw, states)
    return Observed(
        tenant_id=raw["tenant"]["tenantId"].lower(),
        organization=raw["tenant"].get("organization") or "",
        taken_at=raw["taken_at"],
        source="simulated" if raw.get("simulated") is True else source,
        states=states,
        directory=directory,
        warnings=tuple(chain.from_iterable(_warnings(name, raw) for name in PROVIDERS)),
        faulty=faulty,
        digest=_digest(raw, states, directory, place, digested=digested),
    )


def _states(
    raw: Mapping[str, Any],
    needs: frozenset[Provider],
    tolerated: frozenset[Provider],
    faults: FaultList,
) -> tuple[dict[Provider, State], dict[Provider, str]]:
    """The products that were read completely, and what is wrong with the reading of those that
    nobody needs: a fault of one product says nothing about another one.

    Of a product that was not read itself only names were looked up: what is wrong with those
    concerns the directory, and so everybody.
    """
    states: dict[Provider, State] = {}
    faulty: dict[Provider, str] = {}
    for name in PROVIDERS:
        own = FaultList()
        if _usable(name, raw, needs, tolerated, own):
            states[name] = PRODUCTS[name].read_section(raw[name], f"$.{name}", own)
        if own.told and name not in needs and raw[name]["complete"]:
            states.pop(name, None)
            faulty[name] = own.told[0]
        else:
            faults.take(own)
    return states, faulty


def _warnings(product: Provider, raw: Mapping[str, Any]) -> Sequence[ReadWarning]:
    """What a product's service warned of, each once, in one order."""
    rows = (raw.get(product) or {}).get("warnings") or ()
    return sorted({ReadWarning(product, row["cmdlet"], shown(row["text"])) for row in rows})


def _told_apart(states: Mapping[Provider, State], directory: Directory) -> dict[Provider, State]:
    """The states, where what has a scope that is both absent and present is not understood: it would
    be judged dead.
    """
    contradicted = directory.absent & directory.recipients.keys()
    return {name: PRODUCTS[name].doubting(state, contradicted) for name, state in states.items()}


def _with_effective(
    directory: Directory, raw: Mapping[str, Any], states: Mapping[Provider, State]
) -> Directory:
    """The directory with what services say of the effective policies of users, if they do."""
    effective = {
        user: answer
        for name, state in states.items()
        for user, answer in PRODUCTS[name].effective(raw[name], state, directory).items()
    }
    return replace(directory, effective=effective) if effective else directory


def _digest(
    raw: Mapping[str, Any],
    states: Mapping[Provider, State],
    directory: Directory,
    place: str,
    *,
    digested: bool,
) -> str:
    """The digest, empty if nobody asks for it; making it finds the texts that are not Unicode."""
    if not digested and is_decoded(raw):
        return ""
    try:
        return capture_digest(raw["tenant"]["tenantId"].lower(), states, directory)
    except UnicodeEncodeError:
        faults = FaultList()
        for path in _surrogates(raw, "$"):
            faults.add(
                path,
                "a lone surrogate is not valid text: fetch again, or correct it in the tenant",
            )
        faults.refuse(place)
        raise


def _right_time(raw: Mapping[str, Any], faults: FaultList) -> None:
    if not is_time(raw["taken_at"]):
        faults.add(
            "$.taken_at", f"expected a date and time, found {shown(raw['taken_at'])}: fetch again"
        )


def _right_tenant(raw: Mapping[str, Any], tenant_id: str | None, faults: FaultList) -> None:
    """The tenant of the capture, and of each product in it, must be the one that is meant."""
    wanted = (tenant_id or raw["tenant"]["tenantId"]).lower()
    tenants = {"$.tenant.tenantId": raw["tenant"]["tenantId"]}
    for product in PROVIDERS:
        if part := (raw.get(product) or {}).get("tenantId"):
            tenants[f"$.{product}.tenantId"] = part
    for path, tenant in tenants.items():
        if tenant.lower() != wanted:
            faults.add(
                path,
                f"expected tenant {wanted}, found {tenant}: choose the right capture or the right"
                " tenant",
            )


def _usable(
    product: Provider,
    raw: Mapping[str, Any],
    needs: frozenset[Provider],
    tolerated: frozenset[Provider],
    faults: FaultList,
) -> bool:
    """Whether a product was read completely; a fault if it was not and is needed.

    A warning makes a reading incomplete, also one that only looked names up.
    """
    section = raw.get(product)
    warned = () if product in tolerated else _warnings(product, raw)
    if section is not None and warned:
        if product in needs or not section["complete"]:
            _refuse_warnings(warned, faults)
        return False
    if section is not None and section["complete"]:
        return True
    if product in needs:
        trouble = "is missing" if section is None else "is not complete"
        faults.add(
            f"$.{product}",
            f"the reading of {product} {trouble}, but it is needed: fetch again; `reconciler fetch"
            " --directory all` reads every product",
        )
    return False


def _refuse_warnings(warned: Sequence[ReadWarning], faults: FaultList) -> None:
    first = warned[0]
    more = f", and {len(warned) - 1} more such warnings" if len(warned) > 1 else ""
    faults.add(
        f"$.{first.provider}.warnings",
        f"{shown(first.cmdlet)[1:-1]} warned: {first.text}{more}. The reading is not known to be"
        " all there is. Find out what the warning means; if everything was read all the same,"
        f" consent: --allow {read_warning(first.provider)}, or the same in `spec.consents` of the"
        " Tenant document",
    )


def _surrogates(value: Any, path: str) -> Iterator[str]:
    """Paths of the texts that are not Unicode; walked only when there is one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _surrogates(key, f"{path} (a key, {shown(key)})")
            yield from _surrogates(item, f"{path}.{shown(key)[1:-1]}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _surrogates(item, f"{path}[{index}]")
    elif isinstance(value, str) and has_surrogate(value):
        yield path
