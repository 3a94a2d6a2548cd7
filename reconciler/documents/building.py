"""Raw documents without a fault to the documents of the model. Nothing is judged here any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, assert_never

from msgspec import Struct, field

from reconciler.documents.checks_kinds import SUBJECTS
from reconciler.documents.raw_documents import value_at
from reconciler.documents.trees import json_path
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.documents import (
    Access,
    AccessRight,
    AccessTestDocument,
    ApplicationDocument,
    Documents,
    ExchangePolicyDocument,
    Expectation,
    GroupGrant,
    Kind,
    Limits,
    Located,
    TeamsPolicyDocument,
    TenantDocument,
)
from reconciler.model.findings import Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeVar

    from reconciler.documents.checks_names import Applications
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.model.documents import Listing

    Named = TypeVar(
        "Named",
        ApplicationDocument,
        TeamsPolicyDocument,
        ExchangePolicyDocument,
        AccessTestDocument,
    )

Listings = Mapping[Position, tuple["Listing", ...]]
"""The listings of a document's users, by where the document starts."""

_LIMITS = {
    "max_deletes": ("policies", "maxDeletes"),
    "max_delete_percent": ("policies", "maxDeletePercent"),
    "max_removals": ("grants", "maxRemovals"),
    "max_removal_percent": ("grants", "maxRemovalPercent"),
}
_POLICY_CONSENT = "displaced:"


class _Built(Struct, frozen=True):
    """The documents that are built so far."""

    tenants: list[TenantDocument] = field(default_factory=list)
    applications: list[ApplicationDocument] = field(default_factory=list)
    teams: list[TeamsPolicyDocument] = field(default_factory=list)
    exchange: list[ExchangePolicyDocument] = field(default_factory=list)
    tests: list[AccessTestDocument] = field(default_factory=list)


def build(
    raw_documents: Sequence[RawDocument], applications: Applications, listings: Listings
) -> Documents:
    """Build the model's documents out of raw ones without a fault.

    Args:
        raw_documents: documents that keep every rule.
        applications: the declared applications, for the references.
        listings: the users of each Teams policy that lists some.
    """
    built = _Built()
    for document in raw_documents:
        match document.kind:
            case Kind.TENANT:
                built.tenants.append(_tenant(document))
            case Kind.APPLICATION:
                built.applications.append(_application(document))
            case Kind.TEAMS_POLICY:
                users = listings.get(document.start)
                built.teams.append(_teams_policy(document, applications, users))
            case Kind.EXCHANGE_POLICY:
                built.exchange.append(_exchange_policy(document, applications))
            case Kind.ACCESS_TEST:
                built.tests.append(_access_test(document, applications))
            case None:
                raise ValueError("a document without a kind has a fault")
            case _ as other:
                assert_never(other)
    return Documents(
        tenant=built.tenants[0] if built.tenants else None,
        applications=_by_name(built.applications),
        teams=_by_name(built.teams),
        exchange=_by_name(built.exchange),
        tests=_by_name(built.tests),
    )


def _by_name(documents: Iterable[Named]) -> tuple[Named, ...]:
    return tuple(sorted(documents, key=lambda document: (document.name.casefold(), document.name)))


def _tenant(document: RawDocument) -> TenantDocument:
    spec = _spec(document)
    return TenantDocument(
        name=document.name or "",
        tenant_id=spec["tenantId"].lower(),
        organization=spec.get("organization"),
        prune=tuple(sorted(Kind(kind) for kind in spec.get("prune", ()))),
        consents=tuple(sorted(map(_consent, spec.get("consents", ())))),
        limits=_limits(spec.get("limits", {})),
        guard_scope=_located(document, "exchange", "guardScope"),
        connect=spec.get("connect", {}),
        position=document.position(()),
    )


def _application(document: RawDocument) -> ApplicationDocument:
    spec = _spec(document)
    return ApplicationDocument(
        document.name or "",
        spec["appId"].lower(),
        tuple(sorted(spec.get("permissions", ()))),
        document.position(()),
    )


def _teams_policy(
    document: RawDocument, applications: Applications, users: tuple[Listing, ...] | None
) -> TeamsPolicyDocument:
    spec = _spec(document)
    grants = spec.get("grants", {})
    return TeamsPolicyDocument(
        name=document.name or "",
        absent="ensure" in spec,
        description=_description(spec),
        applications=_applications(spec["applications"], applications)
        if "applications" in spec
        else None,
        tenant="tenant" in grants,
        groups=_groups(document, grants["groups"]) if "groups" in grants else None,
        users=users,
        position=document.position(()),
    )


def _exchange_policy(document: RawDocument, applications: Applications) -> ExchangePolicyDocument:
    spec = _spec(document)
    return ExchangePolicyDocument(
        name=document.name or "",
        absent="ensure" in spec,
        applications=_applications(spec["applications"], applications),
        scope=Located(spec["scope"], document.position(("spec", "scope")), "$.spec.scope"),
        right=AccessRight(spec["accessRight"]) if "accessRight" in spec else None,
        description=_description(spec),
        position=document.position(()),
    )


def _access_test(document: RawDocument, applications: Applications) -> AccessTestDocument:
    expected = (
        _expectation(document, index, spec, applications)
        for index, spec in enumerate(_spec(document)["expect"])
    )
    ordered = sorted(
        expected,
        key=lambda each: (each.application, each.product, each.subject.text.lower(), each.access),
    )
    return AccessTestDocument(document.name or "", tuple(ordered), document.position(()))


def _expectation(
    document: RawDocument, index: int, spec: Mapping[str, Any], applications: Applications
) -> Expectation:
    key = next(key for key in SUBJECTS if key in spec)
    steps = ("spec", "expect", index, key)
    return Expectation(
        application=applications.resolve(spec["application"]) or "",
        product=SUBJECTS[key],
        subject=Located(spec[key], document.position(steps), json_path(steps)),
        access=Access(spec["access"]),
    )


def _spec(document: RawDocument) -> Mapping[str, Any]:
    spec: Any = document.at("spec")
    return spec  # type: ignore[no-any-return]  # the schema has said that it is a map


def _description(spec: Mapping[str, Any]) -> str | None:
    """None if the document does not say it; null and blanks are an empty description."""
    if "description" not in spec:
        return None
    text = spec["description"] or ""
    return str(text) if text.strip(" ") else ""


def _applications(texts: Iterable[str], applications: Applications) -> tuple[str, ...]:
    return tuple(
        sorted(
            EVERY_APPLICATION if text == EVERY_APPLICATION else applications.resolve(text) or ""
            for text in texts
        )
    )


def _groups(document: RawDocument, items: Sequence[Mapping[str, Any]]) -> tuple[GroupGrant, ...]:
    grants = (
        GroupGrant(
            item["group"].lower(),
            item["rank"],
            item.get("label"),
            document.position(("spec", "grants", "groups", index)),
        )
        for index, item in enumerate(items)
    )
    return tuple(sorted(grants, key=lambda grant: grant.rank))


def _limits(written: Mapping[str, Any]) -> Limits:
    limits = {field: value_at(dict(written), way) for field, way in _LIMITS.items()}
    return Limits(
        **{field: int(str(value)) for field, value in limits.items() if value is not None}
    )


def _consent(text: str) -> str:
    """Ids in lower case, as addresses spell them; a policy's name stays as it is."""
    return text if text.startswith(_POLICY_CONSENT) else text.lower()


def _located(document: RawDocument, *way: str) -> Located | None:
    text = document.at("spec", *way)
    return (
        Located(text, document.position(("spec", *way)), "$.spec." + ".".join(way))
        if isinstance(text, str)
        else None
    )
