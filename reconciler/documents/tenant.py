"""The Tenant document: there is one at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.documents import rules
from reconciler.documents.raw_documents import Claim, clashes, short_value, value_at
from reconciler.model.addresses import Address
from reconciler.model.documents import AcceptedObject, Kind, Limits, TenantDocument, UnknownGroups

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.applications import Applications
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.findings import Finding

_LIMITS = {
    "max_deletes": ("policies", "maxDeletes"),
    "max_delete_percent": ("policies", "maxDeletePercent"),
    "max_removals": ("grants", "maxRemovals"),
    "max_removal_percent": ("grants", "maxRemovalPercent"),
    "max_people": ("widening", "maxPeople"),
}
_POLICY_CONSENT = "displaced:"
_REFUSE = "refuse"
_ACCEPTED: Steps = ("spec", "accepted")
_TEAMS_POLICY = "teams.policy/"


def check(documents: Sequence[RawDocument], _: Applications) -> Iterator[Finding]:
    """There is one Tenant document at most."""
    claims = ((None, Claim(document, ("kind",))) for document in documents)
    yield from clashes(claims, rules.SECOND_TENANT, _same_tenant)
    for document in documents:
        yield from clashes(_accepted_claims(document), rules.ACCEPTED_TWICE, _same_object)


def _accepted_claims(document: RawDocument) -> Iterator[tuple[object, Claim]]:
    """The addresses of accepted objects, which services compare without case."""
    entries = document.at(*_ACCEPTED)
    for index in range(len(entries) if isinstance(entries, list) else 0):
        steps = (*_ACCEPTED, index, "address")
        address = document.at(*steps)
        if isinstance(address, str):
            yield address.lower(), Claim(document, steps)


def _same_object(claim: Claim, other: Claim) -> str:
    return (
        f"{short_value(claim.value)} is accepted twice, also at {other.position}: remove one entry"
    )


def _same_tenant(_: Claim, other: Claim) -> str:
    return (
        f"there is another Tenant document at {other.position}; a run has one tenant: remove one,"
        " or pass fewer PATHs"
    )


def build(document: RawDocument) -> TenantDocument:
    """The Tenant of a document without a fault."""
    spec = document.spec
    return TenantDocument(
        name=document.name or "",
        tenant_id=spec["tenantId"].lower(),
        organization=spec.get("organization"),
        prune=tuple(sorted(Kind(kind) for kind in spec.get("prune", ()))),
        consents=tuple(sorted(map(_consent, spec.get("consents", ())))),
        limits=_limits(spec.get("limits", {})),
        guard_scope=spec.get("exchange", {}).get("guardScope"),
        connect=spec.get("connect", {}),
        position=document.position(()),
        refuses_absent_users=spec.get("unresolved", {}).get("users") == _REFUSE,
        accepted=tuple(sorted(_accepted(document), key=lambda entry: entry.address)),
    )


def _accepted(document: RawDocument) -> Iterator[AcceptedObject]:
    for index, entry in enumerate(document.spec.get("accepted", ())):
        address = entry["address"]
        yield AcceptedObject(
            Address(address if address.startswith(_TEAMS_POLICY) else address.lower()),
            entry["reason"],
            {part: _recorded(part, value) for part, value in entry["was"].items()},
            free="grants" in entry,
            position=document.position((*_ACCEPTED, index)),
        )


def _recorded(part: str, value: Any) -> Json:
    """A part as a reading of the tenant has it: ids in lower case, applications sorted."""
    match part:
        case "applications":
            return sorted(map(str.lower, value))
        case "groups":
            return [{"group": row["group"].lower(), "rank": row["rank"]} for row in value]
        case _:
            return value  # type: ignore[no-any-return]  # the schema has said what it is


def _limits(written: Mapping[str, Any]) -> Limits:
    limits = {field: value_at(dict(written), way) for field, way in _LIMITS.items()}
    unknown = value_at(dict(written), ("widening", "unknownGroups"))
    return Limits(
        **{field: int(str(value)) for field, value in limits.items() if value is not None},
        unknown_groups=UnknownGroups.NAME if unknown is None else UnknownGroups(str(unknown)),
    )


def _consent(text: str) -> str:
    """Ids in lower case, as addresses spell them; a policy's name stays as it is."""
    return text if text.startswith(_POLICY_CONSENT) else text.lower()
