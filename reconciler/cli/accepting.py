"""`export --accept`: unmanaged objects become known, each by its address, in the Tenant document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.cli import collecting, drifting, loading, sources
from reconciler.errors import UsageFault
from reconciler.exporting.accepting import (
    NewEntry,
    entry_lines,
    entry_refusal,
    reason_refusal,
    with_entries,
)
from reconciler.files import read_regular, write_atomically
from reconciler.model.addresses import (
    TeamsGroupGrantAddress,
    TeamsUserGrantAddress,
    parse_address,
    teams_policy,
)
from reconciler.model.plans import PlanTenant
from reconciler.planning import making
from reconciler.planning.drift import is_empty, open_objects
from reconciler.planning.selection import known_addresses
from reconciler.planning.typed_names import TypedNames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.documents import Documents, TenantDocument
    from reconciler.model.observed import Observed
    from reconciler.model.unmanaged import UnmanagedObject

_BOM = "\ufeff"


class AcceptAsked(Struct, frozen=True):
    """What the command line asks for: PATHs, `--tenant`, what was typed for `--accept`, why, whether
    holders may change, and consents to readings with warnings.
    """

    paths: tuple[Path, ...]
    tenant: str | None
    typed: tuple[str, ...]
    reason: str
    free: bool
    allow: tuple[str, ...]


class AcceptDone(Struct, frozen=True):
    """What was accepted: addresses, the file, and lines to paste where it could not be edited."""

    addresses: tuple[str, ...]
    file: str
    lines: tuple[str, ...]


def accept(asked: AcceptAsked) -> AcceptDone:
    """Write entries for unmanaged objects into the Tenant document.

    Raises:
        ReconcilerError: any fault of the documents, the tenant or the options.
        OSError: the file cannot be written.
    """
    if refusal := reason_refusal(asked.reason):
        raise UsageFault(f"--reason {asked.reason!r}: {refusal}")
    options = making.PlanOptions(allow=asked.allow)
    documents = loading.documents(asked.paths, options)
    if documents.tenant is None:
        raise UsageFault(
            "there is no Tenant document to write to: create one with `reconciler init`, or pass its"
            " file as PATH"
        )
    source = sources.choose(asked.tenant, sources.target_of_documents(documents), asked.paths)
    request = drifting.whole_request(documents, source, asked.allow)
    observed = sources.observe_source(source, request, documents.tenant.tenant_id)
    collected = collecting.current()
    collected.tenant = PlanTenant(observed.tenant_id, observed.organization)
    collected.simulated = observed.source == "simulated"
    return _write(documents.tenant, _entries(asked, documents, observed))


def _write(tenant: TenantDocument, entries: Sequence[NewEntry]) -> AcceptDone:
    addresses = tuple(entry.object.address for entry in entries)
    file = Path(tenant.position.file)
    whole = read_regular(file).decode("utf-8")
    text = whole.removeprefix(_BOM)
    edited = with_entries(text, entries)
    if edited is None:
        lines = [line for entry in entries for line in entry_lines(entry)]
        return AcceptDone(addresses, file.as_posix(), tuple(lines))
    write_atomically(file, [f"{whole[: len(whole) - len(text)]}{edited}".encode()])
    return AcceptDone(addresses, file.as_posix(), ())


def _entries(asked: AcceptAsked, documents: Documents, observed: Observed) -> list[NewEntry]:
    desired = making.resolve_desired(documents, observed, making.PlanOptions(allow=asked.allow))
    names = TypedNames(documents, observed, known_addresses(desired, observed))
    wanted = {_meant(text, names): text for text in asked.typed}
    tenant = documents.tenant
    accepted = {} if tenant is None else {entry.address.lower(): entry for entry in tenant.accepted}
    objects = {
        each.address.lower(): each
        for each in open_objects(observed, desired, accepted.keys() | wanted.keys())
    }
    whole = {key for key, entry in accepted.items() if not entry.free} - wanted.keys()
    made = []
    for key, text in wanted.items():
        present = _open(text, objects.get(key))
        _assert_apart(text, present, whole)
        called = drifting.called(present.address, documents, observed)
        entry = NewEntry(present, asked.reason, asked.free, called)
        if refusal := entry_refusal(entry):
            raise UsageFault(f"--accept {text}: {refusal}")
        made.append(entry)
    return made


def _meant(text: str, typed_names: TypedNames) -> str:
    """The one object that a text stands for, as an address in lower case.

    Raises:
        UsageFault: it may mean several, or all of a kind.
    """
    addresses = typed_names.selected((text,), "--accept")
    if len(addresses) > 1:
        raise UsageFault(
            f"--accept {text} means an application: accept its policies instead, each by the"
            " address that `reconciler drift` prints"
        )
    return addresses[0].lower()


def _open(text: str, present: UnmanagedObject | None) -> UnmanagedObject:
    if present is None:
        raise UsageFault(
            f"--accept {text}: the tenant has no such object: write an address as `reconciler drift`"
            " prints it"
        )
    if not present.parts or (all(map(is_empty, present.parts.values())) and present.idle):
        raise UsageFault(
            f"--accept {text}: the documents declare it, so there is nothing to accept:"
            " `reconciler plan` shows what differs"
        )
    return present


def _assert_apart(text: str, present: UnmanagedObject, whole: set[str]) -> None:
    """Refuse a grant whose policy is accepted together with it: accepted separately, the grant
    would no longer be a part of the policy, which would then have changed.
    """
    is_grant = isinstance(
        parse_address(present.address), (TeamsUserGrantAddress, TeamsGroupGrantAddress)
    )
    policy = teams_policy(str(present.parts.get("policy")))
    if is_grant and policy.lower() in whole:
        raise UsageFault(
            f"--accept {text}: {policy} is accepted with who holds it, and this grant is one of"
            " those: accept the policy again, or both"
        )
